import { isPeerId } from '@libp2p/interface'
import { setMaxListeners } from 'main-event'
import { guidOfPeer, guidOfVirtualNode, virtualNodesLimit } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import { LinkCounters } from './counters.ts'
import { LinkProtocolError } from './errors.ts'
import { EndOfStep } from './end-of-step.ts'
import { decodeHello, encodeHello } from './hello.ts'
import { FrameSwitch } from './frame-switch.ts'
import { InboundStream } from './inbound-stream.ts'
import { KeptPeers } from './kept-peers.ts'
import { ByteBudget, linkDefaults } from './limits.ts'
import { checkLinkInit } from './link-init.ts'
import { LocalNodes } from './local-nodes.ts'
import { NodeRefs, formatNodeAddress, hostNameOfAddress } from './node-address.ts'
import { isKeyOfNode, keyPortOf } from './node-key.ts'
import { numbersLength } from './numbered-frame.ts'
import { PeerLink } from './peer-link.ts'
import { PeerTable } from './peer-table.ts'
import { VirtualLink } from './virtual-link.ts'
import { VirtualNodes } from './virtual-nodes.ts'
import type { Connection, Logger, PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import type { KeyPort, Link, LinkReceiver } from '@plaxton/runtime'
import type { LinkLimits } from './limits.ts'
import type { Libp2pLinkInit, LinkComponents } from './link-init.ts'
import type { PeerLinkHost } from './peer-link.ts'
import type { Way } from './peer-table.ts'

/** How often deadlines are checked and idle entries let go, in milliseconds. */
const sweepMs = 1_000

/** Block streams may overlap with ones that are closing. */
const acceptedBlockStreams = 16

/** One in use, one of a second connection that replaces it, and as many closing. */
const acceptedFrameStreams = 4

/**
 * Carries the frames of one host over libp2p: those of its first node, whose link this is, and those of its virtual nodes, each of which has a link of its
 * own that shares the connections of this one. The README's "The link" says how and within which bounds.
 */
export class Libp2pLink implements Link {
  readonly frameProtocol: string
  readonly blockProtocol: string
  readonly counters = new LinkCounters()
  private readonly components: LinkComponents
  private readonly init: Libp2pLinkInit
  private readonly limits: LinkLimits
  private readonly virtualNodesMax: number
  private readonly log: Logger
  private readonly refs: NodeRefs
  private readonly local: LocalNodes
  /** By id, the nodes that this host has or may have had. At most {@link virtualNodesLimit}. */
  private readonly ownIndexes = new Map<Guid, number>()
  private readonly peers: PeerTable
  private readonly inbound = new Set<InboundStream>()
  private readonly inboundBudget: ByteBudget
  private readonly outboundBudget: ByteBudget
  private readonly kept: KeptPeers
  /** What each node of this host wants to keep. */
  private readonly wantedBy = new Map<number, readonly NodeRef[]>()
  private readonly frames: FrameSwitch
  private readonly endOfStep: EndOfStep
  private readonly closing = new AbortController()
  private opened: Promise<void> | undefined
  private sweeper: ReturnType<typeof setInterval> | undefined
  private ref: NodeRef
  private readonly ownNodes: VirtualNodes
  /** Made when first asked for. */
  private keyPort: Promise<KeyPort> | undefined
  private helloBytes: Uint8Array

  constructor(components: LinkComponents, init: Libp2pLinkInit) {
    checkLinkInit(init, components.peerId)
    this.components = components
    this.init = init
    this.virtualNodesMax = init.virtualNodesMax ?? virtualNodesLimit
    this.refs = new NodeRefs(this.virtualNodesMax, init.puzzleBits)
    this.limits = { ...linkDefaults, ...init.limits }
    this.log = components.logger.forComponent(`plaxton:link:${init.overlay}`)
    this.frameProtocol = `/plaxton/${init.network}/${init.overlay}/1.0.0`
    this.blockProtocol = `/plaxton/${init.network}/${init.overlay}/block/1.0.0`
    this.inboundBudget = new ByteBudget(this.limits.maxInboundBytes)
    this.outboundBudget = new ByteBudget(this.limits.maxQueuedBytes)
    this.kept = new KeptPeers(components.peerStore, `plaxton-${init.overlay}`, this.log)
    this.ref = this.currentRef()
    this.ownNodes = new VirtualNodes(components.peerId)
    this.ownIndexes.set(this.ref.id, 0)
    this.helloBytes = this.currentHello()
    this.local = new LocalNodes({
      counters: this.counters,
      budget: this.outboundBudget,
      log: this.log,
      maxFrameBytes: this.limits.maxBlockBytes - numbersLength,
      refOf: (index) => this.refOf(index),
    })
    this.frames = new FrameSwitch(this.local, this.counters, this.virtualNodesMax)
    this.endOfStep = new EndOfStep((peer, cause) => this.frames.onPeerDown(peer, cause))
    const peerHost = this.hostOfPeers()
    this.peers = new PeerTable(this.limits.maxPeers, (peerId) => new PeerLink(peerId, peerHost))
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
    for (const peer of this.peers) if (peer.linked) count++
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

  hostOf(node: NodeRef): string {
    return hostNameOfAddress(node.address)
  }

  /** The link of node `index` of this host, from 1 on. Throws `InvalidValueError` for one that no host may have. */
  virtualNode(index: number): Link {
    if (!Number.isInteger(index) || index < 1 || index >= this.virtualNodesMax) {
      throw new InvalidValueError('index', index, `a whole number from 1 to ${this.virtualNodesMax - 1}, one less than virtualNodesMax`)
    }
    this.ownIndexes.set(guidOfVirtualNode(this.components.peerId.toMultihash().bytes, index), index)
    return new VirtualLink(this, index)
  }

  /** Node `index` of this host as others reach it. */
  refOf(index: number): NodeRef {
    return this.ownNodes.ref(this.ref, index)
  }

  open(receiver: LinkReceiver): Promise<void> {
    return this.openNode(0, receiver)
  }

  send(to: NodeRef, frame: Uint8Array, patient = false): void {
    this.sendFrom(0, to, frame, patient)
  }

  keep(peers: readonly NodeRef[]): void {
    this.keepFor(0, peers)
  }

  /** The first node of this host ends. The connections last until the last one does. */
  close(): Promise<void> {
    return this.closeNode(0)
  }

  /** For links of virtual nodes. @internal */
  async openNode(index: number, receiver: LinkReceiver): Promise<void> {
    this.local.open(index, receiver)
    this.opened ??= this.openTransport()
    await this.opened
  }

  private async openTransport(): Promise<void> {
    const { registrar, events } = this.components
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

  /** For links of virtual nodes. @internal */
  sendFrom(index: number, to: NodeRef, frame: Uint8Array, patient: boolean): void {
    if (this.closing.signal.aborted || !this.local.has(index)) return this.counters.drop('peer down')
    const own = this.ownIndexes.get(to.id)
    if (own !== undefined) return this.local.exchange(index, own, frame)
    const way = this.peers.wayTo(to) ?? this.wayToNews(index, to)
    if (way !== undefined) this.frames.send(index, to, way, frame, patient)
  }

  /** For links of virtual nodes. Nobody keeps himself. @internal */
  keepFor(index: number, peers: readonly NodeRef[]): void {
    const { peerId } = this.components
    const self = peerId.toString()
    this.wantedBy.set(
      index,
      peers.filter((peer) => this.hostOf(peer) !== self),
    )
    this.kept.set([...this.wantedBy.values()].flat())
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
    const peer = this.peers.findOrAdd(isPeerId(address) ? address : await this.dial(address, ends))
    if (peer === undefined) throw new Error(`this node is in touch with ${this.limits.maxPeers} peers already`)
    return await orAborted(peer.proven(), ends)
  }

  /** For links of virtual nodes. @internal */
  async closeNode(index: number): Promise<void> {
    if (!this.local.has(index)) return
    this.local.close(index)
    this.wantedBy.delete(index)
    if (this.local.size === 0) await this.closeTransport()
    else this.frames.tellOfEnd(index, this.peers)
  }

  private async closeTransport(): Promise<void> {
    const { registrar, events } = this.components
    clearInterval(this.sweeper)
    events.removeEventListener('connection:open', this.onConnectionOpen)
    events.removeEventListener('connection:close', this.onConnectionClose)
    events.removeEventListener('self:peer:update', this.refreshSelf)
    await Promise.all([registrar.unhandle(this.frameProtocol), registrar.unhandle(this.blockProtocol)])
    const signal = AbortSignal.timeout(this.limits.closeTimeoutMs)
    await Promise.all([...this.peers].map((peer) => peer.close(signal)))
    this.closing.abort(new Error('the link closed'))
    for (const stream of this.inbound) stream.close()
    this.peers.clear()
  }

  /**
   * To a node, or an incarnation of one, that is new here. Messages of applications carry references that nobody has judged yet; an id
   * must not lead to somebody else's PeerId. Undefined when it leads nowhere, which is counted or told to the node that wants to send.
   */
  private wayToNews(from: number, to: NodeRef): Way | undefined {
    const ref = this.refs.read(to.id, to.address, to.epoch)
    if (ref === undefined) {
      this.counters.drop('false reference')
      return undefined
    }
    if (this.hostOf(ref) === this.hostOf(this.ref)) {
      this.local.later(() => this.local.onPeerDown(from, ref, 'unreachable'))
      return undefined
    }
    const way = this.peers.learnWayTo(ref)
    if (way === undefined) this.counters.drop('peer down')
    return way
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
      flushSoon: (peer, patient) => this.endOfStep.flush(peer, patient),
      reportDown: (peer, cause) => this.endOfStep.reportDown(peer, cause),
    }
  }

  private accept(stream: Stream, connection: Connection, blocks: boolean): void {
    const peer = this.peers.findOrAdd(connection.remotePeer)
    if (peer === undefined || this.local.size === 0) return stream.abort(new Error('not open'))
    this.counters.streamsAccepted++
    const inbound = new InboundStream({
      stream,
      limits: this.limits,
      maxFrameBytes: blocks ? this.limits.maxBlockBytes : this.limits.maxFrameBytes,
      peerBudget: peer.inboundBudget,
      linkBudget: this.inboundBudget,
      events: {
        onHello: (hello) => this.onHello(peer, hello),
        onFrame: (host, frame) => this.onFrame(peer, host, frame, blocks),
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

  private onFrame(peer: PeerLink, host: NodeRef, bytes: Uint8Array, block: boolean): false | void {
    this.counters.framesReceived++
    this.counters.bytesReceived += bytes.length
    if (block) this.counters.blocksReceived++
    return this.frames.onFrame(peer, host, bytes)
  }

  private onInboundEnd(stream: InboundStream, peer: PeerLink, breach: Error | undefined): void {
    this.inbound.delete(stream)
    if (breach === undefined) return
    this.counters.drop('stream reset')
    this.log('reset a stream of %p - %e', peer.peerId, breach)
  }

  private readonly onConnectionOpen = (event: CustomEvent<Connection>): void => {
    this.peers.find(event.detail.remotePeer)?.onConnected()
  }

  private readonly onConnectionClose = (event: CustomEvent<Connection>): void => {
    const { remotePeer } = event.detail
    const peer = this.peers.find(remotePeer)
    // Simultaneous dials leave two connections between a pair; the peer is gone when the last one is.
    if (peer !== undefined && !peer.connected) peer.onDisconnected()
  }

  private readonly refreshSelf = (): void => {
    const ref = this.currentRef()
    if (ref.address === this.ref.address) return
    this.ref = ref
    this.helloBytes = this.currentHello()
    for (const peer of this.peers) if (peer.linked) peer.reopen()
  }

  private currentRef(): NodeRef {
    const { peerId, addressManager } = this.components
    return { id: guidOfPeer(peerId), address: formatNodeAddress(peerId, addressManager.getAddresses()), epoch: this.init.epoch }
  }

  private currentHello(): Uint8Array {
    const { network, overlay } = this.init
    return encodeHello({ network, overlay, node: this.ref })
  }

  private sweep(): void {
    const now = performance.now()
    for (const stream of this.inbound) stream.checkDeadline(now)
    for (const peer of this.peers) peer.shedSurplus()
    this.peers.forgetIdle()
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
