import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { RoutingConfig } from './config.ts'
import type { Outcome, Trail } from './outcome.ts'
import { Recent } from './recent.ts'

/**
 * Messages that ended at this node, by nonce: delivered, stopped or rejected.
 *
 * Copies are part of the design. A hop whose acknowledgement was lost is sent again by another way, and a source that hears nothing
 * tries again under the same nonce; all copies meet at the root. Only the first is handed to the application. A later one is told
 * the answer that was given, or waits with the first for the answer still to come.
 */
export class EndingMemory {
  private readonly config: RoutingConfig
  /** By nonce. Bound: `endingsMax` and `endingsMs`; full: the oldest goes. Undefined while there is none. */
  private recent: Recent<number, Ending> | undefined = undefined

  constructor(config: RoutingConfig) {
    this.config = config
  }

  get size(): number {
    return this.recent === undefined ? 0 : this.recent.size
  }

  /** The ending of an earlier copy. A nonce that comes with another key is no copy. */
  find(nonce: number, key: Guid): Ending | undefined {
    const ending = this.recent?.get(nonce)
    return ending !== undefined && ending.key === key ? ending : undefined
  }

  /** A message ended here; `handle` is where its answer is awaited, 0 when none is wanted. Returns how many were forgotten too early. */
  add(nonce: number, key: Guid, handle: number, now: Millis): number {
    this.recent ??= new Recent(this.config.endingsMax, this.config.endingsMs)
    return this.recent.add(nonce, { key, at: now, handle, answer: undefined }) ? 1 : 0
  }

  /** Its answer was given. One too long to be kept is forgotten with its message: a later copy goes to the application again. */
  answer(nonce: number, outcome: Outcome, trail: Trail): void {
    const ending = this.recent?.get(nonce)
    if (ending === undefined) return
    if (outcome.ok && outcome.payload.length > this.config.keptReplyBytesMax) this.recent!.delete(nonce)
    else ending.answer = { outcome, trail }
  }

  /** Forgets what is old enough. Returns when to come again. */
  sweep(now: Millis): Millis {
    const next = this.recent === undefined ? Infinity : this.recent.sweep(now)
    if (next === Infinity) this.recent = undefined
    return next
  }
}

export interface Ending {
  readonly key: Guid
  readonly at: Millis
  readonly handle: number
  answer: { readonly outcome: Outcome; readonly trail: Trail } | undefined
}

/**
 * How often each of the latest messages passed this node on a suspiciously long way. A copy passes again for good reasons: a reroute may
 * lead back here, and every attempt of the source takes the same last hops. One that comes back again and again is in a loop, which
 * nodes can form while their tables disagree. Ways of the usual length are not looked at, so that most nodes never need this table.
 *
 * A table without chains: messages that fall on one slot displace each other, which forgets a count and never invents one. The hop
 * limit catches the loop that this misses.
 */
export class Sightings {
  private readonly slots: number
  private readonly nonces: Float64Array
  private readonly counts: Uint8Array

  /** `slots` is a power of two. */
  constructor(slots: number) {
    this.slots = slots
    this.nonces = new Float64Array(slots)
    this.counts = new Uint8Array(slots)
  }

  /** Counts this passing and returns how many there were, at most 255. */
  count(nonce: number): number {
    const { nonces, counts } = this
    const slot = (nonce >>> 0) & (this.slots - 1)
    if (nonces[slot] !== nonce) {
      nonces[slot] = nonce
      counts[slot] = 0
    }
    const count = Math.min(counts[slot]! + 1, 255)
    counts[slot] = count
    return count
  }
}
