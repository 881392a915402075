import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Overlay } from '@plaxton/kbr'
import { position } from './bisect.ts'
import type { Process } from './host.ts'
import type { Ownership } from './ownership.ts'

/** The global truth no node has: who is a member right now, in order of id. Roots and replica sets follow from it by the overlay's {@link Ownership}. */
export class Members {
  private readonly order: Ownership
  private readonly overlayOf: ((process: Process) => Overlay) | undefined
  private readonly ids: Guid[] = []
  private readonly processes = new Map<Guid, Process>()

  constructor(ownership: Ownership, overlayOf?: (process: Process) => Overlay) {
    this.order = ownership
    this.overlayOf = overlayOf
  }

  /** As things are at this moment. */
  get ownership(): Ownership {
    const { order, overlayOf } = this
    if (order.look !== undefined && overlayOf !== undefined) order.look(this.all().map(overlayOf))
    return order
  }

  get size(): number {
    return this.ids.length
  }

  /** All ids in ascending order. */
  get sorted(): readonly Guid[] {
    return this.ids
  }

  /** All members in ascending order of id. */
  all(): Process[] {
    return this.ids.map((id) => this.of(id)!)
  }

  of(id: Guid): Process | undefined {
    return this.processes.get(id)
  }

  has(process: Process): boolean {
    return this.processes.get(process.self.id) === process
  }

  add(process: Process): void {
    const { id } = process.self
    assert(!this.processes.has(id), `${id} is a member twice`)
    this.processes.set(id, process)
    this.ids.splice(position(this.ids, id), 0, id)
  }

  remove(process: Process): void {
    if (!this.has(process)) return
    this.processes.delete(process.self.id)
    this.ids.splice(position(this.ids, process.self.id), 1)
  }

  /** The member responsible for `key`; undefined when there is none. */
  root(key: Guid): Process | undefined {
    const [id] = this.ranks(key, 1)
    return id === undefined ? undefined : this.of(id)
  }

  /** The ids of the first `count` members in the order in which they are responsible for `key`, the root first. */
  ranks(key: Guid, count: number): Guid[] {
    const { ownership, ids } = this
    return ownership.ranks(key, ownership.near?.(key, ids, count) ?? ids, count)
  }

  /** The ids of the `count` members that follow `id` clockwise, nearest first; `id` itself not among them. */
  successors(id: Guid, count: number): Guid[] {
    const at = position(this.ids, id)
    const first = this.ids[at] === id ? at + 1 : at
    const others = this.ids.length - (first - at)
    return Array.from({ length: Math.min(count, others) }, (_, i) => this.ids[mod(first + i, this.ids.length)]!)
  }

  /** The same counter-clockwise. */
  predecessors(id: Guid, count: number): Guid[] {
    const at = position(this.ids, id)
    const others = this.ids.length - (this.ids[at] === id ? 1 : 0)
    return Array.from({ length: Math.min(count, others) }, (_, i) => this.ids[mod(at - 1 - i, this.ids.length)]!)
  }
}

function mod(index: number, size: number): number {
  return ((index % size) + size) % size
}
