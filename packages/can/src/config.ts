import { InvalidValueError, configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'
import { realitiesMax } from './zone.ts'

/** Every parameter of a CAN node. Times are whole milliseconds; `…Max` are bounds on what one node keeps. */
export interface CanConfig {
  /** Dimensions of the coordinate space, the paper's d: 1 to 16. All nodes of a network must agree. */
  readonly dimensions: number
  /** Of the neighbours that bring a message closer, 1: the one with the most progress by round trip (the paper's RTT weighting); 0: the closest. */
  readonly rttWeighted: 0 | 1
  /** 1: the largest zone among those of a joiner's owner and its neighbours is split, instead of the owner's own. */
  readonly uniformPartitioning: 0 | 1
  /** Zone overloading, the paper's MAXPEERS: so many nodes at most share a zone as others see it, and divide its keys among themselves. At most `groupMin`. */
  readonly peersPerZone: number
  /** Coordinate spaces in which a node owns a zone, the paper's r: 1 to 4. All nodes of a network must agree. */
  readonly realities: number
  /** A node knows the owners of the smallest stretch of halvings around it that holds this many: so many ranks of a key are known for certain. Bounds k of PAST. */
  readonly groupMin: number
  /** Contacts kept. Full: another is left out. */
  readonly contactsMax: number

  /** How often a node tells that it lives: the contacts that watch it; and the others, who may have missed a report. */
  readonly heartbeatMs: Millis
  readonly digestMs: Millis
  /** Of its contacts those that share most halvings with it watch a node, so many; when they are gone, the next. */
  readonly watchers: number
  /** Silence after which a watched contact is probed, any other `digestMs` later; and how often that is looked at. */
  readonly silenceMs: Millis
  readonly watchMs: Millis
  /** Wait for the answer of a peer whose round trip is unknown; with a known one, so many round trips but never longer. */
  readonly probeTimeoutMs: Millis
  readonly probeRoundTrips: number
  /** Shortest wait for an answer, however near the peer is. */
  readonly probeTimeoutMinMs: Millis
  /** Probes sent again before a peer counts as failed. */
  readonly probeRetries: number
  /** Probes that await an answer at one time, and strangers whose answer to a report is awaited. Full: a new one is left out; of the strangers the first goes. */
  readonly probesMax: number
  /** How long a failed node is remembered. */
  readonly failedMs: Millis
  /** How long nobody looks for a failed node because others speak of it; doubles with each look in vain. */
  readonly failedHoldMs: Millis
  /** Failed nodes remembered. Full: the one that failed first goes. */
  readonly failedMax: number
  /** Measured distances remembered. Full: the one measured first goes. */
  readonly proximityMax: number

  /** After a change, time until this node looks at what follows from it; and until it tells of a change among its contacts. */
  readonly settleMs: Millis
  readonly announceMs: Millis

  /** Wait before a node takes over the zone of a dead neighbour, for each neighbour of that one that owns less than this node. */
  readonly takeoverMs: Millis
  /** How long somebody is looked for who may own a stretch of which nothing is known, before it is taken over; and how often. */
  readonly searchMs: Millis
  readonly searchRetryMs: Millis
  /** For so long at most the new owner waits for the word of those who may have taken over at the same time, before it answers for the zone. */
  readonly contestMs: Millis
  /** Zones of gone nodes remembered. Full: the first goes. */
  readonly ghostsMax: number

  /** How long a zone is kept for a node that only seemed dead, before it is merged or given away. */
  readonly caretakeMs: Millis
  /** How often a node with several zones tries to be rid of one. */
  readonly reassignMs: Millis

  /** How often a node looks for another part of the network through a past contact. */
  readonly historyMs: Millis
  /** Past contacts remembered. Full: a random one goes. */
  readonly historyMax: number

  /** For so long a zone is kept for the node it was granted to. */
  readonly grantMs: Millis
  /** Wait for a grant, and between two claims of what was granted. */
  readonly joinReplyMs: Millis
  readonly claimMs: Millis
  /** First pause before another attempt; doubles with each round through the bootstrap nodes, up to `joinRetryMaxMs`. */
  readonly joinRetryMs: Millis
  readonly joinRetryMaxMs: Millis
  /** Joining gives up after this time. */
  readonly joinMs: Millis
}

export const canDefaults: CanConfig = {
  /** Between the paper's plain CAN (2) and its best (10): 16 neighbours' worth of state at most, paths of N^(1/4) hops. */
  dimensions: 4,
  /** Ratnasamy et al. 2001, §3.3: 24 to 40 % less latency for a hop. */
  rttWeighted: 1,
  /** The paper leaves it open. Without it a newcomer's zone holds the point it chose, its own id. */
  uniformPartitioning: 0,
  /** As in the paper's plain CAN; it takes 2 to 4 elsewhere (§3.4). */
  peersPerZone: 1,
  /** As in the paper's plain CAN. Each further one costs the upkeep of another CAN, and shortens the ways of large networks in few dimensions (§3.2). */
  realities: 1,
  /** Ours: room for PAST's k up to 7 and one to spare. */
  groupMin: 8,
  /** Our guess: twice what a zone of a thousand times the least volume has for neighbours. */
  contactsMax: 256,

  /** Our guess. The paper gives no period; MSPastry takes 30 s for one neighbour. */
  heartbeatMs: 20_000,
  /** Our guess: who misses a death is asked to look by those who know of it, and lost reports are sent again. */
  digestMs: 120_000,
  /** Our guess: a death of which nobody is told, because all of these died with it, is noticed by the next. */
  watchers: 4,
  /** Our guess: one beat may be late. */
  silenceMs: 26_000,
  watchMs: 5_000,
  /** MSPastry. */
  probeTimeoutMs: 3_000,
  /** Our guess. All neighbours of a dead node have to find that out before one of them takes over, and half of them do when the other half has. */
  probeRoundTrips: 2,
  /** Our guess: longer than a busy event loop pauses. */
  probeTimeoutMinMs: 500,
  /** MSPastry. */
  probeRetries: 2,
  /** Our guess: all contacts of a usual node. */
  probesMax: 64,
  /** FreePastry. */
  failedMs: 900_000,
  /** Our guess: a dead node is noticed by all its contacts within silenceMs and four probe timeouts. */
  failedHoldMs: 60_000,
  failedMax: 64,
  /** Our guess: the contacts, and those of before. */
  proximityMax: 512,

  /** Our guess: what happens at once is looked at once. */
  settleMs: 100,
  announceMs: 2_000,

  /** Our guess: the first to claim is heard by the others before they do. */
  takeoverMs: 500,
  /** Our guess: three rings and their answers. */
  searchMs: 3_000,
  searchRetryMs: 1_000,
  /** Our guess: three of the longest round trips on the Internet. */
  contestMs: 1_500,
  ghostsMax: 256,

  /** Our guess: most cuts that heal by themselves have healed by then. */
  caretakeMs: 120_000,
  reassignMs: 15_000,

  /** Our guess. */
  historyMs: 60_000,
  /** FreePastry. */
  historyMax: 20,

  /** A joiner claims within two round trips; our guess for a slow one. */
  grantMs: 10_000,
  /** A walk of a few hops, one of them rerouted. */
  joinReplyMs: 5_000,
  claimMs: 1_000,
  /** Our guess. */
  joinRetryMs: 500,
  joinRetryMaxMs: 15_000,
  joinMs: 120_000,
}

/** Smallest and largest allowed value of each parameter; all are whole numbers. */
const bounds: Bounds<keyof CanConfig> = {
  dimensions: [1, 16],
  rttWeighted: [0, 1],
  uniformPartitioning: [0, 1],
  peersPerZone: [1, 8],
  realities: [1, realitiesMax],
  groupMin: [2, 32],
  contactsMax: [16, 4_096],
  heartbeatMs: [100, 3_600_000],
  digestMs: [100, 3_600_000],
  watchers: [1, 64],
  silenceMs: [100, 3_600_000],
  watchMs: [10, 3_600_000],
  probeTimeoutMs: [10, 600_000],
  probeRoundTrips: [1, 100],
  probeTimeoutMinMs: [1, 600_000],
  probeRetries: [0, 10],
  probesMax: [16, 4_096],
  failedMs: [1_000, 86_400_000],
  failedHoldMs: [0, 86_400_000],
  failedMax: [1, 65_536],
  proximityMax: [1, 1_000_000],
  settleMs: [0, 60_000],
  announceMs: [0, 600_000],
  takeoverMs: [1, 600_000],
  searchMs: [1, 3_600_000],
  searchRetryMs: [1, 3_600_000],
  contestMs: [0, 600_000],
  ghostsMax: [1, 65_536],
  caretakeMs: [0, 86_400_000],
  reassignMs: [100, 86_400_000],
  historyMs: [100, 86_400_000],
  historyMax: [0, 1_000],
  grantMs: [10, 3_600_000],
  joinReplyMs: [10, 600_000],
  claimMs: [10, 600_000],
  joinRetryMs: [1, 600_000],
  joinRetryMaxMs: [1, 3_600_000],
  joinMs: [100, 86_400_000],
}

/** The defaults with `changes`, checked. Throws `InvalidValueError` naming the field, also for one that is no parameter. */
export function canConfig(changes: Partial<CanConfig> = {}): CanConfig {
  const config = configOf('can', canDefaults, changes, bounds)
  if (config.probeTimeoutMinMs > config.probeTimeoutMs) {
    throw new InvalidValueError('can.probeTimeoutMinMs', config.probeTimeoutMinMs, `at most probeTimeoutMs, ${config.probeTimeoutMs}`)
  }
  if (config.peersPerZone > config.groupMin) {
    throw new InvalidValueError('can.peersPerZone', config.peersPerZone, `at most groupMin, ${config.groupMin}`)
  }
  return config
}
