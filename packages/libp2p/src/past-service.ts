import { contentRoutingSymbol, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { Prng } from '@plaxton/kbr'
import { PastNode, pastDefaults } from '@plaxton/past'
import { PastClient, datastoreStore, ed25519Key } from '@plaxton/runtime'
import { registerPastMetrics } from './metrics.ts'
import { ed25519Seed } from './node-key.ts'
import { OverlayApplication, freshPrng } from './overlay-application.ts'
import { recordRouting } from './record-routing.ts'
import { recordKeyOf } from './records.ts'
import { subStore } from './sub-store.ts'
import { sumStats } from './sum-stats.ts'
import type { ContentRouting, Metrics, PrivateKey } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dht, Inspection, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import type { PastConfig, PastStats } from '@plaxton/past'
import type { NodeHost, SignerOptions, StorePort } from '@plaxton/runtime'
import type { OverlayApplicationComponents } from './overlay-application.ts'
import type { ApplicationSetUp } from './overlay-service.ts'

/** Any `interface-datastore`, as libp2p nodes have one. */
type Datastore = Parameters<typeof datastoreStore>[0]

/** What PAST uses of a libp2p node. */
export interface PastComponents extends OverlayApplicationComponents {
  readonly datastore: Datastore
  readonly privateKey: PrivateKey
  readonly metrics?: Metrics
}

export interface PastInit extends Partial<PastConfig> {
  /**
   * Where replicas are kept. Default: the node's own datastore, which is in memory unless the node was given another. Who passes a store
   * closes it, after the node has stopped.
   */
  readonly store?: StorePort | Datastore
  /** Signs what this node puts and removes; Ed25519. Default: the node's own private key. */
  readonly owner?: PrivateKey
}

/** PAST on an overlay inside a libp2p node. */
export class PastService extends OverlayApplication<PastNode, PastClient> implements Dht {
  readonly [Symbol.toStringTag] = '@plaxton/past'
  readonly [serviceCapabilities]: string[] = ['@plaxton/past', '@libp2p/content-routing']
  readonly [serviceDependencies]: string[] = ['@plaxton/overlay']
  private readonly datastore: Datastore
  private readonly config: Partial<PastConfig>
  private readonly store: StorePort | Datastore | undefined
  private readonly seed: Uint8Array

  constructor(components: PastComponents, init: PastInit) {
    const { store, owner, ...config } = init
    // This one is made only to have a configuration out of range refused now rather than at the start.
    super(components, new PastNode(config, Prng.fromSeed(0)).config.commandMs)
    this.datastore = components.datastore
    this.config = config
    this.store = store
    this.seed = ed25519Seed(owner ?? components.privateKey, 'owner', 'give past({ owner }) one when the node itself has another kind')
    registerPastMetrics(components.metrics, this)
  }

  get [contentRoutingSymbol](): Partial<ContentRouting> {
    return recordRouting(this)
  }

  /** The key that owns what this node puts: Ed25519, 32 raw bytes. */
  get publicKey(): Uint8Array {
    return this.client.publicKey
  }

  /** The guid of the named object that this node's owner would store under `name` and `salt`. */
  nameGuid(name: string, salt?: Uint8Array): Guid {
    return this.client.nameGuid(name, salt)
  }

  async put(guid: Guid, data: Uint8Array, options: PutOptions & SignerOptions = {}): Promise<PutReceipt> {
    return (await this.member(options)).put(guid, data, options)
  }

  async get(guid: Guid, options: CallOptions = {}): Promise<Uint8Array> {
    return (await this.member(options)).get(guid, options)
  }

  async remove(guid: Guid, options: CallOptions & SignerOptions = {}): Promise<RemoveReceipt> {
    return (await this.member(options)).remove(guid, options)
  }

  async has(guid: Guid, options: CallOptions = {}): Promise<boolean> {
    return (await this.member(options)).has(guid, options)
  }

  async inspect(guid: Guid, options: CallOptions = {}): Promise<Inspection> {
    return (await this.member(options)).inspect(guid, options)
  }

  async ensure(guid: Guid, replicas?: number, options: CallOptions = {}): Promise<Inspection> {
    return (await this.member(options)).ensure(guid, replicas, options)
  }

  /** Of all nodes here together. */
  stats(): PastStats {
    return sumStats(this.statsOfNodes())
  }

  /** Of each node here, the first one first: how its virtual nodes share the load of this host. */
  statsOfNodes(): readonly [PastStats, ...PastStats[]] {
    const [first, ...others] = this.nodes
    return [first.stats(), ...others.map((node) => node.stats())]
  }

  protected override async setUp(index: number): Promise<ApplicationSetUp<PastNode>> {
    const { name, network } = this.overlay
    const store = this.store ?? this.datastore
    const whole = isStorePort(store) ? store : subStore(datastoreStore(store), `plaxton/${network}/${name}/`)
    // The first node has its store where a host with one node has it, so their number may change between two starts.
    const port = index === 0 ? whole : subStore(whole, `virtual-node-${index}/`)
    const key = await ed25519Key(this.seed)
    return { application: new PastNode(this.shareOfConfig(), freshPrng()), ports: { store: port, key, signer: recordKeyOf } }
  }

  /** What the store may take is a matter of the host's disk, so its nodes share it. */
  private shareOfConfig(): Partial<PastConfig> {
    const { virtualNodes } = this.overlay
    if (virtualNodes === 1) return this.config
    const { capacityBytes, maxObjects, cacheBytes } = { ...pastDefaults, ...this.config }
    const share = (of: number): number => Math.ceil(of / virtualNodes)
    return { ...this.config, capacityBytes: share(capacityBytes), maxObjects: share(maxObjects), cacheBytes: share(cacheBytes) }
  }

  protected override clientOf(host: NodeHost, node: PastNode): PastClient {
    return new PastClient(host, node)
  }
}

/**
 * PAST as a libp2p service, beside an overlay under the key `overlay`:
 * `services: { identify: identify(), overlay: overlay(pastry()), past: past() }`. Carries libp2p's content-routing symbol.
 */
export function past(init: PastInit = {}): (components: PastComponents) => PastService {
  return (components) => new PastService(components, init)
}

function isStorePort(store: StorePort | Datastore): store is StorePort {
  return 'write' in store && 'list' in store
}
