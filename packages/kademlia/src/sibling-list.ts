import { compareByXor, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'

/**
 * The sibling list: the nodes closest to this one, exactly (S/Kademlia, ICPADS 2007). It has c·s places, and more where the smallest subtree around
 * this node with at least s nodes, itself included, has more: Kademlia's own rule (IPTPS 2002, §2.4). So whoever is root of a key knows
 * the first s responsible for it.
 *
 * What is certain is said by the *edge*: the nearest node known to exist and not to be in the list. Everybody nearer than that is in it. A node that fails
 * leaves the edge where it is; only when too few are left do others have to be asked for the next ones.
 */
export class SiblingList {
  readonly self: NodeRef
  private readonly sorted: NodeRef[] = []
  /** The same by id: whether somebody is in the list is asked with every message. */
  private readonly byId = new Map<Guid, NodeRef>()
  private nearestOutside: Guid | undefined = undefined
  private readonly least: number
  private readonly places: number
  /** By level; made when asked for, forgotten at every change. */
  private byLevel: Map<number, readonly NodeRef[]> | undefined = undefined

  /** `least` is s, `places` c·s; at most twice as many are ever kept. */
  constructor(self: NodeRef, least: number, places: number) {
    this.self = self
    this.least = least
    this.places = places
  }

  /** The nearest first. */
  get members(): readonly NodeRef[] {
    return this.sorted
  }

  get size(): number {
    return this.sorted.length
  }

  /** The nearest node that is not in the list; undefined: the list holds the whole network. */
  get edge(): Guid | undefined {
    return this.nearestOutside
  }

  /** Everybody who shares so many bits with this node is in the list. */
  get sureLevel(): number {
    return this.nearestOutside === undefined ? 0 : sharedPrefixBits(this.self.id, this.nearestOutside) + 1
  }

  /** Whether everybody is certain who ought to be. */
  get complete(): boolean {
    return (
      this.nearestOutside === undefined ||
      (this.size >= this.places && (this.sureLevel <= this.groupLevel() || this.size >= 2 * this.places))
    )
  }

  get(id: Guid): NodeRef | undefined {
    return this.byId.get(id)
  }

  has(id: Guid): boolean {
    return this.byId.has(id)
  }

  /** Those that share exactly `level` bits with this node. */
  atLevel(level: number): readonly NodeRef[] {
    return (this.byLevel ??= this.group()).get(level) ?? nobody
  }

  /** Whether a node that is not in the list would be if it were added. */
  wants(id: Guid): boolean {
    return id !== this.self.id && !this.has(id) && this.hasPlace(this.countBefore(id), id)
  }

  /** Takes in a node that is wanted, or the new incarnation of one that is in. Returns who had to go. */
  add(ref: NodeRef): NodeRef[] {
    const at = this.countBefore(ref.id)
    const isIn = this.has(ref.id)
    this.byLevel = undefined
    this.byId.set(ref.id, ref)
    this.sorted.splice(at, isIn ? 1 : 0, ref)
    const displaced: NodeRef[] = []
    for (let last = this.size - 1; !this.hasPlace(last, this.sorted[last]!.id); last--) displaced.push(this.sorted.pop()!)
    for (const { id } of displaced) this.byId.delete(id)
    for (const { id } of displaced) this.noteOutside(id)
    return displaced
  }

  remove(id: Guid): boolean {
    if (!this.byId.delete(id)) return false
    this.sorted.splice(this.countBefore(id), 1)
    this.byLevel = undefined
    return true
  }

  /** A node that exists, as far as is known, and has no place. */
  noteOutside(id: Guid): void {
    if (id === this.self.id || this.has(id)) return
    if (this.nearestOutside === undefined || compareByXor(id, this.nearestOutside, this.self.id) < 0) this.nearestOutside = id
  }

  /** All that could be asked have been: whoever is nearer than the nearest of `others` is in the list now. */
  settle(others: readonly NodeRef[]): void {
    this.nearestOutside = undefined
    for (const { id } of others) this.noteOutside(id)
    // It may be full by chance. Then its last member is taken for the first of those it does not hold.
    if (this.nearestOutside === undefined && this.size >= this.places) this.nearestOutside = this.sorted.at(-1)!.id
  }

  /** The two beside this node when all are sorted by id, cyclically; one when there is but one, none when there is none. */
  beside(): NodeRef[] {
    const { self, sorted } = this
    let [after, before, first, last]: Array<NodeRef | undefined> = []
    for (const ref of sorted) {
      if (ref.id > self.id && (after === undefined || ref.id < after.id)) after = ref
      if (ref.id < self.id && (before === undefined || ref.id > before.id)) before = ref
      if (first === undefined || ref.id < first.id) first = ref
      if (last === undefined || ref.id > last.id) last = ref
    }
    const [right, left] = [after ?? first, before ?? last]
    return right === undefined || left === undefined ? [] : right === left ? [right] : [left, right]
  }

  assertInvariants(): void {
    const { self, sorted } = this
    assert(sorted.length <= 2 * this.places, 'the sibling list is bounded')
    assert(this.byId.size === sorted.length, 'the sibling list knows its members by id')
    for (let i = 0; i < sorted.length; i++) {
      assert(sorted[i]!.id !== self.id, 'a node is not in its own sibling list')
      assert(this.byId.get(sorted[i]!.id) === sorted[i], 'a sibling is known by its id')
      assert(i === 0 || compareByXor(sorted[i - 1]!.id, sorted[i]!.id, self.id) < 0, 'the sibling list is sorted, nearest first')
      assert(this.hasPlace(i, sorted[i]!.id), 'every sibling has a place')
    }
  }

  /** How many members are nearer than `id`. */
  private countBefore(id: Guid): number {
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareByXor(this.sorted[middle]!.id, id, this.self.id) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  private group(): Map<number, NodeRef[]> {
    const byLevel = new Map<number, NodeRef[]>()
    for (const ref of this.sorted) {
      const level = sharedPrefixBits(this.self.id, ref.id)
      const group = byLevel.get(level)
      if (group === undefined) byLevel.set(level, [ref])
      else group.push(ref)
    }
    return byLevel
  }

  private hasPlace(at: number, id: Guid): boolean {
    return at < this.places || (at < 2 * this.places && sharedPrefixBits(this.self.id, id) >= this.groupLevel())
  }

  /** The bits that the members of the smallest subtree with at least s nodes share. */
  private groupLevel(): number {
    const last = this.sorted[this.least - 2]
    return last === undefined ? 0 : sharedPrefixBits(this.self.id, last.id)
  }
}

const nobody: readonly NodeRef[] = []
