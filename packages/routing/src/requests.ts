import { shortGuid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { AckMessage, RequestMessage, RequestRefusedMessage, ResponseMessage, TellMessage } from './messages.ts'
import { answered, failed } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import { Recent } from './recent.ts'
import type { OpenReply, ReplyHandles } from './reply-handles.ts'
import { shortBytes } from './stack.ts'
import type { Host, Stack } from './stack.ts'

/**
 * Request and response between two nodes that know each other.
 *
 *     asker                                answerer
 *       request 7 ───────────────────────►   to the application
 *       ◄─────────────────────────── ack 7   unless it answers at once and briefly
 *       request 7 ───────────────────────►   repeated after a while: known, nothing to do
 *       ◄────────────────────── response 7   kept, for the case that it is lost and 7 comes once more
 *
 * Without an acknowledgement the asker repeats after the measured timeout, doubling it; with one it repeats now and then, because the
 * response may get lost. The answerer knows a repeat by peer, incarnation and number, so the application is asked once. (Exception: a
 * response longer than `keptReplyBytesMax` is not kept, and its repeat is asked again.)
 */
export class Requests {
  private readonly stack: Stack
  private readonly handles: ReplyHandles
  /** Own requests by number. Bound: `requestsMax`; full: the next fails with `overloaded`. */
  private asked: Map<number, Asked> | undefined = undefined
  private dueAt: Millis = Infinity
  /** Who asked what waits for the application, by the number of the request. Bound: that of the open replies. */
  private answering: Map<number, NodeRef> | undefined = undefined
  /** What was answered, by the number of the request. Bound: `responsesMax` and `endingsMs`; full: the oldest goes. Undefined until the first. */
  private responses: Recent<number, Kept> | undefined = undefined

  constructor(stack: Stack, handles: ReplyHandles) {
    this.stack = stack
    this.handles = handles
  }

  get sizes(): { requests: number; responses: number } {
    return { requests: this.asked?.size ?? 0, responses: this.responses?.size ?? 0 }
  }

  // The asker

  /** An application asks `to`; its `onReply(id)` comes within `withinMs`. */
  ask(host: Host, id: number, to: NodeRef, payload: Uint8Array, withinMs: Millis): void {
    const { stack } = this
    const message: RequestMessage = { type: 'request', seq: stack.nextSeq(), application: host.application.name, payload, withinMs }
    const asked: Asked = {
      id,
      host,
      to,
      message,
      startedAt: stack.now,
      deadlineAt: stack.now + withinMs,
      sentAt: stack.now,
      tries: 0,
      acked: false,
      repeatAt: 0,
    }
    if ((this.asked?.size ?? 0) >= stack.config.requestsMax) {
      stack.counters.overloaded++
      return this.tell(
        asked,
        failed('overloaded', `${stack.config.requestsMax} requests of this node wait for a response already`, stack.self),
      )
    }
    if (stack.left) return this.tell(asked, failed('left', 'this node has left the overlay', stack.self))
    this.asked ??= new Map()
    this.asked.set(message.seq, asked)
    if (to.id === stack.self.id) this.askHere(asked)
    else this.transmit(asked)
  }

  /** False when `message` does not answer a request. */
  onAck(from: NodeRef, message: AckMessage): boolean {
    const asked = this.asked?.get(message.seq)
    if (asked === undefined) return false
    if (asked.to.id !== from.id) this.stack.drop(from, 'ack from a peer that was not asked')
    else if (!asked.acked) {
      this.measure(asked)
      asked.acked = true
      this.repeatAfter(asked, this.stack.config.requestRepeatMs)
    }
    return true
  }

  onResponse(from: NodeRef, message: ResponseMessage): void {
    const asked = this.askedOf(from, message.seq)
    if (asked === undefined) return
    // Without an acknowledgement before, it was answered at once.
    if (!asked.acked) this.measure(asked)
    this.finish(asked, answered(message.payload))
  }

  onRefused(from: NodeRef, message: RequestRefusedMessage): void {
    const asked = this.askedOf(from, message.seq)
    if (asked !== undefined) this.finish(asked, failed(message.reason, message.detail, from))
  }

  /** The connection to `peer` closed: what was on it may be lost. */
  onDisconnected(peer: NodeRef): void {
    for (const asked of this.askedOfPeer(peer)) this.repeatAfter(asked, 0)
  }

  /** `peer` is dead or cannot be reached. */
  onUnreachable(peer: NodeRef): void {
    for (const asked of this.askedOfPeer(peer)) this.finish(asked, failed('no route', `${shortGuid(peer.id)} cannot be reached`, peer))
  }

  // The answerer

  onRequest(from: NodeRef, message: RequestMessage): void {
    const { stack } = this
    const { seq } = message
    const kept = this.responses?.get(seq)
    if (isSameAsker(kept?.to, from)) {
      stack.counters.repeats++
      return stack.send(from, kept!.message)
    }
    if (isSameAsker(this.answering?.get(seq), from)) {
      stack.counters.repeats++
      return this.acknowledge(from, seq)
    }
    const host = stack.host(message.application)
    if (host === undefined)
      return this.refuse(from, seq, failed('rejected by application', `there is no application "${message.application}" here`, stack.self))
    if (this.handles.full) return this.refuse(from, seq, this.tooManyToAnswer())
    const handle = this.open(from, message)
    this.answering ??= new Map()
    this.answering.set(seq, from)
    host.application.onRequest(from, message.payload, handle, stack.now, host.fx)
    stack.later({ type: 'acknowledge', to: from, seq, handle })
  }

  /** After the application was asked: it is known by now whether it answered at once. */
  acknowledgeUnlessAnswered(to: NodeRef, seq: number, handle: number): void {
    if (this.handles.isOpen(handle)) this.acknowledge(to, seq)
  }

  onTell(from: NodeRef, message: TellMessage): void {
    const host = this.stack.host(message.application)
    if (host === undefined) this.stack.drop(from, 'tell for an application that is not here')
    else host.application.onRequest(from, message.payload, 0, this.stack.now, host.fx)
  }

  /** An application answered a request. */
  respond(open: OpenReply, outcome: Outcome): void {
    this.forget(open)
    for (const { peer, seq } of open.returns) {
      if (peer.id === this.stack.self.id) {
        const asked = this.asked?.get(seq)
        if (asked !== undefined) this.finish(asked, outcome)
      } else this.answer(peer, seq, outcome)
    }
  }

  /** The application has answered it, or not in time; a repeat would be asked again. */
  forget({ question }: OpenReply): void {
    if (question.type === 'request' && isSameAsker(this.answering?.get(question.seq), question.from)) this.answering!.delete(question.seq)
  }

  rejectAsLeft(from: NodeRef, message: RequestMessage): void {
    this.stack.send(from, responseMessage(message.seq, failed('left', 'the node has left the overlay', this.stack.self)))
  }

  /** Does what is due. Returns when to come again. */
  wake(): Millis {
    const responses = this.responses === undefined ? Infinity : this.responses.sweep(this.stack.now)
    const { now } = this.stack
    if (this.asked === undefined || this.dueAt > now) return Math.min(this.dueAt, responses)
    this.dueAt = Infinity
    for (const asked of [...this.asked.values()]) {
      if (asked.deadlineAt <= now) this.finish(asked, this.timedOut(asked))
      else if (asked.repeatAt <= now) this.repeat(asked)
      else this.dueAt = Math.min(this.dueAt, asked.deadlineAt, asked.repeatAt)
    }
    return Math.min(this.dueAt, responses)
  }

  /** This node has left. */
  end(): void {
    for (const asked of [...(this.asked?.values() ?? [])])
      this.finish(asked, failed('left', 'this node has left the overlay', this.stack.self))
  }

  /** Asks the application on this node, without a message. */
  private askHere(asked: Asked): void {
    const { stack } = this
    const { to, message, host } = asked
    if (this.handles.full) return this.finish(asked, this.tooManyToAnswer())
    this.repeatAfter(asked, Infinity)
    const handle = this.open(to, message)
    host.application.onRequest(to, message.payload, handle, stack.now, host.fx)
  }

  private transmit(asked: Asked): void {
    const { stack } = this
    const { to, message } = asked
    const { requestRepeatMs } = stack.config
    asked.tries++
    asked.sentAt = stack.now
    this.repeatAfter(asked, asked.acked ? requestRepeatMs * 2 ** (asked.tries - 1) : stack.waitMs(to, message.payload.length))
    stack.send(to, message)
  }

  private repeat(asked: Asked): void {
    const { stack } = this
    if (!asked.acked) stack.timedOut(asked.to, asked.sentAt)
    stack.counters.repeatedRequests++
    this.transmit(asked)
  }

  private repeatAfter(asked: Asked, delayMs: Millis): void {
    const { now } = this.stack
    asked.repeatAt = now + delayMs
    const dueAt = Math.min(asked.repeatAt, asked.deadlineAt)
    this.dueAt = Math.min(this.dueAt, dueAt)
    this.stack.wakeAt(dueAt)
  }

  /** A repeated request leaves open which transmission was answered (Karn), so it measures nothing. */
  private measure(asked: Asked): void {
    if (asked.tries === 1) this.stack.acknowledged(asked.to, asked.sentAt, asked.message.payload.length)
  }

  private askedOf(from: NodeRef, seq: number): Asked | undefined {
    const asked = this.asked?.get(seq)
    if (asked === undefined) this.stack.counters.late++
    else if (asked.to.id !== from.id) this.stack.drop(from, 'answer from a peer that was not asked')
    else return asked
    return undefined
  }

  private askedOfPeer(peer: NodeRef): Asked[] {
    return this.asked === undefined ? [] : [...this.asked.values()].filter((asked) => asked.to.id === peer.id)
  }

  private timedOut(asked: Asked): Outcome {
    const heard = asked.acked ? 'it has acknowledged the request' : 'it was not heard of'
    return failed(
      'timed out',
      `no answer from ${shortGuid(asked.to.id)} within ${asked.deadlineAt - asked.startedAt} ms; ${heard}`,
      asked.to,
    )
  }

  private finish(asked: Asked, outcome: Outcome): void {
    if (this.asked!.delete(asked.message.seq)) this.tell(asked, outcome)
  }

  private tell(asked: Asked, outcome: Outcome): void {
    const { now } = this.stack
    const elapsedMs = now - asked.startedAt
    const hops = asked.to.id === this.stack.self.id ? 0 : 1
    const reply = outcome.ok
      ? { ok: true as const, payload: outcome.payload, hops, elapsedMs, path: [] }
      : { ok: false as const, failure: outcome.failure, elapsedMs, path: [] }
    asked.host.application.onReply(asked.id, reply, now, asked.host.fx)
  }

  private open(peer: NodeRef, { seq, withinMs }: RequestMessage): number {
    const { now, config } = this.stack
    const handle = this.handles.draw()
    const expiresAt = now + Math.min(withinMs, config.replyMsMax)
    this.handles.add(handle, { question: { type: 'request', from: peer, seq }, returns: [{ peer, seq }], expiresAt })
    this.stack.wakeAt(expiresAt)
    return handle
  }

  private acknowledge(to: NodeRef, seq: number): void {
    const ack: AckMessage = { type: 'ack', seq }
    this.stack.send(to, ack)
  }

  private tooManyToAnswer(): Outcome {
    this.stack.counters.overloaded++
    return failed('overloaded', 'the applications here have as many messages to answer as they may have', this.stack.self)
  }

  private refuse(to: NodeRef, seq: number, outcome: Outcome): void {
    this.stack.send(to, responseMessage(seq, outcome))
  }

  private answer(to: NodeRef, seq: number, outcome: Outcome): void {
    const { stack } = this
    const message = responseMessage(seq, outcome)
    if (outcome.ok && outcome.payload.length > shortBytes) this.acknowledge(to, seq)
    stack.send(to, message)
    if (outcome.ok && outcome.payload.length > stack.config.keptReplyBytesMax) return
    this.responses ??= new Recent(stack.config.responsesMax, stack.config.endingsMs)
    if (this.responses.add(seq, { to, message, at: stack.now })) stack.counters.forgotten++
    stack.wakeAt(stack.now + stack.config.endingsMs)
  }
}

/** A request of this node that awaits its response. */
interface Asked {
  readonly id: number
  readonly host: Host
  readonly to: NodeRef
  readonly message: RequestMessage
  readonly startedAt: Millis
  readonly deadlineAt: Millis
  /** The latest transmission. */
  sentAt: Millis
  tries: number
  acked: boolean
  repeatAt: Millis
}

interface Kept {
  readonly to: NodeRef
  readonly message: ResponseMessage | RequestRefusedMessage
  readonly at: Millis
}

/**
 * Whether the request under a number is that of `from`, in this incarnation. Two askers that chose one number displace each other, at the price of a question asked
 * twice; honest ones begin at random and hardly ever do.
 */
function isSameAsker(asker: NodeRef | undefined, from: NodeRef): boolean {
  return asker !== undefined && asker.id === from.id && asker.epoch === from.epoch
}

function responseMessage(seq: number, outcome: Outcome): ResponseMessage | RequestRefusedMessage {
  if (outcome.ok) return { type: 'response', seq, payload: outcome.payload }
  return { type: 'request-refused', seq, reason: outcome.failure.reason, detail: outcome.failure.detail }
}
