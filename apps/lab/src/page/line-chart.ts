import { axisTo } from './axis.ts'
import { drawing, label, roomFor, width } from './bar-chart.ts'
import { element, short } from './svg.ts'
import { faint, fontSize, ink, lineStyle, soft } from './style.ts'
import type { LineStyle, Mark } from './style.ts'

export interface LineChart {
  readonly lines: readonly Line[]
  readonly x: AxisWords
  readonly y: AxisWords
}

interface Line {
  readonly label: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

interface AxisWords {
  readonly title: string
  readonly tick: (value: number) => string
  /** Where the axis begins. Default 0. */
  readonly from?: number
  /** Where it ends, when not at the largest value. */
  readonly to?: number
  /** From the smallest to the largest value, each doubling as wide as the next. Default false. */
  readonly logarithmic?: boolean
}

/** Lines over a common axis, told apart by colour, dashes and marks. */
export function lineChart({ lines, x, y }: LineChart): string {
  const points = lines.flatMap((line) => line.points)
  const samples = legend(lines)
  const top = samples.height + 26
  const bottom = top + plotHeight
  const across = scale(
    x,
    points.map(([value]) => value),
    left,
    right,
  )
  const up = scale(
    y,
    points.map(([, value]) => value),
    bottom,
    top,
  )
  return drawing(bottom + 2 * fontSize + 14, [
    ...across.ticks.map((at) => element('line', { x1: across.place(at), x2: across.place(at), y1: top, y2: bottom, stroke: faint })),
    ...up.ticks.map((at) => element('line', { x1: left, x2: right, y1: up.place(at), y2: up.place(at), stroke: faint })),
    ...across.ticks.map((at) => label(x.tick(at), { x: across.place(at), y: bottom + fontSize + 4, 'text-anchor': 'middle', fill: soft })),
    ...up.ticks.map((at) =>
      label(y.tick(at), { x: left - 6, y: up.place(at), 'text-anchor': 'end', 'dominant-baseline': 'central', fill: soft }),
    ),
    label(x.title, { x: (left + right) / 2, y: bottom + 2 * fontSize + 8, 'text-anchor': 'middle', fill: soft }),
    label(y.title, { x: left, y: top - 8, fill: soft }),
    // The first comes last, and so on top.
    ...lines.map((line, i) => drawLine(line, lineStyle(i), across.place, up.place)).reverse(),
    ...samples.parts,
  ])
}

const left = 52
const right = width - 22
const plotHeight = 204

interface Scale {
  readonly ticks: readonly number[]
  readonly place: (value: number) => number
}

function scale({ from = 0, to, logarithmic = false }: AxisWords, values: readonly number[], start: number, end: number): Scale {
  if (logarithmic) return logarithmicScale(values, start, end)
  const axis = axisTo((to ?? Math.max(...values)) - from)
  const span = to === undefined ? axis.end : to - from
  return { ticks: axis.ticks.map((tick) => from + tick), place: (value) => start + ((value - from) / span) * (end - start) }
}

function logarithmicScale(values: readonly number[], start: number, end: number): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const span = Math.log(high / low) || 1
  const place = (value: number): number => start + (Math.log(value / low) / span) * (end - start)
  const ticks: number[] = []
  for (const value of [...new Set(values)].sort((a, b) => a - b))
    if (ticks.length === 0 || place(value) - place(ticks.at(-1)!) >= leastTickRoom) ticks.push(value)
  return { ticks, place }
}

/** Between two numbers on an axis, so that they stay apart. */
const leastTickRoom = 44

function drawLine({ points }: Line, style: LineStyle, x: (value: number) => number, y: (value: number) => number): string {
  const places = points.map(([across, up]) => [x(across), y(up)] as const)
  const path = places.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${short(px)} ${short(py)}`).join('')
  const every = Math.max(1, Math.round(places.length / marksPerLine))
  return element(
    'g',
    {},
    element('path', { d: path, fill: 'none', stroke: style.colour, 'stroke-width': 1.8, 'stroke-dasharray': style.dashes }),
    ...places.filter((_, i) => i % every === 0).map(([px, py]) => drawMark(style.mark, px, py, style.colour)),
  )
}

const marksPerLine = 12

function drawMark(mark: Mark, x: number, y: number, colour: string): string {
  const paint = { fill: colour, stroke: 'white', 'stroke-width': 0.7 }
  switch (mark) {
    case 'circle':
      return element('circle', { cx: x, cy: y, r: 3.4, ...paint })
    case 'ring':
      return element('circle', { cx: x, cy: y, r: 3.4, fill: 'white', stroke: colour, 'stroke-width': 1.6 })
    case 'square':
      return element('rect', { x: x - 3, y: y - 3, width: 6, height: 6, ...paint })
    case 'triangle':
      return element('path', {
        d: `M${short(x)} ${short(y - 4)}L${short(x + 4)} ${short(y + 3)}L${short(x - 4)} ${short(y + 3)}Z`,
        ...paint,
      })
    case 'diamond':
      return element('path', { d: `M${short(x)} ${short(y - 4.4)}l4.4 4.4l-4.4 4.4l-4.4 -4.4Z`, ...paint })
  }
}

/** Names of the lines with a piece of each, in as many rows as they need. */
function legend(lines: readonly Line[]): { readonly parts: readonly string[]; readonly height: number } {
  let [x, y] = [left, 10]
  const parts = lines.flatMap(({ label: name }, i) => {
    const room = sampleLength + 6 + roomFor(name)
    if (x > left && x + room > width) [x, y] = [left, y + legendRow]
    const at = x
    x += room + 14
    const { colour, dashes, mark } = lineStyle(i)
    return [
      element('line', { x1: at, x2: at + sampleLength, y1: y, y2: y, stroke: colour, 'stroke-width': 1.8, 'stroke-dasharray': dashes }),
      drawMark(mark, at + sampleLength / 2, y, colour),
      label(name, { x: at + sampleLength + 6, y, 'dominant-baseline': 'central', fill: ink }),
    ]
  })
  return { parts, height: y + legendRow / 2 }
}

const legendRow = 20
const sampleLength = 26
