import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'

/**
 * Nodes that failed or left, remembered for some minutes so that gossip does not bring them back: they are taken in again only when
 * heard from directly, and one that said it leaves only in a new incarnation.
 */
export class FailedSet {
  /** In the order of failing. Bound: `failedMax`. Full: the first goes. Undefined while nobody has failed. */
  private gone: Map<Guid, Gone> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return this.gone === undefined ? 0 : this.gone.size
  }

  add(ref: NodeRef, left: boolean, now: Millis): void {
    const gone = (this.gone ??= new Map())
    gone.delete(ref.id)
    if (gone.size >= this.max) {
      for (const first of gone.keys()) {
        gone.delete(first)
        break
      }
    }
    gone.set(ref.id, { ref, left, at: now })
  }

  has(id: Guid): boolean {
    return this.gone !== undefined && this.gone.has(id)
  }

  /** Whether hearing *of* `ref` is no reason to look for it. */
  distrusts(ref: NodeRef): boolean {
    const known = this.gone?.get(ref.id)
    return known !== undefined && ref.epoch <= known.ref.epoch
  }

  /** Whether hearing *from* `ref` is no reason to take it in: it has left, or this is an incarnation before the one that failed. */
  refuses(ref: NodeRef): boolean {
    const known = this.gone?.get(ref.id)
    return known !== undefined && (known.left ? ref.epoch <= known.ref.epoch : ref.epoch < known.ref.epoch)
  }

  forget(id: Guid): void {
    this.gone?.delete(id)
  }

  clear(): void {
    this.gone = undefined
  }

  /** Forgets who failed before `before`. */
  expire(before: Millis): void {
    if (this.gone === undefined) return
    for (const [id, { at }] of this.gone) {
      if (at >= before) break
      this.gone.delete(id)
    }
  }

  /** Those that may have been cut off and not dead, the last to fail first. */
  missed(): NodeRef[] {
    if (this.gone === undefined) return []
    return [...this.gone.values()].filter(({ left }) => !left).map(({ ref }) => ref).reverse()
  }
}

interface Gone {
  readonly ref: NodeRef
  /** It said so itself. */
  readonly left: boolean
  readonly at: Millis
}
