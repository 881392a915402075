import type { Guid } from '@plaxton/guid'
import { digitAt } from '@plaxton/guid'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import { baseOf } from './ownership.ts'
import { firstDigits } from './questions.ts'
import type { TapestryState } from './state.ts'

/**
 * The keys for which `node` is the `rank`-th in the order of responsibility, as the first such interval at or after `lkey`; undefined for a node beyond the sibling
 * group. These keys form many intervals: each level contributes a set of digits of its own.
 */
export function keyRange(state: TapestryState, node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
  const { siblings, self } = state
  if (rank < 0 || (node.id !== self.id && (!siblings.has(node.id) || siblings.shared(node.id) < siblings.level))) return undefined
  const search = new RangeSearch(state, node.id, rank)
  const first = search.upwards(BigInt(`0x${lkey}`)) ?? search.upwards(0n)
  if (first === undefined) return undefined
  let [start, end] = first
  for (;;) {
    const next = end === search.last ? search.upwards(0n) : search.upwards(end + 1n)
    if (next === undefined || next[0] !== (end === search.last ? 0n : end + 1n)) break
    if (next[0] === start) return { from: toGuid(search.last, lkey), to: toGuid(search.last, lkey) }
    end = next[1]
  }
  for (;;) {
    const before = start === 0n ? search.last : start - 1n
    const next = search.downwards(before)
    if (next === undefined || next[1] !== before) break
    start = next[0]
  }
  return { from: toGuid(start === 0n ? search.last : start - 1n, lkey), to: toGuid(end, lkey) }
}

/** A run of keys, both ends included. */
type Block = readonly [start: bigint, end: bigint]

/**
 * Finds such keys in a trie of digits. On the levels before the group's own a key's digit must lead here; on the others the members of the group
 * divide into branches by their digit, and a key passes those between its own digit and the node's branch.
 */
class RangeSearch {
  readonly last: bigint
  private readonly state: TapestryState
  private readonly target: Guid
  private readonly rank: number
  private readonly bits: number
  private readonly group: readonly Guid[]

  constructor(state: TapestryState, target: Guid, rank: number) {
    const { self, siblings } = state
    this.state = state
    this.target = target
    this.rank = rank
    this.bits = 4 * self.id.length
    this.last = (1n << BigInt(this.bits)) - 1n
    this.group = [self.id, ...siblings.within(self.id, siblings.level).map(({ id }) => id)]
  }

  /** The first block that ends at or after `bound`. */
  upwards(bound: bigint): Block | undefined {
    return this.find(0, 0n, this.group, this.rank, bound, true)
  }

  /** The last block that starts at or before `bound`. */
  downwards(bound: bigint): Block | undefined {
    return this.find(0, 0n, this.group, this.rank, bound, false)
  }

  /** Among the keys that begin with the digits in `start` up to `level`; `ids` are the members they lead to, and the node is to be `rank`-th of these. */
  private find(level: number, start: bigint, ids: readonly Guid[], rank: number, bound: bigint, up: boolean): Block | undefined {
    const { state, bits } = this
    const { digitBits } = state.config
    const isOutside = level < state.siblings.level
    if (rank >= ids.length) return undefined
    if (ids.length === 1 && !isOutside) return [start, start + this.sizeAt(level) - 1n]
    const base = baseOf(level, bits, digitBits)
    const size = this.sizeAt(level + 1)
    const allowed = isOutside ? new Set(firstDigits(state, level)) : undefined
    for (let i = 0; i < base; i++) {
      const digit = up ? i : base - 1 - i
      const from = start + BigInt(digit) * size
      if (up ? from + size - 1n < bound : from > bound) continue
      let found: Block | undefined
      if (allowed !== undefined) {
        if (allowed.has(digit)) found = this.find(level + 1, from, ids, rank, bound, up)
      } else {
        const own = digitAt(this.target, level, digitBits)
        const passed = (id: Guid): boolean => ((digitAt(id, level, digitBits) - digit) & (base - 1)) < ((own - digit) & (base - 1))
        const before = ids.filter(passed).length
        const branch = ids.filter((id) => digitAt(id, level, digitBits) === own)
        if (rank >= before) found = this.find(level + 1, from, branch, rank - before, bound, up)
      }
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Keys that agree in the first `level` digits. */
  private sizeAt(level: number): bigint {
    return 1n << BigInt(Math.max(0, this.bits - level * this.state.config.digitBits))
  }
}

function toGuid(value: bigint, like: Guid): Guid {
  return value.toString(16).padStart(like.length, '0') as Guid
}
