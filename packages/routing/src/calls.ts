import type { Guid } from '@plaxton/guid'
import { shortGuid } from '@plaxton/guid'
import type { Millis, RouteFailure, RouteOptions } from '@plaxton/kbr'
import { failed } from './outcome.ts'
import type { Outcome, Trail } from './outcome.ts'
import { Passage } from './passage.ts'
import { RoundTrip } from './round-trip.ts'
import type { Host, RouteTask, Stack } from './stack.ts'

/**
 * The source's side of routed messages that want a reply: each call ends in exactly one `onReply`.
 *
 * When an attempt is refused, or has not been answered for longer than replies usually take, the next one leaves by another first hop
 * if the overlay knows one; each waits twice as long as the one before. All attempts carry the same nonce, so that the root recognises
 * them; the first reply wins, whichever attempt it answers.
 */
export class Calls {
  private readonly stack: Stack
  /** By request id. Bound: `callsMax`; full: the next call fails with `overloaded`. */
  private byId: Map<number, Call> | undefined = undefined
  private dueAt: Millis = Infinity
  /** How long replies take, whatever the key. */
  private readonly roundTrip = new RoundTrip()

  constructor(stack: Stack) {
    this.stack = stack
  }

  get size(): number {
    return this.byId === undefined ? 0 : this.byId.size
  }

  /** Begins a call; the result is its first attempt, for the walking to take. Undefined when the call has failed at once. */
  start({ host, id, key, payload, options }: RouteTask): Passage | undefined {
    const { stack } = this
    const { rtoInitialMs, retryMinMs, rtoMaxMs } = stack.config
    const withinMs = options.replyWithinMs ?? 0
    const call: Call = {
      id,
      host,
      key,
      payload,
      options,
      nonce: stack.nextNonce(),
      startedAt: stack.now,
      deadlineAt: stack.now + withinMs,
      firstHops: [],
      passages: [],
      // A way has several hops, of which the first may be slow to find out.
      waitMs: this.roundTrip.timeoutMs(2 * rtoInitialMs, retryMinMs, rtoMaxMs),
      nextAttemptAt: 0,
      lastFailure: undefined,
    }
    if (this.size >= stack.config.callsMax) {
      stack.counters.overloaded++
      this.tell(call, failed('overloaded', `${stack.config.callsMax} messages of this node wait for a reply already`, stack.self), nowhere)
      return undefined
    }
    this.byId ??= new Map()
    this.byId.set(id, call)
    return this.attempt(call)
  }

  /** The next attempt of a call, if it is still open. */
  retry(id: number): Passage | undefined {
    const call = this.byId?.get(id)
    return call === undefined ? undefined : this.attempt(call)
  }

  /** What became of an attempt. */
  answer(id: number, outcome: Outcome, trail: Trail): void {
    const call = this.byId?.get(id)
    if (call === undefined) {
      this.stack.counters.late++
      return
    }
    if (!outcome.ok && outcome.failure.reason !== 'rejected by application') {
      call.lastFailure = outcome.failure
      if (this.mayRetry(call, outcome.failure)) return this.stack.later({ type: 'retry', id })
      if (call.passages.some((passage) => !passage.done)) return
    }
    // Which attempt it answers is not known (Karn), so only an only one is measured.
    if (outcome.ok && call.passages.length === 1) this.roundTrip.measured(this.stack.now - call.startedAt)
    this.finish(call, outcome, trail)
  }

  /** Ends what is due. Returns when to come again. */
  wake(): Millis {
    const { now } = this.stack
    if (this.byId === undefined || this.dueAt > now) return this.dueAt
    this.dueAt = Infinity
    const due = [...this.byId.values()].filter((call) => dueAt(call) <= now)
    for (const call of due) {
      if (call.deadlineAt <= now) this.finish(call, this.timedOut(call), nowhere)
      else {
        // When the network slows down, later calls are patient; the next reply to a first attempt tells how patient to be.
        if (call.passages.length === 1) this.roundTrip.timedOut(call.startedAt, now)
        this.stack.later({ type: 'retry', id: call.id })
      }
    }
    for (const call of this.byId.values()) if (dueAt(call) > now) this.dueAt = Math.min(this.dueAt, dueAt(call))
    return this.dueAt
  }

  /** This node has left: nothing more will come. */
  end(): void {
    for (const call of [...(this.byId?.values() ?? [])])
      this.finish(call, failed('left', 'this node has left the overlay', this.stack.self), nowhere)
  }

  private attempt(call: Call): Passage {
    const { stack } = this
    const isLast = call.passages.length + 1 >= this.attemptsOf(call)
    call.nextAttemptAt = isLast ? Infinity : stack.now + call.waitMs
    call.waitMs *= 2
    this.dueAt = Math.min(this.dueAt, dueAt(call))
    stack.wakeAt(dueAt(call))

    const passage = new Passage(
      {
        type: 'route',
        seq: call.id,
        nonce: call.nonce,
        key: call.key,
        application: call.host.application.name,
        payload: call.payload,
        hops: 0,
        cursor: stack.firstCursor(call.options),
        replyWithinMs: Math.max(1, call.deadlineAt - stack.now),
        keepPath: call.options.keepPath === true,
        path: noPath,
      },
      stack.self,
      stack.now,
      stack.config,
    )
    passage.leaveBy(call.options, call.firstHops)
    call.passages.push(passage)
    return passage
  }

  /** Another way may be better than one that failed elsewhere. What fails here would fail again. */
  private mayRetry(call: Call, failure: RouteFailure): boolean {
    return failure.at?.id !== this.stack.self.id && call.passages.length < this.attemptsOf(call)
  }

  private attemptsOf({ options }: Call): number {
    return Math.min(this.stack.config.attempts, options.attempts ?? Infinity)
  }

  private timedOut(call: Call): Outcome {
    const { lastFailure: last } = call
    const tried = `no reply for ${shortGuid(call.key)} within ${call.deadlineAt - call.startedAt} ms, ${call.passages.length} attempts`
    return failed('timed out', last === undefined ? tried : `${tried}; the last refusal was ${last.reason}: ${last.detail}`, last?.at)
  }

  private finish(call: Call, outcome: Outcome, trail: Trail): void {
    this.byId!.delete(call.id)
    for (const passage of call.passages) passage.done = true
    this.tell(call, outcome, trail)
  }

  private tell(call: Call, outcome: Outcome, trail: Trail): void {
    const { now, self } = this.stack
    const elapsedMs = now - call.startedAt
    const path = call.options.keepPath === true ? [self.id, ...trail.path] : noPath
    const reply = outcome.ok
      ? { ok: true as const, payload: outcome.payload, hops: trail.hops, elapsedMs, path }
      : { ok: false as const, failure: outcome.failure, elapsedMs, path }
    call.host.application.onReply(call.id, reply, now, call.host.fx)
  }
}

interface Call {
  readonly id: number
  readonly host: Host
  readonly key: Guid
  readonly payload: Uint8Array
  readonly options: RouteOptions
  readonly nonce: number
  readonly startedAt: Millis
  readonly deadlineAt: Millis
  /** Where earlier attempts went first. */
  readonly firstHops: Guid[]
  /** One per attempt; bound: `attempts`. */
  readonly passages: Passage[]
  /** How long the next attempt is given. */
  waitMs: Millis
  /** When the running attempt has had its time; infinite for the last. */
  nextAttemptAt: Millis
  lastFailure: RouteFailure | undefined
}

function dueAt(call: Call): Millis {
  return Math.min(call.deadlineAt, call.nextAttemptAt)
}

const noPath: readonly Guid[] = []

const nowhere: Trail = { hops: 0, path: noPath }
