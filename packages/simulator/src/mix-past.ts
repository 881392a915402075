import type { Application, Millis, Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { atRandomTimes } from './churn.ts'
import type { MixPlan } from './mix-plan.ts'
import type { LedgerObject, PastLedger } from './past-ledger.ts'
import type { Simulation } from './simulation.ts'
import { anyMember } from './workload.ts'
import type { Workload } from './workload.ts'

/** PAST under the mix: puts, gets and removes by the plan, checked by the ledger. */
export class PastWorkload implements Workload {
  readonly healMs = 0
  /** Copies beyond those wanted, after the checks. */
  extraCopies = 0
  private readonly plan: MixPlan
  private readonly ledger: PastLedger
  private readonly simulation: () => Simulation

  constructor(plan: MixPlan, ledger: PastLedger, simulation: () => Simulation) {
    this.plan = plan
    this.ledger = ledger
    this.simulation = simulation
  }

  application(prng: Prng): Application {
    return new PastNode({ replicas: this.plan.replicas }, prng)
  }

  watch(simulation: Simulation): void {
    this.ledger.watch(simulation)
  }

  setImpaired(impaired: boolean): void {
    this.ledger.setImpaired(impaired)
  }

  giveCommands(untilMs: Millis): void {
    const { plan } = this
    const simulation = this.simulation()
    const prng = simulation.simulator.stream('workload')
    atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.putGapMs, untilMs, action: () => this.put(prng) })
    atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.getGapMs, untilMs, action: () => this.get(prng) })
    if (plan.removeGapMs !== undefined) {
      atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.removeGapMs, untilMs, action: () => this.remove(prng) })
    }
  }

  check(prng: Prng): void {
    this.extraCopies = this.ledger.checkCopies()
    this.ledger.readBack(prng, readers)
    this.ledger.checkEnded()
  }

  private put(prng: Prng): void {
    const node = anyMember(this.simulation(), prng)
    const bytes = drawBytes(prng, 1 + prng.nextInt(this.plan.largest))
    const named = prng.chance(0.5)
    if (node !== undefined) this.ledger.put(node, bytes, { named, replicas: this.plan.replicas })
  }

  private get(prng: Prng): void {
    const node = anyMember(this.simulation(), prng)
    const removedToo = prng.chance(0.1)
    const object = this.anyObject(prng, ({ state }) => removedToo || state !== 'removed')
    if (node !== undefined && object !== undefined) this.ledger.get(node, object)
  }

  private remove(prng: Prng): void {
    const object = this.anyObject(prng, (candidate) => candidate.state === 'put' && candidate.owner.ready && !candidate.owner.leaving)
    if (object !== undefined) this.ledger.remove(object)
  }

  private anyObject(prng: Prng, suits: (object: LedgerObject) => boolean): LedgerObject | undefined {
    return prng.pick([...this.ledger.objects.values()].filter(suits))
  }
}

/** Nodes that read each object back. */
const readers = 2

function drawBytes(prng: Prng, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = prng.nextUint32()
  return new Uint8Array(words.buffer, 0, length)
}
