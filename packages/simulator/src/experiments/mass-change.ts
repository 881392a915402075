import { transitStub } from '../transit-stub.ts'
import { percent } from './report.ts'
import type { Claim, Report } from './report.ts'
import { byMinute, routeToNodes } from './success.ts'
import type { Minute } from './success.ts'
import { World, drainMs } from './world.ts'
import type { ExperimentOptions } from './world.ts'

/**
 * Figure 19 (JSAC 2004): a fifth of 830 nodes die at one moment, 15 minutes later half as many as are left join at one moment; the share of routes to live
 * nodes that get there, by the minute. Simulated in the paper as well, on a transit-stub network.
 */
export function massChange(options: ExperimentOptions): Report {
  const { nodes = 830, lookups = 600 } = options
  const world = new World(options, { nodes, topology: transitStub() })
  world.grow(nodes, options)
  const { simulation } = world
  const start = simulation.now
  const idealMs = world.idealMedian()
  const killed = Math.round(0.2 * nodes)
  const joined = Math.round(0.5 * (nodes - killed))
  const prng = simulation.simulator.stream('faults')
  simulation.after(killMinute * 60_000, () => {
    for (const node of prng.shuffle(simulation.running()).slice(0, killed)) simulation.crash(node)
  })
  simulation.after(joinMinute * 60_000, () => {
    for (let i = 0; i < joined; i++) simulation.addNode()
  })
  const attempts = routeToNodes(world, { perSecond: lookups / 60, untilMs: start + minutes * 60_000 })
  const sent: number[] = []
  for (let minute = 0; minute < minutes; minute++) {
    const before = simulation.simulator.counts.sends
    simulation.run(60_000)
    sent.push((simulation.simulator.counts.sends - before) / 60 / simulation.running().length)
    options.onProgress?.(`${minute + 1} of ${minutes} minutes`)
  }
  simulation.run(drainMs)
  const result = byMinute(attempts(), start)
  return {
    title: `${nodes} nodes on a transit-stub network, ${killed} die in minute ${killMinute}, ${joined} join in minute ${joinMinute}; ${lookups} routes to nodes a minute`,
    columns: ['minute', 'success', 'median ms', 'p99 ms', 'messages/s/node', 'published'],
    rows: result.map((minute, i) => [String(i), percent(minute.success), minute.medianMs, minute.p99Ms, sent[i], publishedAt(i)]),
    claims: [
      ...recovery(result, 'the mass failure', killMinute),
      ...recovery(result, 'the mass join', joinMinute),
      everybody(world, nodes - killed + joined),
    ],
    remarks: [`ideal tables before it began: median way ${idealMs.toFixed(0)} ms`],
    traceHash: simulation.traceHash,
  }
}

const killMinute = 5
const joinMinute = 20
const minutes = 25

function publishedAt(minute: number): string | undefined {
  if (minute === killMinute) return 'dip to 55 % (F)'
  if (minute === joinMinute) return 'dip to 75 % (F)'
  return minute === killMinute + 1 || minute === joinMinute + 1 ? '100 % again (T)' : undefined
}

/** Published: back to 100 % within a minute. The minute of the event itself is the dip; all after it must be whole. */
export function recovery(result: readonly Minute[], event: string, minute: number): Claim[] {
  const dip = result[minute]?.success ?? NaN
  const after = result.slice(minute + 1, minute + 5).map(({ success }) => success)
  return [
    {
      says: `within a minute of ${event}, at least 99.5 % get through again`,
      holds: after.length > 0 && after.every((success) => success >= 0.995),
      measured: `${percent(dip)} in the minute of it, then ${after.map(percent).join(', ')}`,
    },
  ]
}

function everybody({ simulation }: World, wanted: number): Claim {
  const { size } = simulation.members
  return { says: 'all who joined are members', holds: size === wanted, measured: `${size} of ${wanted}` }
}
