import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { atRandomTimes } from '../churn.ts'
import type { ProbeLog } from '../probe.ts'
import type { Simulation } from '../simulation.ts'
import { percentile } from '../summary.ts'
import type { Objects } from './objects.ts'
import type { World } from './world.ts'

/** One attempt to reach something. */
export interface Attempt {
  readonly sentAt: Millis
  /** Set when it got where it should. */
  elapsedMs: Millis | undefined
  /** Its source went down before it was over: nobody's fault. */
  void: boolean
}

/** A minute of attempts. */
export interface Minute {
  readonly attempts: number
  /** Share that got there within {@link inTimeMs}; NaN without attempts. */
  readonly success: number
  readonly medianMs: number
  readonly p99Ms: number
}

/** Later than this counts as not at all: our choice, as long as a command of the services here takes at most. */
export const inTimeMs = 10_000

/** Sends attempts at random times until `untilMs`. The list is complete once as much time again as an attempt may take has passed. */
function keepTrying(
  simulation: Simulation,
  concern: string,
  schedule: { readonly perSecond: number; readonly untilMs: Millis; readonly attempt: () => void },
): void {
  const { perSecond, untilMs, attempt } = schedule
  atRandomTimes(simulation, simulation.simulator.stream(concern), { meanGapMs: 1000 / perSecond, untilMs, action: attempt })
}

/** Routes from random members to random other members, by their ids. Returns a reading of the attempts so far. */
export function routeToNodes(world: World, schedule: { readonly perSecond: number; readonly untilMs: Millis }): () => Attempt[] {
  const { simulation, log } = world
  const prng = simulation.simulator.stream('routes')
  const attempt = (): void => {
    const [source, target] = [prng.pick(simulation.members.sorted)!, prng.pick(simulation.members.sorted)!]
    log.send(simulation, simulation.nodes[simulation.members.of(source)!.host.index]!, target)
  }
  keepTrying(simulation, 'route times', { ...schedule, attempt })
  return () => attemptsOf(simulation, log)
}

/** The probes of a log as attempts to reach the root of their key. */
export function attemptsOf(simulation: Simulation, log: ProbeLog): Attempt[] {
  return log.probes.map((probe) => {
    const arrived = probe.deliveredAt !== undefined && probe.deliveredAt === probe.rootThen
    return {
      sentAt: probe.sentAt,
      elapsedMs: arrived ? probe.elapsedMs : undefined,
      void: probe.deliveredAt === undefined && diedMeanwhile(simulation, probe.source, probe.sentAt),
    }
  })
}

/** Sends to the objects of `guids` from random members. Returns a reading of the attempts so far. */
export function sendToObjects(
  { simulation }: World,
  objects: Objects,
  guids: readonly Guid[],
  schedule: { readonly perSecond: number; readonly untilMs: Millis },
): () => Attempt[] {
  const prng = simulation.simulator.stream('sends')
  const attempt = (): void => {
    const source = prng.pick(simulation.members.sorted)!
    objects.send(simulation.nodes[simulation.members.of(source)!.host.index]!, prng.pick(guids)!)
  }
  keepTrying(simulation, 'send times', { ...schedule, attempt })
  return () =>
    objects.sent.map(({ sentAt, endedAt, ok, source }) => ({
      sentAt,
      elapsedMs: ok ? endedAt! - sentAt : undefined,
      void: endedAt === undefined && diedMeanwhile(simulation, source, sentAt),
    }))
}

/** Whether the source of an attempt went down while it could still have been in time. */
export function diedMeanwhile(simulation: Simulation, source: number, sentAt: Millis): boolean {
  const { endedAt } = simulation.nodes[source]!
  return endedAt !== undefined && endedAt >= sentAt && endedAt <= sentAt + inTimeMs
}

/** The attempts by minute since `fromMs`. */
export function byMinute(attempts: readonly Attempt[], fromMs: Millis): Minute[] {
  const minutes: Attempt[][] = []
  for (const attempt of attempts) {
    if (attempt.sentAt < fromMs || attempt.void) continue
    const minute = Math.floor((attempt.sentAt - fromMs) / 60_000)
    while (minutes.length <= minute) minutes.push([])
    minutes[minute]!.push(attempt)
  }
  return minutes.map(summarizeAttempts)
}

/** All of them as one. */
export function summarizeAttempts(attempts: readonly Attempt[]): Minute {
  const counted = attempts.filter((attempt) => !attempt.void)
  const times = counted.flatMap(({ elapsedMs }) => (elapsedMs === undefined ? [] : [elapsedMs])).sort((a, b) => a - b)
  return {
    attempts: counted.length,
    success: times.filter((ms) => ms <= inTimeMs).length / counted.length,
    medianMs: percentile(times, 50),
    p99Ms: percentile(times, 99),
  }
}
