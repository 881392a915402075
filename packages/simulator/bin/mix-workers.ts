import { fileURLToPath } from 'node:url'
import { chunksOf, outputOf, parseLines, sideBySide } from '../src/index.ts'
import type { MixResult, Violation } from '../src/index.ts'

/** A result as it travels between processes: what `--json` prints. */
export type MixReport = Omit<MixResult, 'violations'> & {
  readonly violations: { readonly total: number; readonly byCheck: Readonly<Record<string, number>>; readonly kept: readonly Violation[] }
}

/** Seeds a process runs before the next begins, at most: enough that starting it and warming up costs little, few enough that no process idles at the end. */
const seedsPerProcess = 5

const script = fileURLToPath(new URL('simulate.ts', import.meta.url))

/** Runs the mix with these options on these seeds in `jobs` processes at a time, and calls `onReport` in the order of the seeds until it returns false. */
export function mixInWorkers(
  seeds: readonly number[],
  options: readonly string[],
  jobs: number,
  onReport: (report: MixReport) => boolean,
): Promise<void> {
  return sideBySide(
    chunksOf(seeds, Math.min(seedsPerProcess, Math.ceil(seeds.length / jobs))),
    jobs,
    async (chunk) =>
      parseLines<MixReport>((await outputOf(script, ['mix', '--seeds', `${chunk[0]}..${chunk.at(-1)}`, ...options, '--json'])).stdout),
    (reports) => reports.every(onReport),
  )
}

/** Calls this program for each seed with otherwise the same arguments, `jobs` at a time, and prints what they print in the order of the seeds. Returns whether all held. */
export async function eachSeedInWorkers(seeds: readonly number[], args: readonly string[], jobs: number): Promise<boolean> {
  let fine = true
  await sideBySide(
    seeds,
    jobs,
    // Of options given twice, the last counts.
    (seed) => outputOf(script, [...args, '--seeds', `${seed}..${seed}`, '--jobs', '1']),
    ({ stdout, holds }) => {
      process.stdout.write(stdout)
      if (!holds) fine = false
      return true
    },
  )
  return fine
}
