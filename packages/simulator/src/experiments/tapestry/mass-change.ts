import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { SimNode } from '../../simulation.ts'
import { transitStub } from '../../transit-stub.ts'
import { Objects, publishAll } from '../objects.ts'
import { percent } from '../report.ts'
import type { Claim, Report } from '../report.ts'
import { byMinute, routeToNodes, sendToObjects } from '../success.ts'
import type { Minute } from '../success.ts'
import { World, drainMs } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'
import { idealAnswerMs } from './ideal-answers.ts'

/**
 * Figures 19 and 20 (JSAC 2004): a fifth of 830 nodes die at one moment, 15 minutes later half as many as are left join at one moment; the share of routes to live
 * nodes, and of messages to objects whose hosts live on, that get there, by the minute. Simulated in the paper as well, on a transit-stub network. With ideal tables, those of the nodes
 * that are there when the minute is over, all get there, for a key always has a root: what is printed of them is how long it takes.
 */
export function massChange(options: ExperimentOptions): Report {
  const { nodes = 830, lookups = 600, objects: count = 100 } = options
  const objects = new Objects()
  const world = new World(options, { nodes, topology: transitStub(), applications: (_host, prng) => [objects.application(prng)] })
  objects.watch(world.simulation)
  world.grow(nodes, options)
  const { simulation } = world
  const hosts = simulation.nodes.slice(0, Math.min(count, Math.floor(nodes / 2)))
  const published = publishAll(simulation, objects, hosts, count, 10)
  const guids = published.map(([guid]) => guid)
  const start = simulation.now
  const killed = Math.round(0.2 * nodes)
  const joined = Math.round(0.5 * (nodes - killed))
  const prng = simulation.simulator.stream('faults')
  simulation.after(killMinute * 60_000, () => {
    const mortal = simulation.running().filter((node) => !hosts.includes(node))
    for (const node of prng.shuffle(mortal).slice(0, killed)) simulation.crash(node)
  })
  simulation.after(joinMinute * 60_000, () => {
    for (let i = 0; i < joined; i++) simulation.addNode()
  })
  const schedule = { perSecond: lookups / 60, untilMs: start + minutes * 60_000 }
  const routes = routeToNodes(world, schedule)
  const sends = sendToObjects(world, objects, guids, schedule)
  const sent: number[] = []
  const ideal: Ideal[] = []
  for (let minute = 0; minute < minutes; minute++) {
    const before = simulation.simulator.counts.sends
    simulation.run(60_000)
    sent.push((simulation.simulator.counts.sends - before) / 60 / simulation.running().length)
    ideal.push(idealNow(world, published, ideal.at(-1)))
    options.onProgress?.(`${minute + 1} of ${minutes} minutes`)
  }
  simulation.run(drainMs)
  const toNodes = byMinute(routes(), start)
  const toObjects = byMinute(sends(), start)
  return {
    title: `${nodes} nodes on a transit-stub network, ${killed} die in minute ${killMinute}, ${joined} join in minute ${joinMinute}; ${lookups} routes to nodes and messages to ${count} objects a minute`,
    columns: [
      'minute',
      'to nodes',
      'median ms',
      'p99 ms',
      'ideal median',
      'published',
      'to objects',
      'median ms',
      'p99 ms',
      'ideal median',
      'published',
      'messages/s/node',
    ],
    rows: toNodes.map((minute, i) => [
      String(i),
      percent(minute.success),
      minute.medianMs,
      minute.p99Ms,
      ideal[i]?.wayMs,
      publishedAt(i, '55 % (F)', '75 % (F)'),
      percent(toObjects[i]?.success ?? NaN),
      toObjects[i]?.medianMs,
      toObjects[i]?.p99Ms,
      ideal[i]?.answerMs,
      publishedAt(i, '45 % (F)', '70 % (F)'),
      sent[i],
    ]),
    claims: [
      recovery(toNodes, 'the mass failure', 'routes to nodes', killMinute),
      recovery(toNodes, 'the mass join', 'routes to nodes', joinMinute),
      recovery(toObjects, 'the mass failure', 'messages to objects', killMinute),
      recovery(toObjects, 'the mass join', 'messages to objects', joinMinute),
      everybody(world, nodes - killed + joined),
    ],
    traceHash: simulation.traceHash,
  }
}

interface Ideal {
  readonly members: number
  readonly wayMs: Millis
  readonly answerMs: Millis
}

/** Nodes come and go at two moments only: as long as there are as many as a minute ago, they are the same. */
function idealNow(world: World, published: ReadonlyArray<readonly [Guid, SimNode]>, before: Ideal | undefined): Ideal {
  const members = world.simulation.members.size
  if (before?.members === members) return before
  return { members, wayMs: world.idealMedian(), answerMs: idealAnswerMs(world, published) }
}

const killMinute = 5
const joinMinute = 20
const minutes = 25

function publishedAt(minute: number, failure: string, join: string): string | undefined {
  if (minute === killMinute) return `dip to ${failure}`
  if (minute === joinMinute) return `dip to ${join}`
  return minute === killMinute + 1 || minute === joinMinute + 1 ? '100 % again (T)' : undefined
}

/** Published: back to 100 % within a minute. The minute of the event itself is the dip; those after it must be whole. */
function recovery(result: readonly Minute[], event: string, what: string, minute: number): Claim {
  const dip = result[minute]?.success ?? NaN
  const after = result.slice(minute + 1, minute + 5).map(({ success }) => success)
  return {
    says: `within a minute of ${event}, at least 99.5 % of ${what} get through again`,
    holds: after.length > 0 && after.every((success) => success >= 0.995),
    measured: `${percent(dip)} in the minute of it, then ${after.map(percent).join(', ')}`,
  }
}

function everybody({ simulation }: World, wanted: number): Claim {
  const { size } = simulation.members
  return { says: 'all who joined are members', holds: size === wanted, measured: `${size} of ${wanted}` }
}
