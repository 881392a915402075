import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../options.ts'
import type { Outcome } from '../run/outcome.ts'
import { renderResults } from './results-page.ts'

/** What an experiment gave, with where and when. */
export type KeptOutcome = Outcome & Origin

/** Where and when something was run. */
export interface Origin {
  /** The day, as in 2026-11-23. */
  readonly date: string
  /** Of the code that ran, shortened; undefined outside of a repository. */
  readonly commit?: string
  /** Version of Node. */
  readonly node: string
}

/** Where results are kept, from the root of the repository. */
export const resultsFolder = 'docs/results'

/** To be asked before the run: afterwards the code may be another. */
export function originNow(): Origin {
  const commit = commitNow()
  return { date: new Date().toISOString().slice(0, 10), ...(commit === undefined ? {} : { commit }), node: process.versions.node }
}

/** Writes what an experiment gave into the folder, in the place of what it gave before, and the folder's page anew. Returns the path of the JSON. */
export function save(folder: string, outcome: Outcome, origin: Origin): string {
  mkdirSync(folder, { recursive: true })
  const { format, experiment, command, ...rest } = outcome
  const kept: KeptOutcome = { format, experiment, command, ...origin, ...rest }
  const path = join(folder, `${experiment.replaceAll(' ', '-')}.json`)
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`)
  writePage(folder)
  return path
}

/** Writes the folder's page anew from all that is kept there. Returns its path. */
export function writePage(folder: string): string {
  const path = join(folder, 'index.html')
  writeFileSync(path, renderResults(readKept(folder)))
  return path
}

/** Everything kept in the folder. Throws {@link UsageError} for a file that is something else. */
function readKept(folder: string): KeptOutcome[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const kept = JSON.parse(readFileSync(join(folder, file), 'utf8')) as KeptOutcome
      if (kept.format !== 'plaxton lab run 1') throw new UsageError(`${join(folder, file)} is not a result of plaxton lab run`)
      return kept
    })
}

/** Says `with changes` when the code is not that of the commit. */
function commitNow(): string | undefined {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':/packages', ':/apps') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '')
  } catch {
    return undefined
  }
}
