import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { RoutingConfig } from './config.ts'

/** How long to wait for an answer, from how long answers took: RFC 6298 in whole milliseconds. */
export class RoundTrip {
  /** SRTT in eighths of a millisecond; -1 before the first measurement. */
  private smoothed8 = -1
  /** RTTVAR in quarters of a millisecond, so that its value is 4 RTTVAR in milliseconds. */
  private variation4 = 0
  /** Doublings since the last measurement. */
  private backoff = 0
  /** When the wait was doubled last. */
  private backedOffAt: Millis = -1

  /** SRTT; undefined before the first measurement. */
  get smoothedMs(): Millis | undefined {
    return this.smoothed8 < 0 ? undefined : this.smoothed8 >> 3
  }

  measured(rttMs: Millis): void {
    this.backoff = 0
    if (this.smoothed8 < 0) {
      // (2.2): SRTT = R, RTTVAR = R / 2.
      this.smoothed8 = rttMs << 3
      this.variation4 = rttMs << 1
      return
    }
    // (2.3) with alpha = 1/8 and beta = 1/4, multiplied by 8 and by 4 as in Jacobson's code.
    const error = rttMs - (this.smoothed8 >> 3)
    this.smoothed8 += error
    this.variation4 += Math.abs(error) - (this.variation4 >> 2)
  }

  /** An answer came that measures nothing, but ends the doubling. */
  answered(): void {
    this.backoff = 0
  }

  /**
   * What was sent at `sentAt` is not answered: the wait doubles until the next measurement (5.5). Of many that were sent before the last
   * doubling, none tells anything new.
   */
  timedOut(sentAt: Millis, now: Millis): void {
    if (sentAt < this.backedOffAt || this.backoff >= maxBackoff) return
    this.backoff++
    this.backedOffAt = now
  }

  /** RTO: `initialMs` before the first measurement, otherwise SRTT + 4 RTTVAR but at least `minMs`; doubled by timeouts up to `maxMs`. */
  timeoutMs(initialMs: Millis, minMs: Millis, maxMs: Millis): Millis {
    // (2.3): RTO = SRTT + max(G, 4 RTTVAR) with a clock of G = 1 ms.
    const measuredMs = (this.smoothed8 >> 3) + Math.max(1, this.variation4)
    return Math.min((this.smoothed8 < 0 ? initialMs : Math.max(measuredMs, minMs)) * 2 ** this.backoff, maxMs)
  }
}

/** 2^16 times any round trip is above every `maxMs`. */
const maxBackoff = 16

/**
 * One estimator per peer. Every transmission has a number of its own, so an acknowledgement always tells which transmission it answers
 * and every round trip may be used: Karn's rule holds by construction.
 */
export class RoundTrips {
  private readonly config: RoutingConfig
  /** Bound: `roundTripsMax`; full: the peer measured first goes. Undefined until there is a peer. */
  private peers: Map<Guid, RoundTrip> | undefined = undefined

  constructor(config: RoutingConfig) {
    this.config = config
  }

  get size(): number {
    return this.peers === undefined ? 0 : this.peers.size
  }

  /** The wait for `peer`'s next acknowledgement. */
  timeoutMs(peer: Guid): Millis {
    const { rtoInitialMs, rtoMinMs, rtoMaxMs } = this.config
    const known = this.peers?.get(peer)
    return known === undefined ? rtoInitialMs : known.timeoutMs(rtoInitialMs, rtoMinMs, rtoMaxMs)
  }

  /** The smoothed round trip; undefined when none was measured. */
  smoothedMs(peer: Guid): Millis | undefined {
    return this.peers?.get(peer)?.smoothedMs
  }

  measured(peer: Guid, rttMs: Millis): void {
    this.of(peer).measured(rttMs)
  }

  answered(peer: Guid): void {
    this.peers?.get(peer)?.answered()
  }

  timedOut(peer: Guid, sentAt: Millis, now: Millis): void {
    this.of(peer).timedOut(sentAt, now)
  }

  /** `peer` is dead: a successor under the same id is measured anew. */
  forget(peer: Guid): void {
    this.peers?.delete(peer)
  }

  private of(peer: Guid): RoundTrip {
    const peers = (this.peers ??= new Map())
    const known = peers.get(peer)
    if (known !== undefined) return known
    if (peers.size >= this.config.roundTripsMax) {
      for (const oldest of peers.keys()) {
        peers.delete(oldest)
        break
      }
    }
    const added = new RoundTrip()
    peers.set(peer, added)
    return added
  }
}
