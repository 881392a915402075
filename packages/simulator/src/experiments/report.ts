/** What an experiment found, beside what was published: a table, and the shapes that must show in it. */
export interface Report {
  /** What was done, in a line. */
  readonly title: string
  readonly columns: readonly string[]
  /** Numbers are printed with three significant digits; undefined is left empty. */
  readonly rows: ReadonlyArray<ReadonlyArray<string | number | undefined>>
  readonly claims: readonly Claim[]
  /** Further facts, a sentence each. */
  readonly remarks?: readonly string[]
  readonly traceHash: string
}

/** A shape the figures must have; the experiment fails when one does not hold. */
export interface Claim {
  readonly says: string
  readonly holds: boolean
  /** The figures it was judged by. */
  readonly measured: string
}

/** The report as text, columns aligned. */
export function renderReport({ title, columns, rows, claims, remarks = [], traceHash }: Report): string {
  const cells = [columns, ...rows.map((row) => row.map(cell))]
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  const table = cells.map((row) =>
    `  ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ')}`.trimEnd(),
  )
  return [
    `${title}; trace ${traceHash}`,
    ...table,
    ...remarks.map((remark) => `  ${remark}`),
    ...claims.map(({ says, holds, measured }) => `  ${holds ? 'holds' : 'FAILS'}: ${says} (${measured})`),
  ].join('\n')
}

export function holds(report: Report): boolean {
  return report.claims.every((claim) => claim.holds)
}

/** Three significant digits, but never more than three decimals. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return ''
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  return size > 0 && size < 0.1 ? value.toFixed(3) : value.toPrecision(3)
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0.99 && share < 1 ? 2 : 1)} %`
}

function cell(value: string | number | undefined): string {
  return value === undefined ? '' : typeof value === 'number' ? figure(value) : value
}
