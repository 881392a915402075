import type { Millis, Prng } from '@plaxton/kbr'
import type { SimNode, Simulation } from './simulation.ts'

/** Calls `action` at random moments, `meanGapMs` apart on average (a Poisson process), until `untilMs`. */
export function atRandomTimes(
  simulation: Simulation,
  prng: Prng,
  schedule: { meanGapMs: Millis; untilMs: Millis; action: () => void },
): void {
  const gap = Math.max(1, Math.round(prng.nextExponential(schedule.meanGapMs)))
  if (simulation.now + gap > schedule.untilMs) return
  simulation.after(gap, () => {
    schedule.action()
    atRandomTimes(simulation, prng, schedule)
  })
}

/** How nodes come and go. */
export interface SessionSchedule {
  /** Mean length of a session; sessions are exponential, as in MSPastry's Poisson traces (DSN 2004). */
  readonly meanSessionMs: Millis
  readonly untilMs: Millis
  /** Share of sessions that end with a good-bye rather than a crash; 0 … 1. */
  readonly graceful: number
}

/**
 * Sessions for all nodes that run now and for newcomers, which arrive as often as sessions end, so that the size of the network stays about
 * the same. A node that has gone does not come back; newcomers have new ids.
 */
export function keepSessions(simulation: Simulation, prng: Prng, schedule: SessionSchedule): void {
  const sessions = prng.fork()
  const arrivals = prng.fork()
  const running = simulation.running()
  for (const node of running) endSession(simulation, sessions, node, schedule)
  atRandomTimes(simulation, arrivals, {
    meanGapMs: schedule.meanSessionMs / running.length,
    untilMs: schedule.untilMs,
    action: () => endSession(simulation, sessions, simulation.addNode(), schedule),
  })
}

function endSession(simulation: Simulation, prng: Prng, node: SimNode, schedule: SessionSchedule): void {
  const length = Math.max(1, Math.round(prng.nextExponential(schedule.meanSessionMs)))
  const gracefully = prng.chance(schedule.graceful)
  if (simulation.now + length > schedule.untilMs) return
  const { process } = node
  simulation.after(length, () => {
    if (process === undefined || !process.alive || node.leaving) return
    if (gracefully && node.ready) simulation.leave(node)
    else simulation.crash(node)
  })
}
