import type { Place } from './ideal-tables.ts'
import type { SimNode, Simulation } from './simulation.ts'

/** Adds nodes until there are `nodes`; the next comes when the one before is a member. */
export function joinOneByOne(simulation: Simulation, nodes: number, onProgress?: (joined: number) => void): void {
  for (let i = simulation.nodes.length; i < nodes; i++) {
    joinOne(simulation)
    if (i % 100 === 99) onProgress?.(i + 1)
  }
}

/** Adds a node and runs until it is a member. */
export function joinOne(simulation: Simulation): SimNode {
  const node = simulation.addNode()
  while (!node.ready) simulation.run(joinStepMs)
  return node
}

const joinStepMs = 10

/** Random pairs of different hosts. */
export function drawPairs(simulation: Simulation, count: number): Array<readonly [from: number, to: number]> {
  const prng = simulation.simulator.stream('lookups')
  const size = simulation.nodes.length
  return Array.from({ length: count }, () => {
    const from = prng.nextInt(size)
    return [from, (from + 1 + prng.nextInt(size - 1)) % size] as const
  })
}

/** Where the nodes that run are: what ideal tables are worked out from. */
export function placesOf(simulation: Simulation): Place[] {
  return simulation.running().map((node) => ({ id: node.id, host: node.host.index }))
}
