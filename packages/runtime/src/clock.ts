import type { Millis } from '@plaxton/kbr'

/** Where a host takes its time from. */
export interface Clock {
  /** Whole milliseconds since 1970, never going backwards. */
  now(): Millis
  /** Calls `ring` once, `delayMs` from now or a little later; returns what calls it off. */
  after(delayMs: Millis, ring: () => void): () => void
}

/** How far the wall clock may run ahead before it is believed. Our choice: above the steps of time daemons, below any timeout that matters. */
const toleratedLagMs = 1000

/** The longest delay a platform timer takes (32 bits, signed); a longer one would ring at once. */
const longestTimeoutMs = 2 ** 31 - 1

/** The platform's clock; see {@link clockOf}. */
export const systemClock: Clock = clockOf(
  () => Date.now(),
  () => performance.now(),
)

/**
 * A clock out of two. Durations follow the monotonic one, so that a wall clock set back freezes nothing; when the wall clock is found ahead
 * by more than a second (the machine slept, the clock was corrected) time jumps forward to it, because expiry dates are wall time.
 */
export function clockOf(wallMs: () => number, monotonicMs: () => number): Clock {
  /** Wall time at which the monotonic clock showed 0. Only ever grows. */
  let origin = wallMs() - monotonicMs()
  return {
    now() {
      const elapsed = monotonicMs()
      const wall = wallMs()
      if (wall - (origin + elapsed) > toleratedLagMs) origin = wall - elapsed
      return Math.floor(origin + elapsed)
    },
    after(delayMs, ring) {
      const handle = setTimeout(ring, Math.min(delayMs, longestTimeoutMs))
      return () => clearTimeout(handle)
    },
  }
}
