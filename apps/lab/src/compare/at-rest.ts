import { randomGuid } from '@plaxton/guid'
import { distribution, percentile, sentWhile } from '@plaxton/simulator'
import type { Probe, Simulation, Traffic, World } from '@plaxton/simulator'

/** What a node sends to keep its tables in order while nothing happens, per second. */
export function quietUpkeep({ simulation }: World, minutes: number): Traffic {
  const nodeSeconds = simulation.running().length * minutes * 60
  const { messages, bytes } = sentWhile(simulation, () => simulation.run(minutes * 60_000))
  return { messages: messages / nodeSeconds, bytes: bytes / nodeSeconds }
}

/** How lookups of random keys from random nodes travel. */
export interface Ways {
  readonly hops: number
  readonly hopsP99: number
  /** Share of lookups by number of hops. */
  readonly distribution: readonly number[]
  /** Sum of the lengths of the ways by the sum of the direct distances between their ends. */
  readonly stretch: number
  readonly medianMs: number
  /** Share that arrived at the root. */
  readonly success: number
}

/** Looks up random keys from random members of a network at rest. */
export function ways({ simulation, log }: World): Ways {
  const prng = simulation.simulator.stream('ways')
  const probes = Array.from({ length: lookups }, () => {
    const probe = log.send(simulation, prng.pick(simulation.nodes)!, randomGuid(prng))
    simulation.run(lookupGapMs)
    return probe
  })
  simulation.run(drainMs)
  const arrived = probes.filter((probe) => probe.deliveredAt !== undefined && probe.deliveredAt === probe.rootThen)
  const hops = ascending(arrived.map((probe) => probe.hops))
  return {
    hops: hops.reduce((sum, count) => sum + count, 0) / hops.length,
    hopsP99: percentile(hops, 99),
    distribution: distribution(hops),
    stretch: stretch(simulation, arrived),
    medianMs: percentile(ascending(arrived.map((probe) => probe.elapsedMs)), 50),
    success: arrived.length / probes.length,
  }
}

/** Enough that the mean number of hops is certain to two digits. */
const lookups = 2000
const lookupGapMs = 10
/** Longer than any lookup takes. */
const drainMs = 30_000

function stretch({ simulator: { topology } }: Simulation, probes: readonly Probe[]): number {
  const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0)
  return sum(probes.map(({ distance }) => distance)) / sum(probes.map(({ source, deliveredAt }) => topology.distance(source, deliveredAt!)))
}

export function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b)
}
