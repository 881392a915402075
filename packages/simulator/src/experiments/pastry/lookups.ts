import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { drawPairs } from '../../growing.ts'
import { IdealPastry } from '../../ideal-pastry.ts'
import { distribution } from '../../summary.ts'
import { plane } from '../../topology.ts'
import { drainMs } from '../world.ts'
import type { World } from '../world.ts'
import { paperPastry } from './paper-pastry.ts'

/** What lookups of random nodes' ids from random nodes were like. */
export interface Lookups {
  readonly hops: number
  /** Share of lookups by number of hops. */
  readonly distribution: readonly number[]
  /** Sum of the lengths of the ways by the sum of the direct distances. */
  readonly distanceRatio: number
}

export interface MeasuredLookups extends Lookups {
  /** The same with perfect tables. */
  readonly ideal: Lookups
  /** Not delivered, or at another node than the root. */
  readonly failed: number
}

/** Random pairs of nodes, one a millisecond, and the same with perfect tables. */
export function lookUp(world: World, count: number): MeasuredLookups {
  const { simulation, log } = world
  log.clear()
  const pairs = drawPairs(simulation, count)
  for (const [from, to] of pairs) {
    log.send(simulation, simulation.nodes[from]!, simulation.nodes[to]!.id)
    simulation.run(1)
  }
  simulation.run(drainMs)
  const right = log.probes.filter((probe) => probe.deliveredAt !== undefined && probe.deliveredAt === probe.rootThen)
  const direct = (some: ReadonlyArray<readonly [number, number]>): number => sum(some.map(([from, to]) => world.distance(from, to)))
  const directOfRight = sum(right.map((probe) => world.distance(probe.source, probe.deliveredAt!)))
  const tables = world.ideal()
  const best = pairs.map(([from, to]) => tables.route(simulation.nodes[from]!.id, simulation.nodes[to]!.id))
  return {
    ...summarized(right, directOfRight),
    ideal: summarized(best, direct(pairs)),
    failed: count - right.length,
  }
}

/** Their standard error is .01 hops; at 100,000 nodes each takes some milliseconds. */
export const idealLookupsMost = 5000

/** Perfect tables of so many nodes on the plane, without a network. */
export function lookUpIdeally(seed: number | string, nodes: number, count: number): Lookups {
  const prng = Prng.fromSeed(`${seed}/ideal/${nodes}`)
  const topology = plane()(prng.fork())
  const places = Array.from({ length: nodes }, (_, host) => ({ id: randomGuid(prng), host }))
  for (const _ of places) topology.place()
  const tables = new IdealPastry(topology, places, paperPastry)
  const pairs = Array.from({ length: count }, () => [prng.pick(places)!, prng.pick(places)!] as const)
  const ways = pairs.map(([from, to]) => tables.route(from.id, to.id))
  return summarized(ways, sum(pairs.map(([from, to]) => topology.distance(from.host, to.host))))
}

function summarized(ways: ReadonlyArray<{ readonly hops: number; readonly distance: number }>, direct: number): Lookups {
  const hops = ways.map((way) => way.hops)
  return {
    hops: sum(hops) / hops.length,
    distribution: distribution(hops),
    distanceRatio: sum(ways.map(({ distance }) => distance)) / direct,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, x) => total + x, 0)
}
