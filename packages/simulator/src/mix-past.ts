import type { Millis, Prng } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import type { MixPlan } from './mix-plan.ts'
import type { LedgerObject, PastLedger } from './past-ledger.ts'
import { anyMember } from './service.ts'
import type { Simulation } from './simulation.ts'

/** Puts, gets and removes at random times until `untilMs`, by the plan. */
export function givePastCommands(simulation: Simulation, ledger: PastLedger, plan: MixPlan, untilMs: Millis): void {
  const prng = simulation.simulator.stream('workload')
  const anyObject = (suits: (object: LedgerObject) => boolean) => prng.pick([...ledger.objects.values()].filter(suits))
  const put = (): void => {
    const node = anyMember(simulation, prng)
    const bytes = drawBytes(prng, 1 + prng.nextInt(plan.largest))
    const named = prng.chance(0.5)
    if (node !== undefined) ledger.put(node, bytes, { named, replicas: plan.replicas })
  }
  const get = (): void => {
    const node = anyMember(simulation, prng)
    const removedToo = prng.chance(0.1)
    const object = anyObject(({ state }) => removedToo || state !== 'removed')
    if (node !== undefined && object !== undefined) ledger.get(node, object)
  }
  const remove = (): void => {
    const object = anyObject(isRemovable)
    if (object !== undefined) ledger.remove(object)
  }
  atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.putGapMs, untilMs, action: put })
  atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.getGapMs, untilMs, action: get })
  if (plan.removeGapMs !== undefined) atRandomTimes(simulation, prng.fork(), { meanGapMs: plan.removeGapMs, untilMs, action: remove })
}

/** Whether its owner can remove it now. */
export function isRemovable({ state, owner }: LedgerObject): boolean {
  return state === 'put' && owner.ready && !owner.leaving
}

export function drawBytes(prng: Prng, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = prng.nextUint32()
  return new Uint8Array(words.buffer, 0, length)
}
