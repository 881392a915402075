import type { Guid } from '@plaxton/guid'
import type { Answer, AppEffects, Millis, NodeRef, Question, Reply, RouteFailure, RouteOptions } from '@plaxton/kbr'
import { decodeMessage, encodeMessage } from './codec.ts'
import type { DolrCall, DolrMessage } from './messages.ts'

/** What to do with a result once it is there. It runs in the step that brings the result. */
export type Then<T> = (result: T, now: Millis, fx: AppEffects) => void

/** The end of a call to another node. */
export type Answered =
  | { readonly ok: true; readonly message: DolrMessage; readonly elapsedMs: Millis }
  | { readonly ok: false; readonly failure: RouteFailure }

/**
 * What this node waits for: answers of the world, replies from other nodes, moments in time. Each errand is remembered under the number that
 * comes back with the result, and ends once. Whoever sends one bounds how many it has out.
 */
export class Errands {
  private readonly questions = new Map<number, Then<Answer>>()
  private readonly calls = new Map<number, Then<Answered>>()
  private readonly alarms = new Map<number, Then<void>>()
  private nextToken = 1
  private readonly onGarbage: (from: NodeRef | undefined, reason: string, fx: AppEffects) => void

  constructor(onGarbage: (from: NodeRef | undefined, reason: string, fx: AppEffects) => void) {
    this.onGarbage = onGarbage
  }

  /** Questions and calls without an answer yet. */
  get open(): number {
    return this.questions.size + this.calls.size
  }

  ask(question: Question, fx: AppEffects, then: Then<Answer>): void {
    const token = this.nextToken++
    this.questions.set(token, then)
    fx.ask(token, question)
  }

  /** Asks one other node. */
  request(to: NodeRef, call: DolrCall, withinMs: Millis, fx: AppEffects, then: Then<Answered>): void {
    this.calls.set(fx.request(to, encodeMessage(call), { withinMs }), then)
  }

  /** Asks whoever on the way to the root of `key` knows. */
  route(key: Guid, call: DolrCall, options: RouteOptions & { readonly replyWithinMs: Millis }, fx: AppEffects, then: Then<Answered>): void {
    this.calls.set(fx.route(key, encodeMessage(call), options), then)
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
    take(this.questions, token)?.(answer, now, fx)
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    take(this.calls, requestId)?.(reply.ok ? this.read(reply, fx) : reply, now, fx)
  }

  onTimer(token: number, now: Millis, fx: AppEffects): void {
    take(this.alarms, token)?.(undefined, now, fx)
  }

  /** A reply that is no message is as good as none. */
  private read({ payload, elapsedMs }: Reply & { ok: true }, fx: AppEffects): Answered {
    try {
      return { ok: true, message: decodeMessage(payload, fx.readRef), elapsedMs }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      this.onGarbage(undefined, detail, fx)
      return {
        ok: false,
        failure: { reason: 'rejected by application', detail: `the reply was no DOLR message: ${detail}`, at: undefined },
      }
    }
  }
}

function take<T>(from: Map<number, T>, key: number): T | undefined {
  const value = from.get(key)
  from.delete(key)
  return value
}
