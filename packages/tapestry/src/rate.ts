import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'

/**
 * How often each peer may have this node do what costs many others: `burst` times at once, then once every `everyMs` (a token bucket). What exceeds
 * that is not done; an honest peer asks again.
 */
export class Rate {
  /** Bound: `peersMax`. Full: who was noted first is forgotten, and may begin anew. Undefined until the first. */
  private spent: Map<Guid, { used: number; at: Millis }> | undefined = undefined
  private readonly burst: number
  private readonly everyMs: Millis

  constructor(burst: number, everyMs: Millis) {
    this.burst = burst
    this.everyMs = everyMs
  }

  /** Whether `peer` may once more; if so, it counts. */
  take(peer: Guid, now: Millis): boolean {
    const spent = (this.spent ??= new Map())
    const account = spent.get(peer) ?? { used: 0, at: now }
    account.used = Math.max(0, account.used - (now - account.at) / this.everyMs)
    account.at = now
    if (account.used > this.burst - 1) return false
    account.used++
    spent.set(peer, account)
    if (spent.size > peersMax) {
      for (const first of spent.keys()) {
        spent.delete(first)
        break
      }
    }
    return true
  }
}

/** As many as have this node in a table, about. */
const peersMax = 1_024
