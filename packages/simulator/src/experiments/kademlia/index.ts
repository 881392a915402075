import type { Experiment } from '../experiment.ts'
import { caching } from './caching.ts'
import { disjointPaths } from './disjoint-paths.ts'
import { siblingLists } from './sibling-lists.ts'
import { staticLookups } from './static-lookups.ts'

/** The figures of Kademlia and S/Kademlia by their word for the command line. */
export const kademliaExperiments: Readonly<Record<string, Experiment>> = {
  lookups: {
    says: 'RPCs and rounds of lookups in a network at rest, by k and alpha',
    paper: 'none',
    setup: '10,000 nodes, perfectly filled buckets, 2,000 lookups a line',
    messages: 0,
    run: staticLookups,
  },
  paths: {
    says: 'success of lookups over d disjoint paths among colluders',
    paper: 'S/Kademlia (ICPADS 2007), model',
    setup: '10,000 nodes, 1,000 lookups a line',
    messages: 0,
    run: disjointPaths,
  },
  siblings: {
    says: 'how often c·s places of a sibling list are too few',
    paper: 'S/Kademlia (ICPADS 2007)',
    setup: '10,000 nodes, 20,000 places a line',
    messages: 0,
    run: siblingLists,
  },
  caching: {
    says: 'who answers reads of an object in demand, with and without copies on the way',
    paper: 'Kademlia (IPTPS 2002), §2.3',
    setup: '300 nodes, 2,000 reads, twice',
    messages: 1e6,
    run: caching,
  },
}
