import { canExperiments } from './can/index.ts'
import { chordExperiments } from './chord/index.ts'
import type { Experiment } from './experiment.ts'
import { kademliaExperiments } from './kademlia/index.ts'
import { tapestryExperiments } from './tapestry/index.ts'

/** The experiments of the papers: by the overlay that the paper is about, then by the word for the command line. */
export const experiments: Readonly<Record<string, Readonly<Record<string, Experiment>>>> = {
  chord: chordExperiments,
  can: canExperiments,
  tapestry: tapestryExperiments,
  kademlia: kademliaExperiments,
}
