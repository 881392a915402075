import { PastryNode } from '@plaxton/pastry'
import type { Millis } from '@plaxton/kbr'
import { assert } from '@plaxton/kbr'
import { pastryUnderTest } from '../../overlays.ts'
import type { SimNode, Simulation } from '../../simulation.ts'
import { plane } from '../../topology.ts'
import { World } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'

/** Pastry's base experiment (Middleware 2001, §3): b = 4, |L| = 16, |M| = 32, hosts on a plane. */
export const paperPastry = { digitBits: 4, leafSetSize: 16, neighborhoodSetSize: 32 } as const

export function paperWorld(options: ExperimentOptions, nodes: number): World {
  return new World(options, { nodes, topology: plane(), subject: pastryUnderTest(paperPastry) })
}

/** Adds nodes, one every {@link joinGapMs} or, where that is faster, {@link growth} times those that there are each second, until there are so many, and waits until all are members and their tables have settled. */
export function growTo(simulation: Simulation, nodes: number, onProgress: ExperimentOptions['onProgress']): void {
  for (let i = simulation.nodes.length; i < nodes; i++) {
    simulation.addNode()
    simulation.run(Math.min(joinGapMs, Math.ceil(1000 / (growth * i))))
    if (i % 100 === 99) onProgress?.(`${i + 1} of ${nodes} joined`)
  }
  assert(
    simulation.runUntil(() => simulation.members.size === simulation.running().length, joinMs),
    'everybody joins',
  )
  simulation.run(settleMs)
}

/** Joins overlap, a handful at a time. The paper's nodes join one by one, which is ten times as long in simulated time, and shows nothing more. */
const joinGapMs: Millis = 250
/** From 2,000 nodes on this is more: two hours of upkeep between the nodes of a network of 100,000 would show nothing either. */
const growth = 0.002
/** Longer than any join takes. */
const joinMs: Millis = 600_000
const settleMs: Millis = 60_000

export function pastryOf(node: SimNode): PastryNode {
  const { overlay } = node.kbr
  assert(overlay instanceof PastryNode, 'an experiment on the tables of Pastry runs on Pastry')
  return overlay
}

/** Figures 4 and 6 by number of nodes (F). */
export const published: ReadonlyArray<{ readonly nodes: number; readonly hops: number; readonly distanceRatio?: number }> = [
  { nodes: 1000, hops: 2.49, distanceRatio: 1.33 },
  { nodes: 2000, hops: 2.69 },
  { nodes: 5000, hops: 2.96, distanceRatio: 1.31 },
  { nodes: 10_000, hops: 3.23, distanceRatio: 1.35 },
  { nodes: 20_000, hops: 3.5, distanceRatio: 1.36 },
  { nodes: 50_000, hops: 3.75, distanceRatio: 1.32 },
  { nodes: 100_000, hops: 3.98, distanceRatio: 1.33 },
]
