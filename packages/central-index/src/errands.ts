import type { AppEffects, Millis, NodeRef, Reply, RouteFailure } from '@plaxton/kbr'
import { decodeAnswer, encodeCall } from './messages.ts'
import type { IndexAnswer, IndexCall } from './messages.ts'

/** What to do with a result once it is there. It runs in the step that brings the result. */
export type Then<T> = (result: T, now: Millis, fx: AppEffects) => void

/** The end of a call to another node. */
export type Answered =
  | { readonly ok: true; readonly answer: IndexAnswer; readonly elapsedMs: Millis }
  | { readonly ok: false; readonly failure: RouteFailure }

/** What a node waits for: answers of other nodes, and moments in time. Each ends once. Whoever sends one bounds how many it has out. */
export class Errands {
  private readonly calls = new Map<number, Then<Answered>>()
  private readonly alarms = new Map<number, Then<void>>()
  private nextAlarm = 1
  /** Answers that were none. */
  garbage = 0

  /** Calls without an answer yet. */
  get open(): number {
    return this.calls.size
  }

  request(to: NodeRef, call: IndexCall, withinMs: Millis, fx: AppEffects, then: Then<Answered>): void {
    this.calls.set(fx.request(to, encodeCall(call), { withinMs: Math.max(1, Math.min(withinMs, longestWaitMs)) }), then)
  }

  /** Runs `then` after a while. Returns a number for {@link forget}. */
  later(delayMs: Millis, fx: AppEffects, then: Then<void>): number {
    const alarm = this.nextAlarm++
    this.alarms.set(alarm, then)
    fx.startTimer('alarm', alarm, Math.max(0, delayMs))
    return alarm
  }

  /** The alarm is no longer wanted: lets go of what it would have run. */
  forget(alarm: number): void {
    this.alarms.delete(alarm)
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    const then = this.calls.get(requestId)
    this.calls.delete(requestId)
    then?.(reply.ok ? this.read(reply, fx) : reply, now, fx)
  }

  onTimer(alarm: number, now: Millis, fx: AppEffects): void {
    const then = this.alarms.get(alarm)
    this.alarms.delete(alarm)
    then?.(undefined, now, fx)
  }

  /** An answer that is none is as good as a refusal. */
  private read({ payload, elapsedMs }: Reply & { readonly ok: true }, fx: AppEffects): Answered {
    try {
      return { ok: true, answer: decodeAnswer(payload, fx.readRef), elapsedMs }
    } catch (error) {
      this.garbage++
      return { ok: false, failure: { reason: 'rejected by application', detail: (error as Error).message, at: undefined } }
    }
  }
}

/** The walking's `replyMsMax` by default. */
const longestWaitMs = 300_000
