import { overlays } from '@plaxton/simulator'
import type { OverlayName, OverlayUnderTest } from '@plaxton/simulator'
import { figures } from './figures.ts'
import type { FigureForm, FigureName } from './figures.ts'
import type { RecoveryStep } from './mass-failure.ts'
import { measure } from './measure.ts'
import type { Curves, Measured } from './measure.ts'
import type { Workload } from './workload.ts'

/** What `compare --json` prints; `format` counts up when something in it changes its meaning or goes. */
export interface Comparison {
  readonly format: 'plaxton lab compare 1'
  readonly workload: Workload
  readonly seeds: readonly number[]
  /** What the figures are, in the order of the table. */
  readonly figures: ReadonlyArray<{
    readonly name: FigureName
    readonly group: string
    readonly title: string
    readonly form: FigureForm
  }>
  readonly overlays: readonly ComparedOverlay[]
}

/** One overlay over all seeds. */
export interface ComparedOverlay {
  readonly name: string
  readonly figures: Readonly<Record<FigureName, Estimate>>
  /** Means over the seeds. */
  readonly curves: Curves
  /** By seed, then by network. */
  readonly traceHashes: ReadonlyArray<readonly string[]>
  /** Runs that came to nothing, a sentence each. */
  readonly failures: readonly string[]
}

/** A figure over several seeds. */
export interface Estimate {
  /** Of the seeds that have one; null when none has, as for a network that did not recover. */
  readonly mean: number | null
  /** Standard deviation between seeds; null for fewer than two. */
  readonly deviation: number | null
  /** By seed. */
  readonly values: ReadonlyArray<number | null>
}

export interface CompareOptions extends Workload {
  readonly seeds: readonly number[]
  /** Default: all there are. */
  readonly overlays?: readonly OverlayName[]
  /** Another overlay under one of the names. For tests. */
  readonly subject?: (name: OverlayName) => OverlayUnderTest
  /** Called with a word on how far it is. */
  readonly onProgress?: (word: string) => void
}

/** Puts the overlays through the same workload, one after another. */
export function compare(options: CompareOptions): Comparison {
  const { seeds, nodes, topology, sessionMinutes, minutes } = options
  const workload = { nodes, topology, sessionMinutes, minutes }
  const names = options.overlays ?? (Object.keys(overlays) as OverlayName[])
  return {
    format: 'plaxton lab compare 1',
    workload,
    seeds,
    figures: Object.entries(figures).map(([name, { group, title, form }]) => ({ name: name as FigureName, group, title, form })),
    overlays: names.map((name) => compareOne(name, workload, options)),
  }
}

function compareOne(name: OverlayName, workload: Workload, { seeds, subject, onProgress }: CompareOptions): ComparedOverlay {
  const runs: Measured[] = []
  const failures: string[] = []
  for (const seed of seeds) {
    try {
      runs.push(measure(subject?.(name) ?? overlays[name](), seed, workload, (word) => onProgress?.(`${name}, seed ${seed}: ${word}`)))
    } catch (error) {
      // One overlay that breaks must not take the figures of the others along.
      failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const estimates = Object.keys(figures).map((figure) => [figure, estimate(runs.map((run) => run.figures[figure as FigureName]))])
  return {
    name,
    figures: Object.fromEntries(estimates) as Record<FigureName, Estimate>,
    curves: meanCurves(runs.map(({ curves }) => curves)),
    traceHashes: runs.map(({ traceHashes }) => traceHashes),
    failures,
  }
}

function estimate(values: ReadonlyArray<number | null>): Estimate {
  const known = values.filter((value) => value !== null)
  const mean = known.length === 0 ? null : average(known)
  const deviation =
    mean === null || known.length < 2 ? null : Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1))
  return { mean, deviation, values }
}

function meanCurves(curves: readonly Curves[]): Curves {
  return {
    hops: meanByPlace(curves.map(({ hops }) => hops)),
    load: meanByPlace(curves.map(({ load }) => load)),
    recovery: curves[0]?.recovery.map((_, i) => meanStep(curves.map(({ recovery }) => recovery[i]!))) ?? [],
  }
}

/** Of lists that may differ in length; what one lacks counts as 0. */
function meanByPlace(lists: ReadonlyArray<readonly number[]>): number[] {
  const length = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length }, (_, i) => average(lists.map((list) => list[i] ?? 0)))
}

function meanStep(steps: readonly RecoveryStep[]): RecoveryStep {
  const success = steps.map((step) => step.success).filter((share) => share !== null)
  const medians = steps.map((step) => step.medianMs).filter((ms) => ms !== null)
  return {
    atMs: steps[0]!.atMs,
    success: success.length === 0 ? null : average(success),
    medianMs: medians.length === 0 ? null : average(medians),
  }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
