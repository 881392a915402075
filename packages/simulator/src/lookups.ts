import { randomGuid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { atRandomTimes } from './churn.ts'
import type { ProbeLog } from './probe.ts'
import type { Simulation } from './simulation.ts'

/** Sends probes for random keys from random members at random times until `untilMs`. */
export function lookUpAtRandom(
  simulation: Simulation,
  log: ProbeLog,
  { perSecond, untilMs }: { readonly perSecond: number; readonly untilMs: Millis },
): void {
  const prng = simulation.simulator.stream('lookups')
  const action = (): void => {
    const source = prng.pick(simulation.members.sorted)
    const key = randomGuid(prng)
    if (source !== undefined) log.send(simulation, simulation.nodes[simulation.members.of(source)!.host.index]!, key)
  }
  atRandomTimes(simulation, prng.fork(), { meanGapMs: 1000 / perSecond, untilMs, action })
}
