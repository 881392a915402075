import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, ReplyHandle, RouteFailureReason, RoutedMessage } from '@plaxton/kbr'
import type { Calls } from './calls.ts'
import { EndingMemory } from './duplicates.ts'
import type { Ending } from './duplicates.ts'
import { overlayName } from './messages.ts'
import type { RefusalMessage, ReplyMessage, RouteMessage } from './messages.ts'
import { failed } from './outcome.ts'
import type { Outcome, Trail } from './outcome.ts'
import type { Passage } from './passage.ts'
import type { OpenReply, ReplyHandles, ReturnHop } from './reply-handles.ts'
import type { Host, Stack } from './stack.ts'

/**
 * How routed messages end at this node: delivered, stopped or rejected by the application, or come to nothing; and how their outcome
 * goes back the way they came, to the previous hop or to a call of this node.
 */
export class Endings {
  private readonly stack: Stack
  private readonly calls: Calls
  private readonly handles: ReplyHandles
  private readonly memory: EndingMemory

  constructor(stack: Stack, calls: Calls, handles: ReplyHandles) {
    this.stack = stack
    this.calls = calls
    this.handles = handles
    this.memory = new EndingMemory(stack.config)
  }

  get size(): number {
    return this.memory.size
  }

  /** How an earlier copy ended here; undefined when none did. */
  find(nonce: number, key: Guid): Ending | undefined {
    return this.memory.find(nonce, key)
  }

  /** This node is the root. Returns the node to which the application redirects it instead, if it does. */
  arrive(passage: Passage): NodeRef | undefined {
    if (passage.done) return undefined
    const { nonce, key, application } = passage.message
    const ending = this.find(nonce, key)
    const host = this.stack.host(application)
    if (ending !== undefined) this.repeat(passage, ending)
    else if (application === overlayName) this.deliverOwn(passage)
    else if (host === undefined) this.reject(passage, `there is no application "${application}" on the root`)
    else return this.offer(passage, host)
    return undefined
  }

  /** It ends here and is answered through `handle`, if at all. False when there is no room to await an answer, which fails it. */
  end(passage: Passage, handle: ReplyHandle): boolean {
    const { stack } = this
    if (handle !== 0 && this.handles.full) {
      stack.counters.overloaded++
      this.fail(passage, 'overloaded', 'the applications here have as many messages to answer as they may have')
      return false
    }
    if (handle !== 0) this.openReply(passage, handle)
    this.remember(passage, handle)
    return true
  }

  /** An application may answer it by `handle` from now on. The caller has asked whether there is room. */
  openReply(passage: Passage, handle: ReplyHandle): void {
    const { stack } = this
    const { message } = passage
    this.handles.add(handle, {
      question: { type: 'route', nonce: message.nonce, trail: this.trailOf(message) },
      returns: passage.returns,
      expiresAt: passage.replyUntil,
    })
    stack.wakeAt(passage.replyUntil)
  }

  /** A copy of a message that ended here before: it is told the answer, or waits for it with the first. */
  repeat(passage: Passage, ending: Ending): void {
    const { answer, handle } = ending
    this.stack.counters.repeats++
    passage.done = true
    if (passage.message.replyWithinMs === 0) return
    for (const hop of passage.returns) {
      if (answer !== undefined) this.sendBack(hop, answer.outcome, answer.trail)
      else this.handles.attach(handle, hop)
    }
  }

  /** The application does not want it, which holds for every copy. */
  reject(passage: Passage, reason: string): void {
    const outcome = failed('rejected by application', reason, this.stack.self)
    const trail = this.trailOf(passage.message)
    this.tellOfFailure(passage, outcome)
    this.conclude(passage, outcome, trail)
    this.remember(passage, 0)
    this.memory.answer(passage.message.nonce, outcome, trail)
  }

  /** It comes to nothing here; another copy may fare better. */
  fail(passage: Passage, reason: RouteFailureReason, detail: string): void {
    if (passage.done) return
    const outcome = failed(reason, detail, this.stack.self)
    this.tellOfFailure(passage, outcome)
    this.conclude(passage, outcome, this.trailOf(passage.message))
  }

  /** The outcome goes back to where the message came from. The first one counts. */
  conclude(passage: Passage, outcome: Outcome, trail: Trail): void {
    if (passage.done) {
      this.stack.counters.late++
      return
    }
    passage.done = true
    if (passage.message.replyWithinMs > 0) this.sendAllBack(passage.returns, outcome, trail)
  }

  /** An application answered. */
  respond(open: OpenReply, nonce: number, trail: Trail, outcome: Outcome): void {
    this.memory.answer(nonce, outcome, trail)
    this.sendAllBack(open.returns, outcome, trail)
  }

  /** Forgets what is old enough. Returns when to come again. */
  sweep(): Millis {
    return this.memory.sweep(this.stack.now)
  }

  /** The application on the root is asked as everywhere, and given the message unless it objects. */
  private offer(passage: Passage, host: Host): NodeRef | undefined {
    const { stack } = this
    const handle = passage.message.replyWithinMs > 0 ? this.handles.offer() : 0
    const decision = host.application.forward(routed(passage, handle), undefined, stack.now, host.fx)
    this.handles.withdraw()
    if (decision.action === 'redirect' && decision.nextHop.id !== stack.self.id) return decision.nextHop
    if (decision.action === 'replace') passage.message = { ...passage.message, payload: decision.payload }
    if (decision.action === 'stop') this.end(passage, handle)
    else if (decision.action === 'reject') this.reject(passage, decision.reason)
    else this.deliver(passage, host, handle)
    return undefined
  }

  private deliver(passage: Passage, host: Host, handle: ReplyHandle): void {
    const { stack } = this
    const { application, key, hops } = passage.message
    if (!this.end(passage, handle)) return
    stack.counters.delivered++
    stack.emit({ type: 'delivered', application, key, hops })
    host.application.deliver(routed(passage, handle), stack.now, host.fx)
  }

  private deliverOwn(passage: Passage): void {
    const { stack } = this
    const { key, payload, hops } = passage.message
    this.remember(passage, 0)
    stack.counters.delivered++
    stack.overlay.forwardOwn(key, payload, hops, undefined, stack.now, stack.overlayFx!)
  }

  private remember(passage: Passage, handle: ReplyHandle): void {
    const { stack } = this
    const { nonce, key } = passage.message
    passage.done = true
    stack.counters.forgotten += this.memory.add(nonce, key, handle, stack.now)
    stack.wakeAt(stack.now + stack.config.endingsMs)
  }

  private tellOfFailure(passage: Passage, outcome: Outcome): void {
    if (outcome.ok) return
    this.stack.counters.failed++
    this.stack.emit({ type: 'route-failed', key: passage.message.key, failure: outcome.failure })
  }

  private sendAllBack(returns: readonly ReturnHop[], outcome: Outcome, trail: Trail): void {
    for (const hop of returns) this.sendBack(hop, outcome, trail)
  }

  private sendBack({ peer, seq }: ReturnHop, outcome: Outcome, { hops, path }: Trail): void {
    if (peer.id === this.stack.self.id) return this.calls.answer(seq, outcome, { hops, path })
    this.stack.send(peer, outcome.ok ? replyMessage(seq, outcome.payload, hops, path) : refusalMessage(seq, outcome, hops, path))
  }

  private trailOf(message: RouteMessage): Trail {
    return { hops: message.hops, path: pathSoFar(message, this.stack.self.id) }
  }
}

/** The message as its application sees it here. */
export function routed(passage: Passage, reply: ReplyHandle): RoutedMessage {
  const { message, previous } = passage
  return { key: message.key, payload: message.payload, hops: message.hops, previousHop: previous, reply }
}

/** The ids of the nodes passed after the source, this one included unless it is the source. */
export function pathSoFar(message: RouteMessage, self: Guid): readonly Guid[] {
  return !message.keepPath || message.hops === 0 ? message.path : [...message.path, self]
}

function replyMessage(seq: number, payload: Uint8Array, hops: number, path: readonly Guid[]): ReplyMessage {
  return { type: 'reply', seq, payload, hops, path }
}

function refusalMessage(seq: number, outcome: Outcome & { readonly ok: false }, hops: number, path: readonly Guid[]): RefusalMessage {
  const { reason, detail, at } = outcome.failure
  return { type: 'refusal', seq, reason, detail, at: at === undefined ? [] : [at], hops, path }
}
