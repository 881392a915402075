import { clockwiseDistance, compareClockwise, isCloserOnRing } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { RingSide } from '@plaxton/upkeep'
import { shareOfRing } from './share-of-ring.ts'

/**
 * The |L|/2 nodes that follow a node clockwise (right) and the |L|/2 that precede it (left): the structure that Pastry's correctness
 * rests on. In a ring of at most |L|/2 + 1 nodes both sides hold everybody else; up to |L| they overlap.
 *
 * A side that loses members to failures is *wounded*. Normally a side with room takes whoever comes next in its direction, which in a
 * small ring is right. A wounded side must not: the place that became free belongs to a node further out that is not known yet, and a
 * node from the far side of the ring would make two distant places look like neighbours. It takes only nodes of its own half of the
 * ring until the repair says that it is healed. A side that has lost *all* its members knows nothing about the keys next to it, and
 * this node answers for none of them until it has been repaired.
 */
export class LeafSet {
  readonly self: NodeRef
  readonly right: RingSide
  readonly left: RingSide
  /** Whether the two sides together are known to hold every node of the ring. */
  private whole = true
  /** Undefined when it must be put together anew. */
  private everybody: readonly NodeRef[] | undefined = undefined

  /** `size` is |L|: even. */
  constructor(self: NodeRef, size: number) {
    this.self = self
    this.right = new RingSide(self.id, size / 2, true)
    this.left = new RingSide(self.id, size / 2, false)
  }

  /** Every member once, from the nearest outwards on both sides by turns. The array is never changed afterwards, so it may be sent. */
  get members(): readonly NodeRef[] {
    return (this.everybody ??= this.byTurns())
  }

  get size(): number {
    return this.members.length
  }

  /** Whether every node of the ring is in here: it has at most |L| others, roughly, and nobody's absence is unexplained. */
  get wholeRing(): boolean {
    return this.whole
  }

  get wounded(): boolean {
    return this.right.wound !== 'none' || this.left.wound !== 'none'
  }

  get rightNeighbor(): NodeRef | undefined {
    return this.right.nearest
  }

  get leftNeighbor(): NodeRef | undefined {
    return this.left.nearest
  }

  /** The member with the id of `ref`, perhaps in another incarnation. */
  memberLike(ref: NodeRef): NodeRef | undefined {
    return this.members.includes(ref) ? ref : this.get(ref.id)
  }

  get(id: Guid): NodeRef | undefined {
    return this.right.get(id) ?? this.left.get(id)
  }

  has(id: Guid): boolean {
    return this.get(id) !== undefined
  }

  /** Whether a node of this id would become a member if it were added. */
  admits(id: Guid): boolean {
    return id !== this.self.id && !this.has(id) && (this.right.admits(id) || this.left.admits(id))
  }

  /** Those of `refs` that are not members already. */
  strangersIn(refs: readonly NodeRef[]): NodeRef[] {
    const { members, self } = this
    // Where nodes share their references, as in the simulator, the first question leaves out nearly all.
    return refs.filter((ref) => !members.includes(ref) && ref.id !== self.id && !this.has(ref.id))
  }

  /** Which of `candidates` would be members if all of them were added. */
  wanted(candidates: readonly NodeRef[]): NodeRef[] {
    const strangers = this.strangersIn(candidates)
    const right = this.right.wanted(strangers)
    const left = this.left.wanted(strangers)
    return left.length === 0 ? right : [...right, ...left.filter((ref) => !right.some((other) => other.id === ref.id))]
  }

  /** Takes a node in, if there is a place for it. A node that is in already is replaced by this incarnation. Returns who had to go. */
  add(ref: NodeRef): readonly NodeRef[] {
    if (ref.id === this.self.id) return none
    const ends = [this.right.furthest, this.left.furthest]
    const toTheRight = this.right.add(ref)
    const toTheLeft = this.left.add(ref)
    if (!toTheRight && !toTheLeft) return none
    this.changed()
    // Whoever has to go was the furthest on its side.
    return ends.filter((end, i): end is NodeRef => end !== undefined && !this.has(end.id) && ends.indexOf(end) === i)
  }

  /** Removes a node and says whether it was in. Unless everybody was known, this wounds the sides it was on. */
  remove(id: Guid): boolean {
    const { whole } = this
    const removed = [this.right.remove(id, whole), this.left.remove(id, whole)]
    if (!removed.includes(true)) return false
    if (whole) this.fillFromEachOther()
    this.changed()
    return true
  }

  /** The repair of a side has found all there is to find: what is still free is free because the ring is small. */
  heal(side: RingSide): void {
    side.wound = 'none'
    this.changed()
    if (!this.whole) return
    this.fillFromEachOther()
    this.changed()
  }

  /**
   * `from` names the nodes around it. Where it is the furthest member of a side that has room and no wound, those that follow it there and stand on the other side only
   * are the next on this side too, up to the first that is no member. Returns whether there were any.
   */
  extend(from: Guid, reported: readonly NodeRef[]): boolean {
    let extended = false
    for (const side of [this.right, this.left]) {
      if (this.whole || side.full || side.wound !== 'none' || side.furthest?.id !== from) continue
      const around = idsAround(from, reported)
      for (const id of side.clockwise ? around : around.toReversed()) {
        const known = this.get(id)
        if (known === undefined || side.has(id)) break
        extended = side.add(known) || extended
      }
    }
    if (extended) this.changed()
    return extended
  }

  /** Whether `key` lies between the furthest members, this node in the middle: the members then include the closest node to it. */
  covers(key: Guid): boolean {
    return this.whole || this.right.covers(key) || this.left.covers(key)
  }

  /** For a covered key: the numerically closest of the members and this node. */
  closest(key: Guid): NodeRef {
    const side = this.right.covers(key) ? this.right : this.left
    const at = side.countBefore(key)
    const inner = at > 0 ? side.members[at - 1]! : this.self
    const outer = side.members[at]
    return outer !== undefined && isCloserOnRing(outer.id, inner.id, key) ? outer : inner
  }

  /**
   * The same of those that may be used; undefined when this node is the closest of them, but a member that may not be used is closer
   * still.
   */
  closestUsable(key: Guid, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
    let best = this.self
    let passedOver = false
    for (const ref of this.members) {
      if (!isCloserOnRing(ref.id, best.id, key)) continue
      if (mayUse(ref)) best = ref
      else passedOver = true
    }
    return best === this.self && passedOver ? undefined : best
  }

  /**
   * This node and the members in the order of the ring, clockwise. In a whole ring the last is followed by the first; otherwise
   * more nodes come after both ends.
   */
  chain(): NodeRef[] {
    const left = this.left.members.filter((ref) => !this.whole || !this.right.has(ref.id))
    return [...left.reverse(), this.self, ...this.right.members]
  }

  /** How many nodes the ring has: exactly when it is wholly known, otherwise by how far apart the members are. */
  estimateNodes(): number {
    if (this.whole || this.left.furthest === undefined || this.right.furthest === undefined) return this.size + 1
    return Math.max(this.size + 1, Math.round(this.size / this.span))
  }

  /** The mean distance of two neighbours, as a share of the ring. */
  get spacing(): number {
    return this.whole ? 1 / (this.size + 1) : this.span / this.size
  }

  /**
   * The members that `other`'s leaf set ought to hold, being as near to it as those it does hold, and does not: they may be dead, and
   * this node too far from them to have been told.
   */
  missingFrom(other: Guid, reported: readonly NodeRef[]): NodeRef[] {
    // Where nodes share their references, as in the simulator, this leaves out nearly all.
    const unnamed = this.members.filter((ref) => !reported.includes(ref) && ref.id !== other)
    if (unnamed.length === 0) return unnamed
    const around = idsAround(other, reported)
    const isFull = around.length >= this.right.places + this.left.places
    if (!isFull) return this.whole && around.length > 0 ? unnamed.filter(({ id }) => !around.includes(id)) : []
    const rightmost = around[this.right.places - 1]!
    const leftmost = around[around.length - this.left.places]!
    const isInReach = (id: Guid): boolean => compareClockwise(id, rightmost, other) < 0 || compareClockwise(id, leftmost, other) > 0
    return unnamed.filter(({ id }) => isInReach(id) && !around.includes(id))
  }

  assertInvariants(): void {
    this.right.assertInvariants()
    this.left.assertInvariants()
    assert(
      this.right.members.every((ref) => (this.left.get(ref.id) ?? ref) === ref),
      'a leaf set names everybody once',
    )
    assert(!this.whole || !this.wounded, 'a whole ring has no wounds')
  }

  /** What the members span, as a share of the ring; 0 when a side is empty. */
  private get span(): number {
    const [from, to] = [this.left.furthest, this.right.furthest]
    return from === undefined || to === undefined ? 0 : shareOfRing(clockwiseDistance(from.id, to.id))
  }

  private byTurns(): NodeRef[] {
    const members: NodeRef[] = []
    const take = (ref: NodeRef | undefined): void => {
      if (ref !== undefined && !members.includes(ref)) members.push(ref)
    }
    const rounds = Math.max(this.right.members.length, this.left.members.length)
    for (let i = 0; i < rounds; i++) {
      take(this.right.members[i])
      take(this.left.members[i])
    }
    return members
  }

  /** In a ring that is wholly known, a place that became free on one side may belong to a member that only the other side has. */
  private fillFromEachOther(): void {
    for (const ref of this.left.members) this.right.add(ref)
    for (const ref of this.right.members) this.left.add(ref)
  }

  /** A member on one side belongs to the other as well if it comes before the furthest there. */
  private share(from: RingSide, to: RingSide): void {
    for (const ref of from.members) {
      const { furthest } = to
      if (furthest !== undefined && to.isNearer(ref.id, furthest.id)) to.add(ref)
    }
  }

  private changed(): void {
    this.share(this.left, this.right)
    this.share(this.right, this.left)
    this.everybody = undefined
    const furthest = this.right.furthest
    const meets = furthest === undefined ? this.left.members.length === 0 : this.left.has(furthest.id)
    this.whole = !this.wounded && meets
  }
}

/** The ids of `refs` clockwise from `origin`, each once. */
function idsAround(origin: Guid, refs: readonly NodeRef[]): Guid[] {
  const ids = refs.map((ref) => ref.id).sort((a, b) => compareClockwise(a, b, origin))
  return ids.filter((id, i) => id !== ids[i - 1])
}

const none: readonly NodeRef[] = []
