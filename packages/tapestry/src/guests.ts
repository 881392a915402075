import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'

/** Who is about to join and has been given this node's map, or has measured it: when this node goes they are told too, for they may be building on it. */
export class Guests {
  /** Bound: `max`. Full: the first is forgotten; it finds out for itself. Undefined until the first. */
  private known: Map<Guid, Guest> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  refs(): NodeRef[] {
    return this.known === undefined ? [] : [...this.known.values()].map(({ ref }) => ref)
  }

  /** Others speak of `ref`, or it asks by a message that walks. */
  note(ref: NodeRef): void {
    const before = this.known?.get(ref.id)
    if (before === undefined || before.ref.epoch < ref.epoch) this.set({ ref, group: 0, heardAt: -Infinity })
  }

  /** It spoke itself, as one of the group of those that share `group` digits. */
  heard(ref: NodeRef, group: number, now: Millis): void {
    this.set({ ref, group, heardAt: now })
  }

  /** The group of which this incarnation of it has said to be, if not longer than `withinMs` ago. */
  groupOf(ref: NodeRef, withinMs: Millis, now: Millis): number | undefined {
    const guest = this.known?.get(ref.id)
    return guest !== undefined && guest.ref.epoch === ref.epoch && now - guest.heardAt <= withinMs ? guest.group : undefined
  }

  delete(id: Guid): void {
    this.known?.delete(id)
  }

  private set(guest: Guest): void {
    const known = (this.known ??= new Map())
    known.delete(guest.ref.id)
    known.set(guest.ref.id, guest)
    if (known.size <= this.max) return
    for (const first of known.keys()) {
      known.delete(first)
      break
    }
  }
}

interface Guest {
  readonly ref: NodeRef
  readonly group: number
  readonly heardAt: Millis
}
