/** What one link holds and how long it waits. Every bound says what happens when it is reached. */
export interface LinkLimits {
  /** Longest frame on a held stream, in bytes; longer ones travel as blocks. A stranger's longer frame resets the stream. */
  readonly maxFrameBytes: number
  /** Longest frame at all, in bytes: the longest payload of the walking with what the walking adds. Longer ones are dropped when sent, and reset the stream when received. */
  readonly maxBlockBytes: number
  /** Most bytes written at once. One write is one encryption and two system calls, so frames of one tick share it. */
  readonly batchBytes: number
  /** Frames waiting for one peer, in bytes; a further one is dropped and counted. The cores' acks and retries make up for it. */
  readonly maxQueuedFrameBytes: number
  /** Blocks waiting for one peer, in bytes; a further one is dropped and counted. The request it belongs to runs into its deadline. */
  readonly maxQueuedBlockBytes: number
  /** All that waits in this node, in bytes; beyond it as above. */
  readonly maxQueuedBytes: number
  /** Block streams at a time to one peer; further blocks wait. Twice as many are accepted, so that a closing one is no breach. */
  readonly blockStreams: number
  /** Memory for unfinished frames of one peer, and of all peers; the stream that asks for more is reset. */
  readonly maxInboundBytesPerPeer: number
  readonly maxInboundBytes: number
  /** A new stream must have introduced itself within this time, else it is reset. */
  readonly helloTimeoutMs: number
  /** A frame that has begun must have ended within this time, else its stream is reset. */
  readonly frameTimeoutMs: number
  /** Frames in a row that are no messages of the stack; then the stream is reset. */
  readonly maxGarbledInARow: number
  /** Dialling and opening a stream together. */
  readonly dialTimeoutMs: number
  /** Pause after a failed dial; doubles with each failure in a row up to the maximum, and is spread by half of itself either way. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** Peers with any state here; a send to one more is refused as unreachable. */
  readonly maxPeers: number
  /** A closing link waits this long for what is queued to leave. */
  readonly closeTimeoutMs: number
}

const KiB = 1024
const MiB = 1024 * KiB

export const linkDefaults: LinkLimits = {
  maxFrameBytes: 64 * KiB,
  // The walking's longest payload, 1 MiB + 64 KiB, with the key, the names and the path of up to 255 ids around it.
  maxBlockBytes: MiB + 80 * KiB,
  // 32 KiB: beyond 256 messages of 64 bytes per write nothing is gained any more (measured, 1.1 µs of CPU per message).
  batchBytes: 32 * KiB,
  maxQueuedFrameBytes: MiB,
  maxQueuedBlockBytes: 16 * MiB,
  maxQueuedBytes: 128 * MiB,
  // 4: enough to hide the round trip that opening a stream takes behind the transfer of the others.
  blockStreams: 4,
  maxInboundBytesPerPeer: 16 * MiB,
  maxInboundBytes: 64 * MiB,
  helloTimeoutMs: 5_000,
  frameTimeoutMs: 30_000,
  maxGarbledInARow: 32,
  // 10 s is libp2p's own limit for a dial.
  dialTimeoutMs: 10_000,
  backoffMs: 250,
  maxBackoffMs: 10_000,
  maxPeers: 4096,
  closeTimeoutMs: 1_000,
}

/** A count of bytes that may not pass a limit. */
export class ByteBudget {
  private readonly limit: number
  used = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes `bytes` if they fit; false leaves all as it was. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false
    this.used += bytes
    return true
  }

  give(bytes: number): void {
    this.used -= bytes
  }
}
