/** Durations of one kind of operation, in milliseconds. */
export class Timings {
  readonly name: string
  private readonly samples: number[] = []
  /** CPU time of the whole process while operations were measured, in milliseconds. Steadier than wall time on a machine that does other things. */
  private cpu = 0

  constructor(name: string) {
    this.name = name
  }

  async measure<T>(operation: () => Promise<T>): Promise<T> {
    const before = process.cpuUsage()
    const start = performance.now()
    const result = await operation()
    this.samples.push(performance.now() - start)
    const { user, system } = process.cpuUsage(before)
    this.cpu += (user + system) / 1000
    return result
  }

  get count(): number {
    return this.samples.length
  }

  get cpuPerOperation(): number {
    return this.cpu / this.count
  }

  /** The smallest sample that at least the share `q` of all does not exceed. */
  quantile(q: number): number {
    const sorted = this.samples.toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
  }
}

export function printTable(rows: readonly Timings[]): void {
  const columns = ['n', 'p50', 'p90', 'p99', 'max', 'CPU']
  console.log(`${''.padEnd(30)}${columns.map((column) => column.padStart(9)).join('')}`)
  for (const row of rows) {
    const figures = [...[0.5, 0.9, 0.99, 1].map((q) => row.quantile(q)), row.cpuPerOperation].map((figure) => figure.toFixed(2))
    console.log(row.name.padEnd(30) + [String(row.count), ...figures].map((text) => text.padStart(9)).join(''))
  }
}
