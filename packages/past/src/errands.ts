import type { Guid } from '@plaxton/guid'
import type { Answer, AppEffects, Millis, NodeRef, Question, Reply, RouteFailure, RouteOptions } from '@plaxton/kbr'
import { decodeMessage, encodeMessage } from './codec.ts'
import type { PastCall, PastMessage } from './messages.ts'

/** What to do with a result once it is there. It runs in the step that brings the result. */
export type Then<T> = (result: T, now: Millis, fx: AppEffects) => void

/** The end of a call to another node. */
export type Answered =
  | { readonly ok: true; readonly message: PastMessage; readonly hops: number; readonly elapsedMs: Millis }
  | { readonly ok: false; readonly failure: RouteFailure }

/**
 * What this node waits for: answers from disk and keys, replies from other nodes, moments in time. Each errand is
 * remembered under the number the world repeats, and ends once. Whoever sends one bounds how many it has out.
 *
 * What is done {@link onBehalfOf} another node is counted as its work, with all that follows from it.
 */
export class Errands {
  private readonly questions = new Map<number, Errand<Answer>>()
  private readonly calls = new Map<number, Errand<Answered>>()
  private readonly alarms = new Map<number, Then<void>>()
  /** Errands out by the node they are for; no entry for a node without any. */
  private readonly work = new Map<Guid, number>()
  /** The node that what happens now is for; undefined: this one. */
  private client: Guid | undefined = undefined
  private nextToken = 1
  private readonly onGarbage: (reason: string, fx: AppEffects) => void

  constructor(onGarbage: (reason: string, fx: AppEffects) => void) {
    this.onGarbage = onGarbage
  }

  /** Questions and calls without an answer yet. */
  get open(): number {
    return this.questions.size + this.calls.size
  }

  /** Those of them that are for `client`. */
  openFor(client: Guid): number {
    return this.work.get(client) ?? 0
  }

  /** Counts what `run` sends out, and what follows when it comes back, as work for `client`; undefined: as this node's own. */
  onBehalfOf<T>(client: Guid | undefined, run: () => T): T {
    const before = this.client
    this.client = client
    try {
      return run()
    } finally {
      this.client = before
    }
  }

  ask(question: Question, fx: AppEffects, then: Then<Answer>): void {
    const token = this.nextToken++
    this.questions.set(token, this.begin(then))
    fx.ask(token, question)
  }

  /** Asks one other node. */
  request(to: NodeRef, call: PastCall, withinMs: Millis, fx: AppEffects, then: Then<Answered>): void {
    this.calls.set(fx.request(to, encodeMessage(call), { withinMs: Math.max(1, withinMs) }), this.begin(then))
  }

  /** Asks the root of `key`, or whoever answers on the way. */
  route(key: Guid, call: PastCall, options: RouteOptions & { readonly replyWithinMs: Millis }, fx: AppEffects, then: Then<Answered>): void {
    this.calls.set(fx.route(key, encodeMessage(call), options), this.begin(then))
  }

  /** Runs `then` after a while. Returns a number for {@link forget}. */
  later(delayMs: Millis, fx: AppEffects, then: Then<void>): number {
    const token = this.nextToken++
    this.alarms.set(token, then)
    fx.startTimer('alarm', token, delayMs)
    return token
  }

  /** The alarm is no longer wanted: lets go of what it would have run. */
  forget(alarm: number): void {
    this.alarms.delete(alarm)
  }

  onAnswer(token: number, answer: Answer, now: Millis, fx: AppEffects): void {
    const errand = take(this.questions, token)
    if (errand !== undefined) this.end(errand, answer, now, fx)
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    const errand = take(this.calls, requestId)
    if (errand !== undefined) this.end(errand, reply.ok ? this.read(reply, fx) : reply, now, fx)
  }

  onTimer(token: number, now: Millis, fx: AppEffects): void {
    take(this.alarms, token)?.(undefined, now, fx)
  }

  private begin<T>(then: Then<T>): Errand<T> {
    if (this.client !== undefined) this.work.set(this.client, this.openFor(this.client) + 1)
    return { then, client: this.client }
  }

  private end<T>({ then, client }: Errand<T>, result: T, now: Millis, fx: AppEffects): void {
    if (client !== undefined) {
      const left = this.openFor(client) - 1
      if (left > 0) this.work.set(client, left)
      else this.work.delete(client)
    }
    this.onBehalfOf(client, () => then(result, now, fx))
  }

  /** A reply that is no message is as good as none. */
  private read(reply: Reply & { ok: true }, fx: AppEffects): Answered {
    try {
      return { ok: true, message: decodeMessage(reply.payload, fx.readRef), hops: reply.hops, elapsedMs: reply.elapsedMs }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      this.onGarbage(detail, fx)
      return {
        ok: false,
        failure: { reason: 'rejected by application', detail: `the reply was no PAST message: ${detail}`, at: undefined },
      }
    }
  }
}

interface Errand<T> {
  readonly then: Then<T>
  readonly client: Guid | undefined
}

function take<T>(from: Map<number, T>, key: number): T | undefined {
  const value = from.get(key)
  from.delete(key)
  return value
}
