import { figures } from './figures.ts'
import { quantile } from './samples.ts'
import { ours } from './systems.ts'
import type { Figure, RunResult } from './figures.ts'

/** One figure of one system over all its runs. */
export interface Cell {
  readonly median: number
  readonly lowest: number
  readonly highest: number
  /** Runs that have the figure. */
  readonly runs: number
  /** Median over the runs of this system's figure by ours in the same round; undefined where one of them is missing. */
  readonly ratio: number | undefined
}

/** Undefined where no run has the figure. */
export function cellOf(results: readonly RunResult[], system: string, { key }: Figure): Cell | undefined {
  const own = results.filter((result) => result.system === system)
  const values = own.map((result) => result.figures[key]).filter((value) => value !== undefined)
  if (values.length === 0) return undefined
  const ratios = own.flatMap((result) => {
    const reference = results.find((other) => other.system === ours && other.seed === result.seed)?.figures[key]
    const value = result.figures[key]
    return value === undefined || reference === undefined || reference === 0 ? [] : [value / reference]
  })
  return {
    median: quantile(values, 0.5),
    lowest: Math.min(...values),
    highest: Math.max(...values),
    runs: values.length,
    ratio: ratios.length === 0 ? undefined : quantile(ratios, 0.5),
  }
}

/** A Markdown table that reads well on a terminal too: figures down, systems across, each with its ratio to ours. */
export function table(results: readonly RunResult[], names: readonly string[]): string {
  const rows = [['', ...names]]
  for (const figure of figures) {
    const cells = names.map((name) => cellOf(results, name, figure))
    if (cells.every((cell) => cell === undefined)) continue
    const title = figure.unit === '' ? figure.title : `${figure.title}, ${figure.unit}`
    rows.push([title, ...cells.map((cell, i) => text(cell, names[i] !== ours))])
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n')
}

function text(cell: Cell | undefined, withRatio: boolean): string {
  if (cell === undefined) return '–'
  return withRatio && cell.ratio !== undefined ? `${short(cell.median)} (${short(cell.ratio)}×)` : short(cell.median)
}

/** Three digits that count: more are noise on any machine. */
export function short(value: number): string {
  if (Math.abs(value) >= 99.5) return Math.round(value).toLocaleString('en-GB')
  return Number(value.toPrecision(value < 0.01 ? 1 : value < 1 ? 2 : 3)).toString()
}
