import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'

/**
 * Who needs to be told when this node goes, or when its surroundings change, though it may not stand in this node's own tables: those that have it in their
 * neighbour map (the paper's backpointers), and the observers, whose sibling group is larger than this node's and includes it.
 */
export class Backpointers {
  /** Bound: `max` each. Full: a new one is not noted; beacons and exchanges find out for it. Undefined until the first. */
  private pointing: Map<Guid, NodeRef> | undefined = undefined
  private observing: Map<Guid, NodeRef> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return (this.pointing?.size ?? 0) + (this.observing?.size ?? 0)
  }

  /** Whether `id` has this node in its map or its sibling group. */
  has(id: Guid): boolean {
    return this.pointing?.has(id) === true || this.observing?.has(id) === true
  }

  /** Nodes that have this one in their map. */
  refs(): NodeRef[] {
    return this.pointing === undefined ? [] : [...this.pointing.values()]
  }

  observers(): NodeRef[] {
    return this.observing === undefined ? [] : [...this.observing.values()]
  }

  note(ref: NodeRef): void {
    const pointing = (this.pointing ??= new Map())
    if (pointing.size < this.max || pointing.has(ref.id)) pointing.set(ref.id, ref)
  }

  unnote(id: Guid): void {
    this.pointing?.delete(id)
  }

  observe(ref: NodeRef): void {
    const observing = (this.observing ??= new Map())
    if (observing.size < this.max || observing.has(ref.id)) observing.set(ref.id, ref)
  }

  unobserve(id: Guid): void {
    this.observing?.delete(id)
  }

  delete(id: Guid): void {
    this.unnote(id)
    this.unobserve(id)
  }
}
