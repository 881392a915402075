import { atRandomTimes } from '../../churn.ts'
import type { Simulation } from '../../simulation.ts'
import { transitStub } from '../../transit-stub.ts'
import { Objects, publishAll } from '../objects.ts'
import { percent } from '../report.ts'
import type { Claim, Report } from '../report.ts'
import { routeToNodes, sendToObjects, summarizeAttempts } from '../success.ts'
import type { Minute } from '../success.ts'
import { World, drainMs } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'
import { idealAnswerMs } from './ideal-answers.ts'

/**
 * Figures 21 and 22 (JSAC 2004): 830 nodes that stay and others that come and go: one every 20 s for 4 minutes on average, then one every 10 s for 2 minutes; the
 * share of routes to live nodes, and of messages to objects on nodes that stay, that get there. Newcomers end without a word. With ideal tables all get there, for a key always has a root:
 * what is printed of them is how long it takes among those who stay.
 */
export function comingsAndGoings(options: ExperimentOptions): Report {
  const { nodes = 830, lookups = 600, objects: count = 100, minutes = phaseMinutes } = options
  const objects = new Objects()
  const world = new World(options, { nodes, topology: transitStub(), applications: (_host, prng) => [objects.application(prng)] })
  objects.watch(world.simulation)
  world.grow(nodes, options)
  const { simulation } = world
  const published = publishAll(simulation, objects, [...simulation.nodes], count, 10)
  const guids = published.map(([guid]) => guid)
  const start = simulation.now
  const [wayMs, answerMs] = [world.idealMedian(), idealAnswerMs(world, published)]
  const untilMs = start + phases.length * minutes * 60_000
  const routes = routeToNodes(world, { perSecond: lookups / 60, untilMs })
  const sends = sendToObjects(world, objects, guids, { perSecond: lookups / 60, untilMs })
  let [largest, arrivals] = [0, 0]
  for (const { everyMs, lifeMs } of phases) {
    const prng = simulation.simulator.stream(`newcomers every ${everyMs}`)
    atRandomTimes(simulation, prng.fork(), {
      meanGapMs: everyMs,
      untilMs: simulation.now + minutes * 60_000,
      action: () => {
        visit(simulation, Math.max(1, Math.round(prng.nextExponential(lifeMs))))
        arrivals++
        largest = Math.max(largest, simulation.running().length)
      },
    })
    simulation.run(minutes * 60_000)
    options.onProgress?.(`${Math.round((simulation.now - start) / 60_000)} minutes`)
  }
  simulation.run(drainMs)
  const [toNodes, toObjects] = [routes, sends].map((read) => {
    const all = read()
    return phases.map((_, i) => {
      const [from, to] = [start + i * minutes * 60_000, start + (i + 1) * minutes * 60_000]
      return summarizeAttempts(all.filter(({ sentAt }) => sentAt >= from && sentAt < to))
    })
  }) as [Minute[], Minute[]]
  return {
    title: `${nodes} nodes that stay on a transit-stub network, ${arrivals} that come and go, at most ${largest} at a time; ${minutes} minutes each`,
    columns: ['', 'one every', 'for', 'messages', 'success', 'median ms', 'p99 ms', 'ideal median', 'published'],
    rows: phases.flatMap(({ everyMs, lifeMs }, i) =>
      [['to nodes', toNodes[i]!, wayMs] as const, ['to objects', toObjects[i]!, answerMs] as const].map(([what, part, idealMs]) => [
        what,
        `${everyMs / 1000} s`,
        `${lifeMs / 60_000} min`,
        String(part.attempts),
        percent(part.success),
        part.medianMs,
        part.p99Ms,
        idealMs,
        'within a hair of 100 % (T+F)',
      ]),
    ),
    claims: [through('routes to nodes', toNodes), through('messages to objects', toObjects)],
    traceHash: simulation.traceHash,
  }
}

function through(what: string, parts: readonly Minute[]): Claim {
  return {
    says: `at least 99.5 % of ${what} get through in each phase`,
    holds: parts.every(({ success }) => success >= 0.995),
    measured: parts.map(({ success }) => percent(success)).join(', '),
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
