import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { AppEffects, KbrEvent, Millis, NodeRef, Overlay, OverlayFactory } from '@plaxton/kbr'
import { routingDefaults } from '@plaxton/routing'
import type { LookedUpEvent } from '@plaxton/routing'
import { Simulation } from '@plaxton/simulator'
import type { Ownership, SimNode } from '@plaxton/simulator'
import type { KbrContext, KbrMember, KbrNetwork, OverlayAbilities } from './kbr-network.ts'
import { Journal, KbrProbe } from './kbr-probe.ts'
import { patientRouting } from './kbr-send.ts'
import { Tape } from './tape.ts'

/** An overlay, and what is true of it. */
export interface OverlayUnderTest {
  /** Makes the overlay's factory: `pastry`. Called once for each network. */
  readonly create: () => OverlayFactory
  /** Whose keys are whose, written from the definition and not from the overlay's code. */
  readonly ownership: Ownership
  readonly has: OverlayAbilities
}

export interface SimulatedContext extends KbrContext {
  readonly network: SimulatedNetwork
}

/** A sentence that needs virtual time, faults, or the truth about everything. */
export interface SimulatedCase {
  readonly title: string
  /** Nodes of its network; default: as the suite was told. */
  readonly nodes?: number
  /** Set when it is dear and one seed shows it: the first. */
  readonly once?: boolean
  readonly run: (context: SimulatedContext) => Promise<void>
}

/** A network whose faults are drawn from the seed as well. */
export function newNetwork({ create, ownership }: OverlayUnderTest, seed: string): SimulatedNetwork {
  // Half of the networks tell of broken connections, as TCP does; in the others only silence tells.
  const noticeMs = Prng.fromSeed(`${seed}/notice`).chance(0.5) ? 200 : undefined
  return new SimulatedNetwork({ seed, overlay: create(), ownership, noticeMs })
}

/** How a simulated network is made. */
interface SimulatedInit {
  readonly seed: number | string
  readonly overlay: OverlayFactory
  readonly ownership: Ownership
  /**
   * How long an attempt to reach a dead node takes to be reported, as on TCP; undefined: never, as on UDP, and only timeouts tell.
   */
  readonly noticeMs: Millis | undefined
}

/** Nodes that join together while a network is built. */
const joinersAtOnce = 8

/** Steps in which time passes while somebody waits. */
const stepMs = 20

/** A network in virtual time, where every message goes through the codec. */
export class SimulatedNetwork implements KbrNetwork {
  readonly simulation: Simulation
  readonly journal = new Journal()
  /** What the overlays have sent, for those who send it again, changed. */
  readonly tape = new Tape()
  readonly payloadBytesMax = routingDefaults.payloadBytesMax
  /** Virtual time: repair by timeouts alone takes minutes, and costs nothing. */
  readonly patienceMs = 900_000
  readonly quietMs = 70_000
  private running: SimMember[] = []

  constructor(init: SimulatedInit) {
    this.simulation = new Simulation({
      seed: init.seed,
      nodes: 0,
      network: { noticeMs: init.noticeMs },
      overlay: this.tape.of(init.overlay),
      ownership: init.ownership,
      routing: patientRouting,
      applications: () => [new KbrProbe(this.journal)],
      encode: true,
      assertEvery: 10,
    })
  }

  now(): Millis {
    return this.simulation.now
  }

  get members(): readonly KbrMember[] {
    return this.running
  }

  async add(count: number): Promise<KbrMember[]> {
    const nodes = Array.from({ length: count }, () => this.simulation.addNode())
    await this.until(
      () => nodes.every(({ ready }) => ready),
      () => `${nodes.filter(({ ready }) => !ready).length} of ${count} nodes become members`,
      this.patienceMs,
    )
    return nodes.map((node) => this.enlist(node))
  }

  /** Adds nodes until there are `count`, a few at a time. */
  async grow(count: number): Promise<void> {
    while (this.running.length < count) await this.add(this.running.length === 0 ? 1 : Math.min(joinersAtOnce, count - this.running.length))
  }

  /** Takes note of nodes that a case has started and ended by way of {@link simulation}. */
  refresh(): void {
    this.running = this.simulation
      .running()
      .map(
        (node) =>
          this.running.find((member) => member.node === node && member.self === node.kbr.self) ?? new SimMember(this.simulation, node),
      )
  }

  async crash(members: readonly KbrMember[]): Promise<void> {
    for (const member of members) {
      this.strike(member)
      this.simulation.crash(nodeOf(member))
    }
  }

  async leave(member: KbrMember): Promise<void> {
    const node = nodeOf(member)
    this.simulation.leave(node)
    await this.until(() => !node.running, 'a node has left', this.patienceMs)
    this.strike(member)
  }

  async restart(member: KbrMember): Promise<KbrMember> {
    const node = nodeOf(member)
    this.simulation.restart(node)
    await this.until(() => node.ready, 'a node that started again is a member', this.patienceMs)
    return this.enlist(node)
  }

  cut(members: readonly KbrMember[]): void {
    this.simulation.network.partition([members.map((member) => nodeOf(member).host.index)])
  }

  heal(): void {
    this.simulation.network.heal()
  }

  async until(holds: () => boolean, what: string | (() => string), withinMs: Millis): Promise<void> {
    const end = this.simulation.now + withinMs
    // The longer it takes, the less a little more matters, and asking may be dear.
    for (let step = stepMs; !holds(); step = Math.min(step * 1.05, 50 * stepMs)) {
      if (this.simulation.now >= end) throw new Error(`${typeof what === 'string' ? what : what()}: not within ${withinMs} virtual ms`)
      this.simulation.run(Math.round(step))
    }
  }

  async close(): Promise<void> {}

  private enlist(node: SimNode): SimMember {
    const member = new SimMember(this.simulation, node)
    this.running.push(member)
    return member
  }

  private strike(member: KbrMember): void {
    this.running = this.running.filter((other) => other !== member)
  }
}

class SimMember implements KbrMember {
  readonly node: SimNode
  readonly self: NodeRef
  readonly overlay: Overlay
  readonly probe: KbrProbe
  private readonly simulation: Simulation

  constructor(simulation: Simulation, node: SimNode) {
    this.simulation = simulation
    this.node = node
    this.self = node.kbr.self
    this.overlay = node.kbr.overlay
    this.probe = node.applications[0] as KbrProbe
  }

  command<T>(run: (fx: AppEffects) => T): T {
    return this.simulation.command(this.node, this.probe, run)
  }

  async lookup(key: Guid): Promise<Guid> {
    const { node, simulation } = this
    const ended: LookedUpEvent[] = []
    simulation.onEvent((at: SimNode, event: KbrEvent) => {
      if (at === node && event.type === 'routing:looked-up') ended.push(event as LookedUpEvent)
    })
    // It may end within the step that begins it.
    const lookup = simulation.simulator.step(node.process!, (now, fx) => node.kbr.lookup(key, {}, now, fx))
    const outcome = () => ended.find((event) => event.lookup === lookup)
    simulation.runUntil(() => outcome() !== undefined, 60_000)
    const found = outcome()
    if (found === undefined) throw new Error('a lookup has no end')
    if (!found.outcome.ok) throw new Error(`a lookup failed: ${found.outcome.failure.reason}: ${found.outcome.failure.detail}`)
    return found.outcome.root.id
  }
}

/** The simulated node behind a member of a {@link SimulatedNetwork}. */
export function nodeOf(member: KbrMember): SimNode {
  return (member as SimMember).node
}
