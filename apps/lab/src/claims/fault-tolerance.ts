import { massFailure } from '../compare/mass-failure.ts'
import { networkOf } from './exhibit.ts'
import type { Exhibit, Finding, Ground } from './exhibit.ts'
import { StoreNetwork, replicas } from './stored.ts'

/** What dies, and what can still be reached. */
export function faultTolerance(ground: Ground): Exhibit {
  return {
    row: 'fault tolerance',
    claim:
      'Redundancy of IP is put there by managers, and tolerates the loss of one router or connection. In an overlay, objects and the ways to them exist n times, ' +
      'so that n - 1 losses are tolerated without anybody’s doing.',
    findings: [objects(ground), routes(ground)],
    notBuilt: [],
  }
}

/** All but one of the nodes with a copy of an object die at once, and it is read at once; object by object. */
function objects(ground: Ground): Finding {
  const store = new StoreNetwork(ground)
  const { simulation } = store.world
  const { samples } = ground
  let atOnce = 0
  let readable = 0
  for (let i = 0; i < samples; i++) {
    const object = store.put()
    const holders = simulation.members.ranks(object.guid, replicas).map((id) => simulation.nodes[simulation.members.of(id)!.host.index]!)
    for (const node of holders.slice(0, replicas - 1)) simulation.crash(node)
    const attempt = Array.from({ length: attempts }).findIndex(() => store.read(object))
    if (attempt === 0) atOnce++
    if (attempt >= 0) readable++
    for (let newcomer = 1; newcomer < replicas; newcomer++) simulation.addNode()
    simulation.run(healMs)
  }
  return {
    experiment: `${samples} objects with ${replicas} copies each; the ${replicas - 1} nodes that come first for the object die at one moment, and it is read from elsewhere`,
    figure: `${atOnce} of ${samples} read at the first attempt, within ten seconds; ${readable} within ${attempts} attempts`,
    bound: `all within ${attempts} attempts`,
    holds: readable === samples,
  }
}

/** As often as a person might try. */
const attempts = 3
const healMs = 120_000

function routes(ground: Ground): Finding {
  const world = networkOf(ground, ground.nodes)
  const { firstMinute } = massFailure(world, { nodes: ground.nodes })
  return {
    experiment: `${ground.nodes} nodes, a fifth die at one moment; lookups in the minute that follows, at the right node within 10 s`,
    figure: `${(100 * firstMinute).toFixed(1)} %`,
    bound: 'at least 95 %',
    holds: firstMinute >= 0.95,
  }
}
