import { dolrDefaults } from '@plaxton/dolr'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { IdealTapestry } from '../../ideal-tapestry.ts'
import { placesOf } from '../../growing.ts'
import type { SimNode } from '../../simulation.ts'
import { plane } from '../../topology.ts'
import { Objects, idealKey, namedOnTheWay } from '../objects.ts'
import type { Sent } from '../objects.ts'
import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import { World, drainMs } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Which of four hosts of an object a message reaches, by their distance from the sender: 4,000 nodes on the plane, hosts at random. Not a figure of the paper; the
 * bound is this project's own. Messages that miss the nearest are explained one by one.
 */
export function nearestHost(options: ExperimentOptions): Report {
  const { nodes = 4000, lookups = 2000 } = options
  const objects = new Objects({ republishMs: hourMs, ttlMs: 3 * hourMs })
  const world = new World(options, { nodes, topology: plane(), applications: (_host, prng) => [objects.application(prng)] })
  objects.watch(world.simulation)
  world.grow(nodes, { ...options, gapMs: 200 })
  const { simulation } = world
  const hosts = publishFour(world, objects, Math.max(1, Math.round(lookups / sendsPerObject)))

  const prng = simulation.simulator.stream('sends')
  const guids = [...hosts.keys()]
  for (let i = 0; i < lookups; i++) {
    objects.send(prng.pick(simulation.nodes)!, guids[i % guids.length]!)
    simulation.run(10)
  }
  simulation.run(drainMs)

  const ranks = objects.sent.map((sent) => rankOf(world, hosts.get(sent.guid)!, sent.source, sent.host))
  const ours = shares(ranks)
  const ideal = idealShares(world, hosts, objects.sent)
  const missed = objects.sent.filter((_, i) => ranks[i] !== 0)
  const reasons = countBy(missed.map((sent) => reason(world, hosts.get(sent.guid)!, sent)))
  return {
    title: `${guids.length} objects with ${hostsEach} random hosts among ${nodes} nodes on the plane, ${lookups} messages: the host reached`,
    columns: ['', 'nearest', 'second', 'third', 'farthest', 'none'],
    rows: [
      ['ours, the sender chooses', ...ours.map(percent)],
      ['ideal tables, the sender chooses', ...ideal.sender.map(percent)],
      ['ideal tables, the pointer’s holder chooses', ...ideal.holder.map(percent)],
    ],
    remarks: [`of ${missed.length} messages that missed the nearest:`, ...reasons.map(([why, count]) => `  ${count}: ${why}`)],
    claims: [
      { says: 'at least 80 % reach the nearest', holds: ours[0]! >= 0.8, measured: percent(ours[0]!) },
      { says: 'at least 95 % reach one of the two nearest', holds: ours[0]! + ours[1]! >= 0.95, measured: percent(ours[0]! + ours[1]!) },
    ],
    traceHash: simulation.traceHash,
  }
}

const hostsEach = 4
const sendsPerObject = 5
const hourMs = 3_600_000

function publishFour({ simulation }: World, objects: Objects, count: number): Map<Guid, SimNode[]> {
  const prng = simulation.simulator.stream('objects')
  const hosts = new Map<Guid, SimNode[]>()
  for (let i = 0; i < count; i++) {
    const guid = randomGuid(prng)
    const chosen: SimNode[] = []
    while (chosen.length < hostsEach) {
      const node = prng.pick(simulation.nodes)!
      if (!chosen.includes(node)) chosen.push(node)
    }
    for (const node of chosen) objects.publish(node, guid)
    hosts.set(guid, chosen)
    simulation.run(20)
  }
  simulation.run(drainMs)
  return hosts
}

/** 0 for the nearest; hosts equally far count as one place. -1: nobody was reached. */
function rankOf(world: World, hosts: readonly SimNode[], source: number, host: number | undefined): number {
  if (host === undefined) return -1
  const distance = (index: number) => (index === source ? 0 : world.simulation.simulator.topology.latencyMs(source, index))
  return hosts.filter((other) => distance(other.host.index) < distance(host)).length
}

/** Of each rank, and of none. */
function shares(ranks: readonly number[]): number[] {
  return [0, 1, 2, 3, -1].map((rank) => ranks.filter((other) => other === rank).length / ranks.length)
}

function idealShares(
  world: World,
  hosts: ReadonlyMap<Guid, readonly SimNode[]>,
  sent: readonly Sent[],
): { sender: number[]; holder: number[] } {
  const { simulation } = world
  const tables = new IdealTapestry(simulation.simulator.topology, placesOf(simulation))
  for (const [guid, nodes] of hosts) for (const node of nodes) tables.publish(node.id, idealKey(guid))
  const indexOf = new Map(simulation.nodes.map((node) => [node.id, node.host.index]))
  const found = sent.map(({ source, guid }) => ({ source, guid, ...tables.find(simulation.nodes[source]!.id, idealKey(guid))! }))
  return {
    holder: shares(found.map(({ source, guid, server }) => rankOf(world, hosts.get(guid)!, source, indexOf.get(server)!))),
    sender: shares(
      found.map(({ source, guid, servers }) => Math.min(...servers.map((id) => rankOf(world, hosts.get(guid)!, source, indexOf.get(id)!)))),
    ),
  }
}

/** Why a message did not reach the nearest host, as far as the tables and pointers show now. */
function reason(world: World, hosts: readonly SimNode[], { source, guid, host }: Sent): string {
  const { simulation } = world
  if (host === undefined) return 'nobody was reached'
  const { topology } = simulation.simulator
  const nearest = hosts.filter((node) => rankOf(world, hosts, source, node.host.index) === 0).map((node) => node.id)
  const ways = Array.from({ length: dolrDefaults.roots }, (_, salt) => namedOnTheWay(simulation, simulation.nodes[source]!, guid, salt))
  const naming = ways.filter((named) => named.some((id) => nearest.includes(id))).length
  if (naming === 0) return 'the first pointers on the ways to both roots do not name it: its own ways do not pass there'
  if (naming < ways.length) return 'the first pointer on the way to one root does not name it, the other does'
  const direct = topology.latencyMs(source, simulation.nodes.find((node) => node.id === nearest[0])!.host.index)
  const slower = topology.latencyMs(source, host) / direct
  return slower <= 1.1
    ? 'named, but another seemed nearer: at most 10 % farther'
    : 'named, but another was taken that is more than 10 % farther'
}

function countBy(words: readonly string[]): Array<[string, number]> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}
