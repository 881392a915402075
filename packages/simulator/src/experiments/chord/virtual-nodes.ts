import { Prng } from '@plaxton/kbr'
import { figure } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { loadOfHosts } from './placement.ts'

/** Virtual nodes (ToN 2003, §VI-B, figure 9): 10^4 hosts with v ids each, 10^6 keys. No message is sent: who holds what follows from the ids. */
export function virtualNodes(options: ExperimentOptions): Report {
  const { nodes: hosts = 10_000, objects: keys = 100 * hosts, repeats = 3 } = options
  const prng = Prng.fromSeed(`${options.seed}/virtual nodes`)
  const measured = published.map((row) => {
    const loads = Array.from({ length: repeats }, () => loadOfHosts(prng, hosts, row.v, keys))
    const mean = (of: (load: (typeof loads)[number]) => number) => loads.reduce((sum, load) => sum + of(load), 0) / repeats
    return { ...row, low: mean((load) => load.p1), high: mean((load) => load.p99), max: mean((load) => load.max) }
  })
  const isWithin = (value: number, expected: number): boolean => Math.abs(value - expected) <= 0.05 + 0.05 * expected
  return {
    title: `keys per host with v virtual nodes, ${hosts} hosts, ${keys} keys, mean of ${repeats} runs, in multiples of the mean`,
    columns: ['v', 'p1, ours', 'p99, ours', 'max, ours', 'published p1', 'published p99', 'R p1', 'R p99'],
    rows: measured.map(({ v, low, high, max, said, p1, p99 }) => [String(v), low, high, max, said?.[0], said?.[1], p1, p99]),
    claims: [
      {
        says: 'p1 and p99 are those of the model within 5 % and .05',
        holds: measured.every(({ low, high, p1, p99 }) => isWithin(low, p1) && isWithin(high, p99)),
        measured: measured.map(({ low, high }) => `${figure(low)}/${figure(high)}`).join(' '),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

/** `said`: in the paper's text (T). The others are recomputed from the model (R). */
const published: ReadonlyArray<{
  readonly v: number
  readonly p1: number
  readonly p99: number
  readonly said?: readonly [string, string]
}> = [
  { v: 1, p1: 0.01, p99: 4.5, said: ['0 (T)', '4.8 (T)'] },
  { v: 2, p1: 0.06, p99: 3.4 },
  { v: 5, p1: 0.24, p99: 2.3 },
  { v: 10, p1: 0.38, p99: 1.9 },
  { v: 20, p1: 0.51, p99: 1.7, said: ['0.5 (T)', '1.6 (T)'] },
]
