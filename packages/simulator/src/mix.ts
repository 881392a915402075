import { Prng } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import { DolrLedger } from './dolr-ledger.ts'
import type { DolrCounts } from './dolr-ledger.ts'
import { DolrWorkload, describeDolrPlan, drawDolrPlan } from './mix-dolr.ts'
import { PastWorkload } from './mix-past.ts'
import { drawPlan, describePlan } from './mix-plan.ts'
import type { MixPlan } from './mix-plan.ts'
import { DeliveryWatch, checkRoots } from './overlay-checks.ts'
import { overlays } from './overlays.ts'
import type { OverlayName, OverlayUnderTest } from './overlays.ts'
import { PastLedger } from './past-ledger.ts'
import type { CommandCounts } from './past-ledger.ts'
import { checkRanges } from './range-checks.ts'
import type { SimNode } from './simulation.ts'
import { Simulation } from './simulation.ts'
import { Violations } from './violations.ts'
import type { Workload } from './workload.ts'

export interface MixOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Default `pastry`. */
  readonly overlay?: OverlayName
  /** Nodes on each machine; the nodes of a machine fail, leave and are cut off together. Default 1. */
  readonly virtualNodes?: number
  /** What runs on top. Default PAST alone. */
  readonly services?: readonly ServiceName[]
  /** Instead of the plan the seed draws: only these faults. For tests. */
  readonly plan?: Partial<MixPlan>
}

export type ServiceName = 'past' | 'dolr'

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
 * Everything at once: nodes join; a phase of crashes, restarts, joins, leaves, partitions and losses with with PAST or DOLR or both on top; then all
 * is repaired, the network settles, and the checks hold everything against the truth.
 */
export function runMix(options: MixOptions): MixResult {
  return new Mix(options).run()
}

class Mix {
  private readonly plan: MixPlan
  private readonly options: MixOptions
  private readonly subject: OverlayUnderTest
  private readonly simulation: Simulation
  private readonly violations = new Violations()
  private readonly ledger: PastLedger
  private readonly dolrLedger: DolrLedger
  private readonly past: PastWorkload
  private readonly dolr: DolrWorkload
  private readonly workloads: readonly Workload[]
  private readonly watch: DeliveryWatch
  private readonly faults: Prng
  private disturbed = false

  constructor(options: MixOptions) {
    this.options = options
    this.subject = overlays[options.overlay ?? 'pastry']()
    const plan = { ...drawPlan(Prng.fromSeed(`${options.seed}/plan`)), ...options.plan }
    this.plan = plan
    const simulation = () => this.simulation
    this.ledger = new PastLedger(simulation, this.violations)
    this.past = new PastWorkload(plan, this.ledger, simulation)
    this.dolrLedger = new DolrLedger(simulation, this.violations)
    this.dolr = new DolrWorkload(drawDolrPlan(Prng.fromSeed(`${options.seed}/dolr plan`)), this.dolrLedger, simulation)
    const services = options.services ?? ['past']
    this.workloads = [...(services.includes('past') ? [this.past] : []), ...(services.includes('dolr') ? [this.dolr] : [])]
    this.simulation = new Simulation({
      seed: options.seed,
      nodes: options.nodes,
      ...(options.virtualNodes === undefined ? {} : { virtualNodes: options.virtualNodes }),
      topology: plan.topology,
      network: { noticeMs: plan.noticeMs },
      overlay: this.subject.overlay,
      ownership: this.subject.ownership,
      applications: (_host, prng) => this.workloads.map((workload) => workload.application(prng)),
      encode: plan.encode,
      pendingMax: pendingPerNode * options.nodes + pendingAtLeast,
      assertEvery: options.nodes <= smallNetwork ? 1 : assertEverySteps,
      onDisk: this.ledger.onDisk,
    })
    for (const workload of this.workloads) workload.watch(this.simulation)
    this.watch = new DeliveryWatch(this.simulation)
    this.faults = this.simulation.simulator.stream('faults')
  }

  run(): MixResult {
    try {
      this.joinEverybody()
      this.disturb()
      this.repair()
      this.checkEverything()
    } catch (error) {
      this.violations.add('no core throws', this.simulation.now, error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    return this.result()
  }

  // ——— Phases

  private joinEverybody(): void {
    const { plan, simulation } = this
    if (!simulation.joinAll({ gapMs: plan.joinGapMs })) this.violations.add('everybody joins', simulation.now, this.outsiders())
  }

  private disturb(): void {
    const { plan, simulation } = this
    const end = simulation.now + plan.chaosMs
    this.disturbMessages(end)
    this.disturbNodes(end)
    for (const workload of this.workloads) workload.giveCommands(end)
    simulation.run(plan.chaosMs)
  }

  /** Ends all disturbance, starts everybody again, and waits until nothing changes any more. */
  private repair(): void {
    const { simulation } = this
    const repairedAt = simulation.now
    simulation.network.repair()
    this.setImpaired(false)
    for (const node of simulation.nodes) if (!node.running && this.restarts.has(node)) simulation.restart(node)
    if (!simulation.runUntil(() => simulation.running().every((node) => node.ready), settleLimitMs)) {
      this.violations.add('everybody joins', simulation.now, this.outsiders())
    }
    simulation.run(detectMs)
    // Quiet that was kept by a broken link is none.
    if (!simulation.runUntilQuiet({ quietMs, since: repairedAt, withinMs: settleLimitMs })) {
      this.violations.add('the network settles', simulation.now, `membership still changed at ${simulation.lastChangeAt} ms`)
    }
    simulation.run(Math.max(0, ...this.workloads.map((workload) => workload.healMs)))
  }

  private checkEverything(): void {
    const { simulation, violations, subject } = this
    const prng = simulation.simulator.stream('checks')
    simulation.assertInvariants()
    checkRoots(simulation, violations, { prng, replicas: subject.ranksKnown, held: subject.ranksHeld })
    checkRanges(simulation, violations, { prng: simulation.simulator.stream('range checks'), ranks: rangesChecked })
    subject.checkTables(simulation, violations)
    for (const workload of this.workloads) workload.check(prng)
    if (!this.suspicious) for (const wrong of this.watch.wrong) violations.add('deliveries at the root only', simulation.now, wrong)
  }

  /** With messages lost or late, a live node may be taken for dead, and its keys delivered elsewhere: then wrong deliveries are counted only. */
  private get suspicious(): boolean {
    return this.disturbed || this.simulation.falseSuspicions > 0
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
    this.disturbed = plan.loss + plan.slowNodes + plan.brokenLinks + plan.partitions > 0
    this.setImpaired(plan.loss >= 0.05 || plan.slowNodes > 0 || plan.brokenLinks > 0)
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
    this.setImpaired(true)
    simulation.after(ms, () => simulation.network.heal())
  }

  private setImpaired(impaired: boolean): void {
    for (const workload of this.workloads) workload.setImpaired(impaired)
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

  private outsiders(): string {
    const hosts = this.simulation.running().filter((node) => !node.ready)
    return `hosts ${hosts.map((node) => node.host.index).join(', ')} are still no members`
  }

  private result(): MixResult {
    const { simulation, ledger, watch } = this
    const dolr = this.workloads.includes(this.dolr) ? this.dolrLedger.counts : undefined
    return {
      seed: this.options.seed,
      plan: [describePlan(this.plan), ...(dolr === undefined ? [] : [describeDolrPlan(this.dolr.plan)])].join('; dolr: '),
      violations: this.violations,
      nodes: simulation.members.size,
      deliveries: watch.delivered,
      wrongDeliveries: watch.wrongs,
      falseSuspicions: simulation.falseSuspicions,
      commands: ledger.counts,
      objects: ledger.objects.size,
      excused: ledger.excused,
      extraCopies: this.past.extraCopies,
      ...(dolr === undefined ? {} : { dolr }),
      messages: simulation.simulator.counts.deliveries,
      virtualMs: simulation.now,
      traceHash: simulation.traceHash,
    }
  }
}

/** Up to this size, every step is looked at. */
const smallNetwork = 20
/** Otherwise: often enough to find the step that broke something within a second or so; each look at a node costs about as much as ten steps. */
const assertEverySteps = 50
/** A node at rest has some twenty timers and messages under way, one that repairs much some hundred: a storm has passed this within seconds. Our guess. */
const pendingPerNode = 2000
const pendingAtLeast = 100_000
/** All failures have been found by then: a heartbeat period with its probes. */
const detectMs = 60_000
/** Two periods of the slowest exchange that changes leaf sets or replicas. */
const quietMs = 130_000
/** Settling may take this long and no longer. */
const settleLimitMs = 1_800_000
/** Ranks whose ranges are checked: the root and the first replicas. */
const rangesChecked = 3
