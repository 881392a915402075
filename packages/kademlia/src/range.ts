import { digitAt, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import type { KademliaState } from './state.ts'

/**
 * The keys for which `node` is the `rank`-th closest, as the first such interval at or after `lkey`; undefined for a node that is no sibling, and where nothing is certain.
 *
 * A key decides between the node and another at the first bit in which these two differ. So with c(l) nodes that differ from `node` at bit l first, its rank for a key
 * is the sum of c(l) over all bits l in which the key differs from the node.
 */
export function keyRange(state: KademliaState, node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
  const { self, siblings } = state
  if (rank < 0 || (node.id !== self.id && !siblings.has(node.id))) return undefined
  const counts = countsAround(state, node.id, rank)
  if (counts === undefined) return undefined
  const keys = new KeysOfRank(node.id, counts, rank)
  const first = keys.upwards(BigInt(`0x${lkey}`)) ?? keys.upwards(0n)
  if (first === undefined) return undefined
  let [start, end] = first
  for (;;) {
    const after = end === keys.last ? 0n : end + 1n
    const next = keys.upwards(after)
    if (next === undefined || next[0] !== after) break
    if (next[0] === start) return { from: toGuid(keys.last, lkey), to: toGuid(keys.last, lkey) }
    end = next[1]
  }
  for (;;) {
    const before = start === 0n ? keys.last : start - 1n
    const next = keys.downwards(before)
    if (next === undefined || next[1] !== before) break
    start = next[0]
  }
  return { from: toGuid(start === 0n ? keys.last : start - 1n, lkey), to: toGuid(end, lkey) }
}

/**
 * By bit: how many nodes differ from `id` at it first; bits after the last entry: none. Where not all such nodes are known, those known must be more than `rank`: then no
 * key of that rank differs there, however many there are. Undefined when they are not.
 */
function countsAround(state: KademliaState, id: Guid, rank: number): number[] | undefined {
  const { self, siblings } = state
  const { sureLevel } = siblings
  const own = id === self.id ? 4 * id.length : sharedPrefixBits(self.id, id)
  if (own < sureLevel) return undefined
  const counts: number[] = Array.from({ length: sureLevel }, () => 0)
  for (const other of [self, ...siblings.members]) {
    if (other.id === id) continue
    const level = sharedPrefixBits(id, other.id)
    while (counts.length <= level) counts.push(0)
    counts[level]!++
  }
  for (let level = 0; level < sureLevel; level++) {
    counts[level] = state.atLevel(level).length
    if (counts[level]! <= rank && !(counts[level] === 0 && state.vacant.has(level))) return undefined
  }
  return counts
}

/** A run of keys, both ends included. */
type Block = readonly [start: bigint, end: bigint]

/** The keys whose differences from `id` add up to `rank`; each block of those that agree in all bits that count. */
class KeysOfRank {
  readonly last: bigint
  private readonly id: Guid
  private readonly counts: readonly number[]
  private readonly rank: number
  private readonly bits: number
  /** By bit: which sums, up to the rank, this bit and those after it can add up to. */
  private readonly sums: ReadonlyArray<ReadonlySet<number>>

  constructor(id: Guid, counts: readonly number[], rank: number) {
    this.id = id
    this.counts = counts
    this.rank = rank
    this.bits = 4 * id.length
    this.last = (1n << BigInt(this.bits)) - 1n
    let after: ReadonlySet<number> = new Set([0])
    const sums = [after]
    for (const count of counts.toReversed()) {
      after = new Set([...after, ...[...after].map((sum) => sum + count)].filter((sum) => sum <= rank))
      sums.push(after)
    }
    this.sums = sums.reverse()
  }

  /** The first block that ends at or after `bound`. */
  upwards(bound: bigint): Block | undefined {
    return this.find(0, 0n, this.rank, bound, true)
  }

  /** The last block that starts at or before `bound`. */
  downwards(bound: bigint): Block | undefined {
    return this.find(0, 0n, this.rank, bound, false)
  }

  private find(level: number, start: bigint, rank: number, bound: bigint, up: boolean): Block | undefined {
    if (!this.sums[level]!.has(rank)) return undefined
    if (level === this.counts.length) return [start, start + this.sizeAt(level) - 1n]
    const size = this.sizeAt(level + 1)
    const own = digitAt(this.id, level, 1)
    for (const bit of up ? [0, 1] : [1, 0]) {
      const from = start + BigInt(bit) * size
      if (up ? from + size - 1n < bound : from > bound) continue
      const found = this.find(level + 1, from, bit === own ? rank : rank - this.counts[level]!, bound, up)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Keys that agree in the first `level` bits. */
  private sizeAt(level: number): bigint {
    return 1n << BigInt(this.bits - level)
  }
}

function toGuid(value: bigint, like: Guid): Guid {
  return value.toString(16).padStart(like.length, '0') as Guid
}
