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
    found:
      'No figures are in the paper. Worked out for perfectly filled buckets: 12.9 questions in 4.7 rounds among 10,000 nodes, with k = 8 and three at a time.',
    setup: '10,000 nodes, perfectly filled buckets, 2,000 lookups a line',
    messages: 0,
    plots: [{ form: 'bars', x: 'network', y: 'questions a lookup', series: { ours: 2, 'published (R)': 1 } }],
    run: staticLookups,
  },
  paths: {
    says: 'success of lookups over d disjoint paths among colluders',
    paper: 'S/Kademlia (ICPADS 2007), model',
    found: 'With 20 % of 10,000 nodes hostile, lookups over eight disjoint paths succeed 99 % of the time.',
    setup: '10,000 nodes, 1,000 lookups a line',
    messages: 0,
    plots: [
      {
        form: 'bars',
        x: 'share m hostile, d paths',
        y: 'share that succeeds',
        series: { 'chains, ours': 3, 'the model': 2, 'searches, ours': 4 },
      },
    ],
    run: disjointPaths,
  },
  siblings: {
    says: 'how often c·s places of a sibling list are too few',
    paper: 'S/Kademlia (ICPADS 2007)',
    found: 'A list of 2.5 times 20 places fails to hold the 20 closest once in two million times.',
    setup: '10,000 nodes, 20,000 places a line',
    messages: 0,
    run: siblingLists,
  },
  caching: {
    says: 'who answers reads of an object in demand, with and without copies on the way',
    paper: 'Kademlia (IPTPS 2002), §2.3',
    found: 'Copies left on the way of a lookup take the load off the holders of an object in demand; no figures are given.',
    setup: '300 nodes, 2,000 reads, twice',
    messages: 1e6,
    plots: [{ form: 'bars', x: '', y: 'share of the reads answered by holders', series: { ours: 1 } }],
    run: caching,
  },
}
