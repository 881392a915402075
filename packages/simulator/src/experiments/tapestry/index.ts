import { comingsAndGoings } from './comings-and-goings.ts'
import { insertionTime } from './insertion-time.ts'
import { insertionTraffic } from './insertion-traffic.ts'
import { massChange } from './mass-change.ts'
import { nearestHost } from './nearest-host.ts'
import { nodeStretch } from './node-stretch.ts'
import { objectStretch } from './object-stretch.ts'
import { parallelInsertion } from './parallel-insertion.ts'
import { pointerSweep } from './pointer-sweep.ts'
import type { Experiment } from '../experiment.ts'

/** The experiments of the Tapestry paper (JSAC 2004, §V). */
export const tapestryExperiments: Readonly<Record<string, Experiment>> = {
  nodes: { says: 'RDP of routes to nodes by distance (figure 13)', run: nodeStretch },
  objects: { says: 'RDP of messages to objects by distance (figure 14); --objects in all', run: objectStretch },
  pointers: { says: 'what pointers beside the path bring (figure 15); --objects on each node', run: pointerSweep },
  insertion: { says: 'time to insert one node by the size of the network (figure 16)', run: insertionTime },
  traffic: { says: 'bytes for that, in base 4 (figure 17)', run: insertionTraffic },
  parallel: { says: 'many nodes inserted at one moment; no holes afterwards (figure 18)', run: parallelInsertion },
  failures: { says: 'a fifth die at one moment, half as many join at another (figures 19, 20)', run: massChange },
  nearest: { says: 'which of four hosts of an object is reached', run: nearestHost },
  churn: { says: 'nodes come and go (figures 21, 22)', run: comingsAndGoings },
}
