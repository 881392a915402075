import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { anyLive, isForgettable, mergeClaims } from './claims.ts'
import type { Claim } from './claims.ts'
import type { Then } from './errands.ts'
import type { PastReply } from './messages.ts'
import type { PastParts } from './parts.ts'

/** What a survey found out. */
export interface Findings {
  /** Those asked that have live claims on the object, in the order they answered. Whether these still count, `claims` tells. */
  readonly holders: readonly NodeRef[]
  /** What all that answered know together, this node included; checked. */
  readonly claims: readonly Claim[]
  /** Those that did not answer in time. */
  readonly silent: readonly NodeRef[]
}

/**
 * Asks a set of nodes what they know of one object. Ends when all have answered or are late, or with `firstHolder` as soon as one
 * says that it holds the object.
 */
export class Survey {
  private readonly parts: PastParts
  private readonly guid: Guid
  private readonly firstHolder: boolean
  private readonly then: Then<Findings>
  private claims: readonly Claim[]
  private readonly holders: NodeRef[] = []
  private readonly silent: NodeRef[] = []
  /** A holder that has not just started has answered. */
  private certain = false
  private open = 0
  private ended = false

  constructor(parts: PastParts, guid: Guid, options: { readonly firstHolder: boolean }, then: Then<Findings>) {
    this.parts = parts
    this.guid = guid
    this.firstHolder = options.firstHolder
    this.then = then
    this.claims = parts.shelf.get(guid)?.claims ?? []
  }

  start(nodes: readonly NodeRef[], now: Millis, fx: AppEffects): void {
    const { errands, config } = this.parts
    this.open = nodes.length
    if (this.open === 0) return this.end(now, fx)
    for (const node of nodes) {
      errands.request(node, { type: 'fetch', guid: this.guid, withData: false }, config.replicaMs, fx, (answered, time, effects) => {
        if (!answered.ok || (answered.message.type !== 'object' && answered.message.type !== 'absent')) {
          this.silent.push(node)
          this.settle(time, effects)
        } else if (answered.message.type === 'object') this.onObject(node, answered.message, time, effects)
        else this.settle(time, effects)
      })
    }
  }

  private onObject(node: NodeRef, object: PastReply & { readonly type: 'object' }, now: Millis, fx: AppEffects): void {
    // Clocks differ, and so does the moment at which nodes forget.
    const claims = object.claims.filter((claim) => !isForgettable(claim, now, this.parts.config.tombstoneMs))
    this.parts.notary.check(this.guid, claims, this.claims, now, fx, (problem, time, effects) => {
      if (problem === undefined) {
        this.claims = mergeClaims(this.claims, claims, this.parts.config.maxOwners)
        if (anyLive(claims, time)) this.holders.push(node)
        if (anyLive(claims, time) && object.settled) this.certain = true
      }
      this.settle(time, effects)
    })
  }

  private settle(now: Millis, fx: AppEffects): void {
    this.open--
    const found = this.firstHolder && this.certain && anyLive(this.claims, now)
    if (this.open === 0 || found) this.end(now, fx)
  }

  private end(now: Millis, fx: AppEffects): void {
    if (this.ended) return
    this.ended = true
    this.then({ holders: this.holders, claims: this.claims, silent: this.silent }, now, fx)
  }
}
