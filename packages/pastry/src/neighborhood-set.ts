import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { Proximity } from '@plaxton/upkeep'

/** The |M| nodes nearest by proximity. Not used for routing: it gives joiners in the neighbourhood a start and spreads locality. */
export class NeighborhoodSet {
  /** Bound: |M|. Full: the furthest goes. */
  private members: NodeRef[] = []
  private readonly size: number
  private readonly proximity: Proximity

  constructor(size: number, proximity: Proximity) {
    this.size = size
    this.proximity = proximity
  }

  /** Nearest first at the time each was taken in. */
  entries(): readonly NodeRef[] {
    return this.members
  }

  /** Takes a node in if its distance is known and one of the |M| least. The incumbent keeps its place when distances tie. */
  consider(ref: NodeRef): void {
    if (this.size === 0) return
    const distance = this.proximity.of(ref.id)
    if (distance === undefined) return
    const others = this.members.filter((member) => member.id !== ref.id)
    let at = others.length
    while (at > 0 && this.proximity.orFar(others[at - 1]!.id) > distance) at--
    if (at >= this.size) return
    others.splice(at, 0, ref)
    this.members = others.slice(0, this.size)
  }

  /** Whether a node of this id is near enough, as far as its distance is known. */
  admits(id: Guid): boolean {
    const furthest = this.members[this.members.length - 1]
    if (furthest === undefined || this.members.length < this.size) return this.size > 0
    return this.proximity.orFar(id) < this.proximity.orFar(furthest.id)
  }

  remove(id: Guid): boolean {
    const before = this.members.length
    if (before > 0) this.members = this.members.filter((member) => member.id !== id)
    return this.members.length < before
  }

  get(id: Guid): NodeRef | undefined {
    return this.members.find((member) => member.id === id)
  }
}
