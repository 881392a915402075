import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { RoutingConfig } from './config.ts'

/**
 * How long to wait for each peer's acknowledgement: RFC 6298 in whole milliseconds, one estimator per peer.
 *
 * Every transmission has a number of its own, so an acknowledgement always tells which transmission it answers and every round trip
 * may be used (Karn's rule holds by construction).
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

  /** The wait for `peer`'s next acknowledgement, backed off when earlier ones did not come. */
  timeoutMs(peer: Guid): Millis {
    const known = this.peers?.get(peer)
    if (known === undefined) return this.config.rtoInitialMs
    return Math.min(this.unclampedMs(known) * 2 ** known.backoff, this.config.rtoMaxMs)
  }

  /** The smoothed round trip; undefined when none was measured. */
  smoothedMs(peer: Guid): Millis | undefined {
    const known = this.peers?.get(peer)
    return known === undefined || known.smoothed8 < 0 ? undefined : known.smoothed8 >> 3
  }

  /** `peer` answered after `rttMs`. */
  measured(peer: Guid, rttMs: Millis): void {
    const known = this.peers?.get(peer) ?? this.add(peer)
    known.backoff = 0
    if (known.smoothed8 < 0) {
      // RFC 6298 (2.2): SRTT = R, RTTVAR = R / 2.
      known.smoothed8 = rttMs << 3
      known.variation4 = rttMs << 1
      return
    }
    // RFC 6298 (2.3) with alpha = 1/8 and beta = 1/4, kept multiplied by 8 and by 4 as in Jacobson's code.
    const error = rttMs - (known.smoothed8 >> 3)
    known.smoothed8 += error
    known.variation4 += Math.abs(error) - (known.variation4 >> 2)
  }

  /** `peer` did not answer in time: waits double until it answers again (RFC 6298, 5.5). */
  timedOut(peer: Guid): void {
    const known = this.peers?.get(peer) ?? this.add(peer)
    if (known.backoff < maxBackoff) known.backoff++
  }

  /** `peer` is dead: a successor under the same id is measured anew. */
  forget(peer: Guid): void {
    this.peers?.delete(peer)
  }

  private unclampedMs(known: RoundTrip): Millis {
    if (known.smoothed8 < 0) return this.config.rtoInitialMs
    // RFC 6298 (2.3): RTO = SRTT + max(G, 4 RTTVAR) with a clock of G = 1 ms.
    return Math.max((known.smoothed8 >> 3) + Math.max(1, known.variation4), this.config.rtoMinMs)
  }

  private add(peer: Guid): RoundTrip {
    const peers = (this.peers ??= new Map())
    if (peers.size >= this.config.roundTripsMax) {
      for (const oldest of peers.keys()) {
        peers.delete(oldest)
        break
      }
    }
    const added = { smoothed8: -1, variation4: 0, backoff: 0 }
    peers.set(peer, added)
    return added
  }
}

interface RoundTrip {
  /** SRTT in eighths of a millisecond; -1 before the first measurement. */
  smoothed8: number
  /** RTTVAR in quarters of a millisecond, so that its value is 4 RTTVAR in milliseconds. */
  variation4: number
  /** Timeouts since the last measurement. */
  backoff: number
}

/** 2^16 times any round trip is above every `rtoMaxMs`. */
const maxBackoff = 16
