import type { ChordConfig } from '@plaxton/chord'
import type { Guid } from '@plaxton/guid'
import type { KbrEvent } from '@plaxton/kbr'
import { atRandomTimes } from '../../churn.ts'
import { lookUpAtRandom } from '../../lookups.ts'
import { chordUnderTest } from '../../overlays.ts'
import type { Probe } from '../../probe.ts'
import type { Simulation } from '../../simulation.ts'
import { uniform } from '../../topology.ts'
import { World, drainMs } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'

/** A ring in which nodes join and others die, independently and at the same rate on average, while one lookup a second is made. */
export interface ChurnedRing {
  readonly nodes: number
  readonly config: Partial<ChordConfig>
  /** Joins a second; as many nodes die. */
  readonly perSecond: number
  readonly minutes: number
}

/** What became of the ring and the lookups. */
export interface LookupsUnderChurn {
  readonly simulation: Simulation
  /** But for those whose source died meanwhile, which takes its message along. */
  readonly probes: readonly Probe[]
  /** How often a lookup had to go another way because a node was gone, and not just slow to acknowledge, by its key. */
  readonly reroutes: ReadonlyMap<Guid, number>
}

/** Grows the ring and runs it. Messages take 25 to {@link longestMs}. */
export function lookUpUnderChurn(options: ExperimentOptions, { nodes, config, perSecond, minutes }: ChurnedRing): LookupsUnderChurn {
  const world = new World(options, { nodes, subject: chordUnderTest(config), topology: uniform(25), network: { jitterMs: longestMs - 25 } })
  world.grow(nodes, { gapMs: joinGapMs })
  const { simulation, log } = world
  const untilMs = simulation.now + minutes * 60_000
  const faults = simulation.simulator.stream('faults')
  const meanGapMs = 1000 / perSecond
  atRandomTimes(simulation, faults.fork(), { meanGapMs, untilMs, action: () => void simulation.addNode() })
  atRandomTimes(simulation, faults.fork(), { meanGapMs, untilMs, action: () => simulation.crash(faults.pick(simulation.running())!) })
  const reroutes = new Map<Guid, number>()
  simulation.onEvent((_node, event) => {
    if (event.type !== 'rerouted') return
    const { key, from } = event as Extract<KbrEvent, { type: 'rerouted' }>
    if (simulation.nodes[simulation.hostOf(from)]!.running) return
    reroutes.set(key, (reroutes.get(key) ?? 0) + 1)
  })
  lookUpAtRandom(simulation, log, { perSecond: 1, untilMs })
  simulation.run(minutes * 60_000 + drainMs)
  const probes = log.probes.filter((probe) => probe.deliveredAt !== undefined || simulation.nodes[probe.source]!.running)
  return { simulation, probes, reroutes }
}

/** A message takes so long at most, one way. */
export const longestMs = 75
/** Our choice: fast enough that growing takes a minute or two. */
const joinGapMs = 100
