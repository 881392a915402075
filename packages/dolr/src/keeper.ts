import type { Guid } from '@plaxton/guid'
import { shortGuid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, ForwardDecision, Millis, NodeRef, ReplyHandle, RoutedMessage } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { Then } from './errands.ts'
import type { PublishCall } from './messages.ts'
import { NearPointers } from './near-pointers.ts'
import { expiryOf, forgery } from './notary.ts'
import { respond } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { isSameRun } from './pointers.ts'
import type { Pointer } from './pointers.ts'
import { isSameRecord, maxRoots, rootKey } from './records.ts'
import type { SignedRecord } from './records.ts'
import { Ways } from './ways.ts'
import type { Passage } from './ways.ts'

/**
 * What a node does as records pass it on their way to a root: it keeps pointers, and keeps them in order.
 *
 * A record is kept once its signature has been checked; the message goes on meanwhile. What counts is the record signed last. A withdrawn one stays
 * until nothing older can turn up any more. How ways from node to node end when routes change: `ways.ts`.
 */
export class Keeper {
  private readonly parts: DolrParts
  private readonly near: NearPointers
  readonly ways: Ways

  constructor(parts: DolrParts) {
    this.parts = parts
    this.near = new NearPointers(parts.config)
    this.ways = new Ways(parts)
  }

  /** A record passes. */
  onPassing(message: RoutedMessage, call: PublishCall, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const problem = this.problemOf(message.key, call, now)
    if (problem !== undefined) return { action: 'reject', reason: problem }
    const distanceMs = distanceHere(message, call)
    const isPushedHere = call.push && sameNode(message.previousHop, fx.self)
    const known = this.parts.pointers.get(call.record.guid, call.record.host.id)
    const wasAsBefore = call.push && !isPushedHere && known !== undefined && goesOnAsBefore(known, call, nextHop)
    const lastHop = isPushedHere ? undefined : message.previousHop
    this.keep(call.record, { salt: call.salt, key: message.key, lastHop, nextHop, distanceMs, hops: message.hops }, now, fx)
    if (wasAsBefore) return { action: 'stop' }
    if (nextHop === undefined) return { action: 'continue' }
    return { action: 'replace', payload: encodeMessage(onward(call, message.hops, distanceMs, nextHop, fx)) }
  }

  /** A record has reached its root: this node. */
  onDelivered({ reply, previousHop }: RoutedMessage, { record }: PublishCall, now: Millis, fx: AppEffects): void {
    if (reply === 0) return
    const { pointers, notary } = this.parts
    const answer: Then<SignedRecord | undefined> = (verified, time, effects) => {
      const kept = pointers.get(record.guid, record.host.id)?.record
      if (verified === undefined) refuse(reply, forgery(record), 0, effects)
      else if (kept === undefined && !record.withdrawn)
        refuse(reply, 'there is no room for more pointers to this host or object', 0, effects)
      else if (kept !== undefined && kept.signedAt > record.signedAt)
        refuse(reply, `there is a newer record, by ${kept.signedAt - record.signedAt} ms`, kept.signedAt, effects)
      else respond(reply, { type: 'published', root: effects.self }, effects)
    }
    const known = pointers.get(record.guid, record.host.id)?.record
    if (known !== undefined && (known.signedAt > record.signedAt || isSameRecord(known, record))) answer(known, now, fx)
    else if (!notary.check(record, previousHop.id, fx, answer)) refuse(reply, 'too many records are being checked here', 0, fx)
  }

  /** A record that this node is to keep although it is on no way of it. */
  onCopy(from: NodeRef, record: SignedRecord, distanceMs: Millis, now: Millis, fx: AppEffects): void {
    const { pointers, notary } = this.parts
    const known = pointers.get(record.guid, record.host.id)
    if (
      sameNode(record.host, fx.self) ||
      notary.ruleBroken(record, now) !== undefined ||
      (known !== undefined && known.record.signedAt >= record.signedAt)
    )
      return
    notary.check(record, from.id, fx, (verified, time, effects) => {
      if (verified !== undefined) this.accept(verified, distanceMs, time, effects)
    })
  }

  /** This node's own record: needs no check. */
  keepOwn(record: SignedRecord, now: Millis, fx: AppEffects): void {
    const { pointers } = this.parts
    const known = pointers.get(record.guid, record.host.id)
    if (known !== undefined && known.record.withdrawn !== record.withdrawn) pointers.delete(known)
    const pointer = this.accept(record, 0, now, fx)
    if (pointer !== undefined && known !== undefined) pointer.ways = known.ways
  }

  private problemOf(key: Guid, { record, salt }: PublishCall, now: Millis): string | undefined {
    if (salt >= maxRoots) return `there is no salt ${salt}, allowed are 0 to ${maxRoots - 1}`
    if (rootKey(record.guid, salt) !== key) return `${shortGuid(key)} is not the root key of ${shortGuid(record.guid)} with salt ${salt}`
    return this.parts.notary.ruleBroken(record, now)
  }

  /** Keeps the record if it is worth it: at once when its signature is known to be good, otherwise when that has been found out. */
  private keep(record: SignedRecord, passage: PassingRecord, now: Millis, fx: AppEffects): void {
    const { pointers, notary } = this.parts
    const known = pointers.get(record.guid, record.host.id)
    // What this node has said of itself it knows; what others still send on about it is for them to forget.
    if (sameNode(record.host, fx.self) && (known === undefined || passage.lastHop?.id !== fx.self.id)) return
    if (known !== undefined && isSameRecord(known.record, record)) return this.follow(known, passage, now, fx)
    if (known !== undefined && known.record.signedAt >= record.signedAt) return
    notary.check(record, passage.lastHop?.id ?? fx.self.id, fx, (verified, time, effects) => {
      const pointer = verified === undefined ? undefined : this.accept(verified, passage.distanceMs, time, effects)
      if (pointer !== undefined) this.follow(pointer, passage, time, effects)
    })
  }

  /** What is kept goes on its way, and the first time beside it too. */
  private follow(pointer: Pointer, passage: PassingRecord, now: Millis, fx: AppEffects): void {
    const isNews = this.ways.follow(pointer, passage, now, fx)
    const { key, nextHop, hops } = passage
    if (isNews && nextHop !== undefined && hops < this.parts.config.nearHops)
      this.near.copy(pointer.record, { key, nextHop, hops }, pointer.distanceMs, fx)
  }

  /** A verified record takes the place of an older one. Returns its pointer, if it is to be kept. */
  private accept(record: SignedRecord, claimedMs: Millis, now: Millis, fx: AppEffects): Pointer | undefined {
    const { pointers, config } = this.parts
    const distanceMs = Math.min(claimedMs, farthestMs)
    const known = pointers.get(record.guid, record.host.id)
    // A withdrawn one stays until any publication it follows has expired, and is kept even when it replaces none: that may be under way yet.
    const expiresAt = record.withdrawn ? record.signedAt + record.ttlMs + config.maxSkewMs : expiryOf(record, now, config)
    if (known === undefined) return pointers.add(record, expiresAt, distanceMs, fx)
    if (known.record.signedAt >= record.signedAt) return isSameRecord(known.record, record) ? known : undefined
    known.record = record
    known.expiresAt = expiresAt
    known.distanceMs = distanceMs
    return known
  }
}

/** A record as one message brings it. */
interface PassingRecord extends Passage {
  readonly hops: number
}

/** Whether the record went on from here on this way before: beyond, nothing has changed. */
function goesOnAsBefore({ record, ways }: Pointer, call: PublishCall, nextHop: NodeRef | undefined): boolean {
  const way = ways.find(({ salt }) => salt === call.salt)
  return way !== undefined && isSameRun(way.nextHop, nextHop) && isSameRecord(record, call.record)
}

/** From the host to this node. A message that has been replaced here before, and must take another way now, has one step too many on it. */
function distanceHere({ hops }: RoutedMessage, { distanceMs, stepMs, step }: PublishCall): Millis {
  return Math.min(step > hops ? Math.max(0, distanceMs - stepMs) : distanceMs, farthestMs)
}

/** The call as the next hop gets it. */
function onward(call: PublishCall, hops: number, distanceMs: Millis, nextHop: NodeRef, fx: AppEffects): PublishCall {
  const stepMs = fx.roundTripMs(nextHop) ?? unmeasuredMs
  return { ...call, distanceMs: Math.min(distanceMs + stepMs, farthestMs), stepMs, step: hops + 1 }
}

/** Taken for the round trip of a hop that was never measured. Our guess: another continent. */
const unmeasuredMs = 100
/** Longer than any way: nobody's word makes a host farther. Fits the wire. */
const farthestMs = 600_000

function refuse(reply: ReplyHandle, detail: string, signedAt: Millis, fx: AppEffects): void {
  respond(reply, { type: 'refusal', detail, signedAt }, fx)
}
