import { Prng } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import type { DolrCounts } from './dolr-ledger.ts'
import { describeDolrPlan, drawDolrPlan, giveDolrCommands } from './mix-dolr.ts'
import type { DolrPlan } from './mix-dolr.ts'
import { givePastCommands } from './mix-past.ts'
import { drawPlan, describePlan } from './mix-plan.ts'
import type { MixPlan } from './mix-plan.ts'
import { overlays } from './overlays.ts'
import type { OverlayName } from './overlays.ts'
import type { CommandCounts } from './past-ledger.ts'
import type { SimNode, Simulation } from './simulation.ts'
import { Trial } from './trial.ts'
import type { ServiceName } from './trial.ts'
import type { Violations } from './violations.ts'

export interface MixOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Default `pastry`. */
  readonly overlay?: OverlayName
  /** Coordinate spaces of a CAN. Default 1. */
  readonly realities?: number
  /** Nodes on each machine; the nodes of a machine fail, leave and are cut off together. Default 1. */
  readonly virtualNodes?: number
  /** What runs on top. Default PAST alone. */
  readonly services?: readonly ServiceName[]
  /** Instead of the plan the seed draws: only these faults. For tests. */
  readonly plan?: Partial<MixPlan>
}

export interface MixResult {
  readonly seed: number | string
  readonly plan: string
  readonly violations: Violations
  /** Nodes at the end. */
  readonly nodes: number
  readonly deliveries: number
  readonly wrongDeliveries: number
  readonly falseSuspicions: number
  readonly commands: CommandCounts
  readonly objects: number
  readonly excused: number
  readonly extraCopies: number
  /** Only with DOLR. */
  readonly dolr?: DolrCounts
  readonly messages: number
  readonly virtualMs: Millis
  readonly traceHash: string
}

/**
 * Everything at once: nodes join; a phase of crashes, restarts, joins, leaves, partitions and losses with PAST or DOLR or both on top; then all
 * is repaired, the network settles, and the checks hold everything against the truth.
 */
export function runMix(options: MixOptions): MixResult {
  return new Mix(options).run()
}

class Mix {
  private readonly plan: MixPlan
  private readonly dolrPlan: DolrPlan
  private readonly options: MixOptions
  private readonly services: readonly ServiceName[]
  private readonly trial: Trial
  private readonly simulation: Simulation
  private readonly faults: Prng

  constructor(options: MixOptions) {
    this.options = options
    const { seed, nodes, overlay = 'pastry', realities = 1, virtualNodes = 1, services = ['past'] } = options
    const plan = { ...drawPlan(Prng.fromSeed(`${seed}/plan`)), ...options.plan }
    this.plan = plan
    this.dolrPlan = drawDolrPlan(Prng.fromSeed(`${seed}/dolr plan`))
    this.services = services
    this.trial = new Trial({
      seed,
      nodes,
      virtualNodes,
      topology: plan.topology,
      network: { noticeMs: plan.noticeMs },
      encode: plan.encode,
      subject: overlays[overlay]({ realities }),
      services,
      replicas: plan.replicas,
      dolr: this.dolrPlan,
    })
    this.simulation = this.trial.simulation
    this.faults = this.simulation.simulator.stream('faults')
  }

  run(): MixResult {
    const { trial } = this
    trial.attempt(() => {
      trial.expectMembers(this.simulation.joinAll({ gapMs: this.plan.joinGapMs }))
      this.disturb()
      trial.settle(this.simulation.nodes.filter((node) => this.restarts.has(node)))
      trial.checkEverything()
    })
    return this.result()
  }

  private disturb(): void {
    const { plan, simulation, trial, services } = this
    const end = simulation.now + plan.chaosMs
    this.disturbMessages(end)
    this.disturbNodes(end)
    if (services.includes('past')) givePastCommands(simulation, trial.past, plan, end)
    if (services.includes('dolr')) giveDolrCommands(simulation, trial.dolr, this.dolrPlan, end)
    simulation.run(plan.chaosMs)
  }

  // ——— Disturbances

  private disturbMessages(end: Millis): void {
    const { plan, simulation, faults } = this
    const { network } = simulation
    network.loss = plan.loss
    network.jitterMs = plan.jitterMs
    const host = () => faults.nextInt(simulation.nodes.length)
    for (let i = 0; i < plan.slowNodes; i++) network.setSlowness(host(), 500 + faults.nextInt(4500))
    for (let i = 0; i < plan.brokenLinks; i++) network.setLinkLoss(host(), host(), 1)
    this.trial.disturbed = plan.loss + plan.slowNodes + plan.brokenLinks + plan.partitions > 0
    this.trial.setImpaired(plan.loss >= 0.05 || plan.slowNodes > 0 || plan.brokenLinks > 0)
    for (let i = 0; i < plan.partitions; i++) {
      const start = faults.nextInt(plan.chaosMs)
      simulation.after(start, () => this.partition(Math.min(plan.partitionMs, end - simulation.now)))
    }
  }

  private partition(ms: Millis): void {
    const { simulation, faults, plan } = this
    const hosts = simulation.nodes.map((_, index) => index)
    const machines = faults.shuffle([...new Set(hosts.map((host) => simulation.machineOf(host)))])
    const size = 1 + faults.nextInt(machines.length / 2)
    const apart = machines.slice(0, size).flatMap((machine) => hosts.filter((host) => simulation.machineOf(host) === machine))
    simulation.network.partition([apart], { oneWay: plan.oneWay })
    this.trial.setImpaired(true)
    simulation.after(ms, () => simulation.network.heal())
  }

  /** Crashed nodes that are to come back. */
  private readonly restarts = new Set<SimNode>()

  private disturbNodes(untilMs: Millis): void {
    const { plan, simulation, faults } = this
    if (plan.crashGapMs !== undefined)
      atRandomTimes(simulation, faults.fork(), { meanGapMs: plan.crashGapMs, untilMs, action: () => this.crashOne() })
    if (plan.leaveGapMs !== undefined)
      atRandomTimes(simulation, faults.fork(), { meanGapMs: plan.leaveGapMs, untilMs, action: () => this.leaveOne() })
    if (plan.joinGapInChaosMs !== undefined) {
      const action = (): void => {
        for (let i = 0; i < simulation.virtualNodes; i++) simulation.addNode()
      }
      atRandomTimes(simulation, faults.fork(), { meanGapMs: plan.joinGapInChaosMs, untilMs, action })
    }
    if (plan.massCrash > 0) {
      simulation.after(faults.nextInt(plan.chaosMs), () => {
        const running = faults.shuffle(simulation.running())
        const machines = Math.floor((plan.massCrash * running.length) / simulation.virtualNodes)
        for (const node of running.slice(0, machines)) if (node.running) this.crash(node)
      })
    }
  }

  private crashOne(): void {
    const node = this.faults.pick(this.simulation.running())
    if (node !== undefined && this.mayShrink()) this.crash(node)
  }

  private leaveOne(): void {
    const node = this.faults.pick(this.simulation.running().filter((candidate) => candidate.ready && !candidate.leaving))
    if (node === undefined || !this.mayShrink()) return
    for (const each of this.simulation.onMachineOf(node)) {
      if (each.ready && !each.leaving) this.simulation.leave(each)
      else if (each.running && !each.leaving) this.simulation.crash(each)
    }
  }

  /** The machine of this node goes down. */
  private crash(node: SimNode): void {
    const { plan, simulation, faults } = this
    const wipe = faults.chance(plan.wipeShare)
    const machine = simulation.onMachineOf(node).filter(({ running }) => running)
    for (const each of machine) {
      simulation.crash(each, { wipe })
      this.restarts.add(each)
    }
    if (plan.restartMs === undefined) return
    simulation.after(Math.max(1, Math.round(faults.nextExponential(plan.restartMs))), () => {
      for (const each of machine) if (!each.running) simulation.restart(each)
    })
  }

  private mayShrink(): boolean {
    return this.simulation.running().length > this.options.nodes / 2
  }

  // ——— Report

  private result(): MixResult {
    const { simulation, trial } = this
    const dolr = this.services.includes('dolr') ? trial.dolr.counts : undefined
    return {
      seed: this.options.seed,
      plan: [describePlan(this.plan), ...(dolr === undefined ? [] : [describeDolrPlan(this.dolrPlan)])].join('; dolr: '),
      violations: trial.violations,
      nodes: simulation.members.size,
      deliveries: trial.watch.delivered,
      wrongDeliveries: trial.watch.wrongs,
      falseSuspicions: simulation.falseSuspicions,
      commands: trial.past.counts,
      objects: trial.past.objects.size,
      excused: trial.past.excused,
      extraCopies: trial.pastService.extraCopies,
      ...(dolr === undefined ? {} : { dolr }),
      messages: simulation.simulator.counts.deliveries,
      virtualMs: simulation.now,
      traceHash: simulation.traceHash,
    }
  }
}
