import { figure } from '@plaxton/simulator'
import type { Experiment, Plot } from '@plaxton/simulator'
import { barChart } from '../page/bar-chart.ts'
import { lineChart } from '../page/line-chart.ts'
import { short } from '../page/svg.ts'
import type { Cell, Run } from './outcome.ts'

/** The drawings of an experiment, of what it gave with one seed; each is an SVG. One of which too little is known is left out. */
export function drawPlots({ plots = [] }: Experiment, run: Run): string[] {
  return plots.flatMap((plot) => draw(plot, run) ?? [])
}

function draw(plot: Plot, run: Run): string | undefined {
  return plot.form === 'lines' ? drawLines(plot, run) : drawBars(plot, run)
}

function drawLines({ x, y, series, logarithmic = false }: Plot, run: Run): string | undefined {
  const lines = Object.entries(series).map(([name, column]) => ({
    label: name,
    points: run.rows.flatMap((row) => {
      const point = [numberIn(row[0]), numberIn(row[column])] as const
      return point[0] === undefined || point[1] === undefined ? [] : [[point[0], point[1]] as const]
    }),
  }))
  if (lines.every(({ points }) => points.length < 2)) return undefined
  return lineChart({
    lines,
    x: { title: x, tick: thousands, logarithmic },
    y: { title: y, tick: short },
  })
}

function drawBars({ x, y, series }: Plot, run: Run): string | undefined {
  const rows = run.rows
    .map((row) => ({
      label: String(row[0]),
      bars: Object.values(series).map((column) => {
        const value = numberIn(row[column]) ?? null
        return { value, deviation: null, words: value === null ? '' : figure(value) }
      }),
    }))
    .filter(({ bars }) => bars.some(({ value }) => value !== null))
  if (rows.length === 0) return undefined
  const title = x === '' ? y : `${y}, by ${x}`
  return barChart({ legend: Object.keys(series), rows, title, tick: short, colours: 'bars' })
}

/** The number that a cell is or begins with. */
function numberIn(cell: Cell | undefined): number | undefined {
  const value = typeof cell === 'string' ? Number.parseFloat(cell.replaceAll(',', '')) : cell
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function thousands(value: number): string {
  return value >= 10_000 ? `${short(value / 1000)}k` : short(value)
}
