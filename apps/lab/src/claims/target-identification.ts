import { randomGuid } from '@plaxton/guid'
import { Objects, percentile } from '@plaxton/simulator'
import type { Guid } from '@plaxton/guid'
import type { SimNode, World } from '@plaxton/simulator'
import { ascending } from '../compare/at-rest.ts'
import { networkOf } from './exhibit.ts'
import type { Exhibit, Finding, Ground } from './exhibit.ts'

/** Which of the hosts of an object a message gets to. */
export function targetIdentification(ground: Ground): Exhibit {
  const objects = new Objects()
  const world = networkOf(ground, ground.nodes, { applications: (_host, prng) => [objects.application(prng)] })
  objects.watch(world.simulation)
  return {
    row: 'target identification',
    claim: 'An address of IP names one machine. The guid of an object names all its copies, and a message to it goes to the nearest.',
    findings: [nearest(world, objects, ground.samples)],
    notBuilt: [],
  }
}

const hostsEach = 4
const sendsEach = 20

function nearest(world: World, objects: Objects, samples: number): Finding {
  const { simulation } = world
  const prng = simulation.simulator.stream('sends')
  const hosts = new Map<Guid, SimNode[]>()
  for (let i = 0; i < samples; i++) {
    const guid = randomGuid(prng)
    hosts.set(guid, prng.shuffle(simulation.nodes).slice(0, hostsEach))
    for (const node of hosts.get(guid)!) objects.publish(node, guid)
    simulation.run(20)
  }
  simulation.run(publishMs)
  for (let i = 0; i < sendsEach; i++) {
    for (const guid of hosts.keys()) {
      objects.send(prng.pick(simulation.nodes)!, guid)
      simulation.run(10)
    }
  }
  simulation.run(publishMs)

  const ratios = objects.sent.map(({ guid, source, host }) => {
    if (host === undefined) return Infinity
    const distances = ascending(hosts.get(guid)!.map((node) => distance(world, source, node.host.index)))
    return distance(world, source, host) / distances[0]!
  })
  const share = ratios.filter((ratio) => ratio === 1).length / ratios.length
  const lost = ratios.filter((ratio) => ratio === Infinity).length
  return {
    experiment: `${samples} objects with ${hostsEach} random hosts among ${simulation.nodes.length} nodes, ${ratios.length} messages to them from random nodes; share that gets to the nearest host`,
    figure: `${(100 * share).toFixed(1)} %; 95 % get to one at most ${percentile(ascending(ratios), 95).toFixed(1)} times as far; ${lost} lost`,
    bound: `two thirds, and none lost; by chance it would be a quarter`,
    holds: share >= 2 / 3 && lost === 0,
  }
}

/** Longer than publishing and sending take at most. */
const publishMs = 30_000

/** 1 from a node to itself, so that it can be divided by. */
function distance({ simulation }: World, from: number, to: number): number {
  return from === to ? 1 : simulation.simulator.topology.latencyMs(from, to)
}
