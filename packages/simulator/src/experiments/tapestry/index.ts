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
  nodes: {
    says: 'RDP of routes to nodes by distance',
    paper: 'Tapestry (JSAC 2004), figure 13',
    setup: '400 nodes, 40,000 routes',
    messages: 1e6,
    run: nodeStretch,
  },
  objects: {
    says: 'RDP of messages to objects by distance; --objects in all',
    paper: 'Tapestry (JSAC 2004), figure 14',
    setup: '400 nodes, 10,000 objects, 20,000 messages',
    messages: 1e6,
    run: objectStretch,
  },
  pointers: {
    says: 'what pointers beside the path bring; --objects on each node',
    paper: 'Tapestry (JSAC 2004), figure 15',
    setup: '1,090 nodes, 25 objects each, 20,000 messages a line',
    messages: 1e7,
    run: pointerSweep,
  },
  insertion: {
    says: 'time to insert one node by the size of the network',
    paper: 'Tapestry (JSAC 2004), figure 16',
    setup: 'up to 450 nodes, 20 insertions a line',
    messages: 1e6,
    run: insertionTime,
  },
  traffic: {
    says: 'bytes for that, in base 4',
    paper: 'Tapestry (JSAC 2004), figure 17',
    setup: 'up to 500 nodes, 10 insertions a line',
    messages: 1e6,
    run: insertionTraffic,
  },
  parallel: {
    says: 'many nodes inserted at one moment; no holes afterwards',
    paper: 'Tapestry (JSAC 2004), figure 18',
    setup: '200 nodes and a share of them, 5 times a line',
    messages: 1e7,
    run: parallelInsertion,
  },
  failures: {
    says: 'a fifth die at one moment, half as many join at another',
    paper: 'Tapestry (JSAC 2004), figures 19, 20',
    setup: '830 nodes, 600 routes and messages a minute',
    messages: 1e6,
    run: massChange,
  },
  nearest: {
    says: 'which of four hosts of an object is reached',
    paper: 'none',
    setup: '4,000 nodes, 2,000 messages',
    messages: 1e7,
    run: nearestHost,
  },
  churn: {
    says: 'nodes come and go',
    paper: 'Tapestry (JSAC 2004), figures 21, 22',
    setup: '830 nodes, 600 routes and messages a minute',
    messages: 1e6,
    run: comingsAndGoings,
  },
}
