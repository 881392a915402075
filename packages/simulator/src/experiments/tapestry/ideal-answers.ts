import { dolrDefaults, rootKey } from '@plaxton/dolr'
import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { placesOf } from '../../growing.ts'
import { IdealTapestry } from '../../ideal-tapestry.ts'
import type { SimNode } from '../../simulation.ts'
import { percentile } from '../../summary.ts'
import type { World } from '../world.ts'

/**
 * The median time to the answer of an object with ideal tables and pointers, from random members, as DOLR does it by default: towards one of the roots until a node has a pointer, its
 * word straight back, then to the host and back.
 */
export function idealAnswerMs(world: World, published: ReadonlyArray<readonly [Guid, SimNode]>): Millis {
  const { simulation } = world
  const { topology } = simulation.simulator
  const tables = new IdealTapestry(topology, placesOf(simulation))
  for (const [guid, host] of published) for (const key of keysOf(guid)) tables.publish(host.id, key)
  const prng = simulation.simulator.stream('ideal answers')
  const indexOf = new Map(simulation.running().map((node) => [node.id, node.host.index]))
  const times = Array.from({ length: samples }, () => {
    const [client, [guid, host]] = [prng.pick(simulation.members.sorted)!, prng.pick(published)!]
    const found = tables.find(client, prng.pick(keysOf(guid))!)!
    const [from, holder, to] = [indexOf.get(client)!, indexOf.get(found.pointerAt)!, host.host.index]
    const search = found.distance - topology.distance(holder, to) + topology.distance(holder, from)
    return from === to ? 0 : search + 2 * topology.distance(from, to)
  })
  return percentile(
    times.sort((a, b) => a - b),
    50,
  )
}

function keysOf(guid: Guid): Guid[] {
  return Array.from({ length: dolrDefaults.roots }, (_, salt) => rootKey(guid, salt))
}

const samples = 5000
