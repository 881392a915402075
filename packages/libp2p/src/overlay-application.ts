import { NotReadyError, Prng } from '@plaxton/kbr'
import type { Startable } from '@libp2p/interface'
import type { Application, CallOptions, Millis } from '@plaxton/kbr'
import type { NodeHost } from '@plaxton/runtime'
import type { ApplicationSetUp, OverlayService } from './overlay-service.ts'

/** Of a libp2p node, what every such service uses; `overlay` is the service of that name. */
export interface OverlayApplicationComponents {
  readonly overlay: OverlayService
}

/**
 * What services on the overlay have in common: each runs an application core on it, on every virtual node one of its own and new ones after each start, and makes
 * its calls through a client of promises on the first node. Calls made before the node is a member wait for that, within their own time; calls on a node that was stopped reject with
 * `NotReadyError`.
 */
export abstract class OverlayApplication<Core extends Application, Client> implements Startable {
  private readonly components: OverlayApplicationComponents
  private readonly commandMs: Millis
  /** By the number of the node it runs on; empty while nothing runs. */
  private cores: Core[] = []
  private running: Client | undefined
  private used = false

  /** `commandMs`: how long a call may wait for membership that names no time of its own. */
  constructor(components: OverlayApplicationComponents, commandMs: Millis) {
    this.components = components
    this.commandMs = commandMs
  }

  /** True from the start of the libp2p node to its stop. */
  get isRunning(): boolean {
    return this.cores.length > 0 && this.overlay.isRunning
  }

  /** Tells the overlay what to run, before it starts. */
  beforeStart(): void {
    if (this.used) return
    this.used = true
    this.overlay.use(async (index) => {
      const setUp = await this.setUp(index)
      if (index === 0) {
        this.cores = []
        this.running = undefined
      }
      this.cores.push(setUp.application)
      return setUp
    })
  }

  start(): void {}

  stop(): void {
    this.cores = []
    this.running = undefined
  }

  /** What to run from this start on, on node `index` of this host. */
  protected abstract setUp(index: number): Promise<ApplicationSetUp<Core>>

  /** The promise side of `core` on `host`. */
  protected abstract clientOf(host: NodeHost, core: Core): Client

  /** Asked for late: libp2p makes the services in the order in which they are listed. */
  protected get overlay(): OverlayService {
    return this.components.overlay
  }

  /** The core that runs on the first node now. */
  protected get node(): Core {
    return this.nodes[0]
  }

  /** Those of all nodes here, the first node's first. */
  protected get nodes(): readonly [Core, ...Core[]] {
    const [first, ...others] = this.cores
    if (first === undefined) throw notRunning()
    return [first, ...others]
  }

  protected get client(): Client {
    if (!this.isRunning) throw notRunning()
    this.running ??= this.clientOf(this.overlay.host, this.node)
    return this.running
  }

  /** Whose calls are answered from now on; waits for membership as long as the call may take. */
  protected async member({ signal, timeoutMs = this.commandMs }: CallOptions): Promise<Client> {
    await this.overlay.whenReady(signal === undefined ? { timeoutMs } : { signal, timeoutMs })
    return this.client
  }
}

/** A generator for one node, from the platform's entropy. */
export function freshPrng(): Prng {
  return Prng.fromSeed(crypto.getRandomValues(new Uint32Array(4)).join('-'))
}

function notRunning(): NotReadyError {
  return new NotReadyError('the node is not running: start the libp2p node first')
}
