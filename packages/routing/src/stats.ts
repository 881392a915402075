/** What one node's walking has done since it was made. */
export interface Counters {
  /** Messages sent on to a next hop, own ones and copies included. */
  forwarded: number
  /** Messages handed to an application, or to the overlay, at their root. */
  delivered: number
  /** Messages that ended here without reaching their root. */
  failed: number
  /** Transmissions and requests that were not acknowledged in time. */
  timeouts: number
  /** Messages that took another next hop than the first. */
  rerouted: number
  /** Messages that had to wait for the overlay. */
  held: number
  /** Messages that came here again after they had ended here, and repeated requests. */
  repeats: number
  /** Times something was refused because a table was full. */
  overloaded: number
  /** Return paths and remembered endings given up before their time because the table was full. */
  forgotten: number
  /** Answers that came when nobody waited any more, and answers to handles that had expired. */
  late: number
  /** Requests sent again. */
  repeatedRequests: number
  /** Messages of strangers dropped; each was also an event with its reason. */
  dropped: number
}

export function newCounters(): Counters {
  return {
    forwarded: 0,
    delivered: 0,
    failed: 0,
    timeouts: 0,
    rerouted: 0,
    held: 0,
    repeats: 0,
    overloaded: 0,
    forgotten: 0,
    late: 0,
    repeatedRequests: 0,
    dropped: 0,
  }
}

/** {@link Counters} and how much is kept just now. */
export interface RoutingStats extends Readonly<Counters> {
  /** Transmissions that await an acknowledgement. */
  readonly inFlight: number
  /** Passed messages whose reply may still come back. */
  readonly returnPaths: number
  /** Messages that wait for the overlay. */
  readonly holding: number
  /** Messages that ended here and are remembered. */
  readonly endings: number
  /** Own messages that await a reply. */
  readonly calls: number
  /** Messages and requests the applications here have yet to answer. */
  readonly openReplies: number
  /** Own requests that await a response. */
  readonly requests: number
  /** Iterative lookups of this node. */
  readonly lookups: number
  /** Responses kept for repeats. */
  readonly responses: number
  /** Peers whose round trip is remembered. */
  readonly roundTrips: number
}
