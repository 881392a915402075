import { PastNode } from '@plaxton/past'
import { Prng } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import { drawPlan, describePlan } from './mix-plan.ts'
import type { MixPlan } from './mix-plan.ts'
import { DeliveryWatch, checkRoots } from './overlay-checks.ts'
import { overlays } from './overlays.ts'
import type { OverlayName, OverlayUnderTest } from './overlays.ts'
import { PastLedger } from './past-ledger.ts'
import type { CommandCounts, LedgerObject } from './past-ledger.ts'
import { checkRanges } from './range-checks.ts'
import type { SimNode } from './simulation.ts'
import { Simulation } from './simulation.ts'
import { Violations } from './violations.ts'

export interface MixOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Default `pastry`. */
  readonly overlay?: OverlayName
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
  readonly messages: number
  readonly virtualMs: Millis
  readonly traceHash: string
}

/**
 * Everything at once: nodes join; a phase of crashes, restarts, joins, leaves, partitions and losses with puts, gets and removes on top; then all
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
  private readonly watch: DeliveryWatch
  private readonly faults: Prng
  private readonly workload: Prng
  private extraCopies = 0
  private disturbed = false

  constructor(options: MixOptions) {
    this.options = options
    this.subject = overlays[options.overlay ?? 'pastry']()
    this.ledger = new PastLedger(() => this.simulation, this.violations)
    const plan = { ...drawPlan(Prng.fromSeed(`${options.seed}/plan`)), ...options.plan }
    this.plan = plan
    this.simulation = new Simulation({
      seed: options.seed,
      nodes: options.nodes,
      topology: plan.topology,
      network: { noticeMs: plan.noticeMs },
      overlay: this.subject.overlay,
      ownership: this.subject.ownership,
      applications: (_host, prng) => [new PastNode({ replicas: plan.replicas }, prng)],
      encode: plan.encode,
      assertEvery: options.nodes <= smallNetwork ? 1 : assertEverySteps,
      onDisk: this.ledger.onDisk,
    })
    this.ledger.watch(this.simulation)
    this.watch = new DeliveryWatch(this.simulation)
    this.faults = this.simulation.simulator.stream('faults')
    this.workload = this.simulation.simulator.stream('workload')
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
    this.giveCommands(end)
    simulation.run(plan.chaosMs)
  }

  /** Ends all disturbance, starts everybody again, and waits until nothing changes any more. */
  private repair(): void {
    const { simulation } = this
    simulation.network.repair()
    this.ledger.setImpaired(false)
    for (const node of simulation.nodes) if (!node.running && this.restarts.has(node)) simulation.restart(node)
    if (!simulation.runUntil(() => simulation.running().every((node) => node.ready), settleLimitMs)) {
      this.violations.add('everybody joins', simulation.now, this.outsiders())
    }
    simulation.run(detectMs)
    if (!simulation.runUntilQuiet({ quietMs: quietMs, withinMs: settleLimitMs })) {
      this.violations.add('the network settles', simulation.now, `membership still changed at ${simulation.lastChangeAt} ms`)
    }
  }

  private checkEverything(): void {
    const { simulation, violations, ledger, subject } = this
    const prng = simulation.simulator.stream('checks')
    simulation.assertInvariants()
    checkRoots(simulation, violations, { prng, replicas: subject.ranksKnown })
    checkRanges(simulation, violations, { prng: simulation.simulator.stream('range checks'), ranks: rangesChecked })
    subject.checkTables(simulation, violations)
    this.extraCopies = ledger.checkCopies()
    ledger.readBack(prng, readers)
    ledger.checkEnded()
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
    this.ledger.setImpaired(plan.loss >= 0.05 || plan.slowNodes > 0 || plan.brokenLinks > 0)
    for (let i = 0; i < plan.partitions; i++) {
      const start = faults.nextInt(plan.chaosMs)
      simulation.after(start, () => this.partition(Math.min(plan.partitionMs, end - simulation.now)))
    }
  }

  private partition(ms: Millis): void {
    const { simulation, faults, plan } = this
    const hosts = faults.shuffle(simulation.nodes.map((_, index) => index))
    const size = 1 + faults.nextInt(hosts.length / 2)
    simulation.network.partition([hosts.slice(0, size)], { oneWay: plan.oneWay })
    this.ledger.setImpaired(true)
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
      const action = (): void => void simulation.addNode()
      atRandomTimes(simulation, faults.fork(), { meanGapMs: plan.joinGapInChaosMs, untilMs, action })
    }
    if (plan.massCrash > 0) {
      simulation.after(faults.nextInt(plan.chaosMs), () => {
        const running = faults.shuffle(simulation.running())
        for (const node of running.slice(0, Math.floor(plan.massCrash * running.length))) this.crash(node)
      })
    }
  }

  private crashOne(): void {
    const node = this.faults.pick(this.simulation.running())
    if (node !== undefined && this.mayShrink()) this.crash(node)
  }

  private leaveOne(): void {
    const node = this.faults.pick(this.simulation.running().filter((candidate) => candidate.ready && !candidate.leaving))
    if (node !== undefined && this.mayShrink()) this.simulation.leave(node)
  }

  private crash(node: SimNode): void {
    const { plan, simulation, faults } = this
    simulation.crash(node, { wipe: faults.chance(plan.wipeShare) })
    this.restarts.add(node)
    if (plan.restartMs === undefined) return
    simulation.after(Math.max(1, Math.round(faults.nextExponential(plan.restartMs))), () => {
      if (!node.running) simulation.restart(node)
    })
  }

  private mayShrink(): boolean {
    return this.simulation.running().length > this.options.nodes / 2
  }

  // ——— Commands

  private giveCommands(untilMs: Millis): void {
    const { plan, simulation, workload } = this
    atRandomTimes(simulation, workload.fork(), { meanGapMs: plan.putGapMs, untilMs, action: () => this.put() })
    atRandomTimes(simulation, workload.fork(), { meanGapMs: plan.getGapMs, untilMs, action: () => this.get() })
    if (plan.removeGapMs !== undefined) {
      atRandomTimes(simulation, workload.fork(), { meanGapMs: plan.removeGapMs, untilMs, action: () => this.remove() })
    }
  }

  private put(): void {
    const { workload, plan } = this
    const node = this.anyMember()
    const bytes = drawBytes(workload, 1 + workload.nextInt(plan.largest))
    const named = workload.chance(0.5)
    if (node !== undefined) this.ledger.put(node, bytes, { named, replicas: plan.replicas })
  }

  private get(): void {
    const node = this.anyMember()
    const removedToo = this.workload.chance(0.1)
    const object = this.anyObject(({ state }) => removedToo || state !== 'removed')
    if (node !== undefined && object !== undefined) this.ledger.get(node, object)
  }

  private remove(): void {
    const object = this.anyObject((candidate) => candidate.state === 'put' && candidate.owner.ready && !candidate.owner.leaving)
    if (object !== undefined) this.ledger.remove(object)
  }

  private anyMember(): SimNode | undefined {
    return this.workload.pick(this.simulation.running().filter((node) => node.ready && !node.leaving))
  }

  private anyObject(suits: (object: LedgerObject) => boolean): LedgerObject | undefined {
    return this.workload.pick([...this.ledger.objects.values()].filter(suits))
  }

  // ——— Report

  private outsiders(): string {
    const hosts = this.simulation.running().filter((node) => !node.ready)
    return `hosts ${hosts.map((node) => node.host.index).join(', ')} are still no members`
  }

  private result(): MixResult {
    const { simulation, ledger, watch } = this
    return {
      seed: this.options.seed,
      plan: describePlan(this.plan),
      violations: this.violations,
      nodes: simulation.members.size,
      deliveries: watch.delivered,
      wrongDeliveries: watch.wrongs,
      falseSuspicions: simulation.falseSuspicions,
      commands: ledger.counts,
      objects: ledger.objects.size,
      excused: ledger.excused,
      extraCopies: this.extraCopies,
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
/** All failures have been found by then: a heartbeat period with its probes. */
const detectMs = 60_000
/** Two periods of the slowest exchange that changes leaf sets or replicas. */
const quietMs = 130_000
/** Settling may take this long and no longer. */
const settleLimitMs = 1_800_000
/** Ranks whose ranges are checked: the root and the first replicas. */
const rangesChecked = 3
/** Nodes that read each object back. */
const readers = 2

function drawBytes(prng: Prng, length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => prng.nextUint32())
  return new Uint8Array(words.buffer, 0, length)
}
