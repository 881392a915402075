import {
  attemptsOf,
  countNodeSeconds,
  exponentialSessions,
  keepSessions,
  lookUpAtRandom,
  summarizeAttempts,
  trafficSince,
  upkeepSoFar,
} from '@plaxton/simulator'
import type { Traffic, World } from '@plaxton/simulator'
import { lookupsPerSecond } from './workload.ts'
import type { Workload } from './workload.ts'

/** How lookups fare while nodes come and go. */
export interface UnderChurn {
  /** Share that arrived at the root of that moment within ten seconds. */
  readonly success: number
  readonly medianMs: number
  readonly p99Ms: number
  /** Per second and node, without the lookups. */
  readonly upkeep: Traffic
}

/** Nodes crash after exponential sessions and others come in their place, while random members look up random keys. */
export function underChurn({ simulation, log }: World, workload: Workload): UnderChurn {
  const measureMs = workload.minutes * 60_000
  const warmUpMs = Math.round(measureMs / 4)
  const untilMs = simulation.now + warmUpMs + measureMs
  const sessions = exponentialSessions(workload.sessionMinutes * 60_000)
  keepSessions(simulation, simulation.simulator.stream('sessions'), { sessions, untilMs, graceful: 0 })
  simulation.run(warmUpMs)

  const before = upkeepSoFar(simulation)
  const nodeSeconds = countNodeSeconds(simulation, untilMs)
  lookUpAtRandom(simulation, log, { perSecond: lookupsPerSecond(workload), untilMs })
  simulation.run(measureMs)
  const sent = trafficSince(before, upkeepSoFar(simulation))
  simulation.run(drainMs)

  const { success, medianMs, p99Ms } = summarizeAttempts(attemptsOf(simulation, log))
  const seconds = nodeSeconds()
  return { success, medianMs, p99Ms, upkeep: { messages: sent.messages / seconds, bytes: sent.bytes / seconds } }
}

/** Longer than any lookup takes. */
const drainMs = 30_000
