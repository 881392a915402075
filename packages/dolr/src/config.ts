import { InvalidValueError } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import { maxHosts } from './messages.ts'
import { maxRoots } from './records.ts'

/**
 * Who chooses among the hosts of an object. `'sender'`: the node that sends; it is told of all that are known and takes those nearest to itself, one round trip later.
 * `'holder'`: the first node on the way with a pointer, as in the paper; it sends the message on to the one nearest to itself, and the host does not learn who asks.
 */
export type Choose = 'sender' | 'holder'

/** How one DOLR node behaves. Nodes of one network should agree on `roots`; all else is each node's own. Times in milliseconds. */
export interface DolrConfig {
  readonly roots: number
  readonly republishMs: Millis
  readonly ttlMs: Millis
  readonly maxTtlMs: Millis
  readonly maxSkewMs: Millis

  readonly nearBackups: number
  readonly nearNeighbors: number
  readonly nearHops: number

  readonly choose: Choose
  readonly holderBytesMax: number
  readonly commandMs: Millis
  readonly attemptMs: Millis
  readonly hedgeMs: Millis
  readonly retryMs: Millis
  readonly searchRounds: number
  readonly maxReplies: number
  readonly pingsMax: number
  readonly pingMs: Millis
  readonly patienceMs: Millis

  readonly handlerMs: Millis
  readonly deliveriesMax: number
  readonly answersMax: number
  readonly keptAnswerBytesMax: number
  readonly answersMs: Millis

  readonly maxCommands: number
  readonly publicationsMax: number
  readonly pointersMax: number
  readonly pointersPerGuid: number
  readonly verificationsMax: number
  readonly workShares: number
  readonly checksMax: number
  readonly recheckMs: Millis

  readonly settleMs: Millis
  readonly movesPerTick: number
  readonly tickMs: Millis
  readonly sweepMs: Millis
}

/** What a node does unless it is told otherwise, and why. */
export const dolrDefaults = {
  /** Two independent ways to every object: one dead or lying root hides nothing. Each more costs another way's pointers. Our guess. */
  roots: 2,
  /** Changed paths are repaired at once, so this only has to heal what crashes took: within a minute, as in figure 20 of JSAC 2004. */
  republishMs: 60_000,
  /** Three republications may get lost. */
  ttlMs: 200_000,
  /** No pointer is kept longer than a day on one signature, whatever a host wishes. Our guess. */
  maxTtlMs: 86_400_000,
  /** A record dated further ahead than this is refused: clocks set by hand are seldom off by more. As in PAST. */
  maxSkewMs: 5 * 60_000,

  /**
   * Further pointers on so many backups of the next hop, and on so many nodes nearest to this one (on hop i of those that share i digits with it), for the first
   * hops of the way: the paper's k, l and m (JSAC 2004, §V-C). None by default: they speed up finding what is near anyway and cost k + l pointers a hop.
   */
  nearBackups: 0,
  nearNeighbors: 0,
  nearHops: 0,

  /**
   * A pointer is seldom near its reader: with four hosts at random among 4,000 nodes the holder's choice is the sender's nearest in 53 of 100 cases, its own
   * in 94 (docs/decisions/0007). For messages to one host; those to several are always sent by the sender.
   */
  choose: 'sender',
  /** Longer messages are sent by the sender too, for data travel directly. As PAST's `smallBytes`. */
  holderBytesMax: 16 * 1024,
  /** A command that names no time of its own ends after this. A person does not wait longer. */
  commandMs: 10_000,
  /** One way to a root and back. Three fit into {@link commandMs}. */
  attemptMs: 3_000,
  /** A search that has had no answer for so long also goes towards the next root: a wide-area way is done by then, a silent node not yet noticed. Our guess. */
  hedgeMs: 500,
  /** First pause before everything is tried again; doubled each time. */
  retryMs: 250,
  /** So often every root must say that it knows no host before that is believed; pauses of 250 and 500 ms let changed paths heal. Our guess. */
  searchRounds: 3,
  /** Most hosts one message may be sent to. */
  maxReplies: maxHosts,
  /** Hosts of unknown distance that a sender pings when it has more to choose from than it needs. Each may cost a connection. Our guess. */
  pingsMax: 4,
  /** Longest wait for such a ping. */
  pingMs: 1_000,
  /** A host that has not answered a message for so long is asked whether it is still at it. Our guess: most handlers are done by then. */
  patienceMs: 1_000,

  /** A handler that has not answered by then has refused. Longer than a sender waits by default. */
  handlerMs: 60_000,
  /** Messages that the handlers here have yet to answer; more are not taken, and senders ask another host. Our guess. */
  deliveriesMax: 1_024,
  /** Answered messages remembered, so that one that comes again is not handled again. Full: the oldest goes. */
  answersMax: 4_096,
  /** Longest answer kept for that; of longer ones only the fact is. As in routing. */
  keptAnswerBytesMax: 4_096,
  /** How long they are remembered: longer than any sender tries by default. */
  answersMs: 60_000,

  /** Commands of this node's own application at a time; more end at once as overloaded. */
  maxCommands: 1_024,
  /** Objects this node may publish. Each costs a signature and two routed messages a minute. */
  publicationsMax: 100_000,
  /** Pointers this node keeps for others; 2.2 KB each (`bench/pointers.bench.ts`), 220 MB in all. Full: the host with the most loses its oldest. */
  pointersMax: 100_000,
  /** Hosts kept for one object. Full: the farthest goes. */
  pointersPerGuid: 64,
  /** Signatures being checked at a time; further records are let pass and not kept. 100 µs each: 0.1 s of work. */
  verificationsMax: 1_024,
  /** One sender, the previous hop or the node that asks directly, may have one such part of these, and of {@link deliveriesMax}: a quarter. As PAST's. */
  workShares: 4,
  /** Hosts being asked at a time whether they live, because a search passed that had found them dead. */
  checksMax: 16,
  /** Such a host is asked once in this time. */
  recheckMs: 10_000,

  /** After a change of routes, wait this long for the next before looking at the pointers: joins and crashes come in groups. As PAST's. */
  settleMs: 500,
  /** Pointers whose way has changed that are sent on in one tick; 1,000 a second. Our guess: 300 KB/s. */
  movesPerTick: 50,
  tickMs: 50,
  /** Between two looks for expired pointers. They count for nothing meanwhile. */
  sweepMs: 30_000,
} as const satisfies DolrConfig

/** The defaults with `config` on top. Throws `InvalidValueError` for a value out of its range. */
export function dolrConfig(config: Partial<DolrConfig>): DolrConfig {
  const whole: DolrConfig = { ...dolrDefaults, ...config }
  if (whole.choose !== 'sender' && whole.choose !== 'holder')
    throw new InvalidValueError('dolr.choose', whole.choose, "'sender' or 'holder'")
  for (const [field, [min, max]] of Object.entries(ranges)) {
    const value = whole[field as keyof typeof ranges]
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidValueError(`dolr.${field}`, value, `a whole number from ${min} to ${max}`)
  }
  if (whole.ttlMs > whole.maxTtlMs) throw new InvalidValueError('dolr.ttlMs', whole.ttlMs, `at most maxTtlMs, ${whole.maxTtlMs}`)
  if (whole.republishMs >= whole.ttlMs)
    throw new InvalidValueError('dolr.republishMs', whole.republishMs, `less than ttlMs, ${whole.ttlMs}`)
  return whole
}

const day = 24 * 3_600_000
const ranges: Record<Exclude<keyof DolrConfig, 'choose'>, readonly [min: number, max: number]> = {
  roots: [1, maxRoots],
  republishMs: [1, day],
  ttlMs: [1, 7 * day],
  maxTtlMs: [1, 7 * day],
  maxSkewMs: [0, day],
  nearBackups: [0, 8],
  nearNeighbors: [0, 8],
  nearHops: [0, 8],
  holderBytesMax: [0, 64 * 1024],
  commandMs: [1, day],
  attemptMs: [1, 300_000],
  hedgeMs: [1, day],
  retryMs: [1, day],
  searchRounds: [1, 100],
  maxReplies: [1, maxHosts],
  pingsMax: [0, maxHosts],
  pingMs: [1, 300_000],
  patienceMs: [1, 300_000],
  handlerMs: [1, 300_000],
  deliveriesMax: [1, 1_000_000],
  answersMax: [1, 1_000_000],
  keptAnswerBytesMax: [0, 1024 * 1024],
  answersMs: [1, day],
  maxCommands: [1, 1_000_000],
  publicationsMax: [1, 10_000_000],
  pointersMax: [1, 10_000_000],
  pointersPerGuid: [1, 1_024],
  verificationsMax: [1, 1_000_000],
  workShares: [1, 1_000_000],
  checksMax: [1, 1_024],
  recheckMs: [1, day],
  settleMs: [0, day],
  movesPerTick: [1, 1_000_000],
  tickMs: [1, day],
  sweepMs: [1, day],
}
