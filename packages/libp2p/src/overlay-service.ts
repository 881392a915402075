import { peerRoutingSymbol, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { DeadlineError, InvalidValueError, NotReadyError, RouteError } from '@plaxton/kbr'
import { HostGroup } from '@plaxton/runtime'
import { TypedEventEmitter } from 'main-event'
import { Libp2pLink } from './libp2p-link.ts'
import { listenersUp } from './listeners.ts'
import { checkedCount, parsedBootstrap } from './overlay-init.ts'
import { Membership } from './membership.ts'
import { OverlayMetrics } from './metrics.ts'
import { PeerLookup } from './peer-lookup.ts'
import { overlayPeerRouting } from './peer-routing.ts'
import { sumStats } from './sum-stats.ts'
import type { PeerId, PeerRouting, Startable } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { AbortSignalLike, Application, Kbr, KbrEvent, Millis, NodeRef, OverlayFactory, RouteFailure } from '@plaxton/kbr'
import type { ApplicationPorts, FoundRoot, HostStats, NodeHost, NodeHostEvents } from '@plaxton/runtime'
import type { LinkCounters } from './counters.ts'
import type { OverlayComponents, OverlayInit } from './overlay-init.ts'
import type { Lookup, PeerReport } from './peer-lookup.ts'

export type { OverlayComponents, OverlayInit } from './overlay-init.ts'

/** An application to run on the overlay, made anew for each start. */
export interface ApplicationSetUp<Core extends Application = Application> {
  readonly application: Core
  /** Its store and its key, if it needs them. */
  readonly ports?: ApplicationPorts
}

/** Makes an application for node `index` of this host; 0 is the first one, and the only one unless there are virtual nodes. */
export type SetUp = (index: number) => ApplicationSetUp | Promise<ApplicationSetUp>

/** How to look up a key. */
export interface LookupOptions extends WaitOptions {
  /** Collect the ids of the nodes passed. Default false. */
  readonly keepPath?: boolean
}

/** How long to wait. */
export interface WaitOptions {
  readonly signal?: AbortSignalLike
  readonly timeoutMs?: Millis
}

/** What all nodes here, and their link, have counted since the start, and how many peers it is linked with now. */
export interface OverlayStats extends HostStats {
  readonly link: Readonly<LinkCounters>
  readonly linkedPeers: number
}

/** Pause before a virtual node that could not join tries again. */
const rejoinMs = 500

/** More than the neighbours of any configuration in use. */
const maxNeighbors = 64

/** A lookup that names no time ends after this. */
const lookupMs = 10_000

/**
 * The node of an overlay inside a libp2p node, or its nodes. Dispatches the events of {@link NodeHostEvents}: those of the first node, and faults of every one.
 */
export class OverlayService extends TypedEventEmitter<NodeHostEvents> implements Startable {
  readonly [Symbol.toStringTag] = '@plaxton/overlay'
  readonly [serviceCapabilities]: string[] = ['@plaxton/overlay', '@libp2p/peer-routing']
  // Topologies fire when identify has told which protocols a peer speaks.
  readonly [serviceDependencies]: string[] = ['@libp2p/identify']
  /** Part of the protocol ids. */
  readonly network: string
  /** How many nodes run here. */
  readonly virtualNodes: number
  private readonly components: OverlayComponents
  private readonly factory: OverlayFactory
  private readonly init: OverlayInit
  private readonly bootstrap: readonly Multiaddr[]
  private readonly setUps: SetUp[] = []
  private readonly metrics: OverlayMetrics
  private listening: Promise<void> | undefined
  private running: Running | undefined
  private becameReady = Promise.withResolvers<void>()
  /** While somebody waits for a node to become a member again: where claims on one place meet, as when two rings become one, it may lose its own for a moment. */
  private regained: PromiseWithResolvers<void> | undefined
  /** From a stop to the next start: then nobody is waited for. */
  private stopped = false
  private lastEpoch = 0

  constructor(components: OverlayComponents, factory: OverlayFactory, init: OverlayInit) {
    super()
    this.components = components
    this.factory = factory
    this.init = init
    this.network = init.network ?? 'default'
    this.virtualNodes = checkedCount(init)
    this.bootstrap = parsedBootstrap(init)
    this.becameReady.promise.catch(() => {})
    this.metrics = new OverlayMetrics(components.metrics, this)
  }

  get [peerRoutingSymbol](): Partial<PeerRouting> {
    return overlayPeerRouting(this)
  }

  /** The overlay's name, such as `pastry`. */
  get name(): string {
    return this.factory.name
  }

  /** This node as others reach it: the first one, whose id is that of the PeerId. */
  get self(): NodeRef {
    return this.now.link.self
  }

  /** True from the start of the libp2p node to its stop. */
  get isRunning(): boolean {
    return this.running !== undefined
  }

  /** True once this node is a member. Its virtual nodes become members afterwards, through it. */
  get ready(): boolean {
    return this.running?.hosts.first.ready ?? false
  }

  /** All nodes that run here, the first one first; each is `ready` when it is a member. New ones after each start. */
  get nodes(): readonly NodeHost[] {
    return this.now.hosts.nodes
  }

  /** The calls of key-based routing that are answered from local state. */
  get kbr(): Kbr {
    return this.host.node.overlay
  }

  /** What hosts the node: for applications of your own. A new one after each start. */
  get host(): NodeHost {
    return this.now.hosts.first
  }

  /** The measured smoothed round trip to a peer in milliseconds; undefined when never measured. */
  roundTripMs(peer: NodeRef): Millis | undefined {
    return this.host.command(this.now.peerLookup, (_now, fx) => fx.roundTripMs(peer))
  }

  /**
   * Resolves when this node is a member; before the first start it waits. Rejects with the signal's reason, with `NotReadyError` when the node
   * is stopped before or has been, and with `DeadlineError` after `timeoutMs`, by default never.
   */
  async whenReady(options: WaitOptions = {}): Promise<void> {
    const { signal, timeoutMs } = options
    if (signal?.aborted === true) throw signal.reason
    if (this.ready) return
    if (this.stopped) throw wasStopped()
    await new Promise<void>((resolve, reject) => {
      const end = (error?: unknown): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        if (error === undefined) resolve()
        else reject(error as Error)
      }
      const onAbort = (): void => end(signal?.reason)
      const onLate = (): void => end(new DeadlineError(`this node did not become a member within ${timeoutMs} ms`))
      const timer = timeoutMs === undefined ? undefined : setTimeout(onLate, timeoutMs)
      signal?.addEventListener('abort', onAbort)
      this.becameReady.promise.then(() => this.readyAgain()).then(() => end(), end)
    })
  }

  /** Walks to the root of `key` and says who stands there; within 10 s by default. Rejects as {@link whenReady}, or with `RouteError`. */
  async lookup(key: Guid, options: LookupOptions = {}): Promise<Lookup> {
    await this.whenReady({ timeoutMs: lookupMs, ...options })
    return this.lookupThrough(key, undefined, options)
  }

  /**
   * Finds the root of `key` iteratively: this node asks the others itself, `alpha` at a time, and connects to each. Slower than
   * {@link lookup}, which walks over connections that exist, but every node asked is known to this one.
   */
  async lookupIteratively(key: Guid, options: Parameters<NodeHost['lookup']>[1] = {}): Promise<FoundRoot> {
    await this.whenReady(options)
    return this.host.lookup(key, options)
  }

  /**
   * Runs an application here from the next start on; `setUp` is called at each start, for each virtual node with its number. Services call it before they
   * are started.
   */
  use(setUp: SetUp): void {
    this.setUps.push(setUp)
  }

  stats(): OverlayStats {
    const { hosts, link } = this.now
    const [first, ...others] = hosts.nodes.map((node) => node.stats())
    return { ...sumStats([first!, ...others]), link: link.counters, linkedPeers: link.linkedPeers }
  }

  /** Only takes note of listeners: those come up while `afterStart` runs. */
  start(): void {
    this.stopped = false
    this.listening = listenersUp(this.components)
  }

  /** Every other component has started. Joining goes on in the background: it does not delay the node. */
  async afterStart(): Promise<void> {
    if (this.running !== undefined) return
    // Other nodes are told our addresses from the first message on.
    await this.listening
    const { routing, virtualNodesMax, puzzleBits } = this.init
    const link = new Libp2pLink(this.components, {
      network: this.network,
      overlay: this.name,
      epoch: this.nextEpoch(),
      ...(virtualNodesMax === undefined ? {} : { virtualNodesMax }),
      ...(puzzleBits === undefined ? {} : { puzzleBits }),
    })
    const hosts = new HostGroup({
      overlay: this.factory,
      links: Array.from({ length: this.virtualNodes }, (_, index) => (index === 0 ? link : link.virtualNode(index))),
      ...(routing === undefined ? {} : { routing }),
    })
    const membership = this.membershipOf(link, hosts.first, [...this.bootstrap, ...(await link.previousNeighbors())])
    const peerLookup = await this.setUp(hosts, link, membership)
    await hosts.start()
    const topology = await this.components.registrar.register(link.frameProtocol, { onConnect: (peer) => void membership.meet(peer) })
    const running = { link, hosts, peerLookup, membership, topology }
    this.running = running
    this.metrics.start()
    const { becameReady } = this
    membership.start().then(
      () => {
        becameReady.resolve()
        void this.joinOthers(running)
      },
      // Only when it is stopped.
      () => becameReady.reject(wasStopped()),
    )
  }

  /** Hands over and says goodbye while connections still exist. */
  async beforeStop(): Promise<void> {
    const { running } = this
    if (running === undefined) return
    running.membership.stop()
    this.components.registrar.unregister(running.topology)
    await running.hosts.leave().catch(() => {})
    await this.shutDown(running)
  }

  async stop(): Promise<void> {
    if (this.running !== undefined) await this.shutDown(this.running)
  }

  /** Ends all nodes as a killed process does: nobody is told, and the libp2p node is still to be stopped. For tests and demonstrations. */
  async crash(): Promise<void> {
    await this.now.hosts.stop()
  }

  private get now(): Running {
    if (this.running === undefined) throw new NotReadyError('the overlay is not running: start the libp2p node first')
    return this.running
  }

  private async shutDown(running: Running): Promise<void> {
    this.running = undefined
    this.stopped = true
    this.metrics.stop()
    this.becameReady.reject(wasStopped())
    this.becameReady = Promise.withResolvers<void>()
    this.becameReady.promise.catch(() => {})
    this.regained?.reject(wasStopped())
    this.regained = undefined
    await running.hosts.stop()
  }

  /** Puts the applications on every node. Returns the first node's own, which membership asks with. */
  private async setUp(hosts: HostGroup, link: Libp2pLink, membership: Membership): Promise<PeerLookup> {
    const peerLookup = new PeerLookup(link.readRef, (by) => membership.onAsked(by))
    for (const [index, host] of hosts.nodes.entries()) {
      host.use(index === 0 ? peerLookup : new PeerLookup(link.readRef, () => []))
      for (const setUp of this.setUps) {
        const { application, ports } = await setUp(index)
        host.use(application, ports)
      }
      host.observe((event) => {
        if (index === 0 || event.type === 'host:fault') this.onEvent(event)
      })
    }
    return peerLookup
  }

  /** The virtual nodes become members through the first one, whatever it takes. */
  private async joinOthers(running: Running): Promise<void> {
    const { hosts } = running
    while (this.running === running && hosts.first.ready && !hosts.ready) {
      try {
        await hosts.joinOthers()
      } catch (error) {
        this.components.logger
          .forComponent(`plaxton:${this.name}`)
          .error('a virtual node could not join, will try again - %e', error as Error)
        await new Promise((resolve) => setTimeout(resolve, rejoinMs))
      }
    }
  }

  private membershipOf(link: Libp2pLink, host: NodeHost, seeds: ReadonlyArray<Multiaddr | PeerId>): Membership {
    const { peerId, logger } = this.components
    const ports = {
      self: peerId,
      log: logger.forComponent(`plaxton:${this.name}`),
      connect: (address: Multiaddr | PeerId, signal: AbortSignal) => link.connect(address, signal),
      ask: (node: NodeRef, withinMs: Millis) => this.ask(node, withinMs),
      knows: ({ id }: NodeRef) => isKnown(host.node.overlay, id),
      findSelf: (firstHop: NodeRef, withinMs: Millis) => this.lookupThrough(link.self.id, firstHop, { timeoutMs: withinMs }),
      join: (nodes: readonly NodeRef[], signal: AbortSignal) => host.join(nodes, { signal }),
      meet: (nodes: readonly NodeRef[]) => host.meet(nodes),
    }
    return new Membership(ports, seeds)
  }

  private lookupThrough(key: Guid, firstHop: NodeRef | undefined, options: LookupOptions): Promise<Lookup> {
    const { host } = this
    const { peerLookup } = this.now
    const { timeoutMs = lookupMs, keepPath = false, signal } = options
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason as Error)
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener('abort', onAbort)
      host.command(peerLookup, (_now, fx) =>
        peerLookup.lookup(key, timeoutMs, { keepPath, firstHop }, fx, (outcome) => {
          signal?.removeEventListener('abort', onAbort)
          if (isFailure(outcome)) return reject(new RouteError(outcome))
          const { hops, elapsedMs, path } = outcome.reply
          resolve({ ...outcome.report, key, hops, elapsedMs, path })
        }),
      )
    })
  }

  private ask(node: NodeRef, withinMs: Millis): Promise<PeerReport> {
    const { host } = this
    const { peerLookup } = this.now
    return new Promise((resolve, reject) => {
      host.command(peerLookup, (_now, fx) =>
        peerLookup.ask(node, withinMs, fx, (outcome) => (isFailure(outcome) ? reject(new RouteError(outcome)) : resolve(outcome.report))),
      )
    })
  }

  private async readyAgain(): Promise<void> {
    if (this.ready) return
    if (this.stopped) throw wasStopped()
    this.regained ??= Promise.withResolvers<void>()
    await this.regained.promise
  }

  private onEvent(event: KbrEvent): void {
    if (event.type === 'ready') {
      this.regained?.resolve()
      this.regained = undefined
    }
    if (this.listenerCount(event.type) > 0) this.safeDispatchEvent(event.type as 'ready', { detail: event as never })
  }

  /** Milliseconds since 1970, and later than the last one even when the clock was set back. */
  private nextEpoch(): number {
    this.lastEpoch = Math.max(Date.now(), this.lastEpoch + 1)
    return this.lastEpoch
  }
}

/** What exists between a start and a stop. */
interface Running {
  readonly link: Libp2pLink
  readonly hosts: HostGroup
  readonly peerLookup: PeerLookup
  readonly membership: Membership
  /** By which the registrar knows that we want to hear of peers. */
  readonly topology: string
}

/**
 * An overlay as a libp2p service: `services: { identify: identify(), overlay: overlay(pastry()) }`. Joins in the background; see
 * {@link OverlayService.whenReady}. Carries libp2p's peer-routing symbol. Throws `InvalidValueError` for what is no overlay, such as `pastry` where `pastry()` was meant.
 */
export function overlay(factory: OverlayFactory, init: OverlayInit = {}): (components: OverlayComponents) => OverlayService {
  const given = factory as Partial<OverlayFactory> | undefined
  if (typeof given?.create !== 'function') throw new InvalidValueError('overlay', given, 'an overlay, such as pastry()')
  return (components) => new OverlayService(components, factory, init)
}

/** Whether the overlay has this node in its tables. */
function isKnown(kbr: Kbr, id: Guid): boolean {
  return [...kbr.neighborSet(maxNeighbors), ...kbr.localLookup(id, 1, false)].some((node) => node.id === id)
}

function wasStopped(): NotReadyError {
  return new NotReadyError('the node was stopped')
}

function isFailure(outcome: object): outcome is RouteFailure {
  return 'reason' in outcome
}
