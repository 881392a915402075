import type { Experiment } from '../experiment.ts'
import { comingsAndGoings } from './comings-and-goings.ts'
import { keysPerNode } from './keys-per-node.ts'
import { lostKeys } from './lost-keys.ts'
import { massFailure } from './mass-failure.ts'
import { pathLength } from './path-length.ts'
import { stretch } from './stretch.ts'
import { withoutRetries } from './without-retries.ts'
import { virtualNodes } from './virtual-nodes.ts'

/** The experiments of the Chord papers (SIGCOMM 2001; ToN 2003, §VI). */
export const chordExperiments: Readonly<Record<string, Experiment>> = {
  keys: {
    says: 'keys per node; --objects: keys',
    paper: 'Chord (ToN 2003), figure 8',
    setup: '10,000 nodes, 500,000 keys, 20 rings',
    messages: 0,
    run: keysPerNode,
  },
  virtual: {
    says: 'keys per host with 1 to 20 virtual nodes; --objects: keys',
    paper: 'Chord (ToN 2003), figure 9',
    setup: '10,000 hosts, 1,000,000 keys',
    messages: 0,
    run: virtualNodes,
  },
  path: {
    says: 'path length by the size of the ring; --nodes: the largest',
    paper: 'Chord (ToN 2003), figure 10',
    setup: '8 to 16,384 nodes, perfect tables',
    messages: 0,
    run: pathLength,
  },
  failures: {
    says: 'lookups after a mass failure that nobody has noticed',
    paper: 'Chord (ToN 2003), table II',
    setup: '1,000 nodes, 10,000 lookups a line',
    messages: 0,
    run: massFailure,
  },
  lost: {
    says: 'lookups after a mass failure and its repair',
    paper: 'Chord (SIGCOMM 2001), figure 11',
    setup: '500 nodes, 10,000 lookups a line',
    messages: 1e6,
    run: lostKeys,
  },
  retries: {
    says: 'lookups that a failure would have ended, had they not been tried again',
    paper: 'Chord (SIGCOMM 2001), figure 12',
    setup: '500 nodes, an hour a line',
    messages: 1e7,
    run: withoutRetries,
  },
  churn: {
    says: 'lookups while nodes come and go',
    paper: 'Chord (ToN 2003), table III',
    setup: '1,000 nodes, an hour a line',
    messages: 1e7,
    run: comingsAndGoings,
  },
  stretch: {
    says: 'stretch with s nodes to choose from at each hop',
    paper: 'Chord (ToN 2003), table III',
    setup: '65,536 nodes, perfect tables, 10,000 lookups a line',
    messages: 0,
    run: stretch,
  },
}
