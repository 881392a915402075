import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { percentile } from '@plaxton/simulator'
import type { World } from '@plaxton/simulator'
import { ascending } from './at-rest.ts'

/** Keys on each node when there are a hundred times as many as nodes. */
export interface Load {
  readonly p1: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Keys of the nodes in ascending order. */
  readonly sorted: readonly number[]
}

/** Random keys, each counted at the member that is its root by the overlay's definition. */
export function loadOf({ simulation: { simulator, members } }: World): Load {
  const prng = simulator.stream('keys')
  const counts = new Map<Guid, number>(members.sorted.map((id) => [id, 0]))
  for (let i = 0; i < keysPerNode * members.size; i++) {
    const root = members.root(randomGuid(prng))!.self.id
    counts.set(root, counts.get(root)! + 1)
  }
  const sorted = ascending([...counts.values()])
  return { p1: percentile(sorted, 1), p50: percentile(sorted, 50), p99: percentile(sorted, 99), max: sorted.at(-1)!, sorted }
}

/** So many that the spread of the load shows and not that of the draw. */
const keysPerNode = 100
