import { peerRoutingSymbol, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { DeadlineError, InvalidValueError, NotReadyError, RouteError } from '@plaxton/kbr'
import { NodeHost } from '@plaxton/runtime'
import { TypedEventEmitter } from 'main-event'
import { Libp2pLink } from './libp2p-link.ts'
import { Membership } from './membership.ts'
import { OverlayMetrics } from './metrics.ts'
import { PeerLookup } from './peer-lookup.ts'
import { overlayPeerRouting } from './peer-routing.ts'
import type { Metrics, PeerId, PeerRouting, Startable } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { AbortSignalLike, Application, Kbr, KbrEvent, Millis, NodeRef, OverlayFactory, RouteFailure } from '@plaxton/kbr'
import type { RoutingConfig } from '@plaxton/routing'
import type { ApplicationPorts, FoundRoot, HostStats, NodeHostEvents } from '@plaxton/runtime'
import type { LinkComponents } from './link-init.ts'
import type { LinkCounters } from './counters.ts'
import type { Lookup, PeerReport } from './peer-lookup.ts'

/** What the overlay service uses of a libp2p node. */
export interface OverlayComponents extends LinkComponents {
  readonly metrics?: Metrics
}

export interface OverlayInit {
  /**
   * Nodes of different networks never link, whatever connections there are between them. 1 to 32 characters of a-z, 0-9, dot, dash and
   * underscore. Default `default`.
   */
  readonly network?: string
  /**
   * Multiaddrs of members to join through. The node also tries the neighbours of its last run, if its datastore remembers any, and any peer
   * that turns up; with nobody it is the first of a new network. A list that all nodes share may name this node too. Default none.
   */
  readonly bootstrap?: ReadonlyArray<string | Multiaddr>
  readonly routing?: Partial<RoutingConfig>
}

/** An application to run on the overlay, made anew for each start. */
export interface ApplicationSetUp<Core extends Application = Application> {
  readonly application: Core
  /** Its store and its key, if it needs them. */
  readonly ports?: ApplicationPorts
}

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

/** What the link has counted since the start, and how many peers it is linked with now. */
export interface OverlayStats extends HostStats {
  readonly link: Readonly<LinkCounters>
  readonly linkedPeers: number
}

/** Longest wait for listeners at the start. On this machine's own interfaces they take milliseconds. */
const listenMs = 500

/** More than the neighbours of any configuration in use. */
const maxNeighbors = 64

/** A lookup that names no time ends after this. */
const lookupMs = 10_000

/** One node of an overlay inside a libp2p node. Dispatches the events of {@link NodeHostEvents}. */
export class OverlayService extends TypedEventEmitter<NodeHostEvents> implements Startable {
  readonly [Symbol.toStringTag] = '@plaxton/overlay'
  readonly [serviceCapabilities]: string[] = ['@plaxton/overlay', '@libp2p/peer-routing']
  // Topologies fire when identify has told which protocols a peer speaks.
  readonly [serviceDependencies]: string[] = ['@libp2p/identify']
  /** Part of the protocol ids. */
  readonly network: string
  private readonly components: OverlayComponents
  private readonly factory: OverlayFactory
  private readonly init: OverlayInit
  private readonly bootstrap: readonly Multiaddr[]
  private readonly setUps: Array<() => ApplicationSetUp | Promise<ApplicationSetUp>> = []
  private readonly metrics: OverlayMetrics
  private listening: Promise<void> | undefined
  private running: Running | undefined
  private becameReady = Promise.withResolvers<void>()
  /** From a stop to the next start: then nobody is waited for. */
  private stopped = false
  private lastEpoch = 0

  constructor(components: OverlayComponents, factory: OverlayFactory, init: OverlayInit) {
    super()
    this.components = components
    this.factory = factory
    this.init = init
    this.network = init.network ?? 'default'
    this.bootstrap = (init.bootstrap ?? []).map(parseMultiaddr)
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

  /** This node as others reach it. */
  get self(): NodeRef {
    return this.now.link.self
  }

  /** True from the start of the libp2p node to its stop. */
  get isRunning(): boolean {
    return this.running !== undefined
  }

  /** True once this node is a member. */
  get ready(): boolean {
    return this.running?.host.ready ?? false
  }

  /** The calls of key-based routing that are answered from local state. */
  get kbr(): Kbr {
    return this.now.host.node.overlay
  }

  /** What hosts the node: for applications of your own. A new one after each start. */
  get host(): NodeHost {
    return this.now.host
  }

  /** The measured smoothed round trip to a peer in milliseconds; undefined when never measured. */
  roundTripMs(peer: NodeRef): Millis | undefined {
    const { host, peerLookup } = this.now
    return host.command(peerLookup, (_now, fx) => fx.roundTripMs(peer))
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
      this.becameReady.promise.then(() => end(), end)
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
    return this.now.host.lookup(key, options)
  }

  /** Runs an application here from the next start on; `setUp` is called at each start. Services call it before they are started. */
  use(setUp: () => ApplicationSetUp | Promise<ApplicationSetUp>): void {
    this.setUps.push(setUp)
  }

  stats(): OverlayStats {
    const { host, link } = this.now
    return { ...host.stats(), link: link.counters, linkedPeers: link.linkedPeers }
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
    const link = new Libp2pLink(this.components, { network: this.network, overlay: this.name, epoch: this.nextEpoch() })
    const { routing } = this.init
    const host = new NodeHost({ overlay: this.factory, link, ...(routing === undefined ? {} : { routing }) })
    const membership = this.membershipOf(link, host, [...this.bootstrap, ...(await link.previousNeighbors())])
    const peerLookup = new PeerLookup(link.readRef, (by) => membership.onAsked(by))
    host.use(peerLookup)
    for (const setUp of this.setUps) {
      const { application, ports } = await setUp()
      host.use(application, ports)
    }
    host.observe((event) => this.onEvent(event))
    await host.start()
    const topology = await this.components.registrar.register(link.frameProtocol, { onConnect: (peer) => void membership.meet(peer) })
    this.running = { link, host, peerLookup, membership, topology }
    this.metrics.start()
    const { becameReady } = this
    membership.start().then(
      () => becameReady.resolve(),
      (error: Error) => becameReady.reject(error),
    )
  }

  /** Hands over and says goodbye while connections still exist. */
  async beforeStop(): Promise<void> {
    const { running } = this
    if (running === undefined) return
    running.membership.stop()
    this.components.registrar.unregister(running.topology)
    if (running.host.ready) await running.host.leave().catch(() => {})
    await this.shutDown(running)
  }

  async stop(): Promise<void> {
    if (this.running !== undefined) await this.shutDown(this.running)
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
    await running.host.stop()
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
    const { host, peerLookup } = this.now
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
    const { host, peerLookup } = this.now
    return new Promise((resolve, reject) => {
      host.command(peerLookup, (_now, fx) =>
        peerLookup.ask(node, withinMs, fx, (outcome) => (isFailure(outcome) ? reject(new RouteError(outcome)) : resolve(outcome.report))),
      )
    })
  }

  private onEvent(event: KbrEvent): void {
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
  readonly host: NodeHost
  readonly peerLookup: PeerLookup
  readonly membership: Membership
  /** By which the registrar knows that we want to hear of peers. */
  readonly topology: string
}

/**
 * An overlay as a libp2p service: `services: { identify: identify(), overlay: overlay(pastry()) }`. Joins in the background; see
 * {@link OverlayService.whenReady}. Carries libp2p's peer-routing symbol.
 */
export function overlay(factory: OverlayFactory, init: OverlayInit = {}): (components: OverlayComponents) => OverlayService {
  return (components) => new OverlayService(components, factory, init)
}

/**
 * Resolves when as many listeners are up as there are addresses to listen on. A relay's may come much later and others not at all, so
 * there is an end to waiting.
 */
function listenersUp({ addressManager, events }: OverlayComponents): Promise<void> {
  let missing = addressManager.getListenAddrs().length
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      events.removeEventListener('transport:listening', onListening)
      resolve()
    }
    const onListening = (): void => {
      missing--
      if (missing <= 0) end()
    }
    const timer = setTimeout(end, listenMs)
    events.addEventListener('transport:listening', onListening)
    if (missing === 0) end()
  })
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

function parseMultiaddr(address: string | Multiaddr): Multiaddr {
  if (typeof address !== 'string') return address
  try {
    return multiaddr(address)
  } catch {
    throw new InvalidValueError('bootstrap', address, 'a multiaddr such as /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…')
  }
}
