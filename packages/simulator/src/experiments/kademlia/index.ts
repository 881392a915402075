import type { Experiment } from '../experiment.ts'
import { caching } from './caching.ts'
import { disjointPaths } from './disjoint-paths.ts'
import { siblingLists } from './sibling-lists.ts'
import { staticLookups } from './static-lookups.ts'

/** The figures of Kademlia and S/Kademlia by their word for the command line. */
export const kademliaExperiments: Readonly<Record<string, Experiment>> = {
  lookups: { says: 'RPCs and rounds of lookups in a network at rest, by k and alpha', run: staticLookups },
  paths: { says: "S/Kademlia's success model: lookups over d disjoint paths among colluders", run: disjointPaths },
  siblings: { says: "S/Kademlia's sibling list: how often c·s places are too few", run: siblingLists },
  caching: { says: 'who answers reads of an object in demand, with and without copies on the way', run: caching },
}
