import { experiments, overlays } from '@plaxton/simulator'
import type { Experiment, OverlayName } from '@plaxton/simulator'
import { UsageError } from '../options.ts'

/** An experiment of the papers with the two words it is called by. */
export interface NamedExperiment {
  /** The overlay that the paper is about, and the experiment's word: `chord path`. */
  readonly name: string
  readonly overlay: OverlayName
  readonly experiment: Experiment
}

/** All there are, from the table in which `npm run simulate` finds them too. */
export function allExperiments(): NamedExperiment[] {
  return Object.entries(experiments).flatMap(([family, words]) =>
    Object.entries(words).map(([word, experiment]) => ({ name: `${family} ${word}`, overlay: family as OverlayName, experiment })),
  )
}

/** The one that these words name. */
export function experimentOf(words: readonly string[]): NamedExperiment {
  const [family = '', word = ''] = words
  const known = (Object.keys(overlays) as string[]).filter((name) => experiments[name] !== undefined)
  if (!Object.hasOwn(experiments, family))
    throw new UsageError(`no experiments of ${JSON.stringify(family)}, there are those of ${known.join(', ')}`)
  const name = `${family} ${word}`
  const found = words.length === 2 ? allExperiments().find((each) => each.name === name) : undefined
  if (found === undefined) {
    const all = Object.keys(experiments[family]!).join(', ')
    throw new UsageError(`no experiment ${JSON.stringify(words.join(' '))}, those of ${family} are ${all}`)
  }
  return found
}
