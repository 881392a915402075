import type { ComparedOverlay, Comparison, Estimate } from '../compare/comparison.ts'
import { figures } from '../compare/figures.ts'
import type { FigureName } from '../compare/figures.ts'
import { formatEstimate, formatTick } from '../compare/format.ts'
import { barChart } from './bar-chart.ts'
import { lineChart } from './line-chart.ts'

/** A drawing with what to say above and below it. */
export interface Chart {
  readonly title: string
  readonly says: string
  readonly svg: string
}

/** Everything that is drawn, in this order. Overlays that failed are left out. */
export function charts({ overlays, seeds }: Comparison): Chart[] {
  const drawn = overlays.filter(({ failures }) => failures.length < seeds.length)
  return drawn.length === 0 ? [] : [...barSpecs.map((spec) => bars(spec, drawn)), hops(drawn), load(drawn), recovery(drawn)]
}

interface BarSpec {
  readonly title: string
  readonly says: string
  /** What a row shows, each with its name in the legend. */
  readonly figures: ReadonlyArray<readonly [figure: FigureName, name: string]>
  /** Draws what is missing to the whole: shares near 100 % differ in that. */
  readonly missing?: boolean
}

const barSpecs: readonly BarSpec[] = [
  {
    title: 'Hops of a lookup',
    says: 'Random keys from random nodes, network at rest.',
    figures: [
      ['hops', 'mean'],
      ['hopsP99', 'p99'],
    ],
  },
  {
    title: 'Stretch',
    says: 'Length of all ways by the direct distance between their ends. 1 is the shortest there is.',
    figures: [['stretch', '']],
  },
  { title: 'State', says: 'Different nodes in the tables of one node, on average.', figures: [['state', '']] },
  { title: 'Messages for one join', says: 'Sent by all nodes, upkeep taken off.', figures: [['joinMessages', '']] },
  { title: 'Bytes for one join', says: 'Sent by all nodes, upkeep taken off.', figures: [['joinBytes', '']] },
  { title: 'Time of one join', says: 'From the start of the node until it is a member, median.', figures: [['joinTime', '']] },
  {
    title: 'Upkeep, messages',
    says: 'Per node and second; lookups not counted.',
    figures: [
      ['quietMessages', 'in quiet'],
      ['churnMessages', 'under churn'],
    ],
  },
  {
    title: 'Upkeep, bytes',
    says: 'Per node and second; lookups not counted.',
    figures: [
      ['quietBytes', 'in quiet'],
      ['churnBytes', 'under churn'],
    ],
  },
  {
    title: 'Lookups that fail',
    says: 'Not at the root within 10 s: share of all lookups.',
    figures: [
      ['churnSuccess', 'under churn'],
      ['recoveryFirstMinute', 'first minute after a fifth died'],
    ],
    missing: true,
  },
  {
    title: 'Time of a lookup under churn',
    says: 'One way, of those that arrive.',
    figures: [
      ['churnP50', 'median'],
      ['churnP99', 'p99'],
    ],
  },
  {
    title: 'Keys per node',
    says: '100 on average, random keys.',
    figures: [
      ['keysP1', 'p1'],
      ['keysP50', 'p50'],
      ['keysP99', 'p99'],
      ['keysMax', 'max'],
    ],
  },
  {
    title: 'Recovery after a fifth died',
    says: 'Time until all lookups get to their roots, and until all tables are exact.',
    figures: [
      ['recoveryLookups', 'lookups'],
      ['recoveryTables', 'tables'],
    ],
  },
]

function bars({ title, says, figures: shown, missing = false }: BarSpec, overlays: readonly ComparedOverlay[]): Chart {
  const { form } = figures[shown[0]![0]]
  const bar = (name: FigureName, { mean, deviation }: Estimate) => {
    const value = mean === null || !missing ? mean : 1 - mean
    return { value, deviation, words: formatEstimate({ mean: value, deviation }, figures[name].form) }
  }
  const rows = overlays.map((overlay) => ({ label: overlay.name, bars: shown.map(([figure]) => bar(figure, overlay.figures[figure])) }))
  return { title, says, svg: barChart({ legend: shown.map(([, name]) => name), rows, tick: (value, end) => formatTick(value, end, form) }) }
}

function hops(overlays: readonly ComparedOverlay[]): Chart {
  const most = Math.max(...overlays.map(({ curves }) => curves.hops.length))
  return {
    title: 'Lookups by hops',
    says: 'Share of lookups that take so many hops, network at rest.',
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

function load(overlays: readonly ComparedOverlay[]): Chart {
  return {
    title: 'Keys per node, from the least to the most loaded',
    says: 'A straight line at 100 would be perfect balance.',
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

function recovery(overlays: readonly ComparedOverlay[]): Chart {
  const lines = overlays.map(({ name, curves }) => ({
    label: name,
    points: curves.recovery
      .filter(({ atMs }) => atMs <= shownMs)
      .flatMap(({ atMs, success }) => (success === null ? [] : [[atMs / 1000, 100 * success] as const])),
  }))
  const least = Math.min(...lines.flatMap(({ points }) => points.map(([, share]) => share)))
  return {
    title: 'After a fifth of the nodes died',
    says: 'Lookups sent in each 5 s that get to the root within 10 s.',
    svg: lineChart({
      lines,
      x: { title: 'seconds since the failure', tick: String, to: shownMs / 1000 },
      y: { title: 'right lookups', tick: (value) => `${value} %`, from: Math.min(80, 10 * Math.floor(least / 10)), to: 100 },
    }),
  }
}

/** All that happens, happens early. */
const shownMs = 100_000
