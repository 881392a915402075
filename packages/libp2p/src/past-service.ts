import { contentRoutingSymbol, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { NotReadyError, Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { PastClient, datastoreStore, ed25519Key } from '@plaxton/runtime'
import { contentRouting } from './content-routing.ts'
import { registerPastMetrics } from './metrics.ts'
import { ed25519Seed } from './node-key.ts'
import { recordKeyOf } from './records.ts'
import { subStore } from './sub-store.ts'
import type { ContentRouting, Metrics, PrivateKey, Startable } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dht, Inspection, Millis, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import type { PastConfig, PastStats } from '@plaxton/past'
import type { SignerOptions, StorePort } from '@plaxton/runtime'
import type { ApplicationSetUp, OverlayService } from './overlay-service.ts'

/** Any `interface-datastore`, as libp2p nodes have one. */
type Datastore = Parameters<typeof datastoreStore>[0]

/** What PAST uses of a libp2p node; `overlay` is the service of that name. */
export interface PastComponents {
  readonly overlay: OverlayService
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

/**
 * PAST on an overlay inside a libp2p node. Calls made before the node is a member wait for that, within their own time; calls on a node that was
 * stopped reject with `NotReadyError`.
 */
export class PastService implements Dht, Startable {
  readonly [Symbol.toStringTag] = '@plaxton/past'
  readonly [serviceCapabilities]: string[] = ['@plaxton/past', '@libp2p/content-routing']
  readonly [serviceDependencies]: string[] = ['@plaxton/overlay']
  private readonly components: PastComponents
  private readonly config: Partial<PastConfig>
  private readonly store: StorePort | Datastore | undefined
  private readonly seed: Uint8Array
  private readonly commandMs: Millis
  private node: PastNode | undefined
  private running: PastClient | undefined
  private used = false

  constructor(components: PastComponents, init: PastInit) {
    const { store, owner, ...config } = init
    this.components = components
    this.config = config
    this.store = store
    this.seed = ed25519Seed(owner ?? components.privateKey, 'owner', 'give past({ owner }) one when the node itself has another kind')
    // Made only to have a configuration out of range refused now rather than at the start.
    this.commandMs = new PastNode(config, Prng.fromSeed(0)).config.commandMs
    registerPastMetrics(components.metrics, this)
  }

  get [contentRoutingSymbol](): Partial<ContentRouting> {
    return contentRouting(this)
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

  /** True from the start of the libp2p node to its stop. */
  get isRunning(): boolean {
    return this.node !== undefined && this.components.overlay.isRunning
  }

  stats(): PastStats {
    if (this.node === undefined) throw notRunning()
    return this.node.stats()
  }

  /** Tells the overlay what to run, before it starts. */
  beforeStart(): void {
    if (this.used) return
    this.used = true
    this.components.overlay.use(() => this.setUp())
  }

  start(): void {}

  stop(): void {
    this.node = undefined
    this.running = undefined
  }

  private async setUp(): Promise<ApplicationSetUp> {
    const { overlay, datastore } = this.components
    const store = this.store ?? datastore
    const key = await ed25519Key(this.seed)
    const application = new PastNode(this.config, Prng.fromSeed(crypto.getRandomValues(new Uint32Array(4)).join('-')))
    this.node = application
    this.running = undefined
    const port = isStorePort(store) ? store : subStore(datastoreStore(store), `plaxton/${overlay.network}/${overlay.name}/`)
    return { application, ports: { store: port, key, signer: recordKeyOf } }
  }

  private get client(): PastClient {
    if (this.node === undefined || !this.isRunning) throw notRunning()
    this.running ??= new PastClient(this.components.overlay.host, this.node)
    return this.running
  }

  /** Whose calls are answered from now on; waits for membership as long as the call may take. */
  private async member({ signal, timeoutMs = this.commandMs }: CallOptions): Promise<PastClient> {
    await this.components.overlay.whenReady(signal === undefined ? { timeoutMs } : { signal, timeoutMs })
    return this.client
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

function notRunning(): NotReadyError {
  return new NotReadyError('the node is not running: start the libp2p node first')
}
