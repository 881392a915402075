import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'

/** Who needs to be told when this node goes, though it may not stand in this node's own tables: those that have it in their neighbour map (the paper's backpointers). */
export class Backpointers {
  /** Bound: `max`. Full: a new one is not noted; its beacons find out for it. Undefined until the first. */
  private pointing: Map<Guid, NodeRef> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return this.pointing?.size ?? 0
  }

  has(id: Guid): boolean {
    return this.pointing?.has(id) === true
  }

  refs(): NodeRef[] {
    return this.pointing === undefined ? [] : [...this.pointing.values()]
  }

  note(ref: NodeRef): void {
    const pointing = (this.pointing ??= new Map())
    if (pointing.size < this.max || pointing.has(ref.id)) pointing.set(ref.id, ref)
  }

  delete(id: Guid): void {
    this.pointing?.delete(id)
  }
}
