import { Violations, attemptsOf, inTimeMs, lookUpAtRandom, summarizeAttempts } from '@plaxton/simulator'
import type { Millis } from '@plaxton/kbr'
import type { Attempt, World } from '@plaxton/simulator'
import { lookupsPerSecond } from './workload.ts'
import type { Workload } from './workload.ts'

/** How a network recovers after a part of its nodes have died at one moment. */
export interface Recovery {
  /** From the failure until every lookup gets to its root within ten seconds; null when that does not come about. */
  readonly lookupsMs: Millis | null
  /** Until the nodes' own tables are what the overlay's definition wants, for all that live; null when that does not come about. */
  readonly tablesMs: Millis | null
  /** Share of the lookups sent in the first minute that got to their root within ten seconds. */
  readonly firstMinute: number
  /** In steps of {@link stepMs}, the first beginning with the failure. */
  readonly steps: readonly RecoveryStep[]
}

export interface RecoveryStep {
  readonly atMs: Millis
  /** null when nobody looked anything up. */
  readonly success: number | null
  readonly medianMs: Millis | null
}

/** The share that dies. */
const dyingShare = 0.2
/** How long the network is watched, and by when it must be whole: what still goes wrong in the last minute is not recovered from. */
const watchedMs = 300_000
export const recoveredByMs = watchedMs - 60_000
const stepMs = 5000

/** Kills a fifth of the nodes at one moment, without a word, while random members look up random keys. */
export function massFailure(world: World, workload: Pick<Workload, 'nodes'>): Recovery {
  const { simulation, log } = world
  const start = simulation.now
  const mortal = simulation.simulator.stream('faults').shuffle(simulation.running())
  for (const node of mortal.slice(0, Math.round(dyingShare * mortal.length))) simulation.crash(node)
  lookUpAtRandom(simulation, log, { perSecond: lookupsPerSecond(workload), untilMs: start + watchedMs })

  let inexactAt: Millis | undefined = start
  while (simulation.now < start + watchedMs) {
    simulation.run(stepMs)
    if (!tablesExact(world)) inexactAt = simulation.now
  }
  simulation.run(inTimeMs)

  const attempts = attemptsOf(simulation, log)
  return {
    lookupsMs: withinWatch(Math.max(start, ...attempts.filter(isFailure).map(({ sentAt }) => sentAt + 1)) - start),
    tablesMs: withinWatch(inexactAt - start + stepMs),
    firstMinute: summarizeAttempts(attempts.filter(({ sentAt }) => sentAt < start + 60_000)).success,
    steps: stepsOf(attempts, start),
  }
}

/** Whether the tables of all live members are what the overlay's definition wants. */
function tablesExact({ simulation, subject }: World): boolean {
  const violations = new Violations()
  subject.checkTables(simulation, violations)
  return violations.total === 0
}

function isFailure({ elapsedMs, void: excused }: Attempt): boolean {
  return !excused && (elapsedMs === undefined || elapsedMs > inTimeMs)
}

function withinWatch(ms: Millis): Millis | null {
  return ms <= recoveredByMs ? ms : null
}

function stepsOf(attempts: readonly Attempt[], start: Millis): RecoveryStep[] {
  return Array.from({ length: watchedMs / stepMs }, (_, i) => {
    const atMs = i * stepMs
    const { success, medianMs } = summarizeAttempts(
      attempts.filter(({ sentAt }) => sentAt >= start + atMs && sentAt < start + atMs + stepMs),
    )
    return { atMs, success: orNull(success), medianMs: orNull(medianMs) }
  })
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
