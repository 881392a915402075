import type { Millis, Prng } from '@plaxton/kbr'
import type { Wave } from './crowds.ts'
import type { SessionLengths } from './sessions.ts'
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
  readonly sessions: SessionLengths
  readonly untilMs: Millis
  /** Share of sessions that end with a good-bye rather than a crash; 0 … 1. */
  readonly graceful: number
  /** When more come and when fewer; default: always as many. */
  readonly wave?: Wave
}

/**
 * Sessions for all nodes that run now and for newcomers, which arrive as often as sessions end, so that the size of the network stays about
 * the same. A node that has gone does not come back; newcomers have new ids. Sessions of those that run now begin now. Returns how others who come are to be given sessions too.
 */
export function keepSessions(simulation: Simulation, prng: Prng, schedule: SessionSchedule): (node: SimNode) => void {
  const lengths = prng.fork()
  const arrivals = prng.fork()
  const running = simulation.running()
  const { sessions, untilMs, wave } = schedule
  const begin = (node: SimNode) => endSession(simulation, lengths, node, schedule)
  for (const node of running) begin(node)
  // A wave never has more than twice the mean; of so many, those are taken that belong to the moment.
  const most = wave === undefined ? 1 : 2
  atRandomTimes(simulation, arrivals, {
    meanGapMs: sessions.meanMs / running.length / most,
    untilMs,
    action: () => {
      if (wave === undefined || arrivals.chance(wave(simulation.now) / most)) begin(simulation.addNode())
    },
  })
  return begin
}

function endSession(simulation: Simulation, prng: Prng, node: SimNode, schedule: SessionSchedule): void {
  const length = schedule.sessions.draw(prng)
  const gracefully = prng.chance(schedule.graceful)
  if (simulation.now + length > schedule.untilMs) return
  const { process } = node
  simulation.after(length, () => {
    if (process === undefined || !process.alive || node.leaving) return
    if (gracefully && node.ready) simulation.leave(node)
    else simulation.crash(node)
  })
}
