import type { Guid } from '@plaxton/guid'
import { shortGuid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { ForwardDecision, Millis, NextHop, NodeRef } from '@plaxton/kbr'
import { Sightings } from './duplicates.ts'
import { pathSoFar, routed } from './endings.ts'
import type { Endings } from './endings.ts'
import { overlayName } from './messages.ts'
import type { AckMessage, NackMessage, NackReason, RefusalMessage, ReplyMessage, RouteMessage } from './messages.ts'
import { answered, failed } from './outcome.ts'
import { nobody, Passage } from './passage.ts'
import type { Transmission } from './passage.ts'
import type { ReplyHandles } from './reply-handles.ts'
import type { Stack } from './stack.ts'
import { TransmissionTable } from './transmissions.ts'

/**
 * Recursive walking: a message goes from node to node, each asking its overlay *who next?*
 *
 *     accept ──► ask the overlay ──► forward ──► (acknowledged) ──► reply comes back, or a refusal
 *                  ▲        │ │        │
 *                  │        │ └─► deliver, and remember that it ended here
 *                  │        └───► hold until the overlay has learnt more
 *                  └─────────────── no acknowledgement, `nack`, link gone, peer dead: by another way
 *
 * A node that has acknowledged a message answers for it: it gets it to the next hop, or to the application, or says in a refusal why
 * not. It never delivers merely because a closer node did not answer; the overlay then says `hold`, and the message waits until the
 * suspect is found dead or alive (MSPastry, DSN 2004).
 */
export class RecursiveWalk {
  private readonly stack: Stack
  private readonly handles: ReplyHandles
  private readonly transmissions: TransmissionTable
  private readonly endings: Endings
  /** Undefined until a message has come a long way. */
  private sightings: Sightings | undefined = undefined
  /** Messages waiting for the overlay, in the order they came. Bound: `heldMax`; full: a peer's message is not accepted, others fail. */
  private held: Set<Passage> | undefined = undefined
  private heldDueAt: Millis = Infinity

  constructor(stack: Stack, handles: ReplyHandles, endings: Endings) {
    this.stack = stack
    this.handles = handles
    this.transmissions = new TransmissionTable(stack.config)
    this.endings = endings
  }

  /** A message of this node sets out. */
  begin(passage: Passage): void {
    const { nonce, key } = passage.message
    if (this.stack.left) return this.endings.fail(passage, 'left', 'this node has left the overlay')
    const ending = this.endings.find(nonce, key)
    if (ending !== undefined) return this.endings.repeat(passage, ending)
    this.follow(passage, this.decide(passage))
  }

  /** A peer passes a message on. */
  onRoute(from: NodeRef, message: RouteMessage): void {
    const { stack } = this
    if (!isWellFormed(message, stack.self.id)) return stack.drop(from, 'malformed route')
    const passage = new Passage(message, from, stack.now, stack.config)
    const ending = this.endings.find(message.nonce, message.key)
    if (ending !== undefined) {
      this.acknowledge(from, message.seq)
      return this.endings.repeat(passage, ending)
    }
    const next = this.decide(passage)
    if (this.hasNoRoomFor(next)) return this.reject(from, message, 'overloaded')
    this.acknowledge(from, message.seq)
    if (message.hops > stack.config.looplessHops && this.sighted(message.nonce) > stack.config.sightingsMax) {
      return this.endings.fail(passage, 'hop limit', `the message passed here ${stack.config.sightingsMax} times before`)
    }
    this.follow(passage, next)
  }

  /** Says no to a message: its sender finds another way. */
  reject(from: NodeRef, message: RouteMessage, reason: NackReason): void {
    if (reason === 'overloaded') this.stack.counters.overloaded++
    const nack: NackMessage = { type: 'nack', seq: message.seq, reason }
    this.stack.send(from, nack)
  }

  /** False when `message` does not answer a transmission of the walking. */
  onAck(from: NodeRef, message: AckMessage): boolean {
    const transmission = this.transmissions.find(message.seq)
    if (transmission === undefined) return false
    if (transmission.to.id === from.id) this.accepted(transmission)
    else this.stack.drop(from, 'ack from a peer that was not asked')
    return true
  }

  /** A peer did not take our transmission. */
  onNack(from: NodeRef, message: NackMessage): void {
    const transmission = this.answeredBy(from, message.seq)
    if (transmission === undefined) return
    if (transmission.state === 'sent') this.stack.acknowledged(from, transmission.sentAt, transmission.passage.message.payload.length)
    // A full node lives. One that is no member should not be in the overlay's tables.
    if (message.reason !== 'overloaded') this.stack.suspect(from)
    if (this.lose(transmission)) this.takeAnotherWay(transmission)
  }

  /** The reply to one of our transmissions. */
  onReply(from: NodeRef, message: ReplyMessage): void {
    const transmission = this.answeredBy(from, message.seq)
    if (transmission !== undefined) this.endings.conclude(transmission.passage, answered(message.payload), message)
  }

  /** One of our transmissions came to nothing. That is our result too unless another copy is under way or may yet set out. */
  onRefusal(from: NodeRef, message: RefusalMessage): void {
    const transmission = this.answeredBy(from, message.seq)
    if (transmission === undefined) return
    const { passage } = transmission
    const outcome = failed(message.reason, message.detail, message.at[0])
    const trail = { hops: message.hops, path: message.path }
    if (message.reason === 'rejected by application') return this.endings.conclude(passage, outcome, trail)
    if (!this.lose(transmission) || passage.copies > 0 || this.held?.has(passage) === true) return
    if (message.reason === 'left' && message.at[0]?.id === from.id) return this.takeAnotherWay(transmission)
    this.endings.conclude(passage, outcome, trail)
  }

  /** The link to `peer` broke, or it is dead: whatever it has not answered takes another way. */
  onPeerGone(peer: NodeRef): void {
    for (const transmission of this.transmissions.takeAllTo(peer.id)) {
      if (this.lose(transmission)) this.takeAnotherWay(transmission)
    }
  }

  /** The overlay has learnt something. With `peer`, that it lives after all. */
  releaseHeld(peer: NodeRef | undefined): void {
    if (this.held === undefined || this.held.size === 0) return
    const waiting = [...this.held]
    this.held.clear()
    for (const passage of waiting) {
      if (peer !== undefined) passage.avoid?.delete(peer.id)
      this.follow(passage, this.decide(passage))
    }
  }

  /** Does what is due. Returns when to come again. */
  wake(): Millis {
    const { now } = this.stack
    for (const transmission of this.transmissions.takeOverdue(now)) this.onHopTimeout(transmission)
    this.wakeHeld()
    return Math.min(this.heldDueAt, this.transmissions.wake(now))
  }

  /** This node has left: whatever it answered for is refused, so that somebody else tries again. */
  end(): void {
    const leftovers = new Set<Passage>(this.held)
    for (const transmission of this.transmissions.takeUnacked()) leftovers.add(transmission.passage)
    this.held = undefined
    this.heldDueAt = Infinity
    for (const passage of leftovers) this.endings.fail(passage, 'left', 'a node on the way has left the overlay')
  }

  get sizes(): { inFlight: number; returnPaths: number; holding: number } {
    return {
      inFlight: this.transmissions.unackedSize,
      returnPaths: this.transmissions.returnPathsSize,
      holding: this.held?.size ?? 0,
    }
  }

  assertInvariants(): void {
    assert((this.held?.size ?? 0) <= this.stack.config.heldMax, `${this.held?.size} messages are held`)
    this.transmissions.assertInvariants()
  }

  private sighted(nonce: number): number {
    this.sightings ??= new Sightings(this.stack.config.sightingSlots)
    return this.sightings.count(nonce)
  }

  // Deciding

  /** Where to now. At the source its wishes come first. */
  private decide(passage: Passage): NextHop {
    const { overlay } = this.stack
    const { key, cursor } = passage.message
    const avoid = passage.avoid ?? nobody
    const { wishes } = passage
    if (wishes === undefined) return overlay.nextHop(key, cursor, avoid)

    const { firstHop, firstHops, never } = wishes
    if (firstHop !== undefined && firstHop.id !== this.stack.self.id && !avoid.has(firstHop.id)) {
      return { action: 'forward', to: firstHop, cursor: 0 }
    }
    if (firstHops.length > 0) {
      const other = overlay.nextHop(key, cursor, new Set([...avoid, ...firstHops]))
      if (other.action === 'forward') return other
    }
    const next = overlay.nextHop(key, cursor, avoid)
    // Held only because of what the source rules out, it would be held in vain.
    if (next.action === 'hold' && never.length > 0 && overlay.nextHop(key, cursor, nobody).action === 'forward') return { action: 'none' }
    return next
  }

  /** Whether a message that would go this way must not be accepted. */
  private hasNoRoomFor(next: NextHop): boolean {
    const { config } = this.stack
    switch (next.action) {
      case 'forward':
        return this.transmissions.unackedSize >= config.inFlightMax
      case 'hold':
        return this.held !== undefined && this.held.size >= config.heldMax
      case 'deliver':
      case 'none':
        return false
    }
  }

  private follow(passage: Passage, next: NextHop): void {
    switch (next.action) {
      case 'forward':
        return this.forward(passage, next.to, next.cursor)
      case 'deliver':
        return this.arrive(passage)
      case 'hold':
        return this.hold(passage)
      case 'none':
        return this.endings.fail(passage, 'no route', `no way on towards ${shortGuid(passage.message.key)}`)
      default:
        return unreachable(next)
    }
  }

  private arrive(passage: Passage): void {
    const elsewhere = this.endings.arrive(passage)
    if (elsewhere !== undefined) this.transmit(passage, elsewhere, 0)
  }

  // Forwarding

  private forward(passage: Passage, to: NodeRef, cursor: number): void {
    if (passage.done) return
    const { stack } = this
    const { message } = passage
    if (message.application === overlayName) {
      const goesOn = stack.overlay.forwardOwn(message.key, message.payload, message.hops, to, stack.now, stack.overlayFx!)
      return goesOn ? this.transmit(passage, to, cursor) : void this.endings.end(passage, 0)
    }
    const host = stack.host(message.application)
    if (host === undefined) return this.transmit(passage, to, cursor)

    const handle = message.replyWithinMs > 0 ? this.handles.offer() : 0
    const decision = host.application.forward(routed(passage, handle), to, stack.now, host.fx)
    const answers = this.handles.withdraw() && handle !== 0
    switch (decision.action) {
      case 'stop':
        return void this.endings.end(passage, handle)
      case 'reject':
        return this.endings.reject(passage, decision.reason)
      default:
        if (answers && !this.handles.full) this.endings.openReply(passage, handle)
        return this.goOn(passage, decision, to, cursor)
    }
  }

  /** The application lets it pass, perhaps changed. */
  private goOn(passage: Passage, decision: ForwardDecision, to: NodeRef, cursor: number): void {
    if (decision.action === 'replace') passage.message = { ...passage.message, payload: decision.payload }
    if (decision.action === 'redirect' && decision.nextHop.id !== this.stack.self.id && passage.avoid?.has(decision.nextHop.id) !== true) {
      // The overlay did not choose this way, so the walk starts afresh there.
      return this.transmit(passage, decision.nextHop, 0)
    }
    this.transmit(passage, to, cursor)
  }

  private transmit(passage: Passage, to: NodeRef, cursor: number): void {
    const { stack } = this
    const { message } = passage
    if (message.hops >= stack.config.hopLimit) return this.endings.fail(passage, 'hop limit', `${message.hops} hops did not reach the root`)
    if (this.transmissions.unackedSize >= stack.config.inFlightMax) return this.failFull(passage)
    const seq = stack.nextSeq()
    const dueAt = stack.now + stack.waitMs(to, message.payload.length)
    this.transmissions.add({ seq, passage, to, sentAt: stack.now, dueAt, state: 'sent' })
    passage.copies++
    stack.counters.forwarded++
    const onward: RouteMessage = {
      type: 'route',
      seq,
      nonce: message.nonce,
      key: message.key,
      application: message.application,
      payload: message.payload,
      hops: message.hops + 1,
      cursor,
      replyWithinMs: message.replyWithinMs,
      keepPath: message.keepPath,
      path: pathSoFar(message, stack.self.id),
    }
    stack.send(to, onward)
    stack.wakeAt(dueAt)
    passage.wishes?.firstHops.push(to.id)
    if (passage.failedHop !== undefined) this.tellOfReroute(passage, passage.failedHop, to)
  }

  private tellOfReroute(passage: Passage, from: NodeRef, to: NodeRef): void {
    passage.failedHop = undefined
    if (from.id === to.id) return
    this.stack.counters.rerouted++
    this.stack.emit({ type: 'rerouted', key: passage.message.key, from, to })
  }

  // Answers of the next hop

  private acknowledge(from: NodeRef, seq: number): void {
    const ack: AckMessage = { type: 'ack', seq }
    this.stack.send(from, ack)
  }

  private accepted(transmission: Transmission): void {
    const { passage, state } = transmission
    if (state === 'accepted') return
    this.stack.acknowledged(transmission.to, transmission.sentAt, passage.message.payload.length)
    if (state === 'overdue') {
      passage.copies++
      this.held?.delete(passage)
    }
    transmission.state = 'accepted'
    this.awaitReply(transmission)
  }

  private awaitReply(transmission: Transmission): void {
    const { passage } = transmission
    if (passage.message.replyWithinMs === 0 || passage.done) return this.transmissions.remove(transmission)
    if (this.transmissions.awaitReply(transmission)) this.stack.counters.forgotten++
  }

  /** Our transmission `seq`, which `from` answers for good; it is taken out. */
  private answeredBy(from: NodeRef, seq: number): Transmission | undefined {
    const transmission = this.transmissions.find(seq)
    if (transmission === undefined) {
      this.stack.counters.late++
      return undefined
    }
    if (transmission.to.id !== from.id) {
      this.stack.drop(from, 'answer from a peer that was not asked')
      return undefined
    }
    this.transmissions.remove(transmission)
    return transmission
  }

  private onHopTimeout(transmission: Transmission): void {
    const { passage, to, sentAt } = transmission
    this.stack.timedOut(to, sentAt)
    passage.copies--
    transmission.state = 'overdue'
    this.awaitReply(transmission)
    this.takeAnotherWay(transmission)
  }

  /** The transmission will bring nothing. False when that was known already. */
  private lose(transmission: Transmission): boolean {
    if (transmission.state === 'overdue') return false
    transmission.passage.copies--
    return true
  }

  private takeAnotherWay(transmission: Transmission): void {
    const { passage, to } = transmission
    if (passage.done) return
    passage.shun(to)
    if (passage.copies > 0 || this.held?.has(passage) === true) return
    if (passage.stayUntil <= this.stack.now)
      return this.endings.fail(passage, 'timed out', `the last next hop, ${shortGuid(to.id)}, did not take it`)
    this.follow(passage, this.decide(passage))
  }

  // Holding

  private hold(passage: Passage): void {
    const { stack } = this
    if (passage.done) return
    if (passage.stayUntil <= stack.now) return this.failHeld(passage)
    if (passage.retryAt <= stack.now) {
      passage.retryAt = stack.now + stack.config.holdRetryMs
      stack.counters.held++
    }
    this.held ??= new Set()
    for (const other of this.held) if (isCopy(other, passage)) return other.join(passage)
    if (this.held.size >= stack.config.heldMax) return this.failFull(passage)
    this.held.add(passage)
    const dueAt = Math.min(passage.retryAt, passage.stayUntil)
    this.heldDueAt = Math.min(this.heldDueAt, dueAt)
    stack.wakeAt(dueAt)
  }

  private wakeHeld(): void {
    const { now } = this.stack
    if (this.held === undefined || this.heldDueAt > now) return
    const due = [...this.held].filter((passage) => passage.retryAt <= now || passage.stayUntil <= now)
    for (const passage of due) this.held.delete(passage)
    this.heldDueAt = Infinity
    for (const passage of this.held) this.heldDueAt = Math.min(this.heldDueAt, passage.retryAt, passage.stayUntil)
    for (const passage of due) {
      if (passage.stayUntil <= now) this.failHeld(passage)
      else {
        passage.forgive()
        this.follow(passage, this.decide(passage))
      }
    }
  }

  /** It was accepted, or is our own, and then there was no room for it. */
  private failFull(passage: Passage): void {
    this.stack.counters.overloaded++
    this.endings.fail(passage, 'overloaded', 'this node has as many messages under way as it may have')
  }

  private failHeld(passage: Passage): void {
    this.endings.fail(passage, 'timed out', `it could not be found out in time who is the root of ${shortGuid(passage.message.key)}`)
  }
}

function isCopy(a: Passage, b: Passage): boolean {
  return a !== b && !a.done && a.message.nonce === b.message.nonce && a.message.key === b.message.key
}

/** What a stranger may say in a `route`, apart from what the codec has checked. */
function isWellFormed(message: RouteMessage, self: Guid): boolean {
  return message.key.length === self.length && message.hops >= 1 && message.nonce >= 1 && message.path.length < message.hops
}
