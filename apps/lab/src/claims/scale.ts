import { stateOf } from '../compare/state.ts'
import { ways } from '../compare/at-rest.ts'
import { networkOf } from './exhibit.ts'
import type { Exhibit, Finding, Ground } from './exhibit.ts'

/**
 * Hops and tables of networks of different sizes, and how they grow from the second to the largest. The smallest shows where they come from: tables that hold
 * everybody, as a k-bucket of 20 does among 25, have yet to fill, which says nothing of how they grow.
 */
export function scale(ground: Ground): Exhibit {
  const sizes = [Math.round(ground.nodes / 4), ground.nodes, 4 * ground.nodes]
  const measured = sizes.map((nodes) => {
    const world = networkOf(ground, nodes)
    return { hops: ways(world).hops, state: stateOf(world) }
  })
  return {
    row: 'scale',
    claim:
      'Addresses of IP are given out from above, in blocks that follow the network, and many stay unused. Ids of an overlay are one flat space of 2^256 from which ' +
      'each node takes its own; and neither the way of a message nor the tables of a node grow in step with the network.',
    findings: [
      grown(
        'hops of a lookup',
        sizes,
        measured.map(({ hops }) => hops),
      ),
      grown(
        'nodes in the tables of a node',
        sizes,
        measured.map(({ state }) => state),
      ),
    ],
    notBuilt: [],
  }
}

function grown(what: string, sizes: readonly number[], values: readonly number[]): Finding {
  const [, middle, largest] = sizes as [number, number, number]
  const exponent = Math.log(values[2]! / values[1]!) / Math.log(largest / middle)
  return {
    experiment: `networks of ${sizes.join(', ')} nodes with random ids, joined by messages: ${what}`,
    figure: `${values.map((value) => value.toFixed(1)).join(', ')}: from ${middle} to ${largest} nodes it grows as N^${exponent.toFixed(2)}`,
    bound: 'at most as the square root of N; by way of all nodes in turn, or with all nodes in the tables, it would be N^1',
    holds: exponent <= 0.5,
  }
}
