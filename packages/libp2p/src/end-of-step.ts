import { nextTurn } from './writable.ts'
import type { PeerDownCause } from '@plaxton/kbr'
import type { PeerLink } from './peer-link.ts'

/**
 * How long a patient frame waits for others to the same peer. Acknowledgements are patient, and most answers follow theirs as soon as a signature has been checked or a
 * disk has written. A round trip looks longer by as much, and no acknowledgement is missed before 100 ms (`rtoMinMs`).
 */
const patienceMs = 2

/** What waits for the end of the running step, or of the turn of the event loop: writes, and word of peers that were lost. */
export class EndOfStep {
  /** Peers something was written to in this turn: what follows for them leaves at its end. */
  private readonly served = new Set<PeerLink>()
  /** Peers for whom something waits that is in no haste. While there are any, a timer runs. */
  private readonly waiting = new Set<PeerLink>()
  private readonly down = new Map<PeerLink, PeerDownCause>()
  private readonly report: (peer: PeerLink, cause: PeerDownCause) => void
  private turnAsked = false
  private patience: ReturnType<typeof setTimeout> | undefined

  constructor(report: (peer: PeerLink, cause: PeerDownCause) => void) {
    this.report = report
  }

  /**
   * What one step sends to a peer leaves together when the step is over. Further steps of the same turn share one more write at its end: a turn
   * with many inputs would otherwise write as often, and one that takes long would hold the first frame back. What is `patient` waits for one of these, but not longer than
   * {@link patienceMs}.
   */
  flush(peer: PeerLink, patient: boolean): void {
    if (this.served.has(peer)) return
    if (patient) return this.wait(peer)
    this.waiting.delete(peer)
    this.served.add(peer)
    queueMicrotask(() => peer.flush())
    if (this.turnAsked) return
    this.turnAsked = true
    nextTurn(() => this.endTurn())
  }

  private endTurn(): void {
    this.turnAsked = false
    for (const peer of this.served) peer.flush()
    this.served.clear()
  }

  private wait(peer: PeerLink): void {
    this.waiting.add(peer)
    this.patience ??= setTimeout(() => this.endPatience(), patienceMs)
  }

  private endPatience(): void {
    this.patience = undefined
    for (const peer of this.waiting) peer.flush()
    this.waiting.clear()
  }

  /** When the step, or the listener, is over that found it out; not later, because messages to the peer are to take another way. */
  reportDown(peer: PeerLink, cause: PeerDownCause): void {
    if (this.down.size === 0) {
      queueMicrotask(() => {
        const reports = [...this.down]
        this.down.clear()
        for (const [each, why] of reports) this.report(each, why)
      })
    }
    this.down.set(peer, cause)
  }
}
