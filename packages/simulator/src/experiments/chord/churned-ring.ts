import type { ChordConfig } from '@plaxton/chord'
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
  /** Told of the ring when it has grown and before anything else happens. */
  readonly onGrown?: (simulation: Simulation) => void
}

/** Grows the ring and runs it. Messages take 25 to {@link longestMs}. Returns the lookups but for those whose source died meanwhile, which takes its message along. */
export function lookUpUnderChurn(options: ExperimentOptions, ring: ChurnedRing): { simulation: Simulation; probes: Probe[] } {
  const { nodes, config, perSecond, minutes } = ring
  const world = new World(options, { nodes, subject: chordUnderTest(config), topology: uniform(25), network: { jitterMs: longestMs - 25 } })
  world.grow(nodes, { gapMs: joinGapMs })
  const { simulation, log } = world
  const untilMs = simulation.now + minutes * 60_000
  const faults = simulation.simulator.stream('faults')
  const meanGapMs = 1000 / perSecond
  atRandomTimes(simulation, faults.fork(), { meanGapMs, untilMs, action: () => void simulation.addNode() })
  atRandomTimes(simulation, faults.fork(), { meanGapMs, untilMs, action: () => simulation.crash(faults.pick(simulation.running())!) })
  ring.onGrown?.(simulation)
  lookUpAtRandom(simulation, log, { perSecond: 1, untilMs })
  simulation.run(minutes * 60_000 + drainMs)
  const probes = log.probes.filter((probe) => probe.deliveredAt !== undefined || simulation.nodes[probe.source]!.running)
  return { simulation, probes }
}

/** A message takes so long at most, one way. */
export const longestMs = 75
/** Our choice: fast enough that growing takes a minute or two. */
const joinGapMs = 100
