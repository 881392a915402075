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
  keys: { says: 'keys per node (figure 8); --objects: keys', run: keysPerNode },
  virtual: { says: 'keys per host with 1 to 20 virtual nodes (figure 9); --objects: keys', run: virtualNodes },
  path: { says: 'path length by the size of the ring (figure 10); --nodes: the largest', run: pathLength },
  failures: { says: 'lookups after a mass failure that nobody has noticed (table II)', run: massFailure },
  lost: { says: 'lookups after a mass failure and its repair (SIGCOMM, figure 11)', run: lostKeys },
  retries: { says: 'lookups that a failure would have ended, had they not been tried again (SIGCOMM, figure 12)', run: withoutRetries },
  churn: { says: 'lookups while nodes come and go (ToN)', run: comingsAndGoings },
  stretch: { says: 'stretch with s nodes to choose from at each hop (table III)', run: stretch },
}
