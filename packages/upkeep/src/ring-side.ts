import { clockwiseDistance } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'

/** `thinned`: fewer members than places because some failed. `lost`: all failed. */
export type Wound = 'none' | 'thinned' | 'lost'

/**
 * The nodes that follow a node on the ring in one direction, nearest first: one side of Pastry's leaf set, Chord's successor list or its predecessors.
 *
 * When members fail it is *wounded*: the place that became free belongs to a node further out that is not known yet, and until that is found only nodes of the same half of
 * the ring are taken in.
 */
export class RingSide {
  /** The array is never changed, so that it is no larger than it must be, and may be kept. */
  members: readonly NodeRef[] = []
  /** The first and the last of them: asked for with every message, which is why they stand here as well. */
  nearest: NodeRef | undefined = undefined
  furthest: NodeRef | undefined = undefined
  wound: Wound = 'none'
  readonly clockwise: boolean
  /** Most members. */
  readonly places: number
  private readonly origin: Guid

  constructor(origin: Guid, places: number, clockwise: boolean) {
    this.origin = origin
    this.places = places
    this.clockwise = clockwise
  }

  get full(): boolean {
    return this.members.length === this.places
  }

  get(id: Guid): NodeRef | undefined {
    // Nearly all ids are further out than anybody here.
    if (this.furthest === undefined || this.isNearer(this.furthest.id, id)) return undefined
    const ref = this.members[this.countBefore(id)]
    return ref !== undefined && ref.id === id ? ref : undefined
  }

  has(id: Guid): boolean {
    return this.get(id) !== undefined
  }

  /** Whether `id` lies no further out than the furthest member. Nothing does on a side that was lost and is not healed. */
  covers(id: Guid): boolean {
    const { furthest } = this
    return furthest !== undefined && this.wound !== 'lost' && !this.isNearer(furthest.id, id)
  }

  /** How many members are nearer than `id`. */
  countBefore(id: Guid): number {
    let low = 0
    let high = this.members.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.isNearer(this.members[middle]!.id, id)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether there is a place for a node that is not a member. */
  admits(id: Guid): boolean {
    const { furthest } = this
    if (furthest !== undefined && this.isNearer(id, furthest.id)) return true
    return !this.full && (this.wound === 'none' || this.isOwnHalf(id))
  }

  /** Those of `strangers` that would be members if all were added. */
  wanted(strangers: readonly NodeRef[]): NodeRef[] {
    const admitted = strangers.filter((ref) => this.admits(ref.id))
    if (admitted.length === 0) return admitted
    const all = [...this.members, ...admitted].sort((a, b) => (this.isNearer(a.id, b.id) ? -1 : 1)).slice(0, this.places)
    return admitted.filter((ref) => all.includes(ref))
  }

  /** Whether this changed anything. */
  add(ref: NodeRef): boolean {
    const at = this.countBefore(ref.id)
    const present = this.members[at]
    if (present !== undefined && present.id === ref.id) {
      if (present !== ref) this.hold(this.members.with(at, ref))
      return present.epoch !== ref.epoch
    }
    if (!this.admits(ref.id)) return false
    const members = this.members.toSpliced(at, 0, ref)
    if (members.length > this.places) members.pop()
    this.hold(members)
    if (this.full && this.wound === 'thinned') this.wound = 'none'
    return true
  }

  /** `explained`: everybody is known, so the gap hides nobody. */
  remove(id: Guid, explained: boolean): boolean {
    const at = this.countBefore(id)
    if (this.members[at]?.id !== id) return false
    this.hold(this.members.toSpliced(at, 1))
    if (!explained) {
      if (this.members.length === 0) this.wound = 'lost'
      else if (this.wound === 'none') this.wound = 'thinned'
    }
    return true
  }

  /** Whether `a` comes before `b` on the way out from the node. Ids that the ring's zero lies before come last clockwise. */
  isNearer(a: Guid, b: Guid): boolean {
    const wrapped = a < this.origin
    if (wrapped !== b < this.origin) return wrapped !== this.clockwise
    return this.clockwise ? a < b : b < a
  }

  assertInvariants(): void {
    assert(this.members.length <= this.places, 'a side of a ring has at most its number of members')
    for (let i = 0; i < this.members.length; i++) {
      assert(this.members[i]!.id !== this.origin, 'a node is not beside itself')
      assert(i === 0 || this.isNearer(this.members[i - 1]!.id, this.members[i]!.id), 'a side of a ring is sorted, nearest first')
    }
  }

  private hold(members: readonly NodeRef[]): void {
    this.members = members
    this.nearest = members[0]
    this.furthest = members[members.length - 1]
  }

  private isOwnHalf(id: Guid): boolean {
    const clockwise = clockwiseDistance(this.origin, id).charCodeAt(0) < highDigit
    return clockwise === this.clockwise
  }
}

/** The first hex digit from which an id is in the upper half of the name space. */
const highDigit = '8'.charCodeAt(0)
