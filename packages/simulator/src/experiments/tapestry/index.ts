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
    found: 'Routes to near nodes take about three times the direct way, those to far ones hardly longer than it.',
    setup: '400 nodes, 40,000 routes',
    messages: 1e6,
    plots: [{ form: 'bars', x: 'round trip', y: 'times the direct way, median', series: { ours: 2, 'ideal tables': 4 } }],
    anyOverlay: true,
    run: nodeStretch,
  },
  objects: {
    says: 'RDP of messages to objects by distance',
    paper: 'Tapestry (JSAC 2004), figure 14',
    found: 'A near object is reached over a multiple of the direct way (6.6 at 35 ms), a far one over less than twice (1.5 at 185 ms).',
    setup: '400 nodes, 10,000 objects, 20,000 messages',
    messages: 1e6,
    plots: [{ form: 'bars', x: 'round trip', y: 'times the direct way, median', series: { ours: 2, published: 6, 'ideal tables': 4 } }],
    anyOverlay: true,
    run: objectStretch,
  },
  pointers: {
    says: 'what pointers beside the path bring',
    paper: 'Tapestry (JSAC 2004), figure 15',
    found:
      'A few pointers beside the publish path make near objects much cheaper to find: at 12 ms the 90th percentile falls from 16 to 2.8 times the direct way. Far ones gain nothing.',
    setup: '1,090 nodes, 25 objects each (--objects), 20,000 messages a line',
    messages: 1e7,
    anyOverlay: true,
    run: pointerSweep,
  },
  insertion: {
    says: 'time to insert one node by the size of the network',
    paper: 'Tapestry (JSAC 2004), figure 16',
    found: 'Inserting a node takes .38 s among 100 and .79 s among 450: more slowly than the network grows.',
    setup: 'up to 450 nodes, 20 insertions a line',
    messages: 1e6,
    plots: [{ form: 'lines', x: 'nodes', y: 'seconds, median', series: { ours: 1, published: 5, 'ideal: longest needed round trip': 4 } }],
    anyOverlay: true,
    run: insertionTime,
  },
  traffic: {
    says: 'bytes to insert one node by the size of the network, in base 4',
    paper: 'Tapestry (JSAC 2004), figure 17',
    found: 'What an insertion costs in bytes grows with the logarithm of the network: 18 kB at 40 nodes, 50 kB at 500.',
    setup: 'up to 500 nodes, 10 insertions a line',
    messages: 1e6,
    plots: [{ form: 'lines', x: 'nodes', y: 'kB', series: { ours: 1, published: 6, 'ideal: ids alone': 4 }, logarithmic: true }],
    anyOverlay: true,
    run: insertionTraffic,
  },
  parallel: {
    says: 'many nodes inserted at one moment; no holes afterwards',
    paper: 'Tapestry (JSAC 2004), figure 18',
    found: 'Many nodes may be inserted at one moment: it takes 1.2 s for 5 into 200, and 5.1 s for 60.',
    setup: '200 nodes and a share of them, 5 times a line',
    messages: 1e7,
    plots: [
      { form: 'lines', x: 'share joining', y: 'seconds, median', series: { ours: 2, published: 5, 'ideal: longest needed round trip': 4 } },
    ],
    anyOverlay: true,
    run: parallelInsertion,
  },
  failures: {
    says: 'a fifth die at one moment, half as many join at another',
    paper: 'Tapestry (JSAC 2004), figures 19, 20',
    found: 'After a fifth has died, or half as many have come, success dips to between 45 and 75 % and is back at 100 % inside a minute.',
    setup: '830 nodes, 600 routes and messages a minute',
    messages: 1e6,
    plots: [{ form: 'lines', x: 'minute', y: '% that get through', series: { 'to nodes, ours': 1, 'to objects, ours': 6 } }],
    anyOverlay: true,
    run: massChange,
  },
  nearest: {
    says: 'which of four hosts of an object is reached',
    paper: 'none',
    found: 'Nothing is published. Wanted is the nearest of four hosts in 80 % of all cases, and one of the two nearest in 95 %.',
    setup: '4,000 nodes, 2,000 messages',
    messages: 1e7,
    anyOverlay: true,
    run: nearestHost,
  },
  churn: {
    says: 'nodes come and go',
    paper: 'Tapestry (JSAC 2004), figures 21, 22',
    found: 'With nodes that come for two to four minutes, one every 10 to 20 seconds, success stays within a hair of 100 %.',
    setup: '830 nodes, 600 routes and messages a minute',
    messages: 1e6,
    anyOverlay: true,
    run: comingsAndGoings,
  },
}
