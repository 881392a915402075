import type { OverlayUnderTest } from '@plaxton/simulator'
import { quietUpkeep, ways } from './at-rest.ts'
import type { FigureName } from './figures.ts'
import { joinCost } from './joining.ts'
import { loadOf } from './load.ts'
import { massFailure } from './mass-failure.ts'
import type { RecoveryStep } from './mass-failure.ts'
import { grow } from './network.ts'
import { stateOf } from './state.ts'
import { underChurn } from './under-churn.ts'
import type { Workload } from './workload.ts'

/** One overlay put through the workload once. */
export interface Measured {
  readonly seed: number
  readonly figures: Readonly<Record<FigureName, number | null>>
  readonly curves: Curves
  /** Of the three networks it was measured in: the same seed gives the same. */
  readonly traceHashes: readonly string[]
}

/** What is drawn and not tabulated. */
export interface Curves {
  /** Share of lookups by number of hops. */
  readonly hops: readonly number[]
  /** Keys per node, ascending. */
  readonly load: readonly number[]
  readonly recovery: readonly RecoveryStep[]
}

/** Puts the overlay through the workload: three networks, one at rest, one under churn and one that a fifth of the nodes leave at once. */
export function measure(
  subject: OverlayUnderTest,
  seed: number,
  workload: Workload,
  onProgress: (word: string) => void = () => {},
): Measured {
  onProgress('at rest')
  const calm = grow(subject, seed, workload)
  const upkeep = quietUpkeep(calm, workload.minutes)
  const travel = ways(calm)
  const state = stateOf(calm)
  const load = loadOf(calm)
  onProgress('joining')
  const join = joinCost(calm, upkeep)
  onProgress('under churn')
  const restless = grow(subject, seed, workload)
  const churn = underChurn(restless, workload)
  onProgress('a fifth die')
  const stricken = grow(subject, seed, workload)
  const recovery = massFailure(stricken, workload)
  const figures: Record<FigureName, number | null> = {
    hops: travel.hops,
    hopsP99: travel.hopsP99,
    stretch: travel.stretch,
    latencyP50: travel.medianMs,
    successAtRest: travel.success,
    state,
    joinMessages: join.messages,
    joinBytes: join.bytes,
    joinTime: join.medianMs,
    quietMessages: upkeep.messages,
    quietBytes: upkeep.bytes,
    churnMessages: churn.upkeep.messages,
    churnBytes: churn.upkeep.bytes,
    churnSuccess: churn.success,
    churnP50: churn.medianMs,
    churnP99: churn.p99Ms,
    keysP1: load.p1,
    keysP50: load.p50,
    keysP99: load.p99,
    keysMax: load.max,
    recoveryFirstMinute: recovery.firstMinute,
    recoveryLookups: recovery.lookupsMs,
    recoveryTables: recovery.tablesMs,
  }
  return {
    seed,
    figures: withoutNaN(figures),
    curves: { hops: travel.distribution, load: load.sorted, recovery: recovery.steps },
    traceHashes: [calm, restless, stricken].map(({ simulation }) => simulation.traceHash),
  }
}

/** A percentile of nothing is no number, and JSON knows none such. */
function withoutNaN(figures: Record<FigureName, number | null>): Record<FigureName, number | null> {
  const entries = Object.entries(figures).map(([name, value]) => [name, Number.isNaN(value) ? null : value])
  return Object.fromEntries(entries) as Record<FigureName, number | null>
}
