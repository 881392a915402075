import { InvalidValueError, configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'
import { maxClaims } from './claims.ts'

/** How one PAST node behaves. All nodes of a network should agree on the limits. Sizes in bytes, times in milliseconds. */
export interface PastConfig {
  readonly replicas: number
  readonly maxReplicas: number
  readonly nearReplicas: number
  readonly smallBytes: number
  readonly maxObjectBytes: number
  readonly maxOwners: number
  readonly capacityBytes: number
  readonly maxObjects: number
  readonly cacheMs: Millis
  readonly cacheBytes: number

  readonly commandMs: Millis
  readonly attemptMs: Millis
  readonly replicaMs: Millis
  readonly slowestBytesPerSecond: number
  readonly retryMs: Millis
  readonly maxAttempts: number
  readonly hedgeFloorMs: Millis
  readonly hedgeCeilingMs: Millis

  readonly maxCommands: number
  readonly maxWork: number
  readonly workShares: number

  readonly tombstoneMs: Millis
  readonly maxSkewMs: Millis
  readonly sweepMs: Millis
  readonly settleMs: Millis
  readonly quickSyncMs: Millis
  readonly syncMs: Millis
  readonly syncsInFlight: number
  readonly transfersInFlight: number
  readonly repairBytesPerSecond: number
}

/** What a node does unless it is told otherwise, and why. */
export const pastDefaults = {
  /** The paper's k. Rowstron & Druschel, SOSP 2001, §5 runs everything with 5. */
  replicas: 5,
  /** No certificate may ask for more. The paper's bound is |L|/2 + 1; this is it for |L| = 16, Pastry's usual leaf set. */
  maxReplicas: 9,
  /**
   * A read first goes to a near one of so many nodes closest to the guid, where the overlay can tell (Pastry); 0, which is our choice: to the root, past whoever is on the way. A replica that the
   * owner's removal has not reached yet answers, and one that is not the root is the last to hear of it.
   */
  nearReplicas: 0,
  /** Up to here data travels along the path, above directly between the two ends. A forwarded 16 KiB costs less than a new connection (20 ms). */
  smallBytes: 16 * 1024,
  /** Largest object. A block of IPFS is at most 1 MiB almost everywhere; larger things are DAGs of blocks. */
  maxObjectBytes: 1024 * 1024,
  /** Claims by different owners on one content object; each replica keeps them all, about 250 bytes each. Our guess: enough for files many people have. */
  maxOwners: 32,
  /** Bytes of data this node keeps; what would exceed it is refused. Our guess at what a home disk spares. */
  capacityBytes: 16 * 1024 ** 3,
  /** Objects and removals this node keeps. Each takes 1.4 KiB of memory (`bench/maintenance.bench.ts`), thus 140 MiB when full. */
  maxObjects: 100_000,
  /** How long copies on the way to an object's holders may last, half of it next to them: so long a removed object may still be read. 0, which is our choice: no such copies. */
  cacheMs: 0,
  /** Bytes of such copies, in memory. Our guess: a thousand of the largest that are cached. */
  cacheBytes: 16 * 1024 ** 2,

  /** A command that names no time of its own ends after this. FreePastry waits 30 s; a person does not. */
  commandMs: 10_000,
  /** One way to the root and back, including the root's wait for its replicas. Three fit into {@link commandMs}; the last gets what is left. */
  attemptMs: 3000,
  /** A replica that has not answered by then is replaced by the next. Our guess: ten wide-area round trips. */
  replicaMs: 1000,
  /** Data may take this much longer: a line that carries less is too slow to hold replicas. 2 Mbit/s, our guess at a poor home uplink. */
  slowestBytesPerSecond: 250_000,
  /** Pause before a failed attempt is repeated; repairs of the overlay take about as long. */
  retryMs: 200,
  /** Ways tried by one `get`, hedges included. With half of all nodes dead, four ways miss in 1 of 16 cases, and routing repairs each. */
  maxAttempts: 4,
  /** A second attempt of a `get` starts when the first is slower than 95 % of recent ones, but never before this … */
  hedgeFloorMs: 25,
  /** … and never later than this, which leaves two more attempts within a second. Also used before anything has been measured. */
  hedgeCeilingMs: 250,

  /** Commands of this node's own application at a time; more end at once as overloaded. */
  maxCommands: 1024,
  /** Pieces of work for others at a time (writes, reads, signature checks); more are refused. */
  maxWork: 4096,
  /**
   * One sender, the previous hop or the node that asks directly, may cause one such part of {@link maxWork} at a time: a fourth. Our guess:
   * it takes four to shut out others, and one gets 56 reads of absent objects, the dearest calls with 18 pieces each, answered at a time.
   */
  workShares: 4,

  /** How long removals are remembered, and so how long a node may be away without bringing removed data back. A month of holidays. */
  tombstoneMs: 30 * 24 * 3_600_000,
  /** A certificate or removal dated further ahead than this is refused: clocks set by hand are seldom off by more. */
  maxSkewMs: 5 * 60_000,
  /** Between two sweeps for expired objects and old tombstones. */
  sweepMs: 10 * 60_000,
  /** After a membership change, wait this long for the next before comparing replicas: joins and crashes come in groups. */
  settleMs: 500,
  /** Between comparisons while they still find differences. */
  quickSyncMs: 2000,
  /** Between comparisons once nothing differs. FreePastry: 10 min; a comparison that finds nothing costs one small message per neighbour here. */
  syncMs: 60_000,
  /** Neighbours compared with at a time. */
  syncsInFlight: 4,
  /** Objects being copied to this node at a time. */
  transfersInFlight: 8,
  /** Repair takes no more of the incoming bandwidth than this, averaged over seconds. A fifth of a gigabit line. */
  repairBytesPerSecond: 25_000_000,
} as const satisfies PastConfig

/** The defaults with `config` on top. Throws `InvalidValueError` for a value out of its range, and for one that is no parameter. */
export function pastConfig(config: Partial<PastConfig>): PastConfig {
  const whole = configOf<PastConfig, keyof PastConfig>('past', pastDefaults, config, bounds)
  if (whole.replicas > whole.maxReplicas)
    throw new InvalidValueError('past.replicas', whole.replicas, `1 to maxReplicas, ${whole.maxReplicas}`)
  if (whole.smallBytes > whole.maxObjectBytes)
    throw new InvalidValueError('past.smallBytes', whole.smallBytes, `0 to maxObjectBytes, ${whole.maxObjectBytes}`)
  if (whole.hedgeFloorMs > whole.hedgeCeilingMs)
    throw new InvalidValueError('past.hedgeFloorMs', whole.hedgeFloorMs, `1 to hedgeCeilingMs, ${whole.hedgeCeilingMs}`)
  return whole
}

const day = 24 * 3_600_000
const bounds: Bounds<keyof PastConfig> = {
  replicas: [1, 64],
  maxReplicas: [1, 64],
  nearReplicas: [0, 64],
  smallBytes: [0, 64 * 1024],
  maxObjectBytes: [1, 1024 * 1024],
  maxOwners: [1, maxClaims],
  capacityBytes: [0, Number.MAX_SAFE_INTEGER],
  maxObjects: [1, 10_000_000],
  cacheMs: [0, day],
  cacheBytes: [0, Number.MAX_SAFE_INTEGER],
  commandMs: [1, day],
  attemptMs: [1, day],
  replicaMs: [1, day],
  slowestBytesPerSecond: [1, Number.MAX_SAFE_INTEGER],
  retryMs: [1, day],
  maxAttempts: [1, 16],
  hedgeFloorMs: [1, day],
  hedgeCeilingMs: [1, day],
  maxCommands: [1, 1_000_000],
  maxWork: [1, 1_000_000],
  workShares: [1, 1_000_000],
  tombstoneMs: [1, 3650 * day],
  maxSkewMs: [0, day],
  sweepMs: [1, day],
  settleMs: [0, day],
  quickSyncMs: [1, day],
  syncMs: [1, day],
  syncsInFlight: [1, 64],
  transfersInFlight: [1, 1024],
  repairBytesPerSecond: [1, Number.MAX_SAFE_INTEGER],
}
