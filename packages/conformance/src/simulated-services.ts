import { randomGuid } from '@plaxton/guid'
import { NotReadyError, Prng } from '@plaxton/kbr'
import type { AppEffects, Application, KbrEvent, Message, MessageCodec, Millis, NodeRef, Overlay, OverlayFactory } from '@plaxton/kbr'
import type { ClientHost, Clock } from '@plaxton/runtime'
import { Simulation, ownerName } from '@plaxton/simulator'
import type { Process, SimNode, SimRef } from '@plaxton/simulator'
import type { OpenNetwork, ServiceNetwork, ServiceNode, ServiceServers, Stranger } from './service-network.ts'
import { framed } from './suite.ts'

/** A service on every node of a simulated network. */
export interface SimulatedServiceInit<S> {
  readonly overlay: () => OverlayFactory
  /** Makes the application of one node, and whatever is used of it. Called once for each start. */
  readonly service: (prng: Prng) => { readonly application: Application; readonly client: (host: ClientHost) => S }
  readonly servers?: ServiceServers
  /** Decides everything: the same seed and the same cases are the same history. */
  readonly seed: number | string
  /** The line that repeats a failure, printed with it. Default: the call of `onSimulator` with this seed. The cases before it belong to its history. */
  readonly repeat?: string
}

/**
 * Opens networks in virtual time for the suites of services: every message goes through the codec and takes its way, tens of milliseconds of it. Time
 * passes only while somebody waits, so nothing sleeps and one seed is one history.
 */
export function onSimulator<S>(init: SimulatedServiceInit<S>): OpenNetwork<S> {
  return async (count) => {
    const network = new SimulatedServiceNetwork(init)
    network.startServers()
    await network.drive(async () => {
      while (network.nodes.length < count) await network.add()
    })
    return network
  }
}

/** How long an attempt to reach a dead node takes to be reported, where it is. */
const noticeMs = 200

/** Virtual time that passes in one turn when nothing happens that anybody here hears of. */
const turnMs = 100

/** Longest virtual time of one case. Calls end within 10 s and repair takes minutes, so whoever waits longer waits for nothing. */
const driveMs = 3_600_000

/** Frames kept for strangers. When full, later ones are not kept. */
const mostOverheard = 2_000

class SimulatedServiceNetwork<S> implements ServiceNetwork<S> {
  readonly nodes: Array<ServiceNode<S>> = []
  readonly clock: Clock
  private readonly init: SimulatedServiceInit<S>
  private readonly simulation: Simulation
  /** See {@link ServiceServers}. */
  private readonly servers: SimNode[] = []
  private readonly simNodes = new Map<ServiceNode<S>, SimNode>()
  private readonly clients = new Map<Application, (host: ClientHost) => S>()
  /** Of each node that runs. */
  private readonly hosts = new Map<SimNode, SimulatedHost>()
  private readonly overheard: Uint8Array[] = []
  private readonly thrown: Error[] = []
  /** Those who wait for something about nodes; few, for the cases wait for one after the other. */
  private readonly waiting = new Set<{ readonly holds: () => boolean; readonly resolve: () => void }>()

  constructor(init: SimulatedServiceInit<S>) {
    this.init = init
    // Half of the networks tell of broken connections, as TCP does; in the others only silence tells.
    const tells = Prng.fromSeed(`${init.seed}/notice`).chance(0.5)
    this.simulation = new Simulation({
      seed: init.seed,
      nodes: 0,
      network: { noticeMs: tells ? noticeMs : undefined },
      overlay: this.overlayOf(init),
      applications: (host, prng) => [host < this.serverCount ? init.servers!.application(prng) : this.makeApplication(prng)],
      encode: true,
      assertEvery: 10,
    })
    this.clock = new VirtualClock(this.simulation)
    this.simulation.onEvent((node, event) => {
      this.hosts.get(node)?.tell(event)
      // Whoever waits for it goes on at this moment of virtual time, and not at the end of the turn.
      this.simulation.simulator.stop()
    })
    this.simulation.onDown((node) => {
      this.hosts.get(node)?.stop()
      this.hosts.delete(node)
    })
  }

  /** They are the first hosts, and as good as members at once. */
  startServers(): void {
    while (this.servers.length < this.serverCount) this.servers.push(this.simulation.addNode())
    for (const { kbr, process } of this.servers)
      this.simulation.simulator.step(process!, (now, fx) => kbr.join(this.serversBut(kbr.self), now, fx))
  }

  add(): Promise<ServiceNode<S>> {
    return this.enlist(this.simulation.addNode())
  }

  async crash(node: ServiceNode<S>): Promise<void> {
    this.simulation.crash(this.take(node))
  }

  async leave(node: ServiceNode<S>): Promise<void> {
    const leaver = this.take(node)
    this.simulation.leave(leaver)
    await this.until(() => !leaver.running)
  }

  restart(node: ServiceNode<S>): Promise<ServiceNode<S>> {
    const again = this.simNodes.get(node)!
    this.simulation.restart(again)
    return this.enlist(again)
  }

  cut(nodes: readonly ServiceNode<S>[]): void {
    this.simulation.network.partition([nodes.map((node) => this.simNodes.get(node)!.host.index)])
  }

  heal(): void {
    this.simulation.network.heal()
  }

  async stranger(): Promise<Stranger<S>> {
    const { simulator } = this.simulation
    const host = simulator.addHost(randomGuid(simulator.stream(`stranger ${simulator.hosts.length}`)))
    const self = host.nextRef()
    const send = (to: ServiceNode<S>, frame: Uint8Array): void => this.deliver(self, this.simNodes.get(to)!, frame)
    return { overheard: this.overheard, send, close: async () => {} }
  }

  /** Virtual time passes until `run` has ended, an instant at a time, and those who wait go on in between. */
  async drive<T>(run: () => Promise<T>): Promise<T> {
    const end = this.simulation.now + driveMs
    let over = false
    const outcome = run().finally(() => {
      over = true
    })
    outcome.catch(() => {})
    try {
      for (;;) {
        await turn()
        if (over) return await outcome
        if (this.simulation.now >= end) throw new Error(`somebody waits for what does not happen in ${driveMs} virtual ms`)
        if (this.simulation.simulator.pending === 0) throw new Error('somebody waits, and there is nothing left to happen')
        this.advance()
      }
    } catch (error) {
      const { seed, repeat = `onSimulator({ …, seed: ${JSON.stringify(seed)} })` } = this.init
      throw framed(error, `seed ${seed}, at ${this.simulation.now} virtual ms: `, `repeat with: ${repeat}`)
    }
  }

  faults(): readonly Error[] {
    return this.thrown
  }

  async close(): Promise<void> {
    for (const node of this.simulation.running()) this.simulation.crash(node)
  }

  private get serverCount(): number {
    return this.init.servers?.count ?? 0
  }

  private serversBut(self: NodeRef): NodeRef[] {
    return this.servers.map(({ kbr }) => kbr.self).filter(({ id }) => id !== self.id)
  }

  /** Where there are servers, nodes join through these and not through whom the simulation names. */
  private overlayOf({ overlay, servers }: SimulatedServiceInit<S>): OverlayFactory {
    const factory = overlay()
    if (servers === undefined) return factory
    const create = (self: NodeRef, prng: Prng): Overlay => {
      const isServer = this.servers.length < servers.count
      const node = (isServer ? servers.overlay() : factory).create(self, prng)
      const join = node.join.bind(node)
      node.join = (_bootstrap, now, fx) => join(this.serversBut(self), now, fx)
      return node
    }
    return { name: factory.name, create }
  }

  private advance(): void {
    try {
      this.simulation.run(turnMs)
    } catch (error) {
      this.thrown.push(error as Error)
      throw error
    }
    for (const waiter of this.waiting) {
      if (!waiter.holds()) continue
      this.waiting.delete(waiter)
      waiter.resolve()
    }
  }

  private until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => void this.waiting.add({ holds, resolve }))
  }

  private makeApplication(prng: Prng): Application {
    const { application, client } = this.init.service(prng)
    this.clients.set(application, client)
    return application
  }

  /** Its client is made when it is a member, as on live drivers. */
  private async enlist(simNode: SimNode): Promise<ServiceNode<S>> {
    this.listenTo(simNode.kbr.codec)
    await this.until(() => simNode.ready)
    const host = new SimulatedHost(this.simulation, this.clock, simNode)
    this.hosts.set(simNode, host)
    const node = { id: simNode.id, service: this.clients.get(simNode.applications[0]!)!(host) }
    this.nodes.push(node)
    this.simNodes.set(node, simNode)
    return node
  }

  private take(node: ServiceNode<S>): SimNode {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    return this.simNodes.get(node)!
  }

  /** As a driver does with a frame: what does not decode is dropped. */
  private deliver(from: SimRef, to: SimNode, frame: Uint8Array): void {
    const { process, kbr } = to
    let message: Message
    try {
      message = kbr.codec.decode(frame, this.simulation.simulator.readRef)
    } catch {
      return
    }
    this.simulation.after(1, () => {
      if (process!.alive) this.simulation.simulator.step(process!, (now, fx) => kbr.onMessage(from, message, now, fx))
    })
  }

  private listenTo(codec: MessageCodec): void {
    const encode = codec.encode.bind(codec)
    codec.encode = (message) => {
      const frame = encode(message)
      if (this.overheard.length < mostOverheard) this.overheard.push(frame)
      return frame
    }
  }
}

/** One node of a simulation, as clients see their host. */
class SimulatedHost implements ClientHost {
  readonly clock: Clock
  private readonly simulation: Simulation
  private readonly node: SimNode
  private readonly process: Process
  private readonly observers = new Set<(event: KbrEvent) => void>()

  constructor(simulation: Simulation, clock: Clock, node: SimNode) {
    this.simulation = simulation
    this.clock = clock
    this.node = node
    this.process = node.process!
  }

  command<T>(application: Application, run: (now: Millis, fx: AppEffects) => T): T {
    if (!this.process.alive) throw new NotReadyError('the node is not running')
    return this.simulation.command(this.node, application, (fx, now) => run(now, fx))
  }

  publicKey(application: Application): Uint8Array {
    return this.simulation.simulator.keys.publicKeyOf(ownerName(this.node.host, application.name))
  }

  observe(observer: (event: KbrEvent) => void): () => void {
    this.observers.add(observer)
    return () => void this.observers.delete(observer)
  }

  tell(event: KbrEvent): void {
    queueMicrotask(() => {
      for (const observer of this.observers) observer(event)
    })
  }

  stop(): void {
    this.tell({ type: 'host:stopped' })
  }
}

/** Virtual time, for whoever waits outside of the cores. */
class VirtualClock implements Clock {
  private readonly simulation: Simulation

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  now(): Millis {
    return this.simulation.now
  }

  after(delayMs: Millis, ring: () => void): () => void {
    let calledOff = false
    this.simulation.after(delayMs, () => {
      if (calledOff) return
      ring()
      this.simulation.simulator.stop()
    })
    return () => {
      calledOff = true
    }
  }
}

/** The next macrotask: every promise that could go on has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
