import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { DeadlineError, NotFoundError, PlaxtonError, RouteError } from '@plaxton/kbr'
import type { AppEffects, Millis, RouteFailure } from '@plaxton/kbr'
import type { Answered } from './errands.ts'
import type { PastEvent, PastOutcome, PastStep, PastValue } from './events.ts'
import type { PastCall, PastMessage, Refusal } from './messages.ts'
import { transferMs } from './parts.ts'
import type { PastParts } from './parts.ts'

/** What every command is told when it begins. */
export interface CommandInit {
  readonly id: number
  readonly guid: Guid
  readonly timeoutMs: Millis
  /** Called once, when the command has ended. */
  readonly onEnd: () => void
}

/** One call of this node's application on its way: begins, reports its steps, and ends exactly once. */
export abstract class Command {
  readonly id: number
  protected readonly guid: Guid
  protected readonly parts: PastParts
  protected ended = false
  /** What the command is waiting for, for the error when time is up. */
  protected waitingFor = 'the node to start'
  /** Why the last attempt failed; what the command ends with when there is no time for another. */
  protected lastError: PlaxtonError | undefined = undefined
  private deadline = 0
  private deadlineAlarm = 0
  private readonly timeoutMs: Millis
  private readonly onEnd: () => void

  constructor(parts: PastParts, { id, guid, timeoutMs, onEnd }: CommandInit) {
    this.id = id
    this.guid = guid
    this.parts = parts
    this.timeoutMs = timeoutMs
    this.onEnd = onEnd
  }

  /** For the message of a deadline: `put`, `get`. */
  protected abstract readonly verb: string

  /** Starts the clock. */
  begin(now: Millis, fx: AppEffects): void {
    this.deadline = now + this.timeoutMs
    this.deadlineAlarm = this.parts.errands.later(this.timeoutMs, fx, (_, time, effects) => this.endLate(time, effects))
  }

  /** Does the work; called once, when the node has loaded what is on its disk. */
  abstract run(now: Millis, fx: AppEffects): void

  succeed(value: PastValue, fx: AppEffects): void {
    this.end({ ok: true, value }, fx)
  }

  fail(error: PlaxtonError, fx: AppEffects): void {
    this.end({ ok: false, error }, fx)
  }

  protected progress(step: PastStep, detail: string, fx: AppEffects): void {
    this.waitingFor = detail
    emit(fx, { type: 'past:progress', command: this.id, step, detail })
  }

  /** Time for one attempt that moves so many bytes, at least 1 ms. */
  protected attemptMs(now: Millis, bytes = 0): Millis {
    const { config } = this.parts
    return Math.max(1, Math.min(config.attemptMs + transferMs(bytes, config), this.deadline - now))
  }

  /** Time for one attempt to reach the root and come back. When what is left is not enough for two it gets all of it: what waits on the way for a dead node to be replaced would otherwise be cut short, only to begin anew. */
  protected wayMs(now: Millis): Millis {
    const leftMs = Math.max(1, this.deadline - now)
    return leftMs < 2 * this.parts.config.attemptMs ? leftMs : this.parts.config.attemptMs
  }

  /** Runs `again` after a pause, or lets the deadline end the command with `why`. */
  protected retryLater(why: PlaxtonError, attempt: number, fx: AppEffects, again: (now: Millis, fx: AppEffects) => void): void {
    this.lastError = why
    this.progress('retrying', `trying again because of: ${why.message}`, fx)
    const { prng, config, errands } = this.parts
    const pause = prng.jitter(config.retryMs * 2 ** Math.min(attempt, 4), 0.5)
    errands.later(pause, fx, (_, now, effects) => {
      if (!this.ended) again(now, effects)
    })
  }

  private endLate(now: Millis, fx: AppEffects): void {
    const late = new DeadlineError(
      `${this.verb} of ${shortGuid(this.guid)} did not end within ${this.timeoutMs} ms; last: ${this.waitingFor}`,
    )
    this.fail(this.lastError ?? late, fx)
  }

  private end(outcome: PastOutcome, fx: AppEffects): void {
    if (this.ended) return
    this.ended = true
    this.parts.errands.forget(this.deadlineAlarm)
    emit(fx, { type: 'past:done', command: this.id, outcome })
    this.onEnd()
  }
}

/** A command whose whole work is to ask the root, until it answers. */
export abstract class RootCommand extends Command {
  protected attempts = 0
  private absences = 0

  protected abstract onMessage(message: PastMessage, now: Millis, fx: AppEffects): void
  /** Makes one attempt. */
  protected abstract attempt(now: Millis, fx: AppEffects): void

  protected askRoot(call: PastCall, now: Millis, fx: AppEffects): void {
    this.parts.errands.route(this.guid, call, { replyWithinMs: this.wayMs(now) }, fx, (answered, time, effects) =>
      this.onAnswered(answered, time, effects),
    )
  }

  protected onAnswered(answered: Answered, now: Millis, fx: AppEffects): void {
    if (this.ended) return
    if (answered.ok) this.onMessage(answered.message, now, fx)
    else this.again(routeError(answered.failure), fx)
  }

  protected again(why: PlaxtonError, fx: AppEffects): void {
    this.retryLater(why, this.attempts++, fx, (now, effects) => this.attempt(now, effects))
  }

  /** A no is believed at once when nobody was silent, and otherwise the second time. */
  protected onAbsent(detail: string, certain: boolean, fx: AppEffects): void {
    const error = new NotFoundError(detail)
    if (certain || ++this.absences === 2) this.fail(error, fx)
    else this.again(error, fx)
  }

  /** For a message that is no answer to what was asked. */
  protected onStrange(message: PastMessage, fx: AppEffects): void {
    this.again(rejected(`the root answered with ${message.type}`), fx)
  }
}

export function routeError(failure: RouteFailure): PlaxtonError {
  return failure.reason === 'timed out' ? new DeadlineError(failure.detail) : new RouteError(failure)
}

export function rejected(detail: string): PlaxtonError {
  return new RouteError({ reason: 'rejected by application', detail, at: undefined })
}

export function overloaded(detail: string): PlaxtonError {
  return new RouteError({ reason: 'overloaded', detail, at: undefined })
}

/** A refusal that needs no treatment of its own. */
export function refused({ code, detail }: Refusal): PlaxtonError {
  return code === 'too many owners' ? new PlaxtonError('TooManyOwnersError', 'ERR_TOO_MANY_OWNERS', detail) : rejected(detail)
}

/** Emits one of this package's events. */
export function emit(fx: AppEffects, event: PastEvent): void {
  fx.emit(event)
}
