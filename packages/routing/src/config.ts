import { InvalidValueError } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'

/** Every parameter of the walking. Times are whole milliseconds; `…Max` are bounds on what one node keeps. */
export interface RoutingConfig {
  /** Transmissions a routed message may make; then it fails with `hop limit`. At most 255. */
  readonly hopLimit: number

  /** Wait for the acknowledgement of a peer that was never measured. */
  readonly rtoInitialMs: Millis
  /** Shortest and longest wait for an acknowledgement, whatever was measured. */
  readonly rtoMinMs: Millis
  readonly rtoMaxMs: Millis
  /** Peers whose round trip is remembered. Full: the one measured first goes. */
  readonly roundTripsMax: number

  /** Transmissions that await an acknowledgement. Full: peers get a `nack`, own routes fail with `overloaded`. */
  readonly inFlightMax: number
  /** Passed messages whose reply may still come back through here. Full: the oldest goes; its reply will be lost. */
  readonly returnPathsMax: number
  /** Messages that wait for the overlay to learn who is root. Full: as `inFlightMax`. */
  readonly heldMax: number
  /** How long a message may stay at one node, held or rerouted, before it fails with `timed out`. */
  readonly stayMs: Millis
  /** A held message is tried again this often even if the overlay reports nothing; the peers that failed it get another chance. */
  readonly holdRetryMs: Millis

  /** Hops up to which nobody looks for loops. */
  readonly looplessHops: number
  /** Times one message may pass one node, after that many hops, before this counts as a loop. */
  readonly sightingsMax: number
  /** Messages whose passing is remembered, for the above; a power of two. Full: a newer one takes the place. */
  readonly sightingSlots: number
  /** Messages that ended here and are remembered, to recognise repeats. Full: the oldest goes; its repeat would be delivered again. */
  readonly endingsMax: number
  /** How long they are remembered; longer than a source keeps trying. */
  readonly endingsMs: Millis
  /** Longest reply or response kept for repeating it, in bytes. A longer one is not kept; its repeat goes to the application again. */
  readonly keptReplyBytesMax: number

  /** Own routed messages that await a reply. Full: the next fails with `overloaded`. */
  readonly callsMax: number
  /** How often one message is sent from the source within its deadline, each time by another first hop where there is one. */
  readonly attempts: number
  /** Shortest wait for a reply before the next attempt, whatever was measured. */
  readonly retryMinMs: Millis
  /** Messages and requests of others that the applications here have yet to answer. Full: the next is refused, `overloaded`. */
  readonly openRepliesMax: number
  /** Longest wait for a reply or response: more is not allowed here, and not believed when it comes from elsewhere. */
  readonly replyMsMax: Millis
  /** Own requests that await a response. Full: the next fails with `overloaded`. */
  readonly requestsMax: number
  /** Responses remembered for a repeated request. Full: the oldest goes. */
  readonly responsesMax: number
  /** How often a request that was received, but not answered yet, is sent again. */
  readonly requestRepeatMs: Millis
  /** Iterative lookups running at once. Full: the next fails with `overloaded`. */
  readonly lookupsMax: number

  /** Longest payload of a route, request or reply, in bytes; at most 2 MiB, what the codec reads. */
  readonly payloadBytesMax: number
  /** How long a leaving node waits for its applications to hand over, and then for its overlay to be free of it. */
  readonly leaveMs: Millis
}

export const routingDefaults: RoutingConfig = {
  /** Far above log16 N, and far below a loop that hurts. Our guess. */
  hopLimit: 32,
  /** RFC 6298 §2.1. Leaves room for opening a connection. */
  rtoInitialMs: 1_000,
  /** Our guess: longer than a busy event loop pauses. FreePastry takes 50. */
  rtoMinMs: 100,
  /** FreePastry's. */
  rtoMaxMs: 10_000,
  /** A Pastry node of a million-node network knows some 200. */
  roundTripsMax: 1_024,
  inFlightMax: 4_096,
  returnPathsMax: 8_192,
  heldMax: 512,
  /** Longer than an overlay takes to find a suspect dead: MSPastry's three probes of 3 s. */
  stayMs: 12_000,
  /** Our guess. */
  holdRetryMs: 500,
  /** Pastry with b = 4 takes fewer on four thousand million nodes. */
  looplessHops: 8,
  /** The attempts of a source and their reroutes may pass a node again for good reasons; a loop does so every few hops. Our guess. */
  sightingsMax: 4,
  /** 576 bytes, on nodes that ever see so long a way. Our guess. */
  sightingSlots: 64,
  endingsMax: 4_096,
  endingsMs: 60_000,
  keptReplyBytesMax: 4_096,
  callsMax: 4_096,
  /** With waits that double: 31 times the usual round trip. Our guess. */
  attempts: 5,
  /** Our guess: an attempt too many costs its hops, and nothing at the root. */
  retryMinMs: 250,
  openRepliesMax: 4_096,
  /** Our guess: longer than people wait. */
  replyMsMax: 300_000,
  requestsMax: 4_096,
  responsesMax: 4_096,
  /** Our guess: disks and signatures are done by then, and a response of 1 MiB is here at 2 Mbit/s. */
  requestRepeatMs: 4_000,
  lookupsMax: 64,
  /** A block of 1 MiB with its certificate and the application's own fields. */
  payloadBytesMax: 1_048_576 + 65_536,
  /** Our guess: whoever stops a process waits no longer. */
  leaveMs: 10_000,
}

/** Largest allowed value of each parameter; the smallest is 1. */
const largest: RoutingConfig = {
  hopLimit: 255,
  rtoInitialMs: 600_000,
  rtoMinMs: 600_000,
  rtoMaxMs: 600_000,
  roundTripsMax: 1_000_000,
  inFlightMax: 1_000_000,
  returnPathsMax: 1_000_000,
  heldMax: 1_000_000,
  stayMs: 600_000,
  holdRetryMs: 600_000,
  looplessHops: 255,
  sightingsMax: 254,
  sightingSlots: 65_536,
  endingsMax: 1_000_000,
  endingsMs: 3_600_000,
  keptReplyBytesMax: 2_097_152,
  callsMax: 1_000_000,
  attempts: 16,
  retryMinMs: 600_000,
  openRepliesMax: 1_000_000,
  replyMsMax: 3_600_000,
  requestsMax: 1_000_000,
  responsesMax: 1_000_000,
  requestRepeatMs: 600_000,
  lookupsMax: 1_000_000,
  payloadBytesMax: 2_097_152,
  leaveMs: 3_600_000,
}

/** The defaults with `changes`, checked. Throws `InvalidValueError` naming the field. */
export function routingConfig(changes?: Partial<RoutingConfig>): RoutingConfig {
  if (changes === undefined) return routingDefaults
  const config = { ...routingDefaults, ...changes }
  for (const field of Object.keys(largest) as Array<keyof RoutingConfig>) {
    const value = config[field]
    if (!Number.isInteger(value) || value < 1 || value > largest[field]) {
      throw new InvalidValueError(`routing.${field}`, value, `a whole number from 1 to ${largest[field]}`)
    }
  }
  if ((config.sightingSlots & (config.sightingSlots - 1)) !== 0) {
    throw new InvalidValueError('routing.sightingSlots', config.sightingSlots, 'a power of two')
  }
  if (config.rtoMinMs > config.rtoMaxMs) {
    throw new InvalidValueError('routing.rtoMinMs', config.rtoMinMs, `at most rtoMaxMs, ${config.rtoMaxMs}`)
  }
  return config
}
