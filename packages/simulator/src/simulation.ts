import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { InvalidValueError, assert } from '@plaxton/kbr'
import type { AppEffects, Application, Effects, KbrEvent, Millis, NodeRef, OverlayFactory, Prng } from '@plaxton/kbr'
import { KbrNode } from '@plaxton/routing'
import type { RoutingConfig } from '@plaxton/routing'
import type { Host, Process } from './host.ts'
import { Members } from './members.ts'
import { ringDistance } from './ownership.ts'
import type { Ownership } from './ownership.ts'
import { Simulator } from './simulator.ts'
import type { SimulatorOptions } from './simulator.ts'

export interface SimulationOptions extends SimulatorOptions {
  /** Hosts that {@link Simulation.joinAll} brings in. */
  readonly nodes: number
  readonly overlay: OverlayFactory
  /** Whose keys are whose in that overlay: what {@link Simulation.members} and the checks go by. Default {@link ringDistance}, which is Pastry's. */
  readonly ownership?: Ownership
  readonly routing?: Partial<RoutingConfig>
  /**
   * How many nodes share a machine, on which they are virtual nodes: the first so many hosts, the next so many, and so on. Those who schedule faults have
   * them fail together; the applications are told who shares one. Default 1.
   */
  readonly virtualNodes?: number
  /** The applications of the node that starts on this host; made anew at each start. */
  readonly applications?: (host: number, prng: Prng) => Application[]
  /** Every message goes through the stack's codec and back, which proves that it can travel, and counts bytes. Default false. */
  readonly encode?: boolean
  /** Calls `assertInvariants()` of the node that stepped after every n-th step of the network; 0, the default, never. 1 is for small networks. */
  readonly assertEvery?: number
  /** Ready members a joining node is told of, drawn at random. Default 2. */
  readonly bootstraps?: number
  /**
   * Each start of a node draws from a generator named by host and epoch, so that a start more or less leaves the other nodes' draws alone. Default false: all from one,
   * in the order of the starts.
   */
  readonly separateDraws?: boolean
}

/** One host with the node on it: what a test holds in its hand. */
export class SimNode {
  readonly host: Host
  /** The incarnation running now; undefined while the host is down. */
  process: Process | undefined = undefined
  /** The applications of the incarnation running now, or that ran last. */
  applications: readonly Application[] = []
  /** Set while it leaves, so that schedules let it. */
  leaving = false
  /** When its last incarnation that has ended did so; undefined: none has. */
  endedAt: Millis | undefined = undefined

  constructor(host: Host) {
    this.host = host
  }

  get id(): Guid {
    return this.host.id
  }

  get running(): boolean {
    return this.process !== undefined
  }

  /** Running and a member. */
  get ready(): boolean {
    return this.process !== undefined && this.kbr.ready
  }

  get kbr(): KbrNode {
    if (this.process === undefined) throw new InvalidValueError('node', this.host.index, 'a node that runs')
    return this.process.core as KbrNode
  }

  application(name: string): Application {
    const application = this.applications.find((candidate) => candidate.name === name)
    if (application === undefined) throw new InvalidValueError('application', name, 'one of those the simulation was given')
    return application
  }
}

/** What the listeners of a simulation hear. */
export type NodeListener = (node: SimNode, event: KbrEvent, now: Millis) => void

/**
 * A network of whole stacks: on each host a `KbrNode` with an overlay and applications, joined through messages alone. Faults and commands are
 * methods; the truth about it all is in {@link members}.
 */
export class Simulation {
  readonly simulator: Simulator
  readonly nodes: SimNode[] = []
  /** Who is ready at this moment. */
  readonly members: Members
  /** Live peers that a node took to be dead. */
  falseSuspicions = 0
  /** When the membership last changed, as far as any node noticed. */
  lastChangeAt: Millis = 0

  readonly virtualNodes: number
  private readonly options: SimulationOptions
  private readonly idPrng: Prng
  private readonly nodePrng: Prng
  private readonly bootstrapPrng: Prng
  private readonly listeners: NodeListener[] = []
  private readonly downListeners: Array<(node: SimNode) => void> = []
  private readonly bySelf = new Map<Process, SimNode>()
  /** The process that joined alone, founding the network, until it is a member. */
  private founder: Process | undefined = undefined
  private stepsToAssert: number

  constructor(options: SimulationOptions) {
    const { nodes, virtualNodes = 1 } = options
    if (nodes % virtualNodes !== 0) throw new InvalidValueError('nodes', nodes, `a multiple of virtualNodes, ${virtualNodes}`)
    this.options = options
    this.virtualNodes = virtualNodes
    this.members = new Members(options.ownership ?? ringDistance, (process) => (process.core as KbrNode).overlay)
    this.simulator = new Simulator(options)
    this.idPrng = this.simulator.stream('ids')
    this.nodePrng = this.simulator.stream('nodes')
    this.bootstrapPrng = this.simulator.stream('bootstrap')
    this.simulator.onEvent((process, event, now) => this.hear(process, event, now))
    this.stepsToAssert = options.assertEvery ?? 0
    this.simulator.afterStep = (process) => this.look(process)
  }

  get now(): Millis {
    return this.simulator.now
  }

  get network() {
    return this.simulator.network
  }

  get traceHash(): string {
    return this.simulator.trace.hash
  }

  /** The nodes that run, in order of their hosts. */
  running(): SimNode[] {
    return this.nodes.filter((node) => node.running)
  }

  /** The number of the host a reference names. */
  hostOf(ref: NodeRef): number {
    return Number(ref.address.slice('sim:'.length))
  }

  /** The number of the machine that a host is on. */
  machineOf(host: number): number {
    return Math.floor(host / this.virtualNodes)
  }

  /** The nodes on the machine of this one, itself among them. */
  onMachineOf({ host }: SimNode): SimNode[] {
    const first = this.machineOf(host.index) * this.virtualNodes
    return this.nodes.slice(first, first + this.virtualNodes)
  }

  // ——— Membership

  /** A new host with a random id; its node joins at once. */
  addNode(id?: Guid): SimNode {
    const node = this.addHost(id)
    this.start(node)
    return node
  }

  /** A new host with a random id, on which nothing runs before {@link restart}. */
  addHost(id: Guid = randomGuid(this.idPrng)): SimNode {
    const node = new SimNode(this.simulator.addHost(id))
    this.nodes.push(node)
    return node
  }

  /**
   * Adds nodes until there are as many as the options say, one every `gapMs`, and then runs until all are members, for at most `withinMs`.
   * Returns whether they are.
   */
  joinAll({ gapMs, withinMs = 600_000 }: { readonly gapMs: Millis; readonly withinMs?: Millis }): boolean {
    while (this.nodes.length < this.options.nodes) {
      this.addNode()
      this.run(gapMs)
    }
    return this.runUntil(() => this.nodes.every((node) => !node.running || node.ready), withinMs)
  }

  /** Starts the node on its host, which is down; with what its disk holds, under the next epoch. */
  restart(node: SimNode): void {
    this.start(node)
  }

  /** Tells a member of another, as a person would who knows of both: they may be in two networks. */
  introduce(node: SimNode, other: SimNode): void {
    assert(other.process !== undefined, `node ${other.host.index} is down`)
    const { self } = other.process
    this.step(node, (now, fx) => node.kbr.join([self], now, fx))
  }

  /** Ends the node without a word; with `wipe` its disk is lost too. */
  crash(node: SimNode, options: { readonly wipe?: boolean } = {}): void {
    assert(node.process !== undefined, `node ${node.host.index} is down already`)
    this.end(node, options)
  }

  /** The node hands over, says good-bye and ends, within the routing's `leaveMs`. */
  leave(node: SimNode): void {
    node.leaving = true
    this.step(node, (now, fx) => node.kbr.leave(now, fx))
  }

  /** Gives a command to an application of the node. */
  command<T>(node: SimNode, application: Application, run: (fx: AppEffects, now: Millis) => T): T {
    return this.step(node, (now, fx) => node.kbr.command(application, now, fx, (appFx) => run(appFx, now)))
  }

  // ——— Time

  run(ms: Millis): void {
    this.simulator.run(ms)
  }

  /** Runs, a second at a time, until `done` or for `withinMs`; returns whether it was done. */
  runUntil(done: () => boolean, withinMs: Millis): boolean {
    const end = this.now + withinMs
    while (!done()) {
      if (this.now >= end) return false
      this.run(Math.min(1000, end - this.now))
    }
    return true
  }

  /**
   * Runs until no node has noticed a change of the membership for `quietMs`, counted from `since` at the earliest; returns false when that has not come
   * about within `withinMs`.
   */
  runUntilQuiet({
    quietMs,
    since = 0,
    withinMs,
  }: {
    readonly quietMs: Millis
    readonly since?: Millis
    readonly withinMs: Millis
  }): boolean {
    return this.runUntil(() => this.now - Math.max(since, this.lastChangeAt) >= quietMs, withinMs)
  }

  /** Runs `action` after `delayMs`, between two inputs. */
  after(delayMs: Millis, action: () => void): void {
    this.simulator.at(this.now + delayMs, action)
  }

  onEvent(listener: NodeListener): void {
    this.listeners.push(listener)
  }

  /** Calls `listener` with every node that is about to go down, by a crash or after its good-bye. */
  onDown(listener: (node: SimNode) => void): void {
    this.downListeners.push(listener)
  }

  /** Throws when any node's own state contradicts its protocol. */
  assertInvariants(): void {
    for (const node of this.running()) node.kbr.assertInvariants()
  }

  // ——— Details

  private start(node: SimNode): void {
    const { host } = node
    const prng =
      this.options.separateDraws === true ? this.simulator.stream(`node ${host.index}#${host.refs.length + 1}`) : this.nodePrng.fork()
    const applications = this.options.applications?.(node.host.index, prng.fork()) ?? []
    const { overlay, routing } = this.options
    const create = (self: NodeRef) =>
      new KbrNode({
        self,
        overlay,
        applications,
        prng,
        readRef: this.simulator.readRef,
        ...(this.virtualNodes === 1 ? {} : { hostOf: (ref: NodeRef) => String(this.machineOf(this.hostOf(ref))) }),
        ...(routing === undefined ? {} : { config: routing }),
      })
    const process =
      this.options.encode === true ? this.simulator.start(node.host, create, (kbr) => kbr.codec) : this.simulator.start(node.host, create)
    node.process = process
    node.applications = applications
    node.leaving = false
    this.bySelf.set(process, node)
    this.step(node, (now, fx) => node.kbr.start(now, fx))
    this.join(node)
  }

  /** Nobody reachable to ask: wait. Nobody at all: found the network. */
  private join(node: SimNode): void {
    const { process } = node
    if (process === undefined || node.leaving) return
    const bootstrap = this.drawBootstrap(node)
    const alone = bootstrap.length === 0 && this.members.size === 0 && !this.founding()
    if (bootstrap.length === 0 && !alone) return this.joinLater(node, process)
    if (alone) this.founder = process
    this.step(node, (now, fx) => node.kbr.join(bootstrap, now, fx))
  }

  private joinLater(node: SimNode, process: Process): void {
    this.after(joinRetryMs, () => {
      if (process.alive) this.join(node)
    })
  }

  private founding(): boolean {
    return this.founder !== undefined && this.founder.alive
  }

  /** A few random members with which it can exchange messages. */
  private drawBootstrap(node: SimNode): NodeRef[] {
    const found: NodeRef[] = []
    const { sorted } = this.members
    const { index } = node.host
    for (let tries = 0; tries < maxBootstrapDraws && found.length < (this.options.bootstraps ?? 2) && sorted.length > 0; tries++) {
      const { self, host } = this.members.of(this.bootstrapPrng.pick(sorted)!)!
      const reachable = this.network.reaches(index, host.index) && this.network.reaches(host.index, index)
      if (reachable && host.index !== index && !found.includes(self)) found.push(self)
    }
    return found
  }

  private end(node: SimNode, options: { readonly wipe?: boolean }): void {
    for (const listener of this.downListeners) listener(node)
    const process = node.process!
    this.members.remove(process)
    this.bySelf.delete(process)
    node.process = undefined
    node.endedAt = this.now
    this.lastChangeAt = this.now
    this.simulator.kill(process, options)
  }

  private step<T>(node: SimNode, run: (now: Millis, fx: Effects) => T): T {
    assert(node.process !== undefined, `node ${node.host.index} is down`)
    return this.simulator.step(node.process, run)
  }

  private hear(process: Process, event: KbrEvent, now: Millis): void {
    const node = this.bySelf.get(process)
    if (node === undefined) return // It died of an event before this one in the same step.
    switch (event.type) {
      case 'ready':
      case 'neighbor':
        this.lastChangeAt = now
        break
      case 'peer-failed':
        if (this.isAlive((event as Extract<KbrEvent, { peer: NodeRef }>).peer)) this.falseSuspicions++
        break
      case 'join-failed':
        this.joinLater(node, process)
        break
    }
    for (const listener of this.listeners) listener(node, event, now)
    if (event.type === 'left' && node.process === process) this.end(node, {})
  }

  private isAlive(peer: NodeRef): boolean {
    const process = this.simulator.hosts[this.hostOf(peer)]?.process
    return process !== undefined && process.self.epoch === peer.epoch
  }

  /** After each step of a node: is it a member now? A node that lost everybody it knew no longer is, until it has joined again. */
  private look(process: Process): void {
    const kbr = process.core as KbrNode
    if (kbr.ready !== (process.memberSince !== undefined)) this.setMember(process, kbr.ready)
    if (this.stepsToAssert > 0 && --this.stepsToAssert === 0) {
      this.stepsToAssert = this.options.assertEvery!
      kbr.assertInvariants()
    }
  }

  private setMember(process: Process, member: boolean): void {
    process.memberSince = member ? this.now : undefined
    if (!member) process.memberUntil = this.now
    this.lastChangeAt = this.now
    if (this.founder === process) this.founder = undefined
    if (member) this.members.add(process)
    else this.members.remove(process)
  }
}

/** Pause before a node that could not join tries again. */
const joinRetryMs = 1000

/** In a partition most draws may be unreachable; enough to find one in a tenth of the network with near certainty. */
const maxBootstrapDraws = 64
