import { isPeerId } from '@libp2p/interface'
import { setMaxListeners } from 'main-event'
import { guidOfPeer } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import { LinkCounters } from './counters.ts'
import { LinkProtocolError } from './errors.ts'
import { decodeHello, encodeHello } from './hello.ts'
import { InboundStream } from './inbound-stream.ts'
import { KeptPeers } from './kept-peers.ts'
import { ByteBudget, linkDefaults } from './limits.ts'
import { NodeRefs, formatNodeAddress, peerIdOfAddress } from './node-address.ts'
import { isKeyOfNode, keyPortOf } from './node-key.ts'
import { PeerLink } from './peer-link.ts'
import { nextTurn } from './writable.ts'
import type {
  ComponentLogger,
  Connection,
  Libp2pEvents,
  Logger,
  PeerId,
  PeerStore,
  PrivateKey,
  Stream,
  TypedEventTarget,
} from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, PeerDownCause, RefReader } from '@plaxton/kbr'
import type { KeyPort, Link, LinkReceiver } from '@plaxton/runtime'
import type { LinkLimits } from './limits.ts'
import type { PeerLinkHost } from './peer-link.ts'

/** The parts of a libp2p node a link uses, by libp2p's own names. */
export interface LinkComponents {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly peerStore: PeerStore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

export interface Libp2pLinkInit {
  /** Part of the protocol ids and of the hello, so that two networks never merge by accident. */
  readonly network: string
  /** The overlay's name, such as `pastry`. */
  readonly overlay: string
  /** This node's incarnation; see `NodeRef.epoch`. */
  readonly epoch: number
  readonly limits?: Partial<LinkLimits>
}

/** How often deadlines are checked and idle entries let go, in milliseconds. */
const sweepMs = 1_000

/** Block streams may overlap with ones that are closing. */
const acceptedBlockStreams = 16

/** One in use, one of a second connection that replaces it, and as many closing. */
const acceptedFrameStreams = 4

/** Carries the frames of one node over libp2p. The README's "The link" says how and within which bounds. */
export class Libp2pLink implements Link {
  readonly frameProtocol: string
  readonly blockProtocol: string
  readonly counters = new LinkCounters()
  private readonly components: LinkComponents
  private readonly init: Libp2pLinkInit
  private readonly limits: LinkLimits
  private readonly log: Logger
  private readonly refs = new NodeRefs()
  private readonly peers = new Map<Guid, PeerLink>()
  private readonly inbound = new Set<InboundStream>()
  private readonly inboundBudget: ByteBudget
  private readonly outboundBudget: ByteBudget
  private readonly kept: KeptPeers
  /** Peers something was written to in this turn: what follows for them leaves at its end. */
  private readonly served = new Set<PeerLink>()
  private readonly down = new Map<PeerLink, PeerDownCause>()
  private readonly closing = new AbortController()
  private readonly peerHost: PeerLinkHost
  private turnAsked = false
  private receiver: LinkReceiver | undefined
  private sweeper: ReturnType<typeof setInterval> | undefined
  private ref: NodeRef
  /** Made when first asked for. */
  private keyPort: Promise<KeyPort> | undefined
  private helloBytes: Uint8Array

  constructor(components: LinkComponents, init: Libp2pLinkInit) {
    checkName('network', init.network)
    this.components = components
    this.init = init
    this.limits = { ...linkDefaults, ...init.limits }
    this.log = components.logger.forComponent(`plaxton:link:${init.overlay}`)
    this.frameProtocol = `/plaxton/${init.network}/${init.overlay}/1.0.0`
    this.blockProtocol = `/plaxton/${init.network}/${init.overlay}/block/1.0.0`
    this.inboundBudget = new ByteBudget(this.limits.maxInboundBytes)
    this.outboundBudget = new ByteBudget(this.limits.maxQueuedBytes)
    this.kept = new KeptPeers(components.peerStore, `plaxton-${init.overlay}`, this.log)
    this.ref = this.currentRef()
    this.helloBytes = this.currentHello()
    this.peerHost = this.hostOfPeers()
    // One signal serves all dials and streams of this link.
    setMaxListeners(Infinity, this.closing.signal)
  }

  get self(): NodeRef {
    return this.ref
  }

  get readRef(): RefReader {
    return this.refs.read
  }

  /** Peers with an open stream from here. */
  get linkedPeers(): number {
    let count = 0
    for (const peer of this.peers.values()) if (peer.linked) count++
    return count
  }

  /** References of strangers whose id and address did not belong together. */
  get refsRejected(): number {
    return this.refs.rejected
  }

  key(): Promise<KeyPort> {
    return (this.keyPort ??= keyPortOf(this.components.privateKey, 'privateKey', 'others check what a node signs by its PeerId alone'))
  }

  isKeyOf(node: NodeRef, publicKey: Uint8Array): boolean {
    return isKeyOfNode(node, publicKey)
  }

  async open(receiver: LinkReceiver): Promise<void> {
    const { registrar, events } = this.components
    this.receiver = receiver
    this.refreshSelf()
    events.addEventListener('connection:open', this.onConnectionOpen)
    events.addEventListener('connection:close', this.onConnectionClose)
    events.addEventListener('self:peer:update', this.refreshSelf)
    this.sweeper = setInterval(() => this.sweep(), sweepMs)
    ;(this.sweeper as { unref?: () => void }).unref?.()
    await registrar.handle(this.frameProtocol, (stream, connection) => this.accept(stream, connection, false), {
      maxInboundStreams: acceptedFrameStreams,
      maxOutboundStreams: acceptedFrameStreams,
    })
    await registrar.handle(this.blockProtocol, (stream, connection) => this.accept(stream, connection, true), {
      maxInboundStreams: acceptedBlockStreams,
      maxOutboundStreams: acceptedBlockStreams,
    })
  }

  send(to: NodeRef, frame: Uint8Array): void {
    if (this.closing.signal.aborted) return this.counters.drop('peer down')
    const peer = this.peers.get(to.id)
    if (peer !== undefined && !peer.wouldLearn(to)) return peer.send(frame)
    this.sendToNews(to, frame)
  }

  keep(peers: readonly NodeRef[]): void {
    this.kept.set(peers)
  }

  /** The overlay's neighbours when a node with this PeerId and datastore last ran. */
  previousNeighbors(): Promise<PeerId[]> {
    return this.kept.previous()
  }

  /**
   * The node at an address, as it says itself; dials if need be. Rejects with libp2p's error when it cannot be reached or does not
   * speak this link's protocol, and with the signal's reason.
   */
  async connect(address: PeerId | Multiaddr, signal: AbortSignal): Promise<NodeRef> {
    const ends = AbortSignal.any([signal, this.closing.signal])
    const peer = this.peerOf(isPeerId(address) ? address : await this.dial(address, ends))
    if (peer === undefined) throw new Error(`this node is in touch with ${this.limits.maxPeers} peers already`)
    return await orAborted(peer.proven(), ends)
  }

  async close(): Promise<void> {
    const { registrar, events } = this.components
    if (this.receiver === undefined) return
    this.receiver = undefined
    clearInterval(this.sweeper)
    events.removeEventListener('connection:open', this.onConnectionOpen)
    events.removeEventListener('connection:close', this.onConnectionClose)
    events.removeEventListener('self:peer:update', this.refreshSelf)
    await Promise.all([registrar.unhandle(this.frameProtocol), registrar.unhandle(this.blockProtocol)])
    const signal = AbortSignal.timeout(this.limits.closeTimeoutMs)
    await Promise.all([...this.peers.values()].map((peer) => peer.close(signal)))
    this.closing.abort(new Error('the link closed'))
    for (const stream of this.inbound) stream.close()
    this.peers.clear()
  }

  /**
   * To a node, or an incarnation of one, that is new here. Messages of applications carry references that nobody has judged yet; an id
   * must not lead to somebody else's PeerId.
   */
  private sendToNews(to: NodeRef, frame: Uint8Array): void {
    const ref = this.refs.read(to.id, to.address, to.epoch)
    if (ref === undefined) return this.counters.drop('false reference')
    const peer = this.peers.get(ref.id) ?? this.addPeer(ref.id, () => peerIdOfAddress(ref.address))
    if (peer === undefined) return this.counters.drop('peer down')
    peer.learn(ref)
    peer.send(frame)
  }

  private async dial(address: Multiaddr, signal: AbortSignal): Promise<PeerId> {
    const { remotePeer } = await this.components.connectionManager.openConnection(address, { signal })
    return remotePeer
  }

  private hostOfPeers(): PeerLinkHost {
    const { peerId, connectionManager, peerStore } = this.components
    return {
      peerId,
      connectionManager,
      peerStore,
      frameProtocol: this.frameProtocol,
      blockProtocol: this.blockProtocol,
      limits: this.limits,
      counters: this.counters,
      closing: this.closing.signal,
      outboundBudget: this.outboundBudget,
      hello: () => this.helloBytes,
      flushSoon: (peer) => this.flushSoon(peer),
      reportDown: (peer, cause) => this.reportSoon(peer, cause),
    }
  }

  /**
   * What one step sends to a peer leaves together when the step is over. Further steps of the same turn share one more write at its end: a turn
   * with many inputs would otherwise write as often, and one that takes long would hold the first frame back.
   */
  private flushSoon(peer: PeerLink): void {
    if (this.served.has(peer)) return
    this.served.add(peer)
    queueMicrotask(() => peer.flush())
    if (this.turnAsked) return
    this.turnAsked = true
    nextTurn(() => {
      this.turnAsked = false
      for (const each of this.served) each.flush()
      this.served.clear()
    })
  }

  /** When the step, or the listener, is over that found it out; not later, because messages to the peer are to take another way. */
  private reportSoon(peer: PeerLink, cause: PeerDownCause): void {
    if (this.down.size === 0) {
      queueMicrotask(() => {
        const reports = [...this.down]
        this.down.clear()
        for (const [each, why] of reports) this.report(each, why)
      })
    }
    this.down.set(peer, cause)
  }

  private report(peer: PeerLink, cause: PeerDownCause): void {
    if (peer.ref === undefined) return
    try {
      this.receiver?.onPeerDown(peer.ref, cause)
    } catch (error) {
      this.onReceiverFailed(error as Error)
    }
  }

  private accept(stream: Stream, connection: Connection, blocks: boolean): void {
    const peer = this.peerOf(connection.remotePeer)
    if (peer === undefined || this.receiver === undefined) return stream.abort(new Error('not open'))
    this.counters.streamsAccepted++
    const inbound = new InboundStream({
      stream,
      limits: this.limits,
      maxFrameBytes: blocks ? this.limits.maxBlockBytes : this.limits.maxFrameBytes,
      peerBudget: peer.inboundBudget,
      linkBudget: this.inboundBudget,
      events: {
        onHello: (hello) => this.onHello(peer, hello),
        onFrame: (from, frame) => this.onFrame(from, frame, blocks),
        onEnd: (ended, breach) => this.onInboundEnd(ended, peer, breach),
      },
    })
    this.inbound.add(inbound)
  }

  private onHello(peer: PeerLink, bytes: Uint8Array): NodeRef {
    const { network, overlay } = this.init
    const hello = decodeHello(bytes, this.refs.read)
    if (hello.network !== network || hello.overlay !== overlay) {
      throw new LinkProtocolError(`hello of network ${hello.network}, overlay ${hello.overlay}; this is ${network}, ${overlay}`)
    }
    if (hello.node.id !== guidOfPeer(peer.peerId)) throw new LinkProtocolError('hello in the name of another peer')
    peer.onHello(hello.node)
    return hello.node
  }

  private onFrame(from: NodeRef, frame: Uint8Array, block: boolean): false | void {
    this.counters.framesReceived++
    this.counters.bytesReceived += frame.length
    if (block) this.counters.blocksReceived++
    try {
      return this.receiver?.onFrame(from, frame)
    } catch (error) {
      this.onReceiverFailed(error as Error)
    }
  }

  /** A bug of ours in a core or a host. The process must not end because of what a stranger sent, so it is logged and counted. */
  private onReceiverFailed(error: Error): void {
    this.counters.drop('receiver failed')
    this.log.error('the receiver of frames failed - %e', error)
  }

  private onInboundEnd(stream: InboundStream, peer: PeerLink, breach: Error | undefined): void {
    this.inbound.delete(stream)
    if (breach === undefined) return
    this.counters.drop('stream reset')
    this.log('reset a stream of %p - %e', peer.peerId, breach)
  }

  private readonly onConnectionOpen = (event: CustomEvent<Connection>): void => {
    this.peers.get(guidOfPeer(event.detail.remotePeer))?.onConnected()
  }

  private readonly onConnectionClose = (event: CustomEvent<Connection>): void => {
    const { remotePeer } = event.detail
    const peer = this.peers.get(guidOfPeer(remotePeer))
    // Simultaneous dials leave two connections between a pair; the peer is gone when the last one is.
    if (peer !== undefined && !peer.connected) peer.onDisconnected()
  }

  private readonly refreshSelf = (): void => {
    const ref = this.currentRef()
    if (ref.address === this.ref.address) return
    this.ref = ref
    this.helloBytes = this.currentHello()
    for (const peer of this.peers.values()) if (peer.linked) peer.reopen()
  }

  private currentRef(): NodeRef {
    const { peerId, addressManager } = this.components
    return { id: guidOfPeer(peerId), address: formatNodeAddress(peerId, addressManager.getAddresses()), epoch: this.init.epoch }
  }

  private currentHello(): Uint8Array {
    const { network, overlay } = this.init
    return encodeHello({ network, overlay, node: this.ref })
  }

  private peerOf(peerId: PeerId): PeerLink | undefined {
    const id = guidOfPeer(peerId)
    return this.peers.get(id) ?? this.addPeer(id, () => peerId)
  }

  private addPeer(id: Guid, peerId: () => PeerId): PeerLink | undefined {
    if (this.peers.size >= this.limits.maxPeers) this.forgetIdle()
    if (this.peers.size >= this.limits.maxPeers) return undefined
    const peer = new PeerLink(peerId(), this.peerHost)
    this.peers.set(id, peer)
    return peer
  }

  private sweep(): void {
    const now = performance.now()
    for (const stream of this.inbound) stream.checkDeadline(now)
    for (const peer of this.peers.values()) peer.shedSurplus()
    this.forgetIdle()
  }

  private forgetIdle(): void {
    for (const [id, peer] of this.peers) if (peer.idle) this.peers.delete(id)
  }
}

/** Names go into protocol ids: short, and without what a protocol id or a person could misread. */
function checkName(field: string, name: string): void {
  if (!/^[a-z0-9][a-z0-9._-]{0,31}$/.test(name)) {
    throw new InvalidValueError(field, name, '1 to 32 characters of a-z, 0-9, dot, dash and underscore, the first a letter or digit')
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
