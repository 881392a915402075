import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { isContradicted } from './claims.ts'
import type { Claim } from './claims.ts'
import type { Answered, Then } from './errands.ts'
import { transferMs, unreliable } from './parts.ts'
import type { PastParts } from './parts.ts'
import type { Data, Kept } from './shelf.ts'

/** How a replication stood when enough was durable, or when nothing more could be done. */
export interface Replicated {
  /** Nodes on which it is durable, closest to the guid first. */
  readonly holders: readonly NodeRef[]
  /** Why other nodes do not hold it, a sentence for each. */
  readonly failures: readonly string[]
  /** Some did not answer; asking again may help. */
  readonly transient: boolean
  /** What nodes have that did not take it because they know better. */
  readonly objections: readonly Claim[]
}

export interface ReplicationOrder {
  readonly guid: Guid
  readonly claims: readonly Claim[]
  /** Not needed to spread a removal, nor for nodes that have the data. */
  readonly data: Data | undefined
  /** Nodes to store on, closest first; those after the first `wanted` stand in for ones that fail. This node may be among them. */
  readonly candidates: readonly NodeRef[]
  readonly wanted: number
  /** Durable copies after which `then` runs; the others follow in the background. */
  readonly enough: number
  /** How often a node that does not answer is asked before another stands in for it. */
  readonly tries: number
}

/** Stores claims and data on a set of nodes at once. `then` runs once; what is still missing goes on without it. */
export class Replication {
  private readonly parts: PastParts
  private readonly order: ReplicationOrder
  private readonly then: Then<Replicated>
  private readonly holders = new Set<NodeRef>()
  private readonly failures: string[] = []
  private readonly objections: Claim[] = []
  private transient = false
  private nextCandidate = 0
  private open = 0
  private reported = false

  constructor(parts: PastParts, order: ReplicationOrder, then: Then<Replicated>) {
    this.parts = parts
    this.order = order
    this.then = then
  }

  start(now: Millis, fx: AppEffects): void {
    this.open = Math.min(this.order.wanted, this.order.candidates.length)
    if (this.open === 0) return this.report(now, fx)
    for (let i = this.open; i > 0; i--) this.storeOnNext(now, fx)
  }

  private storeOnNext(now: Millis, fx: AppEffects): void {
    const node = this.order.candidates[this.nextCandidate++]
    if (node === undefined || this.isOutdated()) this.settle(now, fx)
    else this.storeOn(node, 1, now, fx)
  }

  /** The owner has said otherwise while this was going on: a stand-in must not get what has been removed meanwhile. */
  private isOutdated(): boolean {
    const held = this.parts.shelf.get(this.order.guid)
    return held !== undefined && this.order.claims.some((claim) => isContradicted(held.claims, claim))
  }

  private storeOn(node: NodeRef, attempt: number, now: Millis, fx: AppEffects): void {
    const { guid, claims, data } = this.order
    const { shelf, errands, config } = this.parts
    if (sameNode(node, fx.self)) {
      const obstacle = unreliable(this.parts, fx)
      if (obstacle !== undefined) return this.onFailure(node, obstacle, now, fx)
      shelf.keep(guid, claims, data, now, fx, (kept, time, effects) => this.onKept(node, kept, time, effects))
      return
    }
    // The copies under way share this node's line.
    const withinMs = config.replicaMs + transferMs(this.order.wanted * (data?.bytes.length ?? 0), config)
    errands.request(node, { type: 'store', guid, claims, data: data?.bytes }, withinMs, fx, (answered, time, effects) =>
      this.onAnswered(node, attempt, answered, time, effects),
    )
  }

  private onAnswered(node: NodeRef, attempt: number, answered: Answered, now: Millis, fx: AppEffects): void {
    if (answered.ok && answered.message.type === 'stored') {
      const { outcome, detail, claims } = answered.message
      if (outcome === 'kept') return this.onHolder(node, now, fx)
      this.objections.push(...claims)
      return this.onFailure(node, outcome === 'refused' ? detail : 'it lacks the data', now, fx)
    }
    if (!answered.ok && answered.failure.reason === 'timed out' && attempt < this.order.tries)
      return this.storeOn(node, attempt + 1, now, fx)
    this.transient = true
    this.onFailure(node, answered.ok ? 'it answered something else' : answered.failure.detail, now, fx)
  }

  private onKept(node: NodeRef, kept: Kept, now: Millis, fx: AppEffects): void {
    const obstacle = unreliable(this.parts, fx)
    if (obstacle !== undefined) this.onFailure(node, obstacle, now, fx)
    else if (kept.outcome === 'kept') this.onHolder(node, now, fx)
    else this.onFailure(node, kept.outcome === 'refused' ? kept.detail : 'it lacks the data', now, fx)
  }

  private onHolder(node: NodeRef, now: Millis, fx: AppEffects): void {
    this.holders.add(node)
    this.settle(now, fx)
  }

  private onFailure(node: NodeRef, why: string, now: Millis, fx: AppEffects): void {
    this.failures.push(`${node.id.slice(0, 8)}: ${why}`)
    this.parts.onShortfall(now, fx)
    this.storeOnNext(now, fx)
  }

  private settle(now: Millis, fx: AppEffects): void {
    this.open--
    if (this.holders.size >= this.order.enough || this.open === 0) this.report(now, fx)
  }

  private report(now: Millis, fx: AppEffects): void {
    if (this.reported) return
    this.reported = true
    const holders = this.order.candidates.filter((node) => this.holders.has(node))
    this.then({ holders, failures: this.failures, transient: this.transient, objections: this.objections }, now, fx)
  }
}
