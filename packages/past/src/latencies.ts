import type { Millis } from '@plaxton/kbr'

/** How long recent reads took: tells when one is slower than it should be. */
export class Latencies {
  /** The last {@link window} times, in a ring. */
  private readonly recent: Millis[] = []
  private next = 0
  private slow: Millis
  private readonly floorMs: Millis
  private readonly ceilingMs: Millis

  constructor(floorMs: Millis, ceilingMs: Millis) {
    this.floorMs = floorMs
    this.ceilingMs = ceilingMs
    this.slow = ceilingMs
  }

  add(elapsedMs: Millis): void {
    this.recent[this.next % window] = elapsedMs
    this.next++
    if (this.next % refreshEvery === 0 || this.next <= refreshEvery) this.slow = this.percentile95()
  }

  /** A read that has taken this long is slower than 19 of 20, or than the ceiling. */
  get hedgeMs(): Millis {
    return this.slow
  }

  private percentile95(): Millis {
    const sorted = [...this.recent].sort((a, b) => a - b)
    // Times are whole milliseconds, so one more keeps a read of exactly the usual time from being doubled.
    const p95 = (sorted[Math.floor(0.95 * sorted.length)] ?? this.ceilingMs) + 1
    return Math.min(this.ceilingMs, Math.max(this.floorMs, p95))
  }
}

/** Enough for a 95th percentile of three samples, few enough to follow the network within seconds. */
const window = 64
/** Sorting 64 numbers for every read would cost more than it tells. */
const refreshEvery = 16
