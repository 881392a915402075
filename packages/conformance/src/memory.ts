import { guidOf, randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { AppEffects, Application, Millis, NodeRef, Overlay, OverlayFactory } from '@plaxton/kbr'
import { routingDefaults } from '@plaxton/routing'
import type { RoutingConfig } from '@plaxton/routing'
import { MemoryNetwork, NodeHost, memoryStore, randomKey } from '@plaxton/runtime'
import type { KeyPort, Link, StorePort } from '@plaxton/runtime'
import type { KbrMember, KbrNetwork } from './kbr-network.ts'
import { Journal, KbrProbe, textBytes } from './kbr-probe.ts'
import { patientRouting } from './kbr-send.ts'
import type { OpenNetwork, ServiceNetwork, ServiceNode, ServiceServers, Stranger } from './service-network.ts'

/** A service on every node of a memory network. */
export interface MemoryServiceInit<S> {
  readonly overlay: () => OverlayFactory
  /** Makes the application of one node, and whatever is used of it. Called once for each start. */
  readonly service: (prng: Prng) => { readonly application: Application; readonly client: (host: NodeHost) => S }
  readonly servers?: ServiceServers
}

/** Opens networks in memory, on the real clock, for the suites of services. Keys and disks outlive the nodes. */
export function onMemoryNetwork<S>(init: MemoryServiceInit<S>): OpenNetwork<S> {
  return async (count) => {
    const network = new MemoryServiceNetwork(init)
    await network.startServers()
    while (network.nodes.length < count) await network.add()
    return network
  }
}

/** Opens networks in memory, on the real clock, for {@link kbrConformance}. */
export function kbrOnMemoryNetwork(overlay: () => OverlayFactory): (count: number) => Promise<KbrNetwork> {
  return async (count) => {
    const network = new MemoryKbrNetwork(overlay)
    while (network.members.length < count) await network.add(1)
    return network
  }
}

// ——— Machines

/** What outlives the process on it. */
class Machine {
  readonly name: string
  readonly id: Guid
  readonly store: StorePort = memoryStore()
  readonly key: KeyPort
  epoch = 0

  constructor(name: string, key: KeyPort) {
    this.name = name
    this.id = guidOf(textBytes(name))
    this.key = key
  }
}

interface Started<A extends Application> {
  readonly machine: Machine
  readonly host: NodeHost
  readonly application: A
}

/** Machines on one memory network, with one application on each. */
class Machines<A extends Application> {
  readonly network = new MemoryNetwork()
  readonly faults: Error[] = []
  /** Frames that were sent, the first {@link mostOverheard} of them. */
  readonly overheard: Uint8Array[] = []
  readonly running: Array<Started<A>> = []
  /** See {@link ServiceServers}. */
  private readonly servers: NodeHost[] = []
  private readonly overlay: () => OverlayFactory
  private readonly routing: Partial<RoutingConfig>
  private readonly make: (prng: Prng) => A
  private made = 0

  constructor(overlay: () => OverlayFactory, routing: Partial<RoutingConfig>, make: (prng: Prng) => A) {
    this.overlay = overlay
    this.routing = routing
    this.make = make
  }

  async newMachine(): Promise<Machine> {
    return new Machine(`machine ${this.made++}`, await randomKey())
  }

  /** Starts a node, which joins through the servers, or else the node that has run longest. */
  async start(machine: Machine): Promise<Started<A>> {
    machine.epoch++
    const application = this.make(Prng.fromSeed(`application ${machine.name} ${machine.epoch}`))
    const host = await this.run(machine, this.overlay(), application)
    const started = { machine, host, application }
    const [first] = this.running
    this.running.push(started)
    const through = first === undefined ? [] : [first.host.self]
    await host.join(this.servers.length > 0 ? this.servers.map(({ self }) => self) : through)
    return started
  }

  async startServers({ count, overlay, application }: ServiceServers): Promise<void> {
    while (this.servers.length < count) {
      const machine = await this.newMachine()
      this.servers.push(await this.run(machine, overlay(), application(Prng.fromSeed(`server ${machine.name}`))))
    }
    for (const host of this.servers) await host.join(this.servers.filter((other) => other !== host).map(({ self }) => self))
  }

  async crash(node: Started<A>): Promise<void> {
    this.running.splice(this.running.indexOf(node), 1)
    await node.host.stop()
  }

  async leave(node: Started<A>): Promise<void> {
    await node.host.leave()
    await this.crash(node)
  }

  async stranger(): Promise<{ send(to: NodeRef, frame: Uint8Array): void; close(): Promise<void> }> {
    const id = randomGuid(Prng.fromSeed(`stranger ${this.made++}`))
    const link = this.network.link({ id, address: `memory:${id}`, epoch: 1 })
    await link.open({ onFrame: () => {}, onPeerDown: () => {} })
    return link
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.map(({ host }) => host), ...this.servers].map((host) => host.stop()))
  }

  private async run(machine: Machine, overlay: OverlayFactory, application: Application): Promise<NodeHost> {
    const { id, name, epoch, store, key } = machine
    const link = this.listenTo(this.network.link({ id, address: `memory:${name}`, epoch }))
    const host = new NodeHost({ overlay, link, routing: this.routing, seed: `${name} ${epoch}` })
    host.use(application, { store, key })
    host.events.addEventListener('host:fault', ({ detail }) => void this.faults.push(detail.error))
    await host.start()
    return host
  }

  private listenTo(link: Link): Link {
    const send = link.send.bind(link)
    link.send = (to, frame) => {
      if (this.overheard.length < mostOverheard) this.overheard.push(frame.slice())
      send(to, frame)
    }
    return link
  }
}

const mostOverheard = 2_000

// ——— Services

class MemoryServiceNetwork<S> implements ServiceNetwork<S> {
  readonly nodes: Array<ServiceNode<S>> = []
  private readonly machines: Machines<Application>
  private readonly startedOf = new Map<ServiceNode<S>, Started<Application>>()
  private readonly clients = new Map<Application, (host: NodeHost) => S>()
  private readonly init: MemoryServiceInit<S>

  constructor(init: MemoryServiceInit<S>) {
    this.init = init
    this.machines = new Machines(init.overlay, {}, (prng) => {
      const { application, client } = init.service(prng)
      this.clients.set(application, client)
      return application
    })
  }

  async startServers(): Promise<void> {
    if (this.init.servers !== undefined) await this.machines.startServers(this.init.servers)
  }

  async add(): Promise<ServiceNode<S>> {
    return this.start(await this.machines.newMachine())
  }

  async crash(node: ServiceNode<S>): Promise<void> {
    await this.machines.crash(this.take(node))
  }

  async leave(node: ServiceNode<S>): Promise<void> {
    await this.machines.leave(this.take(node))
  }

  restart(node: ServiceNode<S>): Promise<ServiceNode<S>> {
    return this.start(this.startedOf.get(node)!.machine)
  }

  async stranger(): Promise<Stranger<S>> {
    const link = await this.machines.stranger()
    const send = (to: ServiceNode<S>, frame: Uint8Array): void => link.send(this.startedOf.get(to)!.host.self, frame)
    return { overheard: this.machines.overheard, send, close: () => link.close() }
  }

  faults(): readonly Error[] {
    return this.machines.faults
  }

  close(): Promise<void> {
    return this.machines.close()
  }

  private async start(machine: Machine): Promise<ServiceNode<S>> {
    const started = await this.machines.start(machine)
    const service = this.clients.get(started.application)!(started.host)
    const node = { id: machine.id, service }
    this.nodes.push(node)
    this.startedOf.set(node, started)
    return node
  }

  private take(node: ServiceNode<S>): Started<Application> {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    return this.startedOf.get(node)!
  }
}

// ——— Key-based routing

class MemoryKbrNetwork implements KbrNetwork {
  readonly members: MemoryMember[] = []
  readonly journal = new Journal()
  readonly payloadBytesMax = routingDefaults.payloadBytesMax
  readonly patienceMs = 30_000
  readonly quietMs = 80
  private readonly machines: Machines<KbrProbe>

  constructor(overlay: () => OverlayFactory) {
    this.machines = new Machines(overlay, patientRouting, () => new KbrProbe(this.journal))
  }

  async add(count: number): Promise<KbrMember[]> {
    const machines = await Promise.all(Array.from({ length: count }, () => this.machines.newMachine()))
    return Promise.all(machines.map((machine) => this.start(machine)))
  }

  async crash(members: readonly KbrMember[]): Promise<void> {
    await Promise.all(members.map((member) => this.machines.crash(this.take(member))))
  }

  async leave(member: KbrMember): Promise<void> {
    await this.machines.leave(this.take(member))
  }

  restart(member: KbrMember): Promise<KbrMember> {
    return this.start((member as MemoryMember).started.machine)
  }

  now(): Millis {
    return performance.now()
  }

  async until(holds: () => boolean, what: string | (() => string), withinMs: Millis): Promise<void> {
    const end = performance.now() + withinMs
    while (!holds()) {
      if (performance.now() >= end) throw new Error(`${typeof what === 'string' ? what : what()}: not within ${withinMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  faults(): readonly Error[] {
    return this.machines.faults
  }

  close(): Promise<void> {
    return this.machines.close()
  }

  private async start(machine: Machine): Promise<MemoryMember> {
    const member = new MemoryMember(await this.machines.start(machine))
    this.members.push(member)
    return member
  }

  private take(member: KbrMember): Started<KbrProbe> {
    this.members.splice(this.members.indexOf(member as MemoryMember), 1)
    return (member as MemoryMember).started
  }
}

class MemoryMember implements KbrMember {
  readonly started: Started<KbrProbe>
  readonly self: NodeRef
  readonly overlay: Overlay
  readonly probe: KbrProbe

  constructor(started: Started<KbrProbe>) {
    this.started = started
    this.self = started.host.self
    this.overlay = started.host.node.overlay
    this.probe = started.application
  }

  command<T>(run: (fx: AppEffects) => T): T {
    return this.started.host.command(this.probe, (_now, fx) => run(fx))
  }

  async lookup(key: Guid): Promise<Guid> {
    return (await this.started.host.lookup(key)).root.id
  }
}
