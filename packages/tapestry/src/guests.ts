import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'

/** Who is about to join and has been given this node's map, or has measured it: when this node goes they are told too, for they may be building on it. */
export class Guests {
  /** Bound: `max`. Full: the first is forgotten; it finds out for itself. Undefined until the first. */
  private known: Map<Guid, NodeRef> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  refs(): NodeRef[] {
    return this.known === undefined ? [] : [...this.known.values()]
  }

  note(ref: NodeRef): void {
    const known = (this.known ??= new Map())
    known.delete(ref.id)
    known.set(ref.id, ref)
    if (known.size <= this.max) return
    for (const first of known.keys()) {
      known.delete(first)
      break
    }
  }

  delete(id: Guid): void {
    this.known?.delete(id)
  }
}
