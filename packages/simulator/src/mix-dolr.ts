import { DolrNode, dolrDefaults } from '@plaxton/dolr'
import type { DolrConfig } from '@plaxton/dolr'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Application, Millis, Prng } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import type { DolrLedger } from './dolr-ledger.ts'
import type { Simulation } from './simulation.ts'
import { anyMember } from './workload.ts'
import type { Workload } from './workload.ts'

/** What DOLR is asked to do in one run of the mix. */
export interface DolrPlan {
  readonly roots: number
  /** Who chooses among the hosts. */
  readonly choose: DolrConfig['choose']
  readonly republishMs: Millis
  /** The paper's k, l and m. */
  readonly nearBackups: number
  readonly nearNeighbors: number
  readonly nearHops: number
  readonly publishGapMs: Millis
  /** undefined: nothing is unpublished in this run. */
  readonly unpublishGapMs: Millis | undefined
  readonly sendGapMs: Millis
  /** Share of publications that are of an object which has been published before, and may have other hosts. */
  readonly sharing: number
}

/** Draws a plan; see `drawPlan` of the mix. */
export function drawDolrPlan(prng: Prng): DolrPlan {
  const publishGapMs = prng.pick([500, 2000, 5000])!
  const unpublishGapMs = 3 * publishGapMs
  const near = prng.chance(0.3)
  return {
    roots: prng.pick([1, 2, 2, 3])!,
    republishMs: prng.pick([20_000, 60_000])!,
    nearBackups: near ? prng.nextInt(3) : 0,
    nearNeighbors: near ? prng.nextInt(6) : 0,
    nearHops: near ? 1 + prng.nextInt(3) : 0,
    publishGapMs,
    unpublishGapMs: prng.chance(0.7) ? unpublishGapMs : undefined,
    sendGapMs: prng.pick([300, 1000])!,
    sharing: prng.pick([0.2, 0.5, 0.8])!,
    choose: prng.chance(0.3) ? 'holder' : 'sender',
  }
}

/** The plan in one line. */
export function describeDolrPlan(plan: DolrPlan): string {
  return Object.entries(plan)
    .filter(([, value]) => value !== undefined && value !== 0)
    .map(([field, value]) => `${field} ${String(value)}`)
    .join(', ')
}

/** DOLR under the mix: objects are published, withdrawn and sent to by the plan, checked by the ledger. */
export class DolrWorkload implements Workload {
  readonly plan: DolrPlan
  private readonly ledger: DolrLedger
  private readonly simulation: () => Simulation

  constructor(plan: DolrPlan, ledger: DolrLedger, simulation: () => Simulation) {
    this.plan = plan
    this.ledger = ledger
    this.simulation = simulation
  }

  /** A republication, which may come a tenth late. */
  get healMs(): Millis {
    return Math.ceil(1.1 * this.plan.republishMs)
  }

  application(prng: Prng): Application {
    const { roots, choose, republishMs, nearBackups, nearNeighbors, nearHops } = this.plan
    return new DolrNode({ roots, choose, republishMs, ttlMs: this.ttlMs, nearBackups, nearNeighbors, nearHops }, prng)
  }

  watch(simulation: Simulation): void {
    this.ledger.watch(simulation)
  }

  setImpaired(impaired: boolean): void {
    this.ledger.setImpaired(impaired)
  }

  giveCommands(untilMs: Millis): void {
    const { publishGapMs, unpublishGapMs, sendGapMs } = this.plan
    const simulation = this.simulation()
    const prng = simulation.simulator.stream('dolr workload')
    atRandomTimes(simulation, prng.fork(), { meanGapMs: publishGapMs, untilMs, action: () => this.publish(prng) })
    atRandomTimes(simulation, prng.fork(), { meanGapMs: sendGapMs, untilMs, action: () => this.send(prng) })
    if (unpublishGapMs !== undefined) {
      atRandomTimes(simulation, prng.fork(), { meanGapMs: unpublishGapMs, untilMs, action: () => this.unpublish(prng) })
    }
  }

  check(prng: Prng): void {
    this.ledger.findHosted()
    // Now those to hosts that died without a word have expired too.
    this.simulation().run(this.ttlMs)
    this.ledger.checkPointers()
    this.ledger.findEverything(prng)
    this.ledger.checkEnded()
  }

  /** Three republications may get lost, as by default. */
  private get ttlMs(): Millis {
    return Math.round((this.plan.republishMs * dolrDefaults.ttlMs) / dolrDefaults.republishMs)
  }

  private publish(prng: Prng): void {
    const node = anyMember(this.simulation(), prng)
    const known = prng.pick([...this.ledger.objects])
    const guid = prng.chance(this.plan.sharing) && known !== undefined ? known : randomGuid(prng)
    if (node !== undefined) this.ledger.publish(node, guid)
  }

  private unpublish(prng: Prng): void {
    const hosting = prng.pick(this.ledger.hostings())
    if (hosting !== undefined) this.ledger.unpublish(hosting.node, hosting.guid)
  }

  /** Mostly sends, sometimes asks where. */
  private send(prng: Prng): void {
    const node = anyMember(this.simulation(), prng)
    const guid: Guid | undefined = prng.pick([...this.ledger.objects])
    const n = 1 + prng.nextInt(3)
    const locate = prng.chance(0.3)
    if (node === undefined || guid === undefined) return
    if (locate) this.ledger.locate(node, guid, n)
    else this.ledger.send(node, guid, n)
  }
}
