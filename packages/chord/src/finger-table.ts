import { addToGuid, inClosedOpen, inOpen } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import type { Proximity } from '@plaxton/upkeep'

/**
 * The finger table: finger i begins 2^i after this node; it holds the successor of that point and the s nodes after it. Only fingers that begin beyond the successor
 * list are kept, some log2(N / r) of them.
 *
 * A finger's nodes are hearsay until they have answered; only those that have are used.
 */
export class FingerTable {
  private readonly self: NodeRef
  private readonly width: number
  private readonly bits: number
  /** The furthest first. Bound: the bits of an id. */
  private readonly fingers: Finger[] = []

  /** `width`: nodes kept for each finger, s + 1. */
  constructor(self: NodeRef, width: number) {
    this.self = self
    this.width = width
    this.bits = 4 * self.id.length
  }

  /** Where finger `index` begins. */
  start(index: number): Guid {
    return addToGuid(this.self.id, 1n << BigInt(index))
  }

  /** The least index whose finger begins beyond `furthest`, the last of the successor list. */
  leastBeyond(furthest: NodeRef): number {
    let least = this.bits
    while (least > 0 && !inOpen(this.start(least - 1), this.self.id, furthest.id) && this.start(least - 1) !== furthest.id) least--
    return least
  }

  get highest(): number {
    return this.bits - 1
  }

  /** All nodes that have answered, each once. */
  entries(): NodeRef[] {
    const entries = new Map<Guid, NodeRef>()
    for (const { heard } of this.fingers) for (const ref of heard) entries.set(ref.id, ref)
    return [...entries.values()]
  }

  get(id: Guid): NodeRef | undefined {
    for (const { heard } of this.fingers) for (const ref of heard) if (ref.id === id) return ref
    return undefined
  }

  /** Whether a finger names this node and has not heard from it. */
  awaits(id: Guid): boolean {
    return this.fingers.some(({ named, heard }) => named.some((ref) => ref.id === id) && !heard.some((ref) => ref.id === id))
  }

  /** The nodes that begin finger `index`, in order. Nodes it held before and that are not among them go. */
  place(index: number, refs: readonly NodeRef[]): void {
    const start = this.start(index)
    const named = refs.filter(({ id }) => id !== this.self.id && inClosedOpen(id, start, this.self.id)).slice(0, this.width)
    const at = this.fingers.findIndex((finger) => finger.index <= index)
    const present = at >= 0 && this.fingers[at]!.index === index ? this.fingers[at] : undefined
    if (present !== undefined) {
      present.named = named
      present.heard = present.heard.filter((ref) => named.some(({ id }) => id === ref.id))
    } else if (named.length > 0) {
      this.fingers.splice(at < 0 ? this.fingers.length : at, 0, { index, named, heard: [] })
    }
  }

  /** `ref` has answered: it enters the fingers that name it, or replaces its incarnation before. Whether anything changed. */
  admit(ref: NodeRef): boolean {
    let changed = false
    for (const finger of this.fingers) {
      if (!finger.named.some(({ id }) => id === ref.id)) continue
      const present = finger.heard.findIndex(({ id }) => id === ref.id)
      if (present >= 0 && finger.heard[present]!.epoch >= ref.epoch) continue
      changed = true
      if (present >= 0) finger.heard[present] = ref
      else finger.heard.push(ref)
    }
    return changed
  }

  /** Returns whether it was in. */
  remove(id: Guid): boolean {
    let removed = false
    for (const finger of this.fingers) {
      const { length } = finger.heard
      finger.named = finger.named.filter((ref) => ref.id !== id)
      finger.heard = finger.heard.filter((ref) => ref.id !== id)
      if (finger.heard.length < length) removed = true
    }
    return removed
  }

  /** The fingers nobody of which has answered. */
  emptied(): number[] {
    return this.fingers.filter(({ heard }) => heard.length === 0).map(({ index }) => index)
  }

  /** Forgets fingers below `least`: the successor list covers them now. */
  dropBelow(least: number): void {
    while (this.fingers.length > 0 && this.fingers.at(-1)!.index < least) this.fingers.pop()
  }

  /** Of the furthest finger that has somebody before `key` who may be used, the nearest by round trip. */
  preceding(key: Guid, mayUse: (ref: NodeRef) => boolean, proximity: Proximity): NodeRef | undefined {
    for (const { heard } of this.fingers) {
      let best: NodeRef | undefined
      for (const ref of heard) {
        if (!inOpen(ref.id, this.self.id, key) || !mayUse(ref)) continue
        if (best === undefined || proximity.orFar(ref.id) < proximity.orFar(best.id)) best = ref
      }
      if (best !== undefined) return best
    }
    return undefined
  }

  assertInvariants(): void {
    assert(this.fingers.length <= this.bits, 'there are no more fingers than bits')
    for (const [i, { index, named, heard }] of this.fingers.entries()) {
      assert(i === 0 || index < this.fingers[i - 1]!.index, 'fingers are sorted, the furthest first')
      assert(named.length <= this.width, 'a finger is bounded')
      for (const { id } of heard)
        assert(
          named.some((ref) => ref.id === id),
          'a finger uses only nodes that were named for it',
        )
    }
  }
}

interface Finger {
  readonly index: number
  /** The successor of the start and those after it, as they were named last. */
  named: readonly NodeRef[]
  /** Those of them that have answered. */
  heard: NodeRef[]
}
