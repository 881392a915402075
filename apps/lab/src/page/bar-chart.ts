import { axisTo } from './axis.ts'
import { element, short, textNode } from './svg.ts'
import { barShade, faint, fontSize, ink, lineStyle, soft } from './style.ts'

export interface BarChart {
  /** What the bars of a row are, where there are several. */
  readonly legend: readonly string[]
  readonly rows: readonly BarRow[]
  /** What the axis counts. */
  readonly title: string
  /** How a number of the axis that ends at `end` is written. */
  readonly tick: (value: number, end: number) => string
  /** What has a colour of its own: each row, whose bars are shades of it, or each bar of the legend. Default rows. */
  readonly colours?: 'rows' | 'bars'
}

interface BarRow {
  readonly label: string
  readonly bars: readonly Bar[]
}

interface Bar {
  /** null: there is none; only the words are shown. */
  readonly value: number | null
  /** Drawn as a whisker to either side. */
  readonly deviation: number | null
  /** Written beside the bar. */
  readonly words: string
}

/** Horizontal bars from 0, in groups. */
export function barChart({ legend, rows, title, tick, colours = 'rows' }: BarChart): string {
  const left = Math.max(leastLeft, ...rows.map(({ label: name }) => roomFor(name) + 16))
  const paint = (row: number, place: number): Paint =>
    colours === 'bars'
      ? { fill: lineStyle(place).colour, shade: barShade(0, 1) }
      : { fill: lineStyle(row).colour, shade: barShade(place, rows[row]!.bars.length) }
  const perRow = Math.max(...rows.map(({ bars }) => bars.length))
  const thickness = perRow === 1 ? 16 : 13
  const rowHeight = perRow * thickness + 10
  const top = legend.length > 1 ? 26 : 6
  const bottom = top + rows.length * rowHeight
  const axis = axisTo(Math.max(...rows.flatMap(({ bars }) => bars.map(({ value, deviation }) => (value ?? 0) + (deviation ?? 0)))))
  const x = (value: number) => left + (value / axis.end) * (right - left)
  const parts = [
    ...axis.ticks.map((at) => element('line', { x1: x(at), x2: x(at), y1: top, y2: bottom, stroke: at === 0 ? ink : faint })),
    ...axis.ticks.map((at) => label(tick(at, axis.end), { x: x(at), y: bottom + fontSize + 3, 'text-anchor': 'middle', fill: soft })),
    label(title, { x: (left + right) / 2, y: bottom + 2 * fontSize + 6, 'text-anchor': 'middle', fill: soft }),
    ...(legend.length > 1
      ? barLegend(legend, left, (place) => (colours === 'bars' ? paint(0, place) : { fill: ink, shade: barShade(place, legend.length) }))
      : []),
    ...rows.flatMap(({ label: name, bars }, i) => {
      const y = top + i * rowHeight + 5
      return [
        label(name, { x: left - 8, y: y + (bars.length * thickness) / 2, 'text-anchor': 'end', 'dominant-baseline': 'central', fill: ink }),
        ...bars.flatMap((bar, place) => drawBar(bar, { x, left, y: y + place * thickness, thickness, ...paint(i, place) })),
      ]
    }),
  ]
  return drawing(bottom + 2 * fontSize + 12, parts)
}

interface Paint {
  readonly fill: string
  readonly shade: number
}

export const width = 480
const leastLeft = 86
/** Room for the words beside the longest bar. */
const right = width - 112

/** An SVG of the common width and this height. */
export function drawing(height: number, parts: readonly string[]): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': 'system-ui, sans-serif',
      'font-size': fontSize,
    },
    ...parts,
  )
}

export function label(words: string, attributes: Readonly<Record<string, string | number>>): string {
  return element('text', attributes, textNode(words))
}

/** Width of some words, roughly: fonts differ from one reader to the next. */
export function roomFor(words: string): number {
  return 0.56 * fontSize * words.length
}

function drawBar(
  { value, deviation, words }: Bar,
  { x, left, y, thickness, fill, shade }: Paint & { x: (value: number) => number; left: number; y: number; thickness: number },
): string[] {
  const middle = y + thickness / 2
  const end = value === null ? left : x(value)
  const tip = value === null || deviation === null ? end : x(value + deviation)
  const parts = [label(words, { x: tip + 5, y: middle, 'dominant-baseline': 'central', fill: ink, 'font-size': fontSize - 1 })]
  if (value === null) return parts
  parts.unshift(element('rect', { x: left, y: y + 1, width: end - left, height: thickness - 2, fill, 'fill-opacity': shade, stroke: fill }))
  if (deviation !== null && tip > end + 0.5) {
    const from = x(Math.max(0, value - deviation))
    const cap = (at: number) => `M${short(at)} ${short(middle - 3)}v6`
    const d = `M${short(from)} ${short(middle)}H${short(tip)}${cap(from)}${cap(tip)}`
    // The pale line below keeps it visible on a dark bar.
    for (const [stroke, thick] of [
      ['#ffffff', 3.5],
      [ink, 1],
    ] as const)
      parts.push(element('path', { d, stroke, 'stroke-width': thick, fill: 'none' }))
  }
  return parts
}

function barLegend(names: readonly string[], left: number, paint: (place: number) => Paint): string[] {
  let x = Math.min(left, width - names.reduce((sum, name) => sum + 30 + roomFor(name), 0))
  return names.flatMap((name, i) => {
    const at = x
    x += 14 + roomFor(name) + 16
    return [
      element('rect', { x: at, y: 4, width: 10, height: 10, fill: paint(i).fill, 'fill-opacity': paint(i).shade, stroke: paint(i).fill }),
      label(name, { x: at + 14, y: 9, 'dominant-baseline': 'central', fill: ink }),
    ]
  })
}
