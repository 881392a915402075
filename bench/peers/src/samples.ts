/** Durations of calls of one kind in milliseconds, what share of the calls succeeded, and what they cost the whole process. */
export class Samples {
  readonly errors: string[] = []
  private readonly durations: number[] = []
  private readonly cpuBefore = process.cpuUsage()
  private failed = 0

  /** Times one call; false or a rejection counts as failed, and how long it took is left out. */
  async take(call: () => Promise<boolean>): Promise<void> {
    const started = performance.now()
    try {
      if (!(await call())) throw new Error('not found')
      this.durations.push(performance.now() - started)
    } catch (error) {
      this.failed++
      if (this.errors.length < 3) this.errors.push(String(error))
    }
  }

  get calls(): number {
    return this.durations.length + this.failed
  }

  /** As figures under `name`. Processor time since these samples were begun is divided among all calls. */
  figures(name: string): Record<string, number> {
    const { user, system } = process.cpuUsage(this.cpuBefore)
    const done = (100 * this.durations.length) / this.calls
    const cpu = (user + system) / 1000 / this.calls
    if (this.durations.length === 0) return { [`${name}Done`]: done }
    return {
      [`${name}P50`]: quantile(this.durations, 0.5),
      [`${name}P99`]: quantile(this.durations, 0.99),
      [`${name}Cpu`]: cpu,
      [`${name}Done`]: done,
    }
  }
}

/** The smallest of `values` that at least the share `q` of them does not exceed; NaN when there are none. */
export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? Number.NaN
}
