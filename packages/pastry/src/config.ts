import { InvalidValueError, configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'

/** Every parameter of a Pastry node. Times are whole milliseconds; `…Max` are bounds on what one node keeps. */
export interface PastryConfig {
  /** Bits of a digit, the paper's b: 1 to 8. All nodes of a network must agree. */
  readonly digitBits: number
  /** Entries of the leaf set, the paper's |L|: even, 2 to 64. Half of them on either side. Bounds k of PAST: k <= |L|/2 + 1. */
  readonly leafSetSize: number
  /** Entries of the neighbourhood set, the paper's |M|: 0 to 64. */
  readonly neighborhoodSetSize: number

  /** How often a node tells its left neighbour that it lives, MSPastry's T_ls. */
  readonly heartbeatMs: Millis
  /** Wait for the answer of a peer whose round trip is unknown, MSPastry's T_o; with a known one, four round trips but never longer. */
  readonly probeTimeoutMs: Millis
  /** Shortest wait for an answer, however near the peer is. */
  readonly probeTimeoutMinMs: Millis
  /** Probes sent again before a peer counts as failed. */
  readonly probeRetries: number
  /** Probes that await an answer at one time. Full: a new one is left out; the next exchange brings its reason again. */
  readonly probesMax: number
  /** How long after finding a failure the leaf set is told, so that several failures go in one message. */
  readonly failureNoticeMs: Millis
  /** How long a failed node is remembered. */
  readonly failedMs: Millis
  /** How long nobody looks for a failed node because others speak of it; doubles with each look in vain. */
  readonly failedHoldMs: Millis
  /** Failed nodes remembered. Full: the one that failed first goes. */
  readonly failedMax: number

  /** Measured distances remembered. Full: the one measured first goes. */
  readonly proximityMax: number

  /** Pings for a distance that challenges the node in a slot; the median counts. */
  readonly distanceProbes: number
  /** Distances being measured at one time, and candidates that wait for it. Full: a new one is left out; the next exchange brings it again. */
  readonly measurementsMax: number
  readonly candidatesMax: number
  /** Rounds of a new member's second stage, entries it asks per row and round, and the time given to each round. */
  readonly localityRounds: number
  readonly localityPeers: number
  readonly localityPauseMs: Millis
  /** Unknown nodes that are measured after one exchange of rows. */
  readonly exchangeCandidates: number
  /** Slots of the routing table being repaired at one time. Full: the oldest is given up; the row exchange will fill it. */
  readonly slotRepairsMax: number

  /** Share of messages that may meet a dead entry of the routing table, MSPastry's L_r; the table is probed accordingly. */
  readonly lossTarget: number
  /** Shortest time between two such probes. */
  readonly tableProbeMs: Millis

  /** How often a node exchanges leaf sets with one random member, and tries one node it takes to be dead. */
  readonly leafExchangeMs: Millis
  /** How often a node asks a random entry of a random row for that row. */
  readonly rowExchangeMs: Millis
  /** How often a node looks for another ring through a past contact. */
  readonly historyMs: Millis
  /** Past contacts remembered. Full: a random one goes. */
  readonly historyMax: number

  /** Rounds of the search for a near bootstrap node, and the longest time for each; 0 rounds: none. */
  readonly seekRounds: number
  readonly seekRoundMs: Millis
  /** Wait for the root's answer to a join. */
  readonly joinReplyMs: Millis
  /** First pause before another attempt; doubles with each round through the bootstrap nodes, up to `joinRetryMaxMs`. */
  readonly joinRetryMs: Millis
  readonly joinRetryMaxMs: Millis
  /** Joining gives up after this time. */
  readonly joinMs: Millis
}

export const pastryDefaults: PastryConfig = {
  /** Rowstron and Druschel 2001, and every implementation since. */
  digitBits: 4,
  /** The same paper: 2^b or 2·2^b, 16 in most of its experiments. Room for PAST's k up to 9. FreePastry takes 24, MSPastry 32. */
  leafSetSize: 16,
  /** OverSim's. The nearest-bootstrap search and the row exchange do its work; see the README's deviations. */
  neighborhoodSetSize: 0,

  /** MSPastry. */
  heartbeatMs: 30_000,
  /** MSPastry. */
  probeTimeoutMs: 3_000,
  /** Our guess: longer than a busy event loop pauses. */
  probeTimeoutMinMs: 500,
  /** MSPastry. */
  probeRetries: 2,
  /** Four leaf sets. */
  probesMax: 64,
  /** Our guess: mass failures are found within a second of each other. */
  failureNoticeMs: 500,
  /** FreePastry. */
  failedMs: 900_000,
  /** Our guess: a dead node is noticed by all its neighbours within heartbeatMs and four probe timeouts, 42 s. */
  failedHoldMs: 60_000,
  /** Four leaf sets. */
  failedMax: 64,

  /** Our guess: the tables of a node in a network of a million hold some 200. */
  proximityMax: 512,

  /** MSPastry. */
  distanceProbes: 3,
  /** Our guess: a row. */
  measurementsMax: 16,
  candidatesMax: 512,
  localityRounds: 2,
  localityPeers: 3,
  localityPauseMs: 1_000,
  exchangeCandidates: 8,
  slotRepairsMax: 16,

  /** MSPastry. */
  lossTarget: 0.05,
  /** Our guess: bounds the cost to .07 messages a second. */
  tableProbeMs: 30_000,

  /** FreePastry takes 60 s, Bamboo (in OverSim) 4 s. Ours costs .07 messages a second. */
  leafExchangeMs: 30_000,
  /** MSPastry asks in every row every 20 min; a large network has four or five rows. */
  rowExchangeMs: 300_000,
  /** Our guess. FreePastry looks every 5 min with probability .05, which heals a network of few nodes too late. */
  historyMs: 120_000,
  /** FreePastry. */
  historyMax: 20,

  /** FreePastry looks at up to 10 rows. */
  seekRounds: 10,
  /** Our guess: twice the longest round trips on the Internet. */
  seekRoundMs: 1_000,
  /** A walk of five hops, one of them rerouted after FreePastry's initial timeout of 3 s. */
  joinReplyMs: 5_000,
  /** Our guess. */
  joinRetryMs: 500,
  joinRetryMaxMs: 15_000,
  joinMs: 120_000,
}

/** Smallest and largest allowed value of each parameter that is a whole number. */
const bounds: Bounds<Exclude<keyof PastryConfig, 'lossTarget'>> = {
  tableProbeMs: [100, 3_600_000],
  digitBits: [1, 8],
  leafSetSize: [2, 64],
  neighborhoodSetSize: [0, 64],
  heartbeatMs: [100, 3_600_000],
  probeTimeoutMs: [10, 600_000],
  probeTimeoutMinMs: [1, 600_000],
  probeRetries: [0, 10],
  probesMax: [16, 4_096],
  failureNoticeMs: [0, 600_000],
  failedMs: [1_000, 86_400_000],
  failedHoldMs: [0, 86_400_000],
  failedMax: [1, 65_536],
  proximityMax: [1, 1_000_000],
  distanceProbes: [1, 15],
  measurementsMax: [1, 1_024],
  candidatesMax: [1, 65_536],
  localityRounds: [0, 16],
  localityPeers: [1, 256],
  localityPauseMs: [1, 600_000],
  exchangeCandidates: [1, 1_024],
  slotRepairsMax: [1, 1_024],
  leafExchangeMs: [100, 3_600_000],
  rowExchangeMs: [100, 86_400_000],
  historyMs: [100, 86_400_000],
  historyMax: [0, 1_000],
  seekRounds: [0, 64],
  seekRoundMs: [1, 600_000],
  joinReplyMs: [10, 600_000],
  joinRetryMs: [1, 600_000],
  joinRetryMaxMs: [1, 3_600_000],
  joinMs: [100, 86_400_000],
}

/** The defaults with `changes`, checked. Throws `InvalidValueError` naming the field, also for one that is no parameter. */
export function pastryConfig(changes: Partial<PastryConfig> = {}): PastryConfig {
  const config = configOf('pastry', pastryDefaults, changes, bounds)
  if (!(config.lossTarget > 0 && config.lossTarget < 1)) {
    throw new InvalidValueError('pastry.lossTarget', config.lossTarget, 'a number between 0 and 1')
  }
  if (config.leafSetSize % 2 !== 0) throw new InvalidValueError('pastry.leafSetSize', config.leafSetSize, 'an even number')
  if (config.probeTimeoutMinMs > config.probeTimeoutMs) {
    throw new InvalidValueError('pastry.probeTimeoutMinMs', config.probeTimeoutMinMs, `at most probeTimeoutMs, ${config.probeTimeoutMs}`)
  }
  return config
}
