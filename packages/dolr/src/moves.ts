import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { Then } from './errands.ts'
import { maxCopies } from './messages.ts'
import type { DolrParts } from './parts.ts'
import { distanceTo, isLive, isSameRun } from './pointers.ts'
import type { Pointer, Way } from './pointers.ts'
import { nextHopTo } from './records.ts'
import type { SignedRecord } from './records.ts'

/**
 * Keeps pointers where messages pass when routes change: whatever would go another way from here than it did is sent on that way (Tapestry's
 * OptimizeObjectPtrs; Hildrum et al., SPAA 2002, §4.2). The rest is for `ways.ts`: where the ways meet again, the old one ends.
 */
export class Moves {
  private readonly parts: DolrParts
  /** True while a look at the pointers is due or under way. */
  private due = false
  /** Routes have changed since that look began. */
  private again = false
  /** Pointers not looked at yet, the next last. Bound: the pointers there were. */
  private left: Pointer[] = []
  /** Records sent on. */
  moved = 0

  constructor(parts: DolrParts) {
    this.parts = parts
  }

  /** Messages may take other ways than before. */
  onRoutesChanged(fx: AppEffects): void {
    if (this.left.length > 0) this.again = true
    if (this.due) return
    this.due = true
    this.parts.errands.later(this.parts.config.settleMs, fx, (_, now, effects) => {
      this.left = this.parts.pointers.all().reverse()
      this.tick(now, effects)
    })
  }

  /**
   * This node leaves. Whoever sent it records will find another way for them; until then the next root keeps those it is the root of. `then` runs when
   * these have them, or cannot be reached.
   */
  handOver(now: Millis, fx: AppEffects, then: Then<void>): void {
    const batches = this.batchesForHeirs(now, fx)
    let open = batches.length
    if (open === 0) return then(undefined, now, fx)
    const { errands, config } = this.parts
    for (const { to, records } of batches) {
      errands.request(to, { type: 'copy', records, distanceMs: 0 }, config.attemptMs, fx, (_, time, effects) => {
        if (--open === 0) then(undefined, time, effects)
      })
    }
  }

  private tick(now: Millis, fx: AppEffects): void {
    const { config, errands } = this.parts
    let budget = config.movesPerTick
    let looks = looksPerTick
    while (this.left.length > 0 && budget > 0 && looks-- > 0) budget -= this.look(this.left.pop()!, now, fx)
    if (this.left.length > 0) return void errands.later(config.tickMs, fx, (_, time, effects) => this.tick(time, effects))
    this.due = false
    if (!this.again) return
    this.again = false
    this.onRoutesChanged(fx)
  }

  /** Sends the pointer on where its way has changed. Returns how often. */
  private look(pointer: Pointer, now: Millis, fx: AppEffects): number {
    if (!isLive(pointer, now)) return 0
    let sent = 0
    for (const way of pointer.ways) {
      const next = nextHopTo(way.key, fx)
      if (isSameRun(next, way.nextHop)) continue
      // The root has nowhere to send it on to. What lies beyond was its way while it was none.
      if (next === undefined) way.nextHop = undefined
      else {
        this.push(pointer, way, fx)
        sent++
      }
    }
    return sent
  }

  private push(pointer: Pointer, way: Way, fx: AppEffects): void {
    this.moved++
    const { record } = pointer
    const distanceMs = Math.min(distanceTo(pointer, fx), pointer.distanceMs)
    fx.route(way.key, encodeMessage({ type: 'publish', record, salt: way.salt, distanceMs, stepMs: 0, step: 0, push: true }))
  }

  /** The records this node is the root of, by the node that will be after it. At most {@link heirBatchesMax} batches; the rest waits for new ways. */
  private batchesForHeirs(now: Millis, fx: AppEffects): Array<{ readonly to: NodeRef; readonly records: SignedRecord[] }> {
    const batches: Array<{ readonly to: NodeRef; readonly records: SignedRecord[] }> = []
    const open = new Map<string, SignedRecord[]>()
    for (const pointer of this.parts.pointers.all()) {
      if (!isLive(pointer, now) || sameNode(pointer.record.host, fx.self)) continue
      for (const { key, nextHop } of pointer.ways) {
        const heir = nextHop === undefined ? fx.replicaSet(key, 2).find((node) => !sameNode(node, fx.self)) : undefined
        if (heir === undefined) continue
        let records = open.get(heir.id)
        if (records === undefined || records.length === maxCopies) {
          if (batches.length === heirBatchesMax) return batches
          records = []
          open.set(heir.id, records)
          batches.push({ to: heir, records })
        }
        records.push(pointer.record)
      }
    }
    return batches
  }
}

/** Pointers looked at in one tick, whether they move or not: a millisecond or two. Our guess. */
const looksPerTick = 1_000
/** 64 records each: 16,384 records, 8 MB. Our guess at what leaving may cost. */
const heirBatchesMax = 256
