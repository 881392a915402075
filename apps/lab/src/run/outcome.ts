import { experimentSizes, holds } from '@plaxton/simulator'
import type { Claim, ExperimentOptions, OverlayName, Report } from '@plaxton/simulator'
import type { NamedExperiment } from './experiments.ts'

/** What an experiment gave, for programs. The same seeds give the same. */
export interface Outcome {
  /** Changes when a name here changes its meaning or goes. */
  readonly format: 'plaxton lab run 1'
  /** Its two words. */
  readonly experiment: string
  /** What repeats it, in the repository. */
  readonly command: string
  /** Whether every claim held with every seed. */
  readonly held: boolean
  readonly runs: readonly Run[]
}

/** What it gave with one seed. */
export interface Run {
  readonly seed: number
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: ReadonlyArray<readonly Cell[]>
  readonly claims: readonly Claim[]
  readonly remarks: readonly string[]
  readonly traceHash: string
}

/** null: nothing was measured or published there. */
export type Cell = string | number | null

/** What the command line says of an experiment, besides its seeds. */
export type Sizes = Omit<ExperimentOptions, 'seed' | 'onProgress'>

/** Runs the experiment with each seed in turn, and calls `onReport` after each. */
export function runExperiment(
  { name, overlay, experiment }: NamedExperiment,
  seeds: readonly number[],
  sizes: Sizes,
  { onReport, onProgress }: { readonly onReport: (seed: number, report: Report) => void; readonly onProgress: (word: string) => void },
): Outcome {
  const runs: Run[] = []
  let held = true
  for (const seed of seeds) {
    const report = experiment.run({ overlay, ...sizes, seed, onProgress })
    if (!holds(report)) held = false
    runs.push(runOf(seed, report))
    onReport(seed, report)
  }
  return { format: 'plaxton lab run 1', experiment: name, command: commandOf(name, seeds, sizes), held, runs }
}

/** The command with what was said and no more. */
function commandOf(name: string, seeds: readonly number[], { overlay, ...sizes }: Sizes): string {
  const said = experimentSizes.flatMap((size) => (sizes[size] === undefined ? [] : [`--${size} ${sizes[size]}`]))
  return [
    `npm run lab -- run ${name}`,
    ...(overlay === undefined ? [] : [`--overlay ${overlay satisfies OverlayName}`]),
    ...said,
    seeds.length === 1 ? `--seed ${seeds[0]}` : `--seeds ${seeds[0]}..${seeds.at(-1)}`,
  ].join(' ')
}

/** JSON knows neither undefined nor what is no number. */
function runOf(seed: number, { title, columns, rows, claims, remarks = [], traceHash }: Report): Run {
  const cells = rows.map((row) => row.map((cell) => (cell === undefined || Number.isNaN(cell) ? null : cell)))
  return { seed, title, columns, rows: cells, claims, remarks, traceHash }
}
