import { configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'
import { maxListings, maxPieceBytes } from './messages.ts'

/** How one index server behaves. All servers of a network should agree on `leaseMs`. Times in milliseconds. */
export interface ServerConfig {
  readonly leaseMs: Millis
  readonly clientsMax: number
  readonly listingsMax: number
  readonly listingsPerClient: number
  readonly scanMax: number
  readonly allowanceMax: number
  readonly allowancePerSecond: number

  readonly heartbeatMs: Millis
  readonly feedMs: Millis
  readonly logMax: number
  readonly waitersMax: number
}

/** What a server does unless it is told otherwise, and why. */
export const serverDefaults: ServerConfig = {
  /** A client that is not heard of for so long is taken off the index: what it offered is found for so long in vain. Our guess. */
  leaseMs: 60_000,
  /** Clients in the index, those of other servers included. Full: the next is refused, and asks another server. Napster had 1.6 million in February 2001. */
  clientsMax: 100_000,
  /** Listings of all clients: some 300 MB. Full: a change that would add one is refused. Our guess. */
  listingsMax: 1_000_000,
  /** Listings of one client. Full: as above. Our guess; a library of songs has some hundreds. */
  listingsPerClient: 1_000,
  /** Listings looked at for one search, those with its rarest word, and hosts of one object: some 20 ms. Further ones are not found, or named. Our guess. */
  scanMax: 10_000,
  /** What one client may ask at once, and a second for long: a call weighs one, a search ten, a list one more for each ten listings. Beyond it: refused. Our guess: ten whole lists. */
  allowanceMax: 1_000,
  allowancePerSecond: 100,

  /** Between two signs of life to each other server, and between two looks for clients whose lease is over. Our guess. */
  heartbeatMs: 2_000,
  /** A server that has not answered for so long has fallen behind: changes are acknowledged without it until it has caught up. Our guess. */
  feedMs: 2_000,
  /** Changes remembered for servers that have fallen behind, each listing in them counting as one more: 30 MB. One that missed more is told everything anew. Our guess. */
  logMax: 100_000,
  /** Changes whose clients wait for the other servers. Full: acknowledged at once. Our guess. */
  waitersMax: 4_096,
}

/** How one client behaves. */
export interface ClientConfig {
  readonly refreshMs: Millis
  readonly listingsMax: number
  readonly serverMs: Millis
  readonly avoidMs: Millis
  readonly retryMs: Millis

  readonly commandMs: Millis
  readonly commandsMax: number
  readonly checkMs: Millis
  readonly patienceMs: Millis
  readonly rounds: number

  readonly fetchMs: Millis
  readonly pieceBytes: number
  readonly piecesInFlight: number
  readonly pieceMs: Millis
  readonly fileBytesMax: number

  readonly handlerMs: Millis
  readonly deliveriesMax: number
  readonly deliveriesPerPeer: number
  readonly answersMax: number
  readonly answersMs: Millis
  readonly keptAnswerBytesMax: number
  readonly readsMax: number
  readonly readsPerPeer: number
}

/** What a client does unless it is told otherwise, and why. */
export const clientDefaults: ClientConfig = {
  /** A third of the servers' lease: two refreshes may get lost. */
  refreshMs: 20_000,
  /** Files and objects offered. Full: the next is refused at once. As the servers' `listingsPerClient`. */
  listingsMax: 1_000,
  /** Longest wait for a server; then the next one is asked. Longer than the servers wait for each other. Our guess. */
  serverMs: 4_000,
  /** A server that did not answer is asked last for so long. Our guess. */
  avoidMs: 30_000,
  /** Pause before servers are tried again when none took the list; doubled up to 16 times. Our guess. */
  retryMs: 500,

  /** A command that names no time of its own ends after this; as in DOLR. */
  commandMs: 10_000,
  /** Commands at a time. Full: the next fails as overloaded. */
  commandsMax: 1_024,
  /** Longest wait for hosts to say whether they still have the object: that measures the round trip to each as well. Our guess. */
  checkMs: 1_500,
  /** A host that has not answered a message for so long is asked whether it is still at it; as in DOLR. */
  patienceMs: 1_000,
  /** So often all that is named must fail before a command gives up; stale names go meanwhile. Our guess. */
  rounds: 2,

  /** A fetch that names no time of its own ends after this: 64 MiB at 1 Mbit/s. */
  fetchMs: 600_000,
  /** Longer pieces save little: each costs one request. Fits a frame of its own in one block stream. Our guess. */
  pieceBytes: maxPieceBytes,
  /** Enough to hide the round trip: 1 MiB under way carries 80 Mbit/s over 100 ms. */
  piecesInFlight: 4,
  /** A peer that takes longer for one piece is left for the next one: 256 KiB at 200 kbit/s. Our guess. */
  pieceMs: 10_000,
  /** Longest file fetched: it is held in memory until it is verified. */
  fileBytesMax: 67_108_864,

  /** A handler that has not answered by then has refused; as in DOLR. */
  handlerMs: 60_000,
  /** Messages that the handlers here have yet to answer. Full: declined, and the sender asks another host. */
  deliveriesMax: 1_024,
  /** Of one sender: a quarter of it. Full: as above. Our guess. */
  deliveriesPerPeer: 256,
  /** Answered messages remembered, so that one that comes again is not handled again. Full: the oldest goes. */
  answersMax: 1_024,
  answersMs: 60_000,
  /** Longest answer kept for that; of longer ones only the fact is. */
  keptAnswerBytesMax: 4_096,
  /** Pieces being read for others, in all and for one. Full: refused, and the peer asks another. Our guess: 64 MiB. */
  readsMax: 256,
  readsPerPeer: 16,
}

/** The defaults with `config` on top. Throws `InvalidValueError` for a value out of its range, and for what is no parameter. */
export function serverConfig(config: Partial<ServerConfig>): ServerConfig {
  return configOf('server', serverDefaults, config, serverBounds)
}

/** As {@link serverConfig}. */
export function clientConfig(config: Partial<ClientConfig>): ClientConfig {
  return configOf('client', clientDefaults, config, clientBounds)
}

const day = 86_400_000
/** Longest wait for an answer that the walking allows. */
const longestWait = 300_000

const serverBounds: Bounds<keyof ServerConfig> = {
  leaseMs: [1, day],
  clientsMax: [1, 10_000_000],
  listingsMax: [1, 100_000_000],
  listingsPerClient: [1, maxListings],
  scanMax: [1, 10_000_000],
  allowanceMax: [1, 1_000_000],
  allowancePerSecond: [1, 1_000_000],
  heartbeatMs: [1, day],
  feedMs: [1, longestWait],
  logMax: [1, 10_000_000],
  waitersMax: [1, 1_000_000],
}

const clientBounds: Bounds<keyof ClientConfig> = {
  refreshMs: [1, day],
  listingsMax: [1, maxListings],
  serverMs: [1, longestWait],
  avoidMs: [1, day],
  retryMs: [1, day],
  commandMs: [1, day],
  commandsMax: [1, 1_000_000],
  checkMs: [1, longestWait],
  patienceMs: [1, longestWait],
  rounds: [1, 100],
  fetchMs: [1, day],
  pieceBytes: [1, maxPieceBytes],
  piecesInFlight: [1, 64],
  pieceMs: [1, longestWait],
  fileBytesMax: [1, 2 ** 31],
  handlerMs: [1, longestWait],
  deliveriesMax: [1, 1_000_000],
  deliveriesPerPeer: [1, 1_000_000],
  answersMax: [1, 1_000_000],
  answersMs: [1, day],
  keptAnswerBytesMax: [1, 1_048_576],
  readsMax: [1, 65_536],
  readsPerPeer: [1, 65_536],
}
