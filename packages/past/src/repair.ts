import { guidOf, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { isForgettable } from './claims.ts'
import type { Claim } from './claims.ts'
import { emit } from './command.ts'
import type { Entry } from './messages.ts'
import { transferMs, widened } from './parts.ts'
import type { PastParts } from './parts.ts'
import { Sources } from './repair-sources.ts'
import type { Source } from './repair-sources.ts'

/**
 * Copies records that this node should have and lacks, or has in another version, from nodes that said they hold them. A few at a
 * time, from all of these nodes in turn, and no faster than the bandwidth set aside for it.
 */
export class Repair {
  private readonly parts: PastParts
  private readonly onGarbage: (from: NodeRef, reason: string, fx: AppEffects) => void
  /** What is to be copied from where, bounded there. What does not fit is found again by the next comparison. */
  private readonly sources: Sources
  /** Being copied; at most `transfersInFlight`. */
  private readonly copying = new Set<Guid>()
  /** Until then the bandwidth is used up by what has arrived. */
  private paidUntil = 0
  private resting = false
  /** Records changed here by repair, since the start. */
  changes = 0

  constructor(parts: PastParts, onGarbage: (from: NodeRef, reason: string, fx: AppEffects) => void) {
    this.parts = parts
    this.onGarbage = onGarbage
    const { transfersInFlight, quickSyncMs, syncMs } = parts.config
    const limits = { transfers: transfersInFlight, shortestRestMs: quickSyncMs / 2, longestRestMs: syncMs }
    this.sources = new Sources(limits, (guid, version) => parts.shelf.get(guid)?.version === version)
  }

  /** Nothing to copy, or nothing left. */
  get idle(): boolean {
    return this.sources.waiting === 0 && this.copying.size === 0
  }

  get waiting(): number {
    return this.sources.waiting
  }

  /** Wants a record as `from` has it. */
  want(entry: Entry, from: NodeRef, now: Millis, fx: AppEffects): void {
    if (sameNode(from, fx.self)) return
    const isNear = (id: Guid): boolean => fx.neighborSet(widened(this.parts.config.maxReplicas)).some((node) => node.id === id)
    this.sources.want(entry, from, isNear, now)
    this.copyNext(now, fx)
  }

  private copyNext(now: Millis, fx: AppEffects): void {
    while (this.copying.size < this.parts.config.transfersInFlight) {
      if (this.paidUntil > now + burstMs) return this.rest(now, fx)
      const next = this.sources.next(this.copying)
      if (next === undefined) return
      this.copying.add(next.guid)
      // Who has the data needs the other's claims only; whether they ask for other data shows when they are here.
      const withData = this.parts.shelf.live(next.guid, now) === undefined
      // Whoever caused this to be looked at now, it is this node's own work.
      this.parts.errands.onBehalfOf(undefined, () => this.copy(next.guid, next.source, withData, now, fx))
    }
  }

  private rest(now: Millis, fx: AppEffects): void {
    if (this.resting) return
    this.resting = true
    this.parts.errands.later(this.paidUntil - burstMs - now, fx, (_, time, effects) => {
      this.resting = false
      this.copyNext(time, effects)
    })
  }

  private copy(guid: Guid, source: Source, withData: boolean, now: Millis, fx: AppEffects): void {
    const { errands, config } = this.parts
    const withinMs = config.attemptMs + (withData ? transferMs(config.maxObjectBytes, config) : 0)
    errands.request(source.node, { type: 'fetch', guid, withData }, withinMs, fx, (answered, time, effects) => {
      if (!answered.ok) return this.finish(guid, source, 'silent', time, effects)
      const { message } = answered
      if (message.type !== 'object') return this.finish(guid, source, 'useless', time, effects)
      this.paidUntil = Math.max(time, this.paidUntil) + ((message.data?.length ?? 0) * 1000) / config.repairBytesPerSecond
      // Clocks differ, and so does the moment at which nodes forget.
      const claims = message.claims.filter((claim) => !isForgettable(claim, time, config.tombstoneMs))
      if (claims.length === 0) return this.finish(guid, source, 'useless', time, effects)
      this.keep(guid, source, claims, message.data, time, effects)
    })
  }

  private keep(guid: Guid, source: Source, claims: readonly Claim[], data: Uint8Array | undefined, now: Millis, fx: AppEffects): void {
    const { notary, shelf } = this.parts
    const from = source.node
    const before = shelf.get(guid)
    notary.check(guid, claims, before?.claims ?? [], now, fx, (problem, time, effects) => {
      if (problem !== undefined) {
        this.onGarbage(from, `${shortGuid(guid)} cannot be copied: ${problem}`, effects)
        return this.finish(guid, source, 'useless', time, effects)
      }
      shelf.keep(guid, claims, data && { bytes: data, digest: guidOf(data) }, time, effects, (kept, at, fxKept) => {
        if (kept.outcome === 'needs data' && data === undefined) return this.copy(guid, source, true, at, fxKept)
        if (kept.held !== undefined && kept.held.version !== before?.version) {
          this.changes++
          emit(fxKept, { type: 'past:repaired', guid, from })
        }
        this.finish(guid, source, kept.outcome === 'kept' ? 'copied' : 'useless', at, fxKept)
      })
    })
  }

  private finish(guid: Guid, source: Source, outcome: 'copied' | 'useless' | 'silent', now: Millis, fx: AppEffects): void {
    this.copying.delete(guid)
    this.sources.ended(source, outcome, now)
    this.copyNext(now, fx)
  }
}

/** How far repair may run ahead of its bandwidth: a second's worth. */
const burstMs = 1000
