import { InvalidValueError, configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'

/** Every parameter of a Tapestry node. Times are whole milliseconds; `…Max` are bounds on what one node keeps. */
export interface TapestryConfig {
  /** Bits of a digit; the paper's base is 2^digitBits. 1 to 5. All nodes of a network must agree. */
  readonly digitBits: number
  /** Pointers per slot of the neighbour map, the paper's c: the primary and its backups. 1 to 8. */
  readonly redundancy: number
  /** Least members of the sibling group: the smallest group of nodes with a common prefix that has as many. 2 to 64. All nodes must agree. */
  readonly siblingsMin: number
  /** Length of the list in the search for nearest neighbours, the paper's k; on level 0 longer where the base is above 4, see `nearestOn`. */
  readonly nearest: number

  /** How often a node tells its two guardians, the siblings beside it, that it lives. */
  readonly heartbeatMs: Millis
  /** How often one entry of the neighbour map that has been silent is pinged, the paper's beacons. */
  readonly beaconMs: Millis
  /** Wait for the answer of a peer whose round trip is unknown; with a known one, four round trips but never longer. */
  readonly probeTimeoutMs: Millis
  /** Shortest wait for an answer, however near the peer is. */
  readonly probeTimeoutMinMs: Millis
  /** Pings sent again before a peer counts as failed. */
  readonly probeRetries: number
  /** Peers being probed at one time. Full: a stranger is left out; the next exchange brings it again. */
  readonly probesMax: number
  /** How long after finding a failure the first guardian tells the group; the others wait up to eight times as long, and keep still when told. */
  readonly obituaryMs: Millis
  /** How long a failed node is remembered. */
  readonly failedMs: Millis
  /** How long nobody looks for a failed node because others speak of it; doubles with each look in vain. */
  readonly failedHoldMs: Millis
  /** Failed nodes remembered. Full: the one that failed first goes. */
  readonly failedMax: number

  /** How often a node compares what it knows with a random sibling. */
  readonly exchangeMs: Millis
  /** The same after an exchange that brought something new. */
  readonly exchangeSoonMs: Millis
  /** How often a random level is compared with a random node of it, for nearer neighbours. */
  readonly optimizeMs: Millis
  /** Unknown nodes that are measured after such a comparison. */
  readonly optimizeCandidates: number
  /** How often a node looks for another part of the network: through a past contact, or a node it takes to be dead. */
  readonly seekMs: Millis
  /** Past contacts remembered. Full: a random one goes. */
  readonly historyMax: number

  /** Measured distances remembered. Full: the one measured first goes. */
  readonly proximityMax: number
  /** Pings for a distance that challenges the nodes in a slot; the median counts. */
  readonly distanceProbes: number
  /** Distances being measured at one time, and candidates that wait for it. Full: a new one is left out; the next exchange brings it again. */
  readonly measurementsMax: number
  readonly candidatesMax: number
  /** Backpointers kept. Full: a new one is not noted, and its owner learns of this node's leaving by beacons. */
  readonly backpointersMax: number

  /** Multicasts passing at one time. Full: a new one is not taken on, and whoever sent it tries another node. */
  readonly multicastsMax: number
  /** How often those who have not acknowledged a multicast are asked again; and how often at most before another takes their place. */
  readonly multicastMs: Millis
  readonly multicastRetries: number
  /** New multicasts taken on from one peer at once, and how often one more. Full: not taken on, as above. */
  readonly multicastBurst: number
  readonly multicastEveryMs: Millis
  /** How long an inserted node stays on the watch list, and how many do. Full: the first goes. */
  readonly watchMs: Millis
  readonly watchMax: number
  /** Slots being repaired at one time. Full: the oldest goes back in the queue of the exchanges. */
  readonly repairsMax: number
  /** Nodes asked about a slot that has lost its last pointer, before all that share its prefix are. */
  readonly repairPeers: number

  /** Wait for the surrogate's answer, and for the end of an insertion. */
  readonly joinReplyMs: Millis
  readonly insertMs: Millis
  /** Longest time spent on one level of the new neighbour map. */
  readonly levelMs: Millis
  /** First pause before another attempt; doubles with each round through the bootstrap nodes, up to `joinRetryMaxMs`. */
  readonly joinRetryMs: Millis
  readonly joinRetryMaxMs: Millis
  /** Joining gives up after this time. */
  readonly joinMs: Millis
  /** How long a node that leaves waits at most until all who have it in a table have confirmed that they no longer do. */
  readonly leaveMs: Millis
}

export const tapestryDefaults: TapestryConfig = {
  /** JSAC 2004: hexadecimal digits. */
  digitBits: 4,
  /** JSAC 2004, §III: a primary and two backups. */
  redundancy: 3,
  /** Ours: room for nine replicas and one failure. Pastry's leaf set of 16 allows as many. */
  siblingsMin: 10,
  /** Hildrum et al. 2002: O(log N), a tuning knob. The README has what others cost and bring. */
  nearest: 16,

  /** MSPastry's T_ls. */
  heartbeatMs: 30_000,
  /** Our guess: .07 messages a second; a map of 100 entries in 50 min, besides what traffic finds. */
  beaconMs: 30_000,
  /** MSPastry's T_o. */
  probeTimeoutMs: 3_000,
  /** Our guess: longer than a busy event loop pauses. */
  probeTimeoutMinMs: 500,
  /** MSPastry. */
  probeRetries: 2,
  /** Our guess: more than a mass failure makes one node find at a time. */
  probesMax: 256,
  /** Our guess: a multicast to a group takes a few round trips. */
  obituaryMs: 500,
  /** FreePastry. */
  failedMs: 900_000,
  /** Our guess: a dead node is noticed by its siblings within heartbeatMs and four probe timeouts, 42 s. */
  failedHoldMs: 60_000,
  /** Our guess: a sibling group. */
  failedMax: 128,

  /** As Pastry's exchange of leaf sets here. */
  exchangeMs: 30_000,
  /** Our guess: a group of 100 is even after a dozen exchanges. */
  exchangeSoonMs: 2_000,
  /** MSPastry asks in every row every 20 min; a large network has four or five levels. */
  optimizeMs: 300_000,
  /** Our guess. */
  optimizeCandidates: 8,
  /** As Pastry's search for rings here. */
  seekMs: 60_000,
  /** FreePastry. */
  historyMax: 20,

  /** Our guess: maps of a node in a network of a million hold some 300, and a sibling group 160. */
  proximityMax: 1_024,
  /** MSPastry. */
  distanceProbes: 3,
  /** The list of a level, in base 16. */
  measurementsMax: 64,
  candidatesMax: 512,
  backpointersMax: 1_024,

  /** Our guess: as many nodes insert themselves at once in the part of the network that a node sees. */
  multicastsMax: 64,
  multicastMs: 1_500,
  multicastRetries: 2,
  /** Our guess: as many as may be open; and more joiners a second than a node of a growing network hears of from one neighbour. */
  multicastBurst: 64,
  multicastEveryMs: 500,
  /** Our guess: longer than any multicast takes. */
  watchMs: 20_000,
  watchMax: 64,
  repairsMax: 32,
  /** p2psim's Tapestry asks 1 to 10. */
  repairPeers: 4,

  /** A walk of five hops, one of them rerouted after FreePastry's initial timeout of 3 s. */
  joinReplyMs: 5_000,
  /** Our guess: a multicast of six levels in which one node of each is dead. */
  insertMs: 20_000,
  /** Our guess: two round trips among the slowest on the Internet. */
  levelMs: 2_000,
  /** Our guess. */
  joinRetryMs: 500,
  joinRetryMaxMs: 15_000,
  joinMs: 120_000,
  /** Our guess: time to say it three times; half of what the walking allows for leaving as a whole. */
  leaveMs: 5_000,
}

/** Smallest and largest allowed value of each parameter; all are whole numbers. */
const bounds: Bounds<keyof TapestryConfig> = {
  digitBits: [1, 5],
  redundancy: [1, 8],
  siblingsMin: [2, 64],
  nearest: [1, 64],
  heartbeatMs: [100, 3_600_000],
  beaconMs: [100, 3_600_000],
  probeTimeoutMs: [10, 600_000],
  probeTimeoutMinMs: [1, 600_000],
  probeRetries: [0, 10],
  probesMax: [16, 4_096],
  obituaryMs: [1, 600_000],
  failedMs: [1_000, 86_400_000],
  failedHoldMs: [0, 86_400_000],
  failedMax: [1, 65_536],
  exchangeMs: [100, 3_600_000],
  exchangeSoonMs: [10, 3_600_000],
  optimizeMs: [100, 86_400_000],
  optimizeCandidates: [1, 1_024],
  seekMs: [100, 86_400_000],
  historyMax: [0, 1_000],
  proximityMax: [1, 1_000_000],
  distanceProbes: [1, 15],
  measurementsMax: [1, 1_024],
  candidatesMax: [1, 65_536],
  backpointersMax: [1, 65_536],
  multicastsMax: [4, 4_096],
  multicastMs: [10, 600_000],
  multicastRetries: [0, 10],
  multicastBurst: [1, 4_096],
  multicastEveryMs: [1, 3_600_000],
  watchMs: [100, 3_600_000],
  watchMax: [1, 1_024],
  repairsMax: [1, 1_024],
  repairPeers: [1, 64],
  joinReplyMs: [10, 600_000],
  insertMs: [10, 3_600_000],
  levelMs: [10, 600_000],
  joinRetryMs: [1, 600_000],
  joinRetryMaxMs: [1, 3_600_000],
  joinMs: [100, 86_400_000],
  leaveMs: [10, 3_600_000],
}

/** The defaults with `changes`, checked. Throws `InvalidValueError` naming the field, also for one that is no parameter. */
export function tapestryConfig(changes: Partial<TapestryConfig> = {}): TapestryConfig {
  const config = configOf('tapestry', tapestryDefaults, changes, bounds)
  if (config.probeTimeoutMinMs > config.probeTimeoutMs) {
    throw new InvalidValueError('tapestry.probeTimeoutMinMs', config.probeTimeoutMinMs, `at most probeTimeoutMs, ${config.probeTimeoutMs}`)
  }
  return config
}
