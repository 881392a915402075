import type { ComparedOverlay, Comparison, Estimate } from '../compare/comparison.ts'
import { figures } from '../compare/figures.ts'
import type { FigureName } from '../compare/figures.ts'
import { formatEstimate, formatTick } from '../compare/format.ts'
import { barChart } from './bar-chart.ts'
import { lineChart } from './line-chart.ts'

/** A drawing with what to say above it. */
export interface Chart {
  /** Charts of one section stand together. */
  readonly section: string
  readonly title: string
  readonly says: string
  readonly svg: string
}

/** Everything that is drawn, in this order. Overlays that failed are left out. */
export function charts({ overlays, seeds }: Comparison): Chart[] {
  const drawn = overlays.filter(({ failures }) => failures.length < seeds.length)
  if (drawn.length === 0) return []
  return sections.flatMap(({ title, bars, line }) => [
    ...bars.map((spec) => ({ section: title, ...barsOf(spec, drawn) })),
    ...(line === undefined ? [] : [{ section: title, ...line(drawn) }]),
  ])
}

type Drawing = Omit<Chart, 'section'>

interface Section {
  readonly title: string
  readonly bars: readonly BarSpec[]
  readonly line?: (overlays: readonly ComparedOverlay[]) => Drawing
}

interface BarSpec {
  readonly title: string
  readonly says: string
  /** What the axis counts. */
  readonly axis: string
  /** What a row shows, each with its name in the legend. */
  readonly figures: ReadonlyArray<readonly [figure: FigureName, name: string]>
  /** Draws what is missing to the whole: shares near 100 % differ in that. */
  readonly missing?: boolean
}

const sections: readonly Section[] = [
  {
    title: 'Lookups at rest',
    bars: [
      {
        title: 'Hops of a lookup',
        says: 'Random keys from random nodes; each hop is one message to another machine.',
        axis: 'hops',
        figures: [
          ['hops', 'mean'],
          ['hopsP99', 'p99'],
        ],
      },
      {
        title: 'Stretch',
        says: 'Length of all ways by the direct distance between their ends. 1 is the shortest there is.',
        axis: 'times the direct way',
        figures: [['stretch', '']],
      },
      { title: 'Time of a lookup', says: 'One way, without an answer; median.', axis: 'time', figures: [['latencyP50', '']] },
    ],
    line: hops,
  },
  {
    title: 'State and joining',
    bars: [
      {
        title: 'State',
        says: 'How many different nodes one node has in its tables, on average: what shorter ways are paid with.',
        axis: 'nodes',
        figures: [['state', '']],
      },
      {
        title: 'Time of one join',
        says: 'From the start of the node until it is a member, median.',
        axis: 'time',
        figures: [['joinTime', '']],
      },
      { title: 'Messages for one join', says: 'Sent by all nodes, upkeep taken off.', axis: 'messages', figures: [['joinMessages', '']] },
      { title: 'Bytes for one join', says: 'Sent by all nodes, upkeep taken off.', axis: 'bytes', figures: [['joinBytes', '']] },
    ],
  },
  {
    title: 'Upkeep and churn',
    bars: [
      {
        title: 'Upkeep, messages',
        says: 'What it costs to keep the tables in order; lookups not counted.',
        axis: 'messages per node and second',
        figures: [
          ['quietMessages', 'in quiet'],
          ['churnMessages', 'under churn'],
        ],
      },
      {
        title: 'Upkeep, bytes',
        says: 'The same in bytes.',
        axis: 'bytes per node and second',
        figures: [
          ['quietBytes', 'in quiet'],
          ['churnBytes', 'under churn'],
        ],
      },
      {
        title: 'Lookups that fail',
        says: 'Not at the root within 10 s. Shorter is better.',
        axis: 'share of lookups',
        figures: [
          ['churnSuccess', 'under churn'],
          ['recoveryFirstMinute', 'first minute after a fifth died'],
        ],
        missing: true,
      },
      {
        title: 'Time of a lookup under churn',
        says: 'One way, of those that arrive. Where p99 is long, a lookup met somebody dead on its way.',
        axis: 'time',
        figures: [
          ['churnP50', 'median'],
          ['churnP99', 'p99'],
        ],
      },
    ],
  },
  {
    title: 'Load balance',
    bars: [
      {
        title: 'Keys per node',
        says: '100 on average, random keys: the least loaded nodes, those in the middle, the most loaded.',
        axis: 'keys',
        figures: [
          ['keysP1', 'p1'],
          ['keysP50', 'p50'],
          ['keysP99', 'p99'],
          ['keysMax', 'max'],
        ],
      },
    ],
    line: load,
  },
  {
    title: 'A fifth of the nodes die at one moment',
    bars: [
      {
        title: 'Recovery',
        says: 'Time until all lookups get to their roots, and until all tables are exact.',
        axis: 'time',
        figures: [
          ['recoveryLookups', 'lookups'],
          ['recoveryTables', 'tables'],
        ],
      },
    ],
    line: recovery,
  },
]

function barsOf({ title, says, axis, figures: shown, missing = false }: BarSpec, overlays: readonly ComparedOverlay[]): Drawing {
  const { form } = figures[shown[0]![0]]
  const bar = (name: FigureName, { mean, deviation }: Estimate) => {
    const value = mean === null || !missing ? mean : 1 - mean
    return { value, deviation, words: formatEstimate({ mean: value, deviation }, figures[name].form) }
  }
  const rows = overlays.map((overlay) => ({ label: overlay.name, bars: shown.map(([figure]) => bar(figure, overlay.figures[figure])) }))
  return {
    title,
    says,
    svg: barChart({ legend: shown.map(([, name]) => name), rows, title: axis, tick: (value, end) => formatTick(value, end, form) }),
  }
}

function hops(overlays: readonly ComparedOverlay[]): Drawing {
  const most = Math.max(...overlays.map(({ curves }) => curves.hops.length))
  return {
    title: 'Lookups by hops',
    says: 'How many of the lookups take so many hops.',
    svg: lineChart({
      lines: overlays.map(({ name, curves }) => ({
        label: name,
        points: Array.from({ length: most }, (_, count) => [count, 100 * (curves.hops[count] ?? 0)] as const),
      })),
      x: { title: 'hops', tick: String },
      y: { title: 'share of lookups', tick: (value) => `${value} %` },
    }),
  }
}

function load(overlays: readonly ComparedOverlay[]): Drawing {
  return {
    title: 'Keys per node, from the least to the most loaded',
    says: 'A flat line at 100 would be perfect balance.',
    svg: lineChart({
      lines: overlays.map(({ name, curves: { load: keys } }) => ({
        label: name,
        points: keys.map((count, i) => [(100 * (i + 0.5)) / keys.length, count] as const),
      })),
      x: { title: 'nodes, least loaded first', tick: (value) => `${value} %`, to: 100 },
      y: { title: 'keys', tick: String },
    }),
  }
}

function recovery(overlays: readonly ComparedOverlay[]): Drawing {
  const lines = overlays.map(({ name, curves }) => ({
    label: name,
    points: curves.recovery
      .filter(({ atMs }) => atMs <= shownMs)
      .flatMap(({ atMs, success }) => (success === null ? [] : [[atMs / 1000, 100 * success] as const])),
  }))
  const least = Math.min(...lines.flatMap(({ points }) => points.map(([, share]) => share)))
  return {
    title: 'Lookups after the failure',
    says: 'Of the lookups sent in each 5 s, those that get to the root within 10 s.',
    svg: lineChart({
      lines,
      x: { title: 'seconds since the failure', tick: String, to: shownMs / 1000 },
      y: { title: 'right lookups', tick: (value) => `${value} %`, from: Math.min(80, 10 * Math.floor(least / 10)), to: 100 },
    }),
  }
}

/** All that happens, happens early. */
const shownMs = 100_000
