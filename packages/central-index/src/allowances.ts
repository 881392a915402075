import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { ServerConfig } from './config.ts'

/**
 * What each asker may still ask of a server: `allowanceMax` at first, and so much again, `allowancePerSecond`, as time passes. Whoever asks faster is refused, so
 * that one client cannot have all of a server's time.
 */
export class Allowances {
  private readonly config: ServerConfig
  /** Those who have not got all of it. Bound: `clientsMax`; full: whoever asked first goes, and may ask as if for the first time. */
  private readonly left = new Map<Guid, Allowance>()

  constructor(config: ServerConfig) {
    this.config = config
  }

  get size(): number {
    return this.left.size
  }

  /** Takes `weight` from what the asker has left; false, and nothing is taken, when that is less. */
  take(asker: Guid, weight: number, now: Millis): boolean {
    const left = this.leftOf(asker, now)
    const isEnough = left >= Math.min(weight, this.config.allowanceMax)
    if (!this.left.has(asker) && this.left.size >= this.config.clientsMax) this.left.delete(this.left.keys().next().value!)
    this.left.set(asker, { amount: isEnough ? Math.max(0, left - weight) : left, at: now })
    return isEnough
  }

  /** Forgets those who have all of it again. */
  sweep(now: Millis): void {
    for (const asker of this.left.keys()) if (this.leftOf(asker, now) >= this.config.allowanceMax) this.left.delete(asker)
  }

  private leftOf(asker: Guid, now: Millis): number {
    const { allowanceMax, allowancePerSecond } = this.config
    const known = this.left.get(asker)
    if (known === undefined) return allowanceMax
    return Math.min(allowanceMax, known.amount + ((now - known.at) / 1000) * allowancePerSecond)
  }
}

interface Allowance {
  readonly amount: number
  readonly at: Millis
}
