import type { Prng } from '@plaxton/kbr'
import { percentile } from '../../summary.ts'

/** Keys a host holds, in multiples of the mean. */
export interface Load {
  readonly p1: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Share of hosts that hold none. */
  readonly empty: number
}

/** Random ids for `hosts` hosts, `perHost` each, and random keys, each held by the first node at or after it. Ids are points of a ring of length 1. */
export function loadOfHosts(prng: Prng, hosts: number, perHost: number, keys: number): Load {
  const nodes = Array.from({ length: hosts * perHost }, (_, i) => ({ at: prng.nextFloat(), host: i % hosts }))
  nodes.sort((a, b) => a.at - b.at)
  const points = Float64Array.from(nodes, ({ at }) => at)
  const held = new Float64Array(hosts)
  for (let i = 0; i < keys; i++) held[nodes[successorOf(points, prng.nextFloat())]!.host]!++
  const mean = keys / hosts
  const sorted = [...held].map((count) => count / mean).sort((a, b) => a - b)
  const at = (p: number): number => percentile(sorted, p)
  return { p1: at(1), p50: at(50), p99: at(99), max: sorted.at(-1)!, empty: sorted.filter((count) => count === 0).length / hosts }
}

function successorOf(points: Float64Array, key: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (points[middle]! < key) low = middle + 1
    else high = middle
  }
  return low % points.length
}
