import { BlockSender } from './block-sender.ts'
import { FrameQueue, framed } from './frame-queue.ts'
import { ByteBudget } from './limits.ts'
import { multiaddrsOfAddress } from './node-address.ts'
import { VirtualNodes } from './virtual-nodes.ts'
import { nextTurn } from './writable.ts'
import type { Connection, PeerId, PeerStore, Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'
import type { LinkCounters } from './counters.ts'
import type { LinkLimits } from './limits.ts'

/** What a {@link PeerLink} needs of the link it belongs to. */
export interface PeerLinkHost {
  /** This node's. */
  readonly peerId: PeerId
  readonly connectionManager: ConnectionManager
  readonly peerStore: PeerStore
  readonly frameProtocol: string
  readonly blockProtocol: string
  readonly limits: LinkLimits
  readonly counters: LinkCounters
  /** Aborted when the link closes. */
  readonly closing: AbortSignal
  readonly outboundBudget: ByteBudget
  /** This node's hello, to be sent first on each stream. */
  hello(): Uint8Array
  /** Asks for `flush()` when the running step is over, or at the end of the turn; for a `patient` frame a little later. */
  flushSoon(peer: PeerLink, patient: boolean): void
  /** Tells the receiver, when the running step is over. */
  reportDown(peer: PeerLink, cause: PeerDownCause): void
}

/** A stream that lived shorter than this counts as a failure; after two in a row we back off, or a peer who resets all could keep us busy. */
const shortLifeMs = 1_000

/** By then both ends know of a connection, and libp2p has asked on it who the other is. */
const settledMs = 1_000

/**
 * The way to one peer: its queues, the held stream its frames leave on, and when to dial again. Every stream is opened by its sender
 * and used in one direction, so there is nothing for two ends to agree on when both dial at once.
 */
export class PeerLink {
  readonly peerId: PeerId
  readonly inboundBudget: ByteBudget
  /** Its first node as last heard of, from the peer itself or from others. */
  ref: NodeRef | undefined
  readonly nodes: VirtualNodes
  /** As the peer itself said last. */
  private ownWords: NodeRef | undefined
  private readonly host: PeerLinkHost
  private readonly frames: FrameQueue
  private readonly blocks: FrameQueue
  private readonly blockSender: BlockSender
  private stream: Stream | undefined
  /** What {@link stream} is on. */
  private streamConnection: Connection | undefined
  private openedAt = 0
  private opening = false
  private failures = 0
  private retryAt = 0
  /** True while the peer's `ownWords` are from a connection that is still open. */
  private isProven = false
  private helloWaiters: Array<(ref: NodeRef | Error) => void> = []

  constructor(peerId: PeerId, host: PeerLinkHost) {
    const { limits } = host
    this.peerId = peerId
    this.nodes = new VirtualNodes(peerId)
    this.host = host
    this.frames = new FrameQueue(limits.maxQueuedFrameBytes, host.outboundBudget)
    this.blocks = new FrameQueue(limits.maxQueuedBlockBytes, host.outboundBudget)
    this.inboundBudget = new ByteBudget(limits.maxInboundBytesPerPeer)
    this.blockSender = new BlockSender({
      queue: this.blocks,
      maxStreams: limits.blockStreams,
      timeoutMs: limits.frameTimeoutMs,
      open: async () => (await this.openStream(host.blockProtocol)).stream,
      onSent: (bytes) => this.onBlockSent(bytes),
      onFailed: (error) => this.onBlockFailed(error),
    })
  }

  /** True when this entry holds nothing worth remembering. */
  get idle(): boolean {
    return this.stream === undefined && !this.opening && this.queued === 0 && performance.now() >= this.retryAt && !this.connected
  }

  get queued(): number {
    return this.frames.length + this.blocks.length
  }

  get connected(): boolean {
    return this.connections().length > 0
  }

  get linked(): boolean {
    return this.stream !== undefined
  }

  /** Whether `ref` says something new of this peer: it is of a later incarnation than any heard of. */
  wouldLearn(ref: NodeRef): boolean {
    return this.ref === undefined || ref.epoch > this.ref.epoch
  }

  /** Somebody spoke of this peer; a newer incarnation may be reachable where the older was not. */
  learn(ref: NodeRef): void {
    if (!this.wouldLearn(ref)) return
    this.ref = ref
    this.failures = 0
    this.retryAt = 0
  }

  /** The peer itself said who it is. A stream back is opened right away: an answer will want it. */
  onHello(ref: NodeRef): void {
    this.ref = ref
    this.ownWords = ref
    this.isProven = true
    this.open()
    this.settleWaiters(ref)
  }

  /** Resolves with what the peer says of itself on a connection that is open now; connects if need be. */
  proven(): Promise<NodeRef> {
    if (this.isProven && this.ownWords !== undefined) return Promise.resolve(this.ownWords)
    return new Promise((resolve, reject) => {
      this.helloWaiters.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)))
      this.open()
    })
  }

  send(frame: Uint8Array, patient = false): void {
    const { limits, counters } = this.host
    if (frame.length > limits.maxBlockBytes) return counters.drop('too long')
    if (this.stream === undefined && !this.opening && performance.now() < this.retryAt) {
      counters.drop('peer down')
      return this.host.reportDown(this, 'unreachable')
    }
    const isBlock = frame.length > limits.maxFrameBytes
    if (!(isBlock ? this.blocks : this.frames).push(frame)) return counters.drop('queue full')
    if (isBlock) this.blockSender.wake()
    else if (this.stream === undefined) this.open()
    else this.host.flushSoon(this, patient)
  }

  /** Writes what waits, as far as the stream takes it. */
  flush(): void {
    const { stream } = this
    if (stream === undefined) return
    const { counters, limits } = this.host
    try {
      while (!stream.writableNeedsDrain && stream.writeStatus === 'writable') {
        const batch = this.frames.takeBatch(limits.batchBytes)
        if (batch === undefined) return
        stream.send(batch.bytes)
        counters.writes++
        counters.framesSent += batch.frames
        counters.bytesSent += batch.bytes.length
      }
    } catch (error) {
      // The stream closed between the check and the write; its `close` event does the rest.
      stream.abort(error as Error)
    }
  }

  /** A connection to the peer opened, whoever dialled: there is no reason to wait any more. */
  onConnected(): void {
    this.retryAt = 0
  }

  /** The last connection to the peer closed. */
  onDisconnected(): void {
    this.isProven = false
    this.dropQueues()
    this.host.reportDown(this, 'disconnected')
  }

  /** Lets the stream go, so that the next one starts with a new hello. */
  reopen(): void {
    const { stream } = this
    this.stream = undefined
    stream?.close().catch((error: Error) => stream.abort(error))
    this.open()
  }

  /**
   * Two nodes that dial each other at the same time have two connections. Moves the held stream to the one both ends prefer, and closes others that this
   * node dialled once nothing is on them any more, whoever put it there.
   */
  shedSurplus(): void {
    const [preferred, ...surplus] = this.connections()
    if (preferred === undefined || surplus.length === 0) return
    if (this.streamConnection !== undefined && surplus.includes(this.streamConnection)) this.reopen()
    for (const connection of surplus) {
      const isUsed = connection.streams.length > 0 || Date.now() - connection.timeline.open < settledMs
      if (connection.direction !== 'outbound' || isUsed) continue
      connection.close({ signal: this.host.closing }).catch((error: Error) => connection.abort(error))
    }
  }

  /** Closes gracefully what can be; never rejects. */
  async close(signal: AbortSignal): Promise<void> {
    this.flush()
    this.settleWaiters(new Error('the link closed'))
    const { stream } = this
    this.stream = undefined
    if (stream !== undefined) await closeBothEnds(stream, signal)
    this.dropQueues()
  }

  /** Opens the held stream unless there is one. */
  private open(): void {
    if (this.stream !== undefined || this.opening || this.host.closing.aborted) return
    this.opening = true
    this.openStream(this.host.frameProtocol).then(
      ({ stream, connection }) => this.onOpened(stream, connection),
      (error: Error) => this.onOpenFailed(error),
    )
  }

  private onOpened(stream: Stream, connection: Connection): void {
    this.opening = false
    if (this.host.closing.aborted) return stream.abort(new Error('the link closed'))
    this.stream = stream
    this.streamConnection = connection
    this.openedAt = performance.now()
    // `drain` is dispatched inside libp2p's own send loop: writing waits until that has unwound.
    stream.addEventListener('drain', () => queueMicrotask(() => this.flush()))
    stream.addEventListener('remoteCloseWrite', () => this.onStreamEnded(stream))
    stream.addEventListener('close', () => this.onStreamEnded(stream))
    if (stream.status === 'open') this.flush()
    else this.onStreamEnded(stream)
  }

  private onOpenFailed(error: Error): void {
    this.opening = false
    this.settleWaiters(error)
    if (this.host.closing.aborted) return
    if (error instanceof ConnectionLostError) {
      // Reported as such already; what was sent since then is worth a dial.
      if (this.frames.length > 0) this.open()
      return
    }
    this.failures++
    this.backOff()
    this.dropQueues()
    this.host.reportDown(this, 'unreachable')
  }

  /** The peer let the held stream go. What waits leaves on a new one; a stream that is not needed now is opened by the next send. */
  private onStreamEnded(stream: Stream): void {
    if (this.stream !== stream) return
    this.stream = undefined
    if (stream.status === 'open') stream.close().catch((error: Error) => stream.abort(error))
    this.failures = performance.now() - this.openedAt < shortLifeMs ? this.failures + 1 : 0
    if (this.failures > 1) this.backOff()
    if (this.frames.length > 0 && this.connected) this.open()
  }

  private onBlockSent(bytes: number): void {
    const { counters } = this.host
    counters.blocksSent++
    counters.framesSent++
    counters.bytesSent += bytes
  }

  /** A block was lost on the way, or no stream could be opened for it. */
  private onBlockFailed(error: Error): void {
    if (this.host.closing.aborted) return
    this.host.counters.drop('peer down', 1 + this.blocks.clear())
    this.host.reportDown(this, error instanceof ConnectionLostError || this.connected ? 'disconnected' : 'unreachable')
  }

  /** A stream of ours with the hello sent on it. */
  private async openStream(protocol: string): Promise<{ stream: Stream; connection: Connection }> {
    const { counters, closing, limits } = this.host
    const signal = AbortSignal.any([closing, AbortSignal.timeout(limits.dialTimeoutMs)])
    const connection = this.connections()[0] ?? (await this.dial(signal))
    // yamux writes a stream's first bytes in a microtask, where a connection that is aborted in between ends the process (8.0.3: "Cannot
    // write to a stream that is closed"). We may be inside of a listener of that connection, so we wait until nothing comes in between.
    await new Promise<void>((resolve) => nextTurn(resolve))
    try {
      const stream = await connection.newStream(protocol, { signal })
      stream.maxWriteBufferLength = 4 * limits.maxFrameBytes
      stream.send(framed(this.host.hello()))
      counters.streamsOpened++
      return { stream, connection }
    } catch (error) {
      throw connection.status === 'open' ? error : new ConnectionLostError('the connection was lost', { cause: error })
    }
  }

  /** The open connections to the peer, first the one both ends prefer: what the node with the smaller PeerId dialled, the oldest if there are several. */
  private connections(): Connection[] {
    const open = this.host.connectionManager
      .getConnections(this.peerId)
      .filter((each) => each.status === 'open' && each.limits === undefined)
    if (open.length < 2) return open
    const preferred = this.host.peerId.toString() < this.peerId.toString() ? 'outbound' : 'inbound'
    return [...open.filter(({ direction }) => direction === preferred), ...open.filter(({ direction }) => direction !== preferred)]
  }

  private async dial(signal: AbortSignal): Promise<Connection> {
    const { counters, connectionManager } = this.host
    counters.dials++
    try {
      return await connectionManager.openConnection(await this.addresses(), { signal })
    } catch (error) {
      counters.dialsFailed++
      throw error
    }
  }

  /**
   * Where to dial: the latest anybody said, then what the node itself said last, for hearsay may be false; else what libp2p has heard. Never
   * the bare PeerId, which libp2p would look up through peer routing, and so through the overlay that is just trying to reach it.
   */
  private async addresses(): Promise<Multiaddr[]> {
    const said = new Set([this.ref, this.ownWords].flatMap((ref) => (ref === undefined ? [] : [ref.address])))
    const told = [...said].flatMap((address) => multiaddrsOfAddress(address))
    if (told.length > 0) return told
    const { addresses } = await this.host.peerStore.get(this.peerId)
    if (addresses.length === 0) throw new Error(`there is no address of ${this.peerId.toString()} to dial`)
    return addresses.map(({ multiaddr }) =>
      multiaddr.toString().includes('/p2p/') ? multiaddr : multiaddr.encapsulate(`/p2p/${this.peerId.toString()}`),
    )
  }

  private backOff(): void {
    const { backoffMs, maxBackoffMs } = this.host.limits
    const pause = Math.min(maxBackoffMs, backoffMs * 2 ** (this.failures - 1))
    this.retryAt = performance.now() + pause * (0.5 + Math.random())
  }

  private dropQueues(): void {
    const lost = this.frames.clear() + this.blocks.clear()
    if (lost > 0) this.host.counters.drop('peer down', lost)
  }

  private settleWaiters(outcome: NodeRef | Error): void {
    const waiters = this.helloWaiters
    this.helloWaiters = []
    for (const waiter of waiters) waiter(outcome)
  }
}

/** The connection a stream was to be opened on closed meanwhile. */
class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/** Closes our end and waits for the peer to close its own, which says that it has read all; resets the stream when `signal` says it takes too long. */
async function closeBothEnds(stream: Stream, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const onAbort = (): void => stream.abort(new Error('the peer did not close its end in time'))
    signal.addEventListener('abort', onAbort, { once: true })
    stream.addEventListener('close', () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    if (stream.status === 'closed' || stream.status === 'aborted' || stream.status === 'reset') resolve()
    stream.close({ signal }).catch((error: Error) => stream.abort(error))
  })
}
