import { sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { compareOwnership } from './ownership.ts'

/**
 * The sibling group: all nodes that share this node's first g digits, with the largest g for which they are at least `siblingsMin`, this node
 * included; all nodes of a network that has fewer. Within it ownership is known exactly: who is root, who comes next, which slots are empty.
 *
 * When the group has become too small, this node collects the members of the next larger one first. Meanwhile `floor` is the g it collects for, and
 * `level` the one it is sure of.
 */
export class SiblingGroup {
  readonly self: NodeRef
  /** Everybody known who shares `floor` digits. Bound: what a group of `siblingsMin` times the base and more has by chance, {@link siblingsMax}. */
  private readonly known = new Map<Guid, Sibling>()
  private readonly digitBits: number
  private readonly least: number
  private digitsSure = 0
  private digitsCollected = 0

  constructor(self: NodeRef, digitBits: number, least: number) {
    this.self = self
    this.digitBits = digitBits
    this.least = least
  }

  /** g: all that share so many digits are known. */
  get level(): number {
    return this.digitsSure
  }

  /** All that share so many digits are known, or being collected. */
  get floor(): number {
    return this.digitsCollected
  }

  get size(): number {
    return this.known.size
  }

  get full(): boolean {
    return this.known.size >= siblingsMax
  }

  /** Whether the group has fewer members than it should and a larger one exists. */
  get tooSmall(): boolean {
    return this.digitsCollected > 0 && this.countAt(this.digitsCollected) < this.least
  }

  shared(id: Guid): number {
    return sharedPrefixDigits(id, this.self.id, this.digitBits)
  }

  /** Whether a node belongs here. */
  includes(id: Guid): boolean {
    return id !== this.self.id && this.shared(id) >= this.digitsCollected
  }

  has(id: Guid): boolean {
    return this.known.has(id)
  }

  get(id: Guid): NodeRef | undefined {
    return this.known.get(id)?.ref
  }

  /** What the sibling last said of its own group; this node's own level when it has not said anything. */
  levelOf(id: Guid): number {
    return this.known.get(id)?.level ?? this.digitsSure
  }

  refs(): NodeRef[] {
    return [...this.known.values()].map(({ ref }) => ref)
  }

  /** Those that share the first `level` digits of `origin`, in the order of arrival. */
  within(origin: Guid, level: number): NodeRef[] {
    return this.refs().filter((ref) => sharedPrefixDigits(ref.id, origin, this.digitBits) >= level)
  }

  /** This node and all that share `level` digits with it and are known. */
  countAt(level: number): number {
    let count = 1
    for (const id of this.known.keys()) if (this.shared(id) >= level) count++
    return count
  }

  set(ref: NodeRef): void {
    const before = this.known.get(ref.id)
    if (before === undefined) this.known.set(ref.id, { ref, level: 0 })
    else before.ref = ref
  }

  noteLevel(id: Guid, level: number): void {
    const sibling = this.known.get(id)
    if (sibling !== undefined) sibling.level = level
  }

  delete(id: Guid): boolean {
    return this.known.delete(id)
  }

  /** Begins to collect the group of nodes that share `floor` digits. */
  collect(floor: number): void {
    this.digitsCollected = floor
  }

  /** The group that was being collected is complete. */
  settle(): void {
    this.digitsSure = this.digitsCollected
  }

  /** A joiner is told which group is its own. Returns those who do not belong. */
  place(level: number): NodeRef[] {
    this.digitsCollected = level
    this.digitsSure = level
    return this.cut().map(({ ref }) => ref)
  }

  /** Goes over to a smaller group if one is large enough. Returns those who no longer belong. */
  narrow(): Sibling[] {
    let level = this.digitsCollected
    while (this.known.size + 1 >= this.least && this.countAt(level + 1) >= this.least) level++
    if (level === this.digitsCollected) return []
    // A group that was being collected and has become unnecessary is as good as the one before.
    this.digitsSure = Math.max(level, this.digitsSure)
    this.digitsCollected = level
    return this.cut()
  }

  /** Of this node and those that share `level` digits with it, the first `count` in the order of responsibility for `key`. */
  first(key: Guid, level: number, count: number): NodeRef[] {
    const first = [this.self]
    for (const { ref } of this.known.values()) {
      if (level > this.digitsCollected && this.shared(ref.id) < level) continue
      let at = first.length
      while (at > 0 && compareOwnership(ref.id, first[at - 1]!.id, key, this.digitBits) < 0) at--
      if (at < count) first.splice(at, 0, ref)
      if (first.length > count) first.pop()
    }
    return first
  }

  /** The two beside this node when all are sorted by id, cyclically; one when there is but one, none when there is none. */
  beside(): NodeRef[] {
    const { self } = this
    let [after, before, first, last]: Array<NodeRef | undefined> = []
    for (const { ref } of this.known.values()) {
      if (ref.id > self.id && (after === undefined || ref.id < after.id)) after = ref
      if (ref.id < self.id && (before === undefined || ref.id > before.id)) before = ref
      if (first === undefined || ref.id < first.id) first = ref
      if (last === undefined || ref.id > last.id) last = ref
    }
    const [right, left] = [after ?? first, before ?? last]
    return right === undefined || left === undefined ? [] : right === left ? [right] : [left, right]
  }

  assertInvariants(): void {
    assert(this.digitsCollected <= this.digitsSure, 'a node collects a group no smaller than its own')
    assert(this.known.size <= siblingsMax, 'the sibling group is bounded')
    for (const { ref } of this.known.values()) assert(this.includes(ref.id), 'a sibling shares the digits of the group')
  }

  private cut(): Sibling[] {
    const outside = [...this.known.values()].filter(({ ref }) => !this.includes(ref.id))
    for (const { ref } of outside) this.known.delete(ref.id)
    return outside
  }
}

interface Sibling {
  ref: NodeRef
  /** The g of its own group, as it last said. */
  level: number
}

/** Eight times what a group with a base of 16 has on average at most. Full: a new one is not taken in. */
export const siblingsMax = 1_024
