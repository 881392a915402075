import { contentRoutingSymbol, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { DolrNode } from '@plaxton/dolr'
import { NotFoundError, Prng } from '@plaxton/kbr'
import { DolrClient } from '@plaxton/runtime'
import { registerDolrMetrics } from './metrics.ts'
import { LateReplies } from './late-replies.ts'
import { OverlayApplication, freshPrng } from './overlay-application.ts'
import { providerRouting } from './provider-routing.ts'
import { sumStats } from './sum-stats.ts'
import type { ContentRouting, Metrics } from '@libp2p/interface'
import type { DolrConfig, DolrStats } from '@plaxton/dolr'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dolr, LocateOptions, NodeRef, ObjectHandler, Replies } from '@plaxton/kbr'
import type { Hosting, NodeHost } from '@plaxton/runtime'
import type { OverlayApplicationComponents } from './overlay-application.ts'
import type { ApplicationSetUp } from './overlay-service.ts'

/** What DOLR uses of a libp2p node. */
export interface DolrComponents extends OverlayApplicationComponents {
  readonly metrics?: Metrics
}

/** Providers named in one answer, as many as DOLR names at most. */
const maxProviders = 16

/**
 * DOLR on an overlay inside a libp2p node. What a node hosts it hosts until it is stopped; started again, it hosts nothing.
 */
export class DolrService extends OverlayApplication<DolrNode, DolrClient> implements Dolr {
  readonly [Symbol.toStringTag] = '@plaxton/dolr'
  readonly [serviceCapabilities]: string[] = ['@plaxton/dolr', '@libp2p/content-routing']
  readonly [serviceDependencies]: string[] = ['@plaxton/overlay']
  private readonly config: Partial<DolrConfig>
  /** Published for libp2p's content routing and nobody else, so that content routing may withdraw it. Bound: the core's `publicationsMax`. */
  private readonly provided = new Set<Guid>()

  constructor(components: DolrComponents, config: Partial<DolrConfig>) {
    // This one is made only to have a configuration out of range refused now rather than at the start.
    super(components, new DolrNode(config, Prng.fromSeed(0)).config.commandMs)
    this.config = config
    registerDolrMetrics(components.metrics, this)
  }

  get [contentRoutingSymbol](): Partial<ContentRouting> {
    return providerRouting({
      provide: (guid, options) => this.provide(guid, options),
      withdraw: (guid, options) => this.withdraw(guid, options),
      providers: (guid, options) => this.providers(guid, options),
    })
  }

  async publish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await (await this.member(options)).publish(guid, options)
    this.provided.delete(guid)
  }

  async unpublish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await (await this.member(options)).unpublish(guid, options)
    this.provided.delete(guid)
  }

  async host(guid: Guid, handler: ObjectHandler, options: CallOptions = {}): Promise<Hosting> {
    const hosting = await (await this.member(options)).host(guid, handler, options)
    this.provided.delete(guid)
    return hosting
  }

  sendToObj(message: Uint8Array, guid: Guid, n = 1, options: CallOptions = {}): Replies {
    if (this.overlay.ready) return this.client.sendToObj(message, guid, n, options)
    return new LateReplies(this.member(options).then((client) => ({ replies: client.sendToObj(message, guid, n, options) })))
  }

  async locate(guid: Guid, n = 1, options: LocateOptions = {}): Promise<readonly NodeRef[]> {
    return (await this.member(options)).locate(guid, n, options)
  }

  /** Of all nodes here together. */
  stats(): DolrStats {
    const [first, ...others] = this.nodes
    return sumStats([first.stats(), ...others.map((node) => node.stats())])
  }

  override stop(): void {
    super.stop()
    this.provided.clear()
  }

  protected override async setUp(): Promise<ApplicationSetUp<DolrNode>> {
    return { application: new DolrNode(this.config, freshPrng()) }
  }

  protected override clientOf(host: NodeHost, node: DolrNode): DolrClient {
    return new DolrClient(host, node)
  }

  private async provide(guid: Guid, options: CallOptions): Promise<void> {
    const client = await this.member(options)
    if (!this.node.hosts(guid)) this.provided.add(guid)
    try {
      await client.publish(guid, options)
    } catch (error) {
      if (!this.isRunning || !this.node.hosts(guid)) this.provided.delete(guid)
      throw error
    }
  }

  private async withdraw(guid: Guid, options: CallOptions): Promise<void> {
    if (!this.provided.delete(guid)) return
    try {
      await this.client.unpublish(guid, options)
    } catch (error) {
      // Its publication never came about.
      if (!(error instanceof NotFoundError)) throw error
    }
  }

  /** Asked first, because whoever wants providers dials them and does not tell DOLR when that fails. Nobody dials himself. */
  private async providers(guid: Guid, options: CallOptions): Promise<readonly NodeRef[]> {
    const hosts = await this.locate(guid, maxProviders, { ...options, checked: true })
    return hosts.filter(({ id }) => id !== this.overlay.self.id)
  }
}

/**
 * DOLR as a libp2p service, beside an overlay under the key `overlay`:
 * `services: { identify: identify(), overlay: overlay(tapestry()), dolr: dolr() }`. Carries libp2p's content-routing symbol.
 */
export function dolr(config: Partial<DolrConfig> = {}): (components: DolrComponents) => DolrService {
  return (components) => new DolrService(components, config)
}
