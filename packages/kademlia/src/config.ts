import { InvalidValueError, configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'

/** Every parameter of a Kademlia node. Times are whole milliseconds; `…Max` are bounds on what one node keeps. */
export interface KademliaConfig {
  /** Contacts of a bucket, and nodes that wait for a place in it: the paper's k. 1 to 32. Searches end when so many of the closest have answered. */
  readonly bucketSize: number
  /** Questions of one search that may be under way: the paper's alpha. 1 to 16. */
  readonly alpha: number
  /** S/Kademlia's s: of the nodes responsible for a key, so many are known to its root. 2 to 64. Bounds k of PAST. */
  readonly siblingsSure: number
  /** Places of the sibling list, S/Kademlia's c·s: at least s, at most 128. Twice as many are taken where nodes are unevenly spread. */
  readonly siblings: number
  /** Of the contacts that share so many bits fewer with the key than the closest, or more, the nearest by round trip is the next hop. 0 to 8. */
  readonly proximityBits: number

  /** How often a node tells its two guardians that it lives. */
  readonly heartbeatMs: Millis
  /** How often the contact seen least recently is pinged. */
  readonly contactMs: Millis
  /** Wait for a peer whose round trip is unknown; with a known one, four round trips but never longer. */
  readonly probeTimeoutMs: Millis
  /** Shortest wait for an answer, however near the peer is. */
  readonly probeTimeoutMinMs: Millis
  /** Probes sent again before a peer counts as failed. */
  readonly probeRetries: number
  /**
   * Probes that await an answer at one time; so many inquiries, and so many strangers that were pinged because they spoke. Full: another stranger is left out; the next exchange, or it
   * itself, brings it again.
   */
  readonly probesMax: number
  /** How long at most the guardian of a node found dead waits before it tells the others. */
  readonly obituaryMs: Millis
  /** How long a failed node is remembered. */
  readonly failedMs: Millis
  /** How long nobody looks for a failed node because others speak of it; doubles with each look in vain. */
  readonly failedHoldMs: Millis
  /** Failed nodes remembered. Full: the one that failed first goes. */
  readonly failedMax: number
  /** Strangers of one message that are pinged for a free place in a bucket. */
  readonly hearsayMax: number

  /** How often a node compares its siblings with a random one of them; and how soon again when that brought something. */
  readonly exchangeMs: Millis
  readonly exchangeSoonMs: Millis
  /** After so long without a sign of anybody in it, a bucket's range is searched. */
  readonly refreshMs: Millis
  /** How long a distance range in which a search found nobody is taken to be empty. */
  readonly vacantMs: Millis
  /** How often a node looks for one it takes to be dead, and for other parts of the network. */
  readonly seekMs: Millis
  /** Past contacts remembered. Full: a random one goes. */
  readonly historyMax: number
  /** Measured distances remembered. Full: the one measured first goes. */
  readonly proximityMax: number

  /** Searches at one time. Full: the next waits. */
  readonly searchesMax: number
  /** Wait for an answer in a search; nobody is asked twice. */
  readonly queryMs: Millis
  /** Siblings asked for the next ones when there are too few. */
  readonly refillPeers: number

  /** First pause before another attempt; doubles with each round through the bootstrap nodes, up to `joinRetryMaxMs`. */
  readonly joinRetryMs: Millis
  readonly joinRetryMaxMs: Millis
  /** Joining gives up after this time. */
  readonly joinMs: Millis
}

export const kademliaDefaults: KademliaConfig = {
  /** Maymounkov and Mazières 2002: 20, so that not all are likely to fail within the hour. */
  bucketSize: 20,
  /** The same paper. libp2p's network takes 10 today. */
  alpha: 3,
  /** Baumgart and Mies 2007 (S/Kademlia): s = k = 20, c = 2.5. */
  siblingsSure: 20,
  siblings: 50,
  /** Our guess: a factor of four of the way that is left; a bucket of 20 gains a factor of 40 on average. The README has what others cost and bring. */
  proximityBits: 2,

  /** MSPastry's T_ls. */
  heartbeatMs: 30_000,
  /** Our guess: .07 messages a second; 200 contacts in 100 min, besides what traffic finds. The paper pings only when a bucket is full. */
  contactMs: 30_000,
  /** MSPastry's T_o. */
  probeTimeoutMs: 3_000,
  /** Our guess: longer than a busy event loop pauses. */
  probeTimeoutMinMs: 500,
  /** MSPastry. The paper gives up after five. */
  probeRetries: 2,
  /** Our guess: more than a mass failure makes one node find at a time. */
  probesMax: 256,
  /** As Tapestry here. */
  obituaryMs: 500,
  /** FreePastry. */
  failedMs: 900_000,
  /** Our guess: a dead node is noticed by its siblings within heartbeatMs and four probe timeouts, 42 s. */
  failedHoldMs: 60_000,
  /** Our guess: two sibling lists. */
  failedMax: 128,
  /** Our guess. */
  hearsayMax: 4,

  /** As Pastry's exchange of leaf sets here. */
  exchangeMs: 30_000,
  exchangeSoonMs: 2_000,
  /** The paper: an hour. */
  refreshMs: 3_600_000,
  /** Our guess: twice as long as a new node needs to be known. */
  vacantMs: 60_000,
  /** As Tapestry here. */
  seekMs: 60_000,
  /** FreePastry. */
  historyMax: 20,
  /** Our guess: the tables of a node in a network of a million hold some 350. */
  proximityMax: 1_024,

  /** Our guess. */
  searchesMax: 2,
  /** Our guess: twice the longest round trips on the Internet. */
  queryMs: 1_500,
  /** Our guess: one of them knows. */
  refillPeers: 3,

  /** As Pastry here. */
  joinRetryMs: 500,
  joinRetryMaxMs: 15_000,
  joinMs: 120_000,
}

/** Smallest and largest allowed value of each parameter; all are whole numbers. */
const bounds: Bounds<keyof KademliaConfig> = {
  bucketSize: [1, 32],
  alpha: [1, 16],
  siblingsSure: [2, 64],
  siblings: [2, 128],
  proximityBits: [0, 8],
  heartbeatMs: [100, 3_600_000],
  contactMs: [100, 3_600_000],
  probeTimeoutMs: [10, 600_000],
  probeTimeoutMinMs: [1, 600_000],
  probeRetries: [0, 10],
  probesMax: [16, 4_096],
  obituaryMs: [1, 600_000],
  failedMs: [1_000, 86_400_000],
  failedHoldMs: [0, 86_400_000],
  failedMax: [1, 65_536],
  hearsayMax: [0, 256],
  exchangeMs: [100, 3_600_000],
  exchangeSoonMs: [10, 3_600_000],
  refreshMs: [1_000, 86_400_000],
  vacantMs: [100, 86_400_000],
  seekMs: [100, 86_400_000],
  historyMax: [0, 1_000],
  proximityMax: [1, 1_000_000],
  searchesMax: [1, 64],
  queryMs: [10, 600_000],
  refillPeers: [1, 64],
  joinRetryMs: [1, 600_000],
  joinRetryMaxMs: [1, 3_600_000],
  joinMs: [100, 86_400_000],
}

/** The defaults with `changes`, checked. Throws `InvalidValueError` naming the field, also for one that is no parameter. */
export function kademliaConfig(changes: Partial<KademliaConfig> = {}): KademliaConfig {
  const config = configOf('kademlia', kademliaDefaults, changes, bounds)
  if (config.siblings < config.siblingsSure) {
    throw new InvalidValueError('kademlia.siblings', config.siblings, `at least siblingsSure, ${config.siblingsSure}`)
  }
  if (config.probeTimeoutMinMs > config.probeTimeoutMs) {
    throw new InvalidValueError('kademlia.probeTimeoutMinMs', config.probeTimeoutMinMs, `at most probeTimeoutMs, ${config.probeTimeoutMs}`)
  }
  return config
}
