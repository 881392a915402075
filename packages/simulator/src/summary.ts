/** What a sample of numbers looks like. */
export interface Summary {
  readonly count: number
  readonly mean: number
  /** Standard error of the mean. */
  readonly standardError: number
  readonly p1: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Of at least one number. Percentiles by the nearest rank. */
export function summarize(sample: readonly number[]): Summary {
  const sorted = [...sample].sort((a, b) => a - b)
  const count = sorted.length
  const mean = sorted.reduce((sum, x) => sum + x, 0) / count
  const variance = sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, count - 1)
  return {
    count,
    mean,
    standardError: Math.sqrt(variance / count),
    p1: percentile(sorted, 1),
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    max: sorted.at(-1)!,
  }
}

/** By the nearest rank, of numbers in ascending order; NaN of none. `p` in percent. */
export function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? NaN
}

/** How often each whole number occurs, as a share; index by the number. */
export function distribution(sample: readonly number[]): number[] {
  const shares = Array.from({ length: Math.max(0, ...sample) + 1 }, () => 0)
  for (const x of sample) shares[x]! += 1 / sample.length
  return shares
}
