import { generateKeyPair } from '@libp2p/crypto/keys'
import { Journal, KbrProbe, patientRouting } from '@plaxton/conformance'
import { routingDefaults } from '@plaxton/routing'
import { memoryStore, randomKey } from '@plaxton/runtime'
import { MemoryDatastore } from 'datastore-core'
import { overlay } from '../../src/index.ts'
import { linkNode } from './links.ts'
import { Cleanup, localNode, until } from './swarm.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { KbrMember, KbrNetwork, LinkNetwork, OpenNetwork, ServiceNetwork, ServiceNode, Stranger } from '@plaxton/conformance'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, Overlay, OverlayFactory } from '@plaxton/kbr'
import type { Link } from '@plaxton/runtime'
import type { Libp2p, ServiceFactoryMap } from 'libp2p'
import type { OverlayService } from '../../src/index.ts'
import type { LinkedNode } from './links.ts'

/** Opens networks of libp2p nodes on loopback TCP, with an overlay and the service `service` on each. */
export function onLoopback<S>(factory: OverlayFactory, service: () => (components: never) => S): OpenNetwork<S> {
  return async (count) => {
    const network = new LoopbackServices(factory, service)
    while (network.nodes.length < count) await network.add()
    return network
  }
}

/** The same for key-based routing. */
export function kbrOnLoopback(factory: OverlayFactory): (count: number) => Promise<KbrNetwork> {
  return async (count) => {
    const network = new LoopbackKbr(factory)
    while (network.members.length < count) await network.add(1)
    return network
  }
}

// ——— Machines

type Node<Services> = Libp2p<{ overlay: OverlayService } & Services>

/** What outlives the libp2p node on it. */
interface Machine {
  readonly privateKey: PrivateKey
  readonly datastore: MemoryDatastore
}

interface Started<Services> {
  readonly machine: Machine
  readonly node: Node<Services>
}

/** libp2p nodes on loopback, joined through the one that has run longest. */
class Machines<Services extends Record<string, unknown>> {
  readonly running: Array<Started<Services>> = []
  readonly faults: Error[] = []
  private readonly factory: OverlayFactory
  private readonly services: () => ServiceFactoryMap<Services>
  private readonly routing: Partial<typeof routingDefaults>

  constructor(factory: OverlayFactory, services: () => ServiceFactoryMap<Services>, routing: Partial<typeof routingDefaults> = {}) {
    this.factory = factory
    this.services = services
    this.routing = routing
  }

  async newMachine(): Promise<Machine> {
    return { privateKey: await generateKeyPair('Ed25519'), datastore: new MemoryDatastore() }
  }

  /** `prepare` is called before the node starts. */
  async start(machine: Machine, prepare: (node: Node<Services>) => void = () => {}): Promise<Started<Services>> {
    const bootstrap = this.running[0]?.node.getMultiaddrs() ?? []
    const services = { overlay: overlay(this.factory, { bootstrap, routing: this.routing }), ...this.services() } as never
    const node = (await localNode({ ...machine, services, start: false })) as unknown as Node<Services>
    node.services.overlay.addEventListener('host:fault', ({ detail }) => void this.faults.push(detail.error))
    prepare(node)
    await node.start()
    const started = { machine, node }
    this.running.push(started)
    await node.services.overlay.whenReady({ timeoutMs: 20_000 })
    return started
  }

  /** As if its machine lost power: no good-bye, the sockets gone. */
  async crash(started: Started<Services>): Promise<void> {
    this.running.splice(this.running.indexOf(started), 1)
    const { node } = started
    await node.services.overlay.host.stop()
    for (const connection of node.getConnections()) connection.abort(new Error('pulled'))
    await node.stop()
  }

  async leave(started: Started<Services>): Promise<void> {
    this.running.splice(this.running.indexOf(started), 1)
    await started.node.stop()
  }

  async close(): Promise<void> {
    await Promise.all([...this.running].map((started) => this.crash(started)))
  }
}

// ——— Services

class LoopbackServices<S> implements ServiceNetwork<S> {
  readonly nodes: Array<ServiceNode<S>> = []
  private readonly factory: OverlayFactory
  private readonly machines: Machines<{ service: S }>
  private readonly startedOf = new Map<ServiceNode<S>, Started<{ service: S }>>()

  constructor(factory: OverlayFactory, service: () => (components: never) => S) {
    this.factory = factory
    this.machines = new Machines<{ service: S }>(factory, () => ({ service: service() as never }))
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
    const cleanup = new Cleanup()
    const { link } = await linkNode(cleanup, { network: 'default', overlay: this.factory.name })
    const send = (to: ServiceNode<S>, frame: Uint8Array): void => link.send(this.startedOf.get(to)!.node.services.overlay.self, frame)
    // What others say to each other is encrypted.
    return { overheard: [], send, close: () => cleanup.run() }
  }

  faults(): readonly Error[] {
    return this.machines.faults
  }

  close(): Promise<void> {
    return this.machines.close()
  }

  private async start(machine: Machine): Promise<ServiceNode<S>> {
    const started = await this.machines.start(machine)
    const { overlay: running, service } = started.node.services
    const node = { id: running.self.id, service }
    this.nodes.push(node)
    this.startedOf.set(node, started)
    return node
  }

  private take(node: ServiceNode<S>): Started<{ service: S }> {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    return this.startedOf.get(node)!
  }
}

// ——— Key-based routing

class LoopbackKbr implements KbrNetwork {
  readonly members: LoopbackMember[] = []
  readonly journal = new Journal()
  readonly payloadBytesMax = routingDefaults.payloadBytesMax
  readonly patienceMs = 30_000
  readonly quietMs = 100
  private readonly machines: Machines<Record<string, never>>

  constructor(factory: OverlayFactory) {
    this.machines = new Machines(factory, () => ({}), patientRouting)
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
    return this.start((member as LoopbackMember).started.machine)
  }

  now(): Millis {
    return performance.now()
  }

  until(holds: () => boolean, what: string | (() => string), withinMs: Millis): Promise<void> {
    return until(holds, what, withinMs)
  }

  faults(): readonly Error[] {
    return this.machines.faults
  }

  close(): Promise<void> {
    return this.machines.close()
  }

  private async start(machine: Machine): Promise<LoopbackMember> {
    const probe = new KbrProbe(this.journal)
    const ports = { store: memoryStore(), key: await randomKey() }
    const started = await this.machines.start(machine, ({ services }) => services.overlay.use(() => ({ application: probe, ports })))
    const member = new LoopbackMember(started, probe)
    this.members.push(member)
    return member
  }

  private take(member: KbrMember): Started<Record<string, never>> {
    this.members.splice(this.members.indexOf(member as LoopbackMember), 1)
    return (member as LoopbackMember).started
  }
}

class LoopbackMember implements KbrMember {
  readonly started: Started<Record<string, never>>
  readonly self: NodeRef
  readonly overlay: Overlay
  readonly probe: KbrProbe

  constructor(started: Started<Record<string, never>>, probe: KbrProbe) {
    this.started = started
    this.probe = probe
    const service = started.node.services.overlay
    this.self = service.self
    this.overlay = service.host.node.overlay
  }

  command<T>(run: (fx: AppEffects) => T): T {
    return this.started.node.services.overlay.host.command(this.probe, (_now, fx) => run(fx))
  }

  async lookup(key: Guid): Promise<Guid> {
    return (await this.started.node.services.overlay.lookupIteratively(key)).root.id
  }
}

// ——— Links

/** Links on libp2p nodes of their own, on loopback; a closed one has its node stopped. */
export function linksOnLoopback(): LinkNetwork {
  const cleanup = new Cleanup()
  const keys = new Map<Link, PrivateKey>()
  const make = async (privateKey: PrivateKey, epoch: number): Promise<Link> => {
    const { libp2p, link } = await linkNode(cleanup, { epoch }, { privateKey }, false)
    const close = link.close.bind(link)
    link.close = async () => {
      await close()
      await libp2p.stop()
    }
    keys.set(link, privateKey)
    return link
  }
  return {
    link: async () => make(await generateKeyPair('Ed25519'), 1),
    again: (link) => make(keys.get(link)!, link.self.epoch + 1),
    close: () => cleanup.run(),
  }
}

/**
 * Links of virtual nodes on two libp2p nodes on loopback, in turn, so that some frames leave the process's hosts and some do not. A libp2p node is stopped when
 * its last link closes.
 */
export function virtualLinksOnLoopback(): LinkNetwork {
  const cleanup = new Cleanup()
  const hosts: VirtualHost[] = [new VirtualHost(cleanup), new VirtualHost(cleanup)]
  const indexes = [3, 0, 63, 7, 20, 1, 2]
  let asked = 0
  const placed = new Map<Link, { readonly host: VirtualHost; readonly index: number }>()
  const make = async (host: VirtualHost, index: number): Promise<Link> => {
    const link = await host.link(index)
    placed.set(link, { host, index })
    return link
  }
  return {
    link: () => {
      const number = asked++
      return make(hosts[number % 2]!, indexes[number]!)
    },
    again: (link) => {
      const { host, index } = placed.get(link)!
      return make(host, index)
    },
    close: () => cleanup.run(),
  }
}

/** A libp2p node that is made when a link on it is asked for and there is none. */
class VirtualHost {
  private readonly cleanup: Cleanup
  private readonly privateKey = generateKeyPair('Ed25519')
  private epoch = 0
  private running: Promise<LinkedNode> | undefined
  private links = 0

  constructor(cleanup: Cleanup) {
    this.cleanup = cleanup
  }

  async link(index: number): Promise<Link> {
    this.links++
    this.running ??= this.start()
    const { libp2p, link: first } = await this.running
    const link = index === 0 ? first : first.virtualNode(index)
    const close = link.close.bind(link)
    let closed = false
    link.close = async () => {
      await close()
      if (closed) return
      closed = true
      if (--this.links > 0) return
      this.running = undefined
      await libp2p.stop()
    }
    return link
  }

  private async start(): Promise<LinkedNode> {
    return linkNode(this.cleanup, { epoch: ++this.epoch }, { privateKey: await this.privateKey }, false)
  }
}
