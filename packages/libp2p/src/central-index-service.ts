import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { IndexClient, IndexServer, star } from '@plaxton/central-index'
import { InvalidValueError, NotReadyError, Prng } from '@plaxton/kbr'
import { CentralIndexClient, NodeHost } from '@plaxton/runtime'
import { TypedEventEmitter } from 'main-event'
import { LateReplies } from './late-replies.ts'
import { Libp2pLink } from './libp2p-link.ts'
import { listenersUp } from './listeners.ts'
import { nodesAt } from './node-address.ts'
import { freshPrng } from './overlay-application.ts'
import type { Startable } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { ClientConfig, ClientStats, FetchedFile, FoundFile, ServerConfig, ServerStats } from '@plaxton/central-index'
import type { Guid } from '@plaxton/guid'
import type { Application, CallOptions, Dolr, KbrEvent, LocateOptions, NodeRef, ObjectHandler, Replies } from '@plaxton/kbr'
import type { FetchOptions, HostStats, Hosting, NodeHostEvents, SearchOptions, SharedFile } from '@plaxton/runtime'
import type { LinkCounters } from './counters.ts'
import type { LinkComponents } from './link-init.ts'

/** What clients and servers of a central index are told of their network. */
export interface CentralIndexInit {
  /**
   * Multiaddrs of the index servers, each with its `/p2p/<PeerId>`; those that are down are tried again. A list that all share may name this node too.
   * At most 8 servers.
   */
  readonly servers: ReadonlyArray<string | Multiaddr>
  /** Nodes of different networks never link. Default `default`. */
  readonly network?: string
}

/** What the link and the host have counted since the start, with what the core says of itself. */
export type CentralIndexStats<Core> = Core & { readonly host: HostStats; readonly link: Readonly<LinkCounters> }

/**
 * What client and server have in common: a core of a central index on a link of its own, with its own protocol ids. Dispatches the events of the core, typed:
 * `central-index:home`, `central-index:in-step` and so on.
 */
abstract class CentralIndexNode<Core extends Application> extends TypedEventEmitter<NodeHostEvents> implements Startable {
  abstract readonly [Symbol.toStringTag]: string
  readonly [serviceDependencies]: string[] = ['@libp2p/identify']
  private readonly components: LinkComponents
  private readonly network: string
  private readonly servers: readonly NodeRef[]
  private readonly isServer: boolean
  private running: Running<Core> | undefined
  private listening: Promise<void> | undefined
  private lastEpoch = 0

  constructor(components: LinkComponents, init: CentralIndexInit, isServer: boolean) {
    super()
    this.components = components
    this.network = init.network ?? 'default'
    this.servers = nodesAt(init.servers, 'servers')
    this.isServer = isServer
  }

  /** This node as others reach it. */
  get self(): NodeRef {
    return this.now.link.self
  }

  /** True from the start of the libp2p node to its stop. */
  get isRunning(): boolean {
    return this.running !== undefined
  }

  /** What hosts the node. A new one after each start. */
  get nodeHost(): NodeHost {
    return this.now.host
  }

  /** Only takes note of listeners: those come up while `afterStart` runs. */
  start(): void {
    this.listening = listenersUp(this.components)
  }

  /** Every other component has started. */
  async afterStart(): Promise<void> {
    if (this.running !== undefined) return
    // Other nodes are told our addresses from the first message on.
    await this.listening
    this.lastEpoch = Math.max(Date.now(), this.lastEpoch + 1)
    const link = new Libp2pLink(this.components, { network: this.network, overlay: 'central-index', epoch: this.lastEpoch })
    const host = new NodeHost({ overlay: star({ hub: this.isServer }), link })
    const core = this.makeCore()
    host.use(core)
    host.observe((event) => this.onEvent(event))
    await host.start()
    this.running = { link, host, core }
    await host.join(this.servers)
  }

  /** Takes leave of the servers while connections still exist. */
  async beforeStop(): Promise<void> {
    await this.running?.host.leave().catch(() => {})
    await this.stop()
  }

  async stop(): Promise<void> {
    const { running } = this
    this.running = undefined
    await running?.host.stop()
  }

  protected abstract makeCore(): Core

  protected get now(): Running<Core> {
    if (this.running === undefined) throw notRunning()
    return this.running
  }

  protected counted<Stats>(ofCore: Stats): CentralIndexStats<Stats> {
    const { host, link } = this.now
    return { ...ofCore, host: host.stats(), link: link.counters }
  }

  private onEvent(event: KbrEvent): void {
    if (this.listenerCount(event.type) > 0) this.safeDispatchEvent(event.type as 'ready', { detail: event as never })
  }
}

/** What exists between a start and a stop. */
interface Running<Core> {
  readonly link: Libp2pLink
  readonly host: NodeHost
  readonly core: Core
}

/** A client of a central index inside a libp2p node; see {@link CentralIndexClient} for its calls. What it offers it offers until it is stopped. */
export class CentralIndexService extends CentralIndexNode<IndexClient> implements Dolr {
  readonly [Symbol.toStringTag] = '@plaxton/central-index'
  readonly [serviceCapabilities]: string[] = ['@plaxton/central-index']
  private readonly config: Partial<ClientConfig>
  private promises: { readonly of: IndexClient; readonly client: CentralIndexClient } | undefined

  constructor(components: LinkComponents, init: CentralIndexInit, config: Partial<ClientConfig>) {
    super(components, init, false)
    this.config = config
    // Made only to have a configuration out of range refused now rather than at the start.
    new IndexClient(config, Prng.fromSeed(0))
  }

  /** The server that has this client's list; undefined while none is known to have it. */
  get server(): NodeRef | undefined {
    return this.now.core.server
  }

  async share(files: readonly SharedFile[], options: CallOptions = {}): Promise<void> {
    return this.client.share(files, options)
  }

  async withdraw(guids: readonly Guid[], options: CallOptions = {}): Promise<void> {
    return this.client.withdraw(guids, options)
  }

  async search(text: string, options: SearchOptions = {}): Promise<readonly FoundFile[]> {
    return this.client.search(text, options)
  }

  async fetch(guid: Guid, options: FetchOptions = {}): Promise<FetchedFile> {
    return this.client.fetch(guid, options)
  }

  async publish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await this.client.publish(guid, options)
  }

  async unpublish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await this.client.unpublish(guid, options)
  }

  async host(guid: Guid, handler: ObjectHandler, options: CallOptions = {}): Promise<Hosting> {
    return this.client.host(guid, handler, options)
  }

  sendToObj(message: Uint8Array, guid: Guid, n = 1, options: CallOptions = {}): Replies {
    if (this.isRunning) return this.client.sendToObj(message, guid, n, options)
    return new LateReplies(Promise.reject(notRunning()))
  }

  async locate(guid: Guid, n = 1, options: LocateOptions = {}): Promise<readonly NodeRef[]> {
    return this.client.locate(guid, n, options)
  }

  stats(): CentralIndexStats<ClientStats> {
    return this.counted(this.now.core.stats())
  }

  protected override makeCore(): IndexClient {
    return new IndexClient(this.config, freshPrng())
  }

  private get client(): CentralIndexClient {
    const { core, host } = this.now
    if (this.promises?.of !== core) this.promises = { of: core, client: new CentralIndexClient(host, core) }
    return this.promises.client
  }
}

/** An index server inside a libp2p node. It forgets the index when it is stopped: the other servers and the clients tell it again. */
export class IndexServerService extends CentralIndexNode<IndexServer> {
  readonly [Symbol.toStringTag] = '@plaxton/index-server'
  readonly [serviceCapabilities]: string[] = ['@plaxton/index-server']
  private readonly config: Partial<ServerConfig>

  constructor(components: LinkComponents, init: CentralIndexInit, config: Partial<ServerConfig>) {
    super(components, init, true)
    this.config = config
    new IndexServer(config)
  }

  stats(): CentralIndexStats<ServerStats> {
    return this.counted(this.now.core.stats(this.self.id))
  }

  protected override makeCore(): IndexServer {
    return new IndexServer(this.config)
  }
}

/** A client of a central index as a libp2p service: `services: { identify: identify(), index: centralIndex({ servers }) }`. Throws `InvalidValueError` without any server. */
export function centralIndex(
  init: CentralIndexInit,
  config: Partial<ClientConfig> = {},
): (components: LinkComponents) => CentralIndexService {
  const { servers } = (init as Partial<CentralIndexInit> | undefined) ?? {}
  if (servers === undefined || servers.length === 0)
    throw new InvalidValueError('servers', servers, 'the multiaddrs of one index server or more')
  return (components) => new CentralIndexService(components, init, config)
}

/** An index server as a libp2p service; `servers` are the other ones. */
export function indexServer(
  init: Partial<CentralIndexInit> = {},
  config: Partial<ServerConfig> = {},
): (components: LinkComponents) => IndexServerService {
  return (components) => new IndexServerService(components, { servers: [], ...init }, config)
}

function notRunning(): NotReadyError {
  return new NotReadyError('the node is not running: start the libp2p node first')
}
