import type { Guid } from '@plaxton/guid'
import { digitAt } from '@plaxton/guid'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import { baseOf } from './ownership.ts'
import { knownBranch } from './questions.ts'
import type { TapestryState } from './state.ts'

/**
 * The keys for which `node` is the `rank`-th in the order of responsibility, as the first such interval at or after `lkey`; undefined for a node that is neither a sibling nor
 * a cousin, and where it is not certain. These keys form many intervals: each level contributes a set of digits of its own.
 */
export function keyRange(state: TapestryState, node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
  const { siblings, cousins, self } = state
  const isKnown = node.id === self.id || cousins.has(node.id) || (siblings.has(node.id) && siblings.shared(node.id) >= siblings.level)
  if (rank < 0 || !isKnown) return undefined
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
 * Finds such keys in a trie of digits. The members of a part of the trie divide into branches by their digit, and a key passes those between its own digit and the
 * node's branch. On the levels before the group's own, some branches are not known in full; what comes after them is not certain.
 */
class RangeSearch {
  readonly last: bigint
  private readonly state: TapestryState
  private readonly target: Guid
  private readonly rank: number
  private readonly bits: number
  private readonly group: readonly Guid[]
  /** On the levels before the group's own, by digit: how many nodes there are; infinitely many where not all are known. */
  private readonly sizes: number[][] = []

  constructor(state: TapestryState, target: Guid, rank: number) {
    const { self, siblings, map } = state
    this.state = state
    this.target = target
    this.rank = rank
    this.bits = 4 * self.id.length
    this.last = (1n << BigInt(this.bits)) - 1n
    this.group = [self.id, ...siblings.within(self.id, siblings.level).map(({ id }) => id)]
    let own = this.group.length
    for (let level = siblings.level - 1; level >= 0; level--) {
      const sizeOf = (digit: number): number =>
        digit === map.ownDigit(level) ? own : (knownBranch(state, level, digit)?.length ?? Infinity)
      const sizes = Array.from({ length: map.base(level) }, (_, digit) => sizeOf(digit))
      this.sizes[level] = sizes
      own = sizes.reduce((sum, size) => sum + size, 0)
    }
  }

  /** The first block that ends at or after `bound`. */
  upwards(bound: bigint): Block | undefined {
    return this.findOnWay(0, 0n, this.rank, bound, true)
  }

  /** The last block that starts at or before `bound`. */
  downwards(bound: bigint): Block | undefined {
    return this.findOnWay(0, 0n, this.rank, bound, false)
  }

  /**
   * Among the keys that begin with the digits in `start` up to `level`; all nodes that share so many digits with this one count, and the node is to be `rank`-th of
   * these.
   */
  private findOnWay(level: number, start: bigint, rank: number, bound: bigint, up: boolean): Block | undefined {
    const { map, siblings } = this.state
    if (level >= siblings.level) return this.find(level, start, this.group, rank, bound, up)
    const sizes = this.sizes[level]!
    const target = map.digitOf(this.target, level)
    const isOnWay = target === map.ownDigit(level)
    const branch = isOnWay ? undefined : knownBranch(this.state, level, target)?.map(({ id }) => id)
    return this.among(level, start, bound, up, (digit, from) => {
      let before = 0
      for (let passed = digit; passed !== target; passed = (passed + 1) % sizes.length) before += sizes[passed]!
      if (rank < before) return undefined
      if (isOnWay) return this.findOnWay(level + 1, from, rank - before, bound, up)
      return branch && this.find(level + 1, from, branch, rank - before, bound, up)
    })
  }

  /** The same where `ids` are all there are. */
  private find(level: number, start: bigint, ids: readonly Guid[], rank: number, bound: bigint, up: boolean): Block | undefined {
    const { digitBits } = this.state.config
    if (rank >= ids.length) return undefined
    if (ids.length === 1) return [start, start + this.sizeAt(level) - 1n]
    const target = digitAt(this.target, level, digitBits)
    const mask = baseOf(level, this.bits, digitBits) - 1
    const branch = ids.filter((id) => digitAt(id, level, digitBits) === target)
    return this.among(level, start, bound, up, (digit, from) => {
      const passed = (id: Guid): boolean => ((digitAt(id, level, digitBits) - digit) & mask) < ((target - digit) & mask)
      const before = ids.filter(passed).length
      return rank < before ? undefined : this.find(level + 1, from, branch, rank - before, bound, up)
    })
  }

  /** The first that is found among the digits of one level, in the direction of the search. */
  private among(
    level: number,
    start: bigint,
    bound: bigint,
    up: boolean,
    find: (digit: number, from: bigint) => Block | undefined,
  ): Block | undefined {
    const base = baseOf(level, this.bits, this.state.config.digitBits)
    const size = this.sizeAt(level + 1)
    for (let i = 0; i < base; i++) {
      const digit = up ? i : base - 1 - i
      const from = start + BigInt(digit) * size
      if (up ? from + size - 1n < bound : from > bound) continue
      const found = find(digit, from)
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
