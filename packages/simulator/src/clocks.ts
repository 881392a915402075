import { InvalidValueError } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'

/** One host's clock: from `since` on it goes `rate` times as fast as time does. */
interface Clock {
  readonly since: Millis
  readonly shown: Millis
  readonly rate: number
}

/**
 * What the hosts' clocks show. Those that are not set are right. A clock that is set shows what time it was a moment before and goes on from there, faster or slower, so that none ever goes
 * backwards; and what its host's timers wait is measured by it.
 */
export class Clocks {
  /** One for each host whose clock has been set. */
  private readonly clocks = new Map<number, Clock>()

  /** From now on the host's clock gains `drift` of the time that passes; -0.01 makes it lose a hundredth. Quartz is within 0.0001. */
  setDrift(host: number, drift: number, now: Millis): void {
    if (!(drift > -1 && drift <= 1)) throw new InvalidValueError('drift', drift, 'more than -1, at most 1')
    this.clocks.set(host, { since: now, shown: this.exact(host, now), rate: 1 + drift })
  }

  /** What the host takes the time to be, in whole milliseconds. */
  shows(host: number, now: Millis): Millis {
    return this.clocks.size === 0 ? now : Math.floor(this.exact(host, now) + rounding)
  }

  /** How long it takes until `delayMs` have passed by the host's clock, never less: a timer that is early is none. */
  waits(host: number, delayMs: Millis): Millis {
    const rate = this.clocks.get(host)?.rate ?? 1
    return rate === 1 ? delayMs : Math.ceil(delayMs / rate - rounding)
  }

  private exact(host: number, now: Millis): number {
    const clock = this.clocks.get(host)
    return clock === undefined ? now : clock.shown + (now - clock.since) * clock.rate
  }
}

/** Fractions of a millisecond that come of calculating with fractions. */
const rounding = 1e-6
