import type { Clock } from '../src/clock.ts'

/** A clock that stands still until it is told to move, and then rings in order. */
export class ManualClock implements Clock {
  private time: number
  private alarms: Array<{ at: number; ring: () => void }> = []

  constructor(time = 0) {
    this.time = time
  }

  now(): number {
    return this.time
  }

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { at: this.time + delayMs, ring }
    this.alarms.push(alarm)
    return () => {
      this.alarms = this.alarms.filter((other) => other !== alarm)
    }
  }

  /** Alarms that are set. */
  get waiting(): number {
    return this.alarms.length
  }

  /** Moves on by `ms`, stopping at each alarm on the way. */
  advance(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const [next] = this.alarms.toSorted((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.alarms = this.alarms.filter((alarm) => alarm !== next)
      this.time = Math.max(this.time, next.at)
      next.ring()
    }
    this.time = end
  }
}
