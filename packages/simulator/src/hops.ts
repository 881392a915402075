import { pastry } from '@plaxton/pastry'
import { drawPairs, joinOneByOne, placesOf } from './growing.ts'
import { IdealPastry } from './ideal-pastry.ts'
import { DeliveryWatch, checkLeafSets } from './overlay-checks.ts'
import { ProbeLog } from './probe.ts'
import { Simulation } from './simulation.ts'
import { distribution, summarize } from './summary.ts'
import type { Summary } from './summary.ts'
import { plane } from './topology.ts'
import { Violations } from './violations.ts'

export interface HopsOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Random pairs of a node and the id of another. The paper has 200,000. */
  readonly lookups: number
  /** Called now and then while nodes join. */
  readonly onProgress?: (joined: number) => void
}

/** Routes as the protocol has them, and as they could be at best. */
export interface HopsResult {
  readonly seed: number | string
  readonly nodes: number
  readonly hops: Summary
  /** Share of lookups by number of hops. */
  readonly distribution: readonly number[]
  /** Sum of the lengths of the routes by the sum of the direct distances (published-results.md §0). */
  readonly distanceRatio: number
  readonly ideal: { readonly hops: number; readonly distanceRatio: number }
  /** Lookups that were delivered nowhere, or not at their root. */
  readonly lost: number
  readonly wrong: number
  readonly violations: Violations
  readonly joinMessagesPerNode: number
  readonly traceHash: string
}

/** Pastry's base experiment (Middleware 2001, §3): b = 4, |L| = 16, |M| = 32, hosts on a plane. */
const paperPastry = { digitBits: 4, leafSetSize: 16, neighborhoodSetSize: 32 } as const

/** Figures 4 and 6 of the Pastry paper by number of nodes (published-results.md §1). */
export const published: Readonly<Record<number, { readonly hops: number; readonly distanceRatio?: number }>> = {
  1000: { hops: 2.49, distanceRatio: 1.33 },
  2000: { hops: 2.69 },
  5000: { hops: 2.96, distanceRatio: 1.31 },
  10_000: { hops: 3.23, distanceRatio: 1.35 },
  20_000: { hops: 3.5, distanceRatio: 1.36 },
  50_000: { hops: 3.75, distanceRatio: 1.32 },
  100_000: { hops: 3.98, distanceRatio: 1.33 },
}

/**
 * Figures 4, 5 and 6 of the Pastry paper: nodes join one after another by the protocol alone; then lookups of random nodes' ids from random nodes.
 */
export function runHops(options: HopsOptions): HopsResult {
  const log = new ProbeLog()
  const simulation = new Simulation({
    seed: options.seed,
    nodes: options.nodes,
    topology: plane(),
    overlay: pastry(paperPastry),
    applications: () => [log.application()],
  })
  joinOneByOne(simulation, options.nodes, options.onProgress)
  const joinMessagesPerNode = simulation.simulator.counts.sends / options.nodes
  const violations = new Violations()
  checkLeafSets(simulation, violations, paperPastry.leafSetSize)
  const watch = new DeliveryWatch(simulation)
  const pairs = drawPairs(simulation, options.lookups)
  const ideal = idealFigures(simulation, pairs)

  for (const [from, to] of pairs) {
    log.send(simulation, simulation.nodes[from]!, simulation.nodes[to]!.id)
    simulation.run(1)
  }
  simulation.run(drainMs)

  const arrived = log.probes.filter((probe) => probe.deliveredAt !== undefined)
  const hops = arrived.map((probe) => probe.hops)
  return {
    seed: options.seed,
    nodes: options.nodes,
    hops: summarize(hops),
    distribution: distribution(hops),
    distanceRatio: sum(arrived.map((probe) => probe.distance)) / directDistance(simulation, pairs),
    ideal,
    lost: log.probes.length - arrived.length,
    wrong: watch.wrongs,
    violations,
    joinMessagesPerNode,
    traceHash: simulation.traceHash,
  }
}

/** Longer than any lookup takes. */
const drainMs = 30_000

function idealFigures(simulation: Simulation, pairs: ReadonlyArray<readonly [number, number]>): { hops: number; distanceRatio: number } {
  const { topology } = simulation.simulator
  const tables = new IdealPastry(topology, placesOf(simulation), paperPastry)
  const routes = pairs.map(([from, to]) => tables.route(simulation.nodes[from]!.id, simulation.nodes[to]!.id))
  return {
    hops: sum(routes.map((route) => route.hops)) / routes.length,
    distanceRatio: sum(routes.map((route) => route.distance)) / directDistance(simulation, pairs),
  }
}

function directDistance(simulation: Simulation, pairs: ReadonlyArray<readonly [number, number]>): number {
  return sum(pairs.map(([from, to]) => simulation.simulator.topology.distance(from, to)))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, x) => total + x, 0)
}
