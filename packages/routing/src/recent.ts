import type { Millis } from '@plaxton/kbr'

/**
 * What happened within the last `keepMs`, by key, oldest first. Bound: `max`; full: the oldest goes.
 *
 * It is swept far more often than something is old enough, and a `Map` whose first entries were deleted is slow to begin at; hence the time of the oldest is
 * kept beside it.
 */
export class Recent<Key, Value extends { readonly at: Millis }> {
  private readonly max: number
  private readonly keepMs: Millis
  private readonly entries = new Map<Key, Value>()
  /** No entry is older. */
  private oldestAt: Millis = Infinity

  constructor(max: number, keepMs: Millis) {
    this.max = max
    this.keepMs = keepMs
  }

  get size(): number {
    return this.entries.size
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key)
  }

  /** Keeps `value`, which happened now, in the place of what there was under its key. True when another had to go before its time. */
  add(key: Key, value: Value): boolean {
    this.entries.delete(key)
    const early = this.entries.size >= this.max && this.dropOldest(value.at)
    this.entries.set(key, value)
    this.oldestAt = Math.min(this.oldestAt, value.at)
    return early
  }

  delete(key: Key): void {
    this.entries.delete(key)
  }

  /** Forgets what is old enough. Returns when to come again: after a whole period, so that a busy node is not woken for each. */
  sweep(now: Millis): Millis {
    if (this.oldestAt + this.keepMs <= now) this.forget(now)
    return this.entries.size === 0 ? Infinity : now + this.keepMs
  }

  private forget(now: Millis): void {
    this.oldestAt = Infinity
    for (const [key, { at }] of this.entries) {
      if (at + this.keepMs > now) {
        this.oldestAt = at
        return
      }
      this.entries.delete(key)
    }
  }

  private dropOldest(now: Millis): boolean {
    for (const [key, { at }] of this.entries) {
      this.entries.delete(key)
      return at + this.keepMs > now
    }
    return false
  }
}
