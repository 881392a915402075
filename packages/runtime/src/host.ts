import type { CentralIndexEvent } from '@plaxton/central-index'
import type { Guid } from '@plaxton/guid'
import type { AbortSignalLike, AppEffects, Application, ApplicationEvent, KbrEvent, Millis, NodeRef, OverlayFactory } from '@plaxton/kbr'
import { InvalidValueError, NotReadyError, Prng, RouteError, assert } from '@plaxton/kbr'
import type { DolrEvent } from '@plaxton/dolr'
import type { PastEvent } from '@plaxton/past'
import type { LookedUpEvent, LookupOptions, RoutingConfig, RoutingStats } from '@plaxton/routing'
import { KbrNode } from '@plaxton/routing'
import type { TypedEventTarget } from 'main-event'
import { TypedEventEmitter } from 'main-event'
import type { ClientHost } from './client-host.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { randomSeed } from './crypto.ts'
import type { Link } from './link.ts'
import type { ApplicationPorts } from './ports.ts'
import type { HostFault, LoopStats } from './step-loop.ts'
import { StepLoop } from './step-loop.ts'

/** What a host is made of. */
export interface NodeHostInit {
  /** Which overlay: `pastry()`. */
  readonly overlay: OverlayFactory
  /** How frames travel. The host opens and closes it. */
  readonly link: Link
  readonly routing?: Partial<RoutingConfig>
  /** Fixes every draw of the node. Default: from the platform's entropy. */
  readonly seed?: number | string
  /** Default: {@link systemClock}. */
  readonly clock?: Clock
}

/** The events of a host, by type, as DOM events with the core's event as `detail`. */
export type NodeHostEvents = {
  [E in OverlayEvent | PastEvent | DolrEvent | CentralIndexEvent | LookedUpEvent as E['type']]: CustomEvent<E>
} & {
  /** A core threw: a bug of Plaxton. The node goes on. */
  'host:fault': CustomEvent<HostFault>
  /** The host has stopped; nothing follows. */
  'host:stopped': CustomEvent<ApplicationEvent>
  [application: `${string}:${string}`]: CustomEvent
}

/** Ends a wait. What has been sent is not taken back. */
export interface WaitOptions {
  readonly signal?: AbortSignalLike
}

/** Where an iterative lookup ended. */
export interface FoundRoot {
  readonly root: NodeRef
  /** Those of the root's replica set that answered, the closest first. */
  readonly nodes: readonly NodeRef[]
  /** How many nodes were asked, this one included. */
  readonly asked: number
  readonly elapsedMs: Millis
}

/** Counters since the start, and what is under way now. */
export interface HostStats extends LoopStats {
  readonly routing: RoutingStats
}

/**
 * Hosts one node, a `KbrNode` with its overlay and applications, on one link with real time, stores and keys.
 *
 * Life: `use` the applications, `start`, `join`; then commands; then `leave` (hands over) and `stop`, or `stop` alone (a crash as
 * others see it). A stopped host is not started again; make a new one, on the same store.
 */
export class NodeHost implements ClientHost, AsyncDisposable {
  /** Typed DOM events, dispatched after the step that caused them. */
  readonly events: TypedEventTarget<NodeHostEvents>
  readonly clock: Clock
  private readonly init: NodeHostInit
  private readonly emitter = new TypedEventEmitter<NodeHostEvents>()
  private readonly applications: Application[] = []
  private readonly ports = new Map<string, ApplicationPorts>()
  private readonly loop: StepLoop
  /** Whoever waits for an event; each removes itself. */
  private readonly observers = new Set<(event: KbrEvent) => void>()
  private phase: 'new' | 'starting' | 'running' | 'left' | 'stopped' = 'new'
  private running: KbrNode | undefined
  private stopping: Promise<void> | undefined
  private callOffKeep: (() => void) | undefined

  constructor(init: NodeHostInit) {
    this.init = init
    this.clock = init.clock ?? systemClock
    this.events = this.emitter
    this.loop = new StepLoop({ link: init.link, clock: this.clock, ports: this.ports, onEvent: (event) => this.onEvent(event) })
  }

  /** This node as others reach it now. */
  get self(): NodeRef {
    return this.init.link.self
  }

  /** The node itself, to look at: `node.overlay`, `node.ready`. Change nothing; commands go through {@link command}. */
  get node(): KbrNode {
    if (this.running === undefined) throw new NotReadyError('the node is not running: call start() first')
    return this.running
  }

  /** True once this node is a member of its overlay. */
  get ready(): boolean {
    return this.running?.ready ?? false
  }

  /** Runs `application` on this node, with a store and a key of its own if it needs them (DOLR does not). Before {@link start}. */
  use(application: Application, ports?: ApplicationPorts): this {
    if (this.phase !== 'new') throw new NotReadyError(`application ${application.name} comes too late: use() goes before start()`)
    if (this.applications.some(({ name }) => name === application.name))
      throw new InvalidValueError('application', application.name, 'a name not in use on this node')
    this.applications.push(application)
    if (ports !== undefined) this.ports.set(application.name, ports)
    return this
  }

  /** Opens the link and starts the applications. The node is alone until {@link join}. */
  async start(): Promise<void> {
    if (this.phase !== 'new') throw new NotReadyError(`a host starts once; this one is ${this.phase}`)
    this.phase = 'starting'
    try {
      await this.init.link.open(this.loop)
      if (this.phase !== 'starting') throw new NotReadyError('the node was stopped while it started')
      this.run(this.makeNode())
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * Becomes a member through one of `bootstrap`, nearest first if known; with none, the first member of a new network. Resolves
   * when this node is a member. Rejects with `NotReadyError` and the reason when joining failed for good, or with the signal's
   * reason; joining then goes on unless the host is stopped.
   */
  async join(bootstrap: readonly NodeRef[], options: WaitOptions = {}): Promise<void> {
    const node = this.node
    if (this.phase === 'left') throw new NotReadyError('the node has left; make a new host to come back')
    if (node.ready) return
    await this.eventually(
      options.signal,
      (event) => {
        if (event.type === 'join-failed' && 'reason' in event) throw new NotReadyError(`joining failed: ${event.reason}`)
        return event.type === 'ready'
      },
      () => this.loop.step((now) => node.join(bootstrap, now, this.loop)),
    )
  }

  /**
   * Makes a member acquainted with members of a ring it does not know, so that the two rings become one. For a driver that came across them:
   * two nodes that each started alone, or the halves of a network that was cut.
   */
  meet(nodes: readonly NodeRef[]): void {
    const { node } = this
    if (node.ready) this.loop.step((now) => node.join(nodes, now, this.loop))
  }

  /** Hands over and tells the neighbours. Resolves when that is done, within the routing's `leaveMs`; then {@link stop}. */
  async leave(options: WaitOptions = {}): Promise<void> {
    const node = this.node
    if (this.phase === 'left') return
    await this.eventually(
      options.signal,
      (event) => event.type === 'left',
      () => this.loop.step((now) => node.leave(now, this.loop)),
    )
  }

  /**
   * Finds the root of `key` iteratively: this node asks the others itself, `alpha` at a time, and hands nobody a message. Rejects with
   * `RouteError` or the signal's reason; throws `InvalidValueError` for an option out of its range.
   */
  async lookup(key: Guid, options: LookupOptions & WaitOptions = {}): Promise<FoundRoot> {
    const { node } = this
    const { signal, ...wishes } = options
    let lookup: number
    let found: FoundRoot | undefined
    await this.eventually(
      signal,
      (event) => {
        if (!isLookedUp(event) || event.lookup !== lookup) return false
        const { outcome, asked, elapsedMs } = event
        if (!outcome.ok) throw new RouteError(outcome.failure)
        found = { root: outcome.root, nodes: outcome.nodes, asked, elapsedMs }
        return true
      },
      () => {
        lookup = this.loop.step((now) => node.lookup(key, wishes, now, this.loop))
      },
    )
    return found!
  }

  /**
   * Ends: closes the link, forgets the timers, rejects whoever waits with `NotReadyError`. Resolves when no store operation of this
   * node is under way, so that the stores can be closed. Others notice as they notice a crash.
   */
  stop(): Promise<void> {
    this.stopping ??= this.shutDown()
    return this.stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Runs one step for a command of `application`; what `run` throws is thrown. */
  command<T>(application: Application, run: (now: Millis, fx: AppEffects) => T): T {
    const node = this.node
    return this.loop.step((now) => node.command(application, now, this.loop, (fx) => run(now, fx)))
  }

  /** The public key that `application` signs with here. */
  publicKey(application: Application): Uint8Array {
    const ports = this.ports.get(application.name)
    if (ports === undefined) throw new InvalidValueError('application', application.name, 'one this host was told to use() with ports')
    return ports.key.publicKey
  }

  /**
   * Calls `observer` with every event, after the step that caused it; returns what ends that. Cheaper than {@link events}: no DOM event is
   * made. An observer that throws is reported as an uncaught exception and disturbs nobody else.
   */
  observe(observer: (event: KbrEvent) => void): () => void {
    const own = (event: KbrEvent): void => observer(event)
    this.observers.add(own)
    return () => void this.observers.delete(own)
  }

  stats(): HostStats {
    return { ...this.loop.stats(), routing: this.node.stats() }
  }

  /** The link knows this node's address only once it is open. */
  private makeNode(): KbrNode {
    const { overlay, routing, link, seed = randomSeed() } = this.init
    return new KbrNode({
      self: this.self,
      overlay,
      applications: this.applications,
      prng: Prng.fromSeed(seed),
      readRef: link.readRef,
      hostOf: (node) => link.hostOf?.(node) ?? node.id,
      ...(routing === undefined ? {} : { config: routing }),
    })
  }

  private run(node: KbrNode): void {
    this.phase = 'running'
    this.running = node
    this.loop.open(node)
    this.loop.step((now) => node.start(now, this.loop))
  }

  /** Resolves when `isOver` says so of an event after `begin`; rejects with what it throws, the signal's reason, or when the host stops. */
  private eventually(signal: AbortSignalLike | undefined, isOver: (event: KbrEvent) => boolean, begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const end = (): void => {
        unobserve()
        signal?.removeEventListener('abort', abort)
      }
      const abort = (): void => {
        end()
        reject(signal?.reason)
      }
      const unobserve = this.observe((event) => {
        try {
          if (event.type === 'host:stopped') throw new NotReadyError('the node was stopped')
          if (!isOver(event)) return
          end()
          resolve()
        } catch (error) {
          end()
          reject(error)
        }
      })
      signal?.addEventListener('abort', abort)
      try {
        begin()
      } catch (error) {
        end()
        reject(error)
      }
    })
  }

  private async shutDown(): Promise<void> {
    this.phase = 'stopped'
    this.running = undefined
    this.callOffKeep?.()
    const quiet = this.loop.close()
    this.onEvent({ type: 'host:stopped' })
    await this.init.link.close()
    await quiet
  }

  private onEvent(event: KbrEvent): void {
    if (event.type === 'left') this.phase = 'left'
    if (event.type === 'neighbor' || event.type === 'ready') this.keepNeighborsSoon()
    for (const observer of this.observers) {
      try {
        observer(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
    if (this.emitter.listenerCount(event.type) > 0) this.emitter.safeDispatchEvent(event.type, { detail: event })
  }

  /** A join brings a burst of changes; the link hears of the outcome once. */
  private keepNeighborsSoon(): void {
    this.callOffKeep ??= this.clock.after(keepDelayMs, () => {
      this.callOffKeep = undefined
      const node = this.running
      assert(node !== undefined, 'calling off the keeping of neighbours was forgotten')
      this.init.link.keep(node.overlay.neighborSet(mostNeighborsKept))
    })
  }
}

function isLookedUp(event: KbrEvent): event is LookedUpEvent {
  return event.type === 'routing:looked-up'
}

/** The events with a fixed name, those of the overlay and the walking. */
type OverlayEvent = Exclude<KbrEvent, { readonly type: `${string}:${string}` }>

/** How long changes of the neighbour set are gathered before the link hears of them. Our choice: well below libp2p's pruning period. */
const keepDelayMs = 100

/** More than the leaf set of any configuration in use, so in effect all of them. */
const mostNeighborsKept = 64
