import { canExperiments } from './can/index.ts'
import { chordExperiments } from './chord/index.ts'
import type { Experiment, Listing } from './experiment.ts'
import { kademliaExperiments } from './kademlia/index.ts'
import { pastryExperiments } from './pastry/index.ts'
import { tapestryExperiments } from './tapestry/index.ts'

/** The experiments of the papers: by the overlay that the paper is about, then by the word for the command line. */
export const experiments: Readonly<Record<string, Readonly<Record<string, Experiment>>>> = {
  pastry: pastryExperiments,
  tapestry: tapestryExperiments,
  chord: chordExperiments,
  can: canExperiments,
  kademlia: kademliaExperiments,
}

/** The commands of `npm run simulate` that are not of one overlay's papers. */
export const commonRuns = {
  mix: {
    says: 'crashes, restarts, joins, leaves, partitions and losses with PAST or DOLR on top, then every checker',
    paper: 'swarm testing (ISSTA 2012)',
    setup: '100 nodes a seed',
    messages: 1e6,
  },
  churn: {
    says: 'lookups while nodes come and go; the options of realism',
    paper: 'MSPastry (DSN 2004)',
    setup: '1,000 nodes on a transit-stub network, 30 minutes',
    messages: 1e6,
  },
} satisfies Readonly<Record<string, Listing>>
