import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { DeadlineError, RouteError } from '@plaxton/kbr'
import type { AppEffects, Millis, PlaxtonError, RouteFailure } from '@plaxton/kbr'
import type { DolrEvent, DolrOutcome, DolrStep, DolrValue } from './events.ts'
import type { DolrParts } from './parts.ts'

/** What every command is told when it begins. */
export interface CommandInit {
  readonly id: number
  readonly guid: Guid
  readonly timeoutMs: Millis
  /** Called once, when the command has ended. */
  readonly onEnd: (ok: boolean) => void
}

/** One call of this node's application on its way: begins, reports its steps, and ends exactly once. */
export abstract class Command {
  readonly id: number
  readonly guid: Guid
  protected readonly parts: DolrParts
  protected ended = false
  /** Why the last attempt failed; what the command ends with when there is no time for another. */
  protected lastError: PlaxtonError | undefined = undefined
  /** What the command is waiting for, for the error when time is up. */
  private waitingFor = 'nothing yet'
  private deadline = 0
  private deadlineAlarm = 0
  private attempts = 0
  private readonly timeoutMs: Millis
  private readonly onEnd: (ok: boolean) => void

  constructor(parts: DolrParts, { id, guid, timeoutMs, onEnd }: CommandInit) {
    this.id = id
    this.guid = guid
    this.parts = parts
    this.timeoutMs = timeoutMs
    this.onEnd = onEnd
  }

  /** For the message of a deadline: `send`, `locate`. */
  protected abstract readonly verb: string

  /** Does the work. */
  protected abstract run(now: Millis, fx: AppEffects): void

  begin(now: Millis, fx: AppEffects): void {
    this.deadline = now + this.timeoutMs
    this.deadlineAlarm = this.parts.errands.later(this.timeoutMs, fx, (_, time, effects) => this.onDeadline(time, effects))
    this.run(now, fx)
  }

  fail(error: PlaxtonError, fx: AppEffects): void {
    this.end({ ok: false, error }, fx)
  }

  protected succeed(value: DolrValue, fx: AppEffects): void {
    this.end({ ok: true, value }, fx)
  }

  protected progress(step: DolrStep, detail: string, fx: AppEffects): void {
    this.waitingFor = detail
    emit(fx, { type: 'dolr:progress', command: this.id, step, detail })
  }

  protected onDeadline(_now: Millis, fx: AppEffects): void {
    const late = new DeadlineError(
      `${this.verb} of ${shortGuid(this.guid)} did not end within ${this.timeoutMs} ms; last: ${this.waitingFor}`,
    )
    this.fail(this.lastError ?? late, fx)
  }

  /** Time for one attempt, at least 1 ms. */
  protected attemptMs(now: Millis): Millis {
    return Math.min(this.parts.config.attemptMs, this.leftMs(now))
  }

  protected leftMs(now: Millis): Millis {
    return Math.max(1, this.deadline - now)
  }

  /** Runs `again` after a pause, each twice as long as the one before up to 16 times; or lets the deadline end the command with `why`. */
  protected retryLater(why: PlaxtonError, fx: AppEffects, again: (now: Millis, fx: AppEffects) => void): void {
    this.lastError = why
    this.progress('retrying', `trying again because of: ${why.message}`, fx)
    const { prng, config, errands } = this.parts
    const pause = prng.jitter(config.retryMs * 2 ** Math.min(this.attempts++, 4), 0.25)
    errands.later(pause, fx, (_, now, effects) => {
      if (!this.ended) again(now, effects)
    })
  }

  private end(outcome: DolrOutcome, fx: AppEffects): void {
    if (this.ended) return
    this.ended = true
    this.parts.errands.forget(this.deadlineAlarm)
    emit(fx, { type: 'dolr:done', command: this.id, outcome })
    this.onEnd(outcome.ok)
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

/** Emits one of this package's events. */
export function emit(fx: AppEffects, event: DolrEvent): void {
  fx.emit(event)
}
