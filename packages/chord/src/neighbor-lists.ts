import { inOpen, inOpenClosed } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { RingSide } from '@plaxton/upkeep'

/**
 * The successor list and the predecessors of a node, and the keys it is certain to own.
 *
 * A node owns the keys from its predecessor, exclusive, up to itself. It is certain of them only once its predecessor has said that nobody it knows of is between
 * the two. `ownedFrom` is where the certain keys begin: a nearer predecessor moves it at once, since the keys before that one are no longer this node's; the loss of
 * the predecessor does not move it until the next one has confirmed.
 *
 * In a ring of few nodes both lists reach round it and meet; then every node is known, and `whole` is true.
 */
export class NeighborLists {
  readonly self: NodeRef
  readonly successors: RingSide
  readonly predecessors: RingSide
  private certainFrom: Guid
  private confirmedBy: Guid | undefined = undefined
  private meets = true
  private changed = 0
  /** Undefined when it must be put together anew. */
  private everybody: readonly NodeRef[] | undefined = undefined

  constructor(self: NodeRef, successors: number, predecessors: number) {
    this.self = self
    this.successors = new RingSide(self.id, successors, true)
    this.predecessors = new RingSide(self.id, predecessors, false)
    this.certainFrom = self.id
  }

  get successor(): NodeRef | undefined {
    return this.successors.nearest
  }

  get predecessor(): NodeRef | undefined {
    return this.predecessors.nearest
  }

  /** Every neighbour once, from the nearest outwards on both sides by turns. The array is never changed afterwards. */
  get members(): readonly NodeRef[] {
    return (this.everybody ??= this.byTurns())
  }

  /** How often the lists have changed. */
  get changes(): number {
    return this.changed
  }

  get size(): number {
    return this.members.length
  }

  /** Whether every node of the ring is in here. */
  get whole(): boolean {
    return this.meets
  }

  get wounded(): boolean {
    return this.successors.wound !== 'none' || this.predecessors.wound !== 'none'
  }

  /** The keys in (ownedFrom, self] are this node's for certain, once it is a member. */
  get ownedFrom(): Guid {
    return this.certainFrom
  }

  /** Whether the predecessor has said that it takes this node for its successor; or there is nobody else. */
  get confirmed(): boolean {
    const { predecessor } = this
    return predecessor === undefined ? this.meets : this.confirmedBy === predecessor.id
  }

  /** In both lists together; a neighbour in both takes two. */
  get placesTaken(): number {
    return this.successors.members.length + this.predecessors.members.length
  }

  get(id: Guid): NodeRef | undefined {
    return this.successors.get(id) ?? this.predecessors.get(id)
  }

  has(id: Guid): boolean {
    return this.get(id) !== undefined
  }

  /** Whether a node of this id would become a neighbour if it were added. */
  admits(id: Guid): boolean {
    return id !== this.self.id && !this.has(id) && (this.successors.admits(id) || this.predecessors.admits(id))
  }

  /** Which of `candidates` would be neighbours if all of them were added. */
  wanted(candidates: readonly NodeRef[]): NodeRef[] {
    const strangers = candidates.filter((ref) => ref.id !== this.self.id && !this.has(ref.id))
    if (strangers.length === 0) return []
    const after = this.successors.wanted(strangers)
    return [...after, ...this.predecessors.wanted(strangers).filter((ref) => !after.some((other) => other.id === ref.id))]
  }

  /** The neighbours among `candidates` that stand in one list and have a place in the other as well. */
  halfPlaced(candidates: readonly NodeRef[]): NodeRef[] {
    const { successors, predecessors } = this
    const lacks = (side: RingSide, id: Guid): boolean => !side.has(id) && side.admits(id)
    return candidates.flatMap(({ id }) => {
      const known = this.get(id)
      return known !== undefined && (lacks(successors, id) || lacks(predecessors, id)) ? [known] : []
    })
  }

  /** Takes a node in, if there is a place for it. A node that is in already is replaced by this incarnation. Returns who had to go. */
  add(ref: NodeRef): NodeRef[] {
    if (ref.id === this.self.id) return []
    const before = this.members
    const changed = [this.successors.add(ref), this.predecessors.add(ref)]
    if (!changed.includes(true)) return []
    this.update()
    return before.filter((member) => !this.has(member.id))
  }

  /** Removes a node and says whether it was in. Unless everybody was known, this wounds the lists it was in. */
  remove(id: Guid): boolean {
    const explained = this.meets
    const removed = [this.successors.remove(id, explained), this.predecessors.remove(id, explained)]
    if (!removed.includes(true)) return false
    if (explained) this.fillFromEachOther()
    this.update()
    return true
  }

  /** The repair of a list has found all there is to find: what is still free is free because the ring is small. */
  heal(side: RingSide): void {
    side.wound = 'none'
    this.update()
    if (!this.meets) return
    this.fillFromEachOther()
    this.update()
  }

  /** `id` names `next` as its successor. Returns whether this node is now certain of more keys, or of those it had not been sure of. */
  confirm(id: Guid, next: Guid | undefined): boolean {
    if (id !== this.predecessor?.id || next !== this.self.id || this.confirmed) return false
    this.confirmedBy = id
    this.certainFrom = id
    return true
  }

  /** A joiner, or a node that was cut off, is certain of nothing. */
  forgetKeys(): void {
    this.confirmedBy = undefined
    this.certainFrom = this.predecessor?.id ?? this.self.id
  }

  /** Whether `key` is in (ownedFrom, self]. */
  owns(key: Guid): boolean {
    return inOpenClosed(key, this.certainFrom, this.self.id)
  }

  /**
   * The first node at or after `key`, of the neighbours and this node: the key's owner as far as this node knows. Undefined when the key is not between the
   * furthest predecessor and the furthest successor.
   */
  ownerOf(key: Guid): NodeRef | undefined {
    const { successors, predecessors } = this
    if (key === this.self.id || (this.meets && successors.members.length === 0)) return this.self
    if (successors.covers(key)) return successors.members[successors.countBefore(key)]
    if (!predecessors.covers(key)) return undefined
    const nearer = predecessors.countBefore(key)
    const there = predecessors.members[nearer]
    if (there !== undefined && there.id === key) return there
    return nearer === 0 ? this.self : predecessors.members[nearer - 1]
  }

  /**
   * This node and the neighbours in the order of the ring, clockwise. In a whole ring the last is followed by the first; otherwise more nodes come before
   * and after.
   */
  chain(): NodeRef[] {
    const before = this.predecessors.members.filter((ref) => !this.meets || !this.successors.has(ref.id))
    return [...before.reverse(), this.self, ...this.successors.members]
  }

  /** The neighbours that stand between nodes which `other` names around itself, and are not named: they may be dead. */
  missingFrom(other: Guid, predecessors: readonly NodeRef[], successors: readonly NodeRef[]): NodeRef[] {
    const [first, last] = [predecessors.at(-1)?.id ?? other, successors.at(-1)?.id ?? other]
    const named = new Set([...predecessors, ...successors].map(({ id }) => id))
    const between = (id: Guid): boolean => (last !== other && inOpen(id, other, last)) || (first !== other && inOpen(id, first, other))
    return this.members.filter(({ id }) => id !== other && !named.has(id) && between(id))
  }

  assertInvariants(): void {
    this.successors.assertInvariants()
    this.predecessors.assertInvariants()
    assert(
      this.successors.members.every((ref) => (this.predecessors.get(ref.id) ?? ref) === ref),
      'the lists name everybody once',
    )
    assert(!this.meets || !this.wounded, 'a whole ring has no wounds')
    const { predecessor } = this
    assert(predecessor === undefined || !inOpen(predecessor.id, this.certainFrom, this.self.id), 'no key before the predecessor is owned')
  }

  private byTurns(): NodeRef[] {
    const members = new Set<NodeRef>()
    const rounds = Math.max(this.successors.members.length, this.predecessors.members.length)
    for (let i = 0; i < rounds; i++) {
      for (const ref of [this.successors.members[i], this.predecessors.members[i]]) if (ref !== undefined) members.add(ref)
    }
    return [...members]
  }

  /** In a ring that is wholly known, a place that became free in one list may belong to a node that only the other has. */
  private fillFromEachOther(): void {
    for (const ref of this.predecessors.members) this.successors.add(ref)
    for (const ref of this.successors.members) this.predecessors.add(ref)
  }

  /** A neighbour of one list belongs into the other as well if it comes before the furthest there. */
  private share(from: RingSide, to: RingSide): void {
    for (const ref of from.members) {
      const { furthest } = to
      if (furthest !== undefined && to.isNearer(ref.id, furthest.id) && !to.has(ref.id)) to.add(ref)
    }
  }

  private update(): void {
    this.changed++
    this.share(this.predecessors, this.successors)
    this.share(this.successors, this.predecessors)
    this.everybody = undefined
    const { furthest } = this.successors
    this.meets = !this.wounded && (furthest === undefined ? this.predecessors.members.length === 0 : this.predecessors.has(furthest.id))
    const { predecessor } = this
    if (predecessor === undefined) {
      if (this.meets) this.certainFrom = this.self.id
    } else if (inOpen(predecessor.id, this.certainFrom, this.self.id)) {
      this.certainFrom = predecessor.id
    }
    if (this.confirmedBy !== predecessor?.id) this.confirmedBy = undefined
  }
}
