import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { emit } from './command.ts'
import { pingWaitMs } from './parts.ts'
import type { DolrParts } from './parts.ts'
import type { Pointer } from './pointers.ts'

/**
 * Drops pointers to hosts that are gone. A search that passes tells whom it found of no use. A node that has a pointer to one of these asks it itself,
 * for a stranger's word must not take pointers away.
 */
export class Suspects {
  private readonly parts: DolrParts
  /** Hosts asked in the last `recheckMs`, and when. Bound: `checksMax` open ones, and {@link recentMax}; full: nobody else is asked for now. */
  private readonly askedAt = new Map<Guid, Millis>()
  private open = 0
  /** Pointers dropped. */
  dropped = 0

  constructor(parts: DolrParts) {
    this.parts = parts
  }

  /** A search for `guid` found `host` of no use. */
  suspect({ record: { guid, host } }: Pointer, now: Millis, fx: AppEffects): void {
    const { config, errands } = this.parts
    this.forgetOld(now)
    if (sameNode(host, fx.self) || this.askedAt.has(host.id) || this.open >= config.checksMax || this.askedAt.size >= recentMax) return
    this.open++
    this.askedAt.set(host.id, now)
    errands.request(host, { type: 'ping', guid, id: 0 }, pingWaitMs(host, config, fx), fx, (answered, _, effects) => {
      this.open--
      if (!answered.ok) {
        // A host that is busy lives, and so does one that this node is too busy to ask.
        if (answered.failure.reason !== 'overloaded') this.dropAll(host, answered.failure.detail, effects)
      } else if (answered.message.type === 'pong' && !answered.message.hosts)
        this.drop(guid, host, 'it no longer hosts the object', effects)
    })
  }

  /** `from` says itself that it does not host `guid`. */
  onMoved(from: NodeRef, guid: Guid, fx: AppEffects): void {
    this.drop(guid, from, 'it no longer hosts the object', fx)
  }

  private dropAll(host: NodeRef, reason: string, fx: AppEffects): void {
    for (const { record } of this.parts.pointers.ofHost(host.id)) if (!record.withdrawn) this.drop(record.guid, host, reason, fx)
  }

  private drop(guid: Guid, host: NodeRef, reason: string, fx: AppEffects): void {
    const pointer = this.parts.pointers.get(guid, host.id)
    if (pointer === undefined || pointer.record.withdrawn) return
    this.dropped++
    this.parts.pointers.delete(pointer)
    emit(fx, { type: 'dolr:dropped-host', guid, host, reason })
  }

  private forgetOld(now: Millis): void {
    for (const [host, at] of this.askedAt) {
      if (at + this.parts.config.recheckMs > now) return
      this.askedAt.delete(host)
    }
  }
}

/** Our guess. */
const recentMax = 1_024
