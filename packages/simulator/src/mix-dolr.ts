import { randomGuid } from '@plaxton/guid'
import type { Millis, Prng } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import type { DolrLedger } from './dolr-ledger.ts'
import type { DolrSettings } from './dolr-service.ts'
import { anyMember } from './service.ts'
import type { Simulation } from './simulation.ts'

/** What DOLR is asked to do in one run of the mix. */
export interface DolrPlan extends DolrSettings {
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

/** Publishes, withdraws, sends and asks where at random times until `untilMs`, by the plan. */
export function giveDolrCommands(simulation: Simulation, ledger: DolrLedger, plan: DolrPlan, untilMs: Millis): void {
  const prng = simulation.simulator.stream('dolr workload')
  const publish = (): void => {
    const node = anyMember(simulation, prng)
    const known = prng.pick([...ledger.objects])
    const guid = prng.chance(plan.sharing) && known !== undefined ? known : randomGuid(prng)
    if (node !== undefined) ledger.publish(node, guid)
  }
  const unpublish = (): void => {
    const hosting = prng.pick(ledger.hostings())
    if (hosting !== undefined) ledger.unpublish(hosting.node, hosting.guid)
  }
  // Mostly sends, sometimes asks where.
  const send = (): void => {
    const node = anyMember(simulation, prng)
    const guid = prng.pick([...ledger.objects])
    const n = 1 + prng.nextInt(3)
    const locate = prng.chance(0.3)
    if (node === undefined || guid === undefined) return
    if (locate) ledger.locate(node, guid, n)
    else ledger.send(node, guid, n)
  }
  atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.publishGapMs, untilMs, action: publish })
  atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.sendGapMs, untilMs, action: send })
  if (plan.unpublishGapMs !== undefined)
    atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.unpublishGapMs, untilMs, action: unpublish })
}
