import { atRandomTimes } from '../churn.ts'
import type { Simulation } from '../simulation.ts'
import { transitStub } from '../transit-stub.ts'
import { percent } from './report.ts'
import type { Report } from './report.ts'
import { routeToNodes, summary } from './success.ts'
import { World, drainMs } from './world.ts'
import type { ExperimentOptions } from './world.ts'

/**
 * Figure 21 (JSAC 2004): 830 nodes that stay and others that come and go: one every 20 s for 4 minutes on average, then one every 10 s for 2 minutes; the
 * share of routes to live nodes that get there. Newcomers end without a word.
 */
export function comingsAndGoings(options: ExperimentOptions): Report {
  const { nodes = 830, lookups = 600 } = options
  const world = new World(options, { nodes, topology: transitStub() })
  world.grow(nodes, options)
  const { simulation } = world
  const start = simulation.now
  const idealMs = world.idealMedian()
  const untilMs = start + phases.length * phaseMinutes * 60_000
  const attempts = routeToNodes(world, { perSecond: lookups / 60, untilMs })
  let [largest, arrivals] = [0, 0]
  for (const { everyMs, lifeMs } of phases) {
    const prng = simulation.simulator.stream(`newcomers every ${everyMs}`)
    atRandomTimes(simulation, prng.fork(), {
      meanGapMs: everyMs,
      untilMs: simulation.now + phaseMinutes * 60_000,
      action: () => {
        visit(simulation, Math.max(1, Math.round(prng.nextExponential(lifeMs))))
        arrivals++
        largest = Math.max(largest, simulation.running().length)
      },
    })
    simulation.run(phaseMinutes * 60_000)
    options.onProgress?.(`${Math.round((simulation.now - start) / 60_000)} minutes`)
  }
  simulation.run(drainMs)
  const all = attempts()
  const parts = phases.map((_, i) => {
    const [from, to] = [start + i * phaseMinutes * 60_000, start + (i + 1) * phaseMinutes * 60_000]
    return summary(all.filter(({ sentAt }) => sentAt >= from && sentAt < to))
  })
  return {
    title: `${nodes} nodes that stay on a transit-stub network, ${arrivals} that come and go, at most ${largest} at a time; ${phaseMinutes} minutes each`,
    columns: ['one every', 'for', 'routes', 'success', 'median ms', 'p99 ms', 'published'],
    rows: phases.map(({ everyMs, lifeMs }, i) => [
      `${everyMs / 1000} s`,
      `${lifeMs / 60_000} min`,
      String(parts[i]!.attempts),
      percent(parts[i]!.success),
      parts[i]!.medianMs,
      parts[i]!.p99Ms,
      'within a hair of 100 % (T+F)',
    ]),
    claims: [
      {
        says: 'at least 99.5 % get through in each phase',
        holds: parts.every(({ success }) => success >= 0.995),
        measured: parts.map(({ success }) => percent(success)).join(', '),
      },
    ],
    remarks: [`ideal tables before it began: median way ${idealMs.toFixed(0)} ms`],
    traceHash: simulation.traceHash,
  }
}

const phases = [
  { everyMs: 20_000, lifeMs: 240_000 },
  { everyMs: 10_000, lifeMs: 120_000 },
] as const

/** Our choice: two hundred comings and goings in all. */
const phaseMinutes = 20

function visit(simulation: Simulation, lifeMs: number): void {
  const node = simulation.addNode()
  const { process } = node
  simulation.after(lifeMs, () => {
    if (process?.alive === true) simulation.crash(node)
  })
}
