import { canExperiments } from './can/index.ts'
import { chordExperiments } from './chord/index.ts'
import type { Experiment, Listing } from './experiment.ts'
import { kademliaExperiments } from './kademlia/index.ts'
import { tapestryExperiments } from './tapestry/index.ts'

/** The experiments of the papers: by the overlay that the paper is about, then by the word for the command line. */
export const experiments: Readonly<Record<string, Readonly<Record<string, Experiment>>>> = {
  chord: chordExperiments,
  can: canExperiments,
  tapestry: tapestryExperiments,
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
  hops: {
    says: 'hops and distance of lookups after joins by the protocol, and those of ideal tables',
    paper: 'Pastry (Middleware 2001), figures 4 to 6',
    setup: '5,000 nodes on the plane, 50,000 lookups',
    messages: 1e7,
  },
  churn: {
    says: 'lookups while nodes come and go; the options of realism',
    paper: 'MSPastry (DSN 2004)',
    setup: '1,000 nodes on a transit-stub network, 30 minutes',
    messages: 1e6,
  },
} satisfies Readonly<Record<string, Listing>>
