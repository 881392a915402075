import { percentile } from '../summary.ts'

/** Something measured between two nodes a certain round trip apart. */
export interface Sample {
  readonly roundTripMs: number
  readonly value: number
}

/** The samples of one range of round trips. */
export interface Bin {
  readonly fromMs: number
  readonly toMs: number
  readonly count: number
  /** NaN without samples. */
  readonly median: number
  readonly p90: number
}

/** `edges` ascending; bin i goes from edge i to edge i + 1. What lies outside is left out. */
export function binned(samples: readonly Sample[], edges: readonly number[]): Bin[] {
  return edges.slice(1).map((toMs, i) => {
    const fromMs = edges[i]!
    const values = samples.filter(({ roundTripMs }) => roundTripMs >= fromMs && roundTripMs < toMs).map(({ value }) => value)
    values.sort((a, b) => a - b)
    return { fromMs, toMs, count: values.length, median: percentile(values, 50), p90: percentile(values, 90) }
  })
}

export function binName({ fromMs, toMs }: Bin): string {
  return toMs === Infinity ? `${fromMs} ms and more` : `${fromMs} to ${toMs} ms`
}

/** Samples a bin must have before a claim rests on it. */
export const fewest = 30

/** Whether no 90th percentile exceeds the one before by more than `slack` of it, in bins that have enough samples. */
export function decreases(bins: readonly Bin[], slack: number): boolean {
  const filled = bins.filter(({ count }) => count >= fewest)
  return filled.length > 1 && filled.every(({ p90 }, i) => i === 0 || p90 <= (1 + slack) * filled[i - 1]!.p90)
}

/** The 90th percentiles in a line, for a claim's figures. */
export function nineties(bins: readonly Bin[]): string {
  return bins.map(({ p90, count }) => (count < fewest ? '-' : p90.toFixed(2))).join(' ')
}
