/** Durations of one kind of operation, in milliseconds. */
export class Timings {
  readonly name: string
  private readonly samples: number[] = []

  constructor(name: string) {
    this.name = name
  }

  async measure<T>(operation: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await operation()
    this.samples.push(performance.now() - start)
    return result
  }

  get count(): number {
    return this.samples.length
  }

  /** The smallest sample that at least the share `q` of all does not exceed. */
  quantile(q: number): number {
    const sorted = this.samples.toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
  }
}

export function printTable(rows: readonly Timings[]): void {
  const columns = ['n', 'p50', 'p90', 'p99', 'max']
  console.log(`${''.padEnd(30)}${columns.map((column) => column.padStart(9)).join('')}`)
  for (const row of rows) {
    const figures = [0.5, 0.9, 0.99, 1].map((q) => row.quantile(q).toFixed(2))
    console.log(row.name.padEnd(30) + [String(row.count), ...figures].map((text) => text.padStart(9)).join(''))
  }
}
