import { guidOf } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { anyLive } from './claims.ts'
import { mayBelongTo } from './comparison.ts'
import { nodesAround } from './hosts.ts'
import type { PastCall } from './messages.ts'
import { unreliable } from './parts.ts'
import type { PastParts, Respond } from './parts.ts'

type Store = PastCall & { readonly type: 'store' }
type Fetch = PastCall & { readonly type: 'fetch' }

/** What a node does as one of an object's replicas: stores what a root sends and says what it has. */
export class Replica {
  private readonly parts: PastParts

  constructor(parts: PastParts) {
    this.parts = parts
  }

  /** Stores claims, with their data unless it has these, and answers once they are durable: no, when it has set out to leave meanwhile. */
  onStore(from: NodeRef, { guid, claims, data }: Store, respond: Respond, now: Millis, fx: AppEffects): void {
    const { shelf, notary, config } = this.parts
    const known = shelf.get(guid)?.claims ?? []
    const refuse = (detail: string, time: Millis, effects: AppEffects): void =>
      respond({ type: 'stored', outcome: 'refused', detail, claims: shelf.get(guid)?.claims ?? [] }, time, effects)

    const near = nodesAround(guid, config.maxReplicas, fx)
    if (known.length === 0 && !mayBelongTo(near, config.maxReplicas, from, fx)) return refuse('it is too far from the guid', now, fx)
    notary.check(guid, claims, known, now, fx, (problem, time, effects) => {
      if (problem !== undefined) return refuse(problem, time, effects)
      shelf.keep(guid, claims, data && { bytes: data, digest: guidOf(data) }, time, effects, (kept, at, fxKept) => {
        const obstacle = unreliable(this.parts, fxKept)
        if (obstacle !== undefined) return refuse(obstacle, at, fxKept)
        respond({ type: 'stored', outcome: kept.outcome, detail: kept.detail, claims: kept.held?.claims ?? [] }, at, fxKept)
      })
    })
  }

  /** Says what it has; removals as well, so that who missed one learns of it. */
  onFetch({ guid, withData }: Fetch, settled: boolean, respond: Respond, now: Millis, fx: AppEffects): void {
    const { shelf } = this.parts
    const held = shelf.get(guid)
    if (held === undefined) return respond({ type: 'absent', removed: false, silent: 0, certain: true }, now, fx)
    if (!withData || !anyLive(held.claims, now)) return respond({ type: 'object', holder: fx.self, claims: held.claims, settled }, now, fx)
    shelf.read(guid, fx, (data, time, effects) => {
      if (data === undefined) respond({ type: 'absent', removed: false, silent: 0, certain: true }, time, effects)
      else respond({ type: 'object', holder: effects.self, claims: held.claims, settled, data: data.bytes }, time, effects)
    })
  }
}
