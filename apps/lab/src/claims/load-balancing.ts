import { randomGuid } from '@plaxton/guid'
import type { SimNode, World } from '@plaxton/simulator'
import { loadOf } from '../compare/load.ts'
import { networkOf } from './exhibit.ts'
import type { Exhibit, Finding, Ground } from './exhibit.ts'

/** Where objects lie, and whether it matters where they are asked for. */
export function loadBalancing(ground: Ground): Exhibit {
  const world = networkOf(ground, ground.nodes)
  return {
    row: 'load balancing',
    claim:
      'The load of IP routers follows the topology and what people happen to ask for. An overlay places objects at random, so that who carries the load has nothing to do ' +
      'with where in the network it comes from.',
    findings: [spread(world), detached(world)],
    notBuilt: [],
  }
}

function spread(world: World): Finding {
  const { p1, p50, p99, max } = loadOf(world)
  const { size } = world.simulation.members
  const allowed = 200 * Math.log(size)
  return {
    experiment: `100 random keys for each of ${size} nodes; keys of one node`,
    figure: `p1 ${p1}, median ${p50}, p99 ${p99}, max ${max}`,
    bound: `nobody has more than 2 ln N = ${(allowed / 100).toFixed(1)} times the average; random ids make ln N likely`,
    holds: max <= allowed,
  }
}

/** Everybody in one region asks: do those who answer live there too? */
function detached(world: World): Finding {
  const { simulation, log } = world
  const prng = simulation.simulator.stream('region')
  const region = nearestTo(world, prng.pick(simulation.nodes)!, Math.ceil(simulation.nodes.length / 10))
  const hosts = new Set(region.map((node) => node.host.index))
  for (let i = 0; i < lookups; i++) {
    log.send(simulation, prng.pick(region)!, randomGuid(prng))
    simulation.run(10)
  }
  simulation.run(30_000)
  const arrived = log.probes.flatMap(({ deliveredAt }) => (deliveredAt === undefined ? [] : [deliveredAt]))
  const inside = arrived.filter((host) => hosts.has(host)).length / arrived.length
  const share = region.length / simulation.nodes.length
  return {
    experiment: `${lookups} lookups, all from the ${region.length} nodes that are nearest to one of them, ${percent(share)} of the network; share answered by these themselves`,
    figure: `${percent(inside)}, so ${percent(1 - inside)} of the work is done elsewhere`,
    bound: `at most three times their share of the nodes, ${percent(3 * share)}`,
    holds: inside <= 3 * share,
  }
}

const lookups = 1000

function nearestTo({ simulation }: World, centre: SimNode, count: number): SimNode[] {
  const distance = (node: SimNode) => simulation.simulator.topology.distance(centre.host.index, node.host.index)
  return [...simulation.nodes].sort((a, b) => distance(a) - distance(b)).slice(0, count)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
