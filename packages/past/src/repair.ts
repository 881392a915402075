import { guidOf, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { isForgettable } from './claims.ts'
import type { Claim } from './claims.ts'
import { emit } from './command.ts'
import { transferMs } from './parts.ts'
import type { PastParts } from './parts.ts'

/**
 * Copies records that this node should have and lacks, or has in another version, from nodes that said they hold them. A few at a
 * time, and no faster than the bandwidth set aside for it.
 */
export class Repair {
  private readonly parts: PastParts
  private readonly onGarbage: (from: NodeRef, reason: string, fx: AppEffects) => void
  /** What is to be copied from where; at most {@link maxWanted}. What does not fit is found again by the next comparison. */
  private readonly wanted = new Map<Guid, NodeRef>()
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
  }

  /** Nothing to copy, or nothing left. */
  get idle(): boolean {
    return this.wanted.size === 0 && this.copying.size === 0
  }

  get waiting(): number {
    return this.wanted.size
  }

  /** Wants the record of `guid` as `from` has it. */
  want(guid: Guid, from: NodeRef, now: Millis, fx: AppEffects): void {
    if (sameNode(from, fx.self) || this.copying.has(guid) || this.wanted.size >= maxWanted) return
    this.wanted.set(guid, from)
    this.copyNext(now, fx)
  }

  private copyNext(now: Millis, fx: AppEffects): void {
    for (const [guid, from] of this.wanted) {
      if (this.copying.size >= this.parts.config.transfersInFlight) return
      if (this.paidUntil > now + burstMs) return this.rest(now, fx)
      this.wanted.delete(guid)
      this.copying.add(guid)
      // Who has the data needs the other's claims only; whether they ask for other data shows when they are here.
      this.copy(guid, from, this.parts.shelf.live(guid, now) === undefined, now, fx)
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

  private copy(guid: Guid, from: NodeRef, withData: boolean, now: Millis, fx: AppEffects): void {
    const { errands, config } = this.parts
    const withinMs = config.attemptMs + (withData ? transferMs(config.maxObjectBytes, config) : 0)
    errands.request(from, { type: 'fetch', guid, withData }, withinMs, fx, (answered, time, effects) => {
      const message = answered.ok ? answered.message : undefined
      if (message?.type !== 'object') return this.finish(guid, time, effects)
      this.paidUntil = Math.max(time, this.paidUntil) + ((message.data?.length ?? 0) * 1000) / config.repairBytesPerSecond
      // Clocks differ, and so does the moment at which nodes forget.
      const claims = message.claims.filter((claim) => !isForgettable(claim, time, config.tombstoneMs))
      if (claims.length === 0) return this.finish(guid, time, effects)
      this.keep(guid, from, claims, message.data, time, effects)
    })
  }

  private keep(guid: Guid, from: NodeRef, claims: readonly Claim[], data: Uint8Array | undefined, now: Millis, fx: AppEffects): void {
    const { notary, shelf } = this.parts
    const before = shelf.get(guid)
    notary.check(guid, claims, before?.claims ?? [], now, fx, (problem, time, effects) => {
      if (problem !== undefined) {
        this.onGarbage(from, `${shortGuid(guid)} cannot be copied: ${problem}`, effects)
        return this.finish(guid, time, effects)
      }
      shelf.keep(guid, claims, data && { bytes: data, digest: guidOf(data) }, time, effects, (kept, at, fxKept) => {
        if (kept.outcome === 'needs data' && data === undefined) return this.copy(guid, from, true, at, fxKept)
        if (kept.held !== undefined && kept.held.version !== before?.version) {
          this.changes++
          emit(fxKept, { type: 'past:repaired', guid, from })
        }
        this.finish(guid, at, fxKept)
      })
    })
  }

  private finish(guid: Guid, now: Millis, fx: AppEffects): void {
    this.copying.delete(guid)
    this.copyNext(now, fx)
  }
}

/** 64 KiB of guids; a node that lacks more goes through several comparisons. */
const maxWanted = 16_384
/** How far repair may run ahead of its bandwidth: a second's worth. */
const burstMs = 1000
