import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'

/** The bounds of a {@link FailedSet}. */
export interface FailedSetConfig {
  /** How long a failed node is remembered. */
  readonly failedMs: Millis
  /** How long nobody looks for a failed node because others speak of it; doubles with each look in vain. And the least time between two of {@link FailedSet.due}. */
  readonly failedHoldMs: Millis
  /** Failed nodes remembered. Full: the one that failed first goes. */
  readonly failedMax: number
}

/**
 * Nodes that failed or left, remembered for some minutes so that gossip does not bring them back. One that failed is taken in again only
 * when heard from directly; hearing of it is no reason to look for it until `failedHoldMs` have passed, by when whoever still speaks of
 * it must have noticed, and twice as long each time the look was in vain. One that said it leaves comes back in a new incarnation only.
 * Whoever was cut off finds its way back because it is looked for now and then ({@link FailedSet.due}).
 */
export class FailedSet {
  /** In the order of failing. Bound: `failedMax`. Full: the first goes. Undefined while nobody has failed. */
  private gone: Map<Guid, Gone> | undefined = undefined
  private readonly config: FailedSetConfig

  constructor(config: FailedSetConfig) {
    this.config = config
  }

  get size(): number {
    return this.gone === undefined ? 0 : this.gone.size
  }

  add(ref: NodeRef, left: boolean, now: Millis): void {
    const { failedMax, failedHoldMs, failedMs } = this.config
    const gone = (this.gone ??= new Map())
    const before = gone.get(ref.id)
    gone.delete(ref.id)
    if (gone.size >= failedMax) {
      for (const first of gone.keys()) {
        gone.delete(first)
        break
      }
    }
    const holdMs = before === undefined ? failedHoldMs : Math.min(failedMs, 2 * before.holdMs)
    gone.set(ref.id, { ref, left, at: now, triedAt: now, holdMs })
  }

  has(id: Guid): boolean {
    return this.gone !== undefined && this.gone.has(id)
  }

  /** Whether this incarnation of a node has failed, or a later one. */
  hasIncarnation({ id, epoch }: NodeRef): boolean {
    const known = this.gone?.get(id)
    return known !== undefined && epoch <= known.ref.epoch
  }

  /** In the order of failing. */
  ids(): Iterable<Guid> {
    return this.gone?.keys() ?? []
  }

  /** Whether hearing *of* `ref` is no reason to look for it. */
  distrusts(ref: NodeRef, now: Millis): boolean {
    const known = this.gone?.get(ref.id)
    return known !== undefined && ref.epoch <= known.ref.epoch && (known.left || now < known.at + known.holdMs)
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

  /** Forgets whose time is over. */
  expire(now: Millis): void {
    if (this.gone === undefined) return
    for (const [id, { at }] of this.gone) {
      if (now - at < this.config.failedMs) break
      this.gone.delete(id)
    }
  }

  /**
   * Whom to look for now, of those that failed and did not leave: they may have been cut off and not be dead. Each again after `failedHoldMs`; at most {@link lookMax}, who
   * waited longest first. To be asked for periodically; those given count as looked for.
   */
  due(now: Millis): NodeRef[] {
    if (this.gone === undefined) return []
    const isDue = ({ left, triedAt }: Gone): boolean => !left && now - triedAt >= this.config.failedHoldMs
    const due = [...this.gone.values()].filter(isDue).sort((a, b) => a.triedAt - b.triedAt)
    return due.slice(0, lookMax).map((gone) => {
      gone.triedAt = now
      return gone.ref
    })
  }

  /** Those that failed, and did not leave, no longer than `ageMs` ago; they may have been cut off and not be dead. The last to fail first. */
  missed(ageMs: Millis, now: Millis): NodeRef[] {
    if (this.gone === undefined) return []
    const missed = [...this.gone.values()].filter(({ left, at }) => !left && now - at <= ageMs)
    return missed.map(({ ref }) => ref).reverse()
  }
}

interface Gone {
  readonly ref: NodeRef
  /** It said so itself. */
  readonly left: boolean
  readonly at: Millis
  /** When it was last looked for. */
  triedAt: Millis
  readonly holdMs: Millis
}

/** Our guess: less than a node sends in such a period anyway; after the failure of many, all have their turn within minutes. */
const lookMax = 4
