import type { Experiment } from '../experiment.ts'
import { ablation } from './ablation.ts'
import { churnSweep } from './churn.ts'
import { hopDistribution } from './distribution.ts'
import { massFailure } from './failures.ts'
import { hops } from './hops.ts'
import { joinCost } from './join-cost.ts'
import { nearestReplica } from './nearest-replica.ts'
import { shortSessions } from './short-sessions.ts'
import { tablesAfterJoins } from './tables.ts'
import { timeouts } from './timeouts.ts'

/** The experiments of the papers on Pastry (Middleware 2001, §3), MSPastry (DSN 2004) and Bamboo (USENIX 2004). */
export const pastryExperiments: Readonly<Record<string, Experiment>> = {
  hops: {
    says: 'hops of lookups and the length of their ways by the size of the network',
    paper: 'Pastry (Middleware 2001), figures 4, 6',
    found:
      'Lookups take a little less than log16 N hops, from 2.49 among 1,000 nodes to 3.98 among 100,000, over ways 30 to 40 % longer than the direct one.',
    setup: '1,000 to 5,000 nodes that join on the plane (--nodes: the largest), ideal tables up to 100,000; 10,000 lookups at each size',
    messages: 1e7,
    plots: [
      { form: 'lines', x: 'nodes', y: 'hops', series: { ours: 1, published: 2, 'ideal tables': 3 }, logarithmic: true },
      { form: 'lines', x: 'nodes', y: 'times the direct way', series: { ours: 4, published: 5, 'ideal tables': 6 }, logarithmic: true },
    ],
    run: hops,
  },
  distribution: {
    says: 'how many hops lookups take',
    paper: 'Pastry (Middleware 2001), figure 5',
    found: 'Among 100,000 nodes, 64 % of the lookups take four hops and 17 % five; none takes more than log16 N, rounded up.',
    setup: '2,000 nodes that join on the plane, ideal tables of 100,000; 10,000 lookups',
    messages: 1e6,
    plots: [
      {
        form: 'bars',
        x: 'hops',
        y: 'share of lookups',
        series: { ours: 1, 'published, 100,000 nodes': 4, 'ideal tables, 100,000 nodes': 3 },
      },
    ],
    run: hopDistribution,
  },
  tables: {
    says: 'how many entries of routing tables are the nearest there could be, after joins alone',
    paper: 'Pastry (Middleware 2001), figure 7',
    found: 'When newcomers learn from all nodes on their way and from those they name, less than one entry a row is not the nearest.',
    setup: '2,000 nodes that join on the plane (published: 5,000), and 15 minutes after that',
    messages: 1e6,
    plots: [
      {
        form: 'bars',
        x: 'row',
        y: 'entries that are the nearest',
        series: { ours: 2, 'published (WTF)': 4, 'ours, some minutes later': 3 },
      },
    ],
    run: tablesAfterJoins,
  },
  nearest: {
    says: 'which of the five nodes closest to a key a message comes to first',
    paper: 'Pastry (Middleware 2001), figure 8',
    found:
      'A message finds the nearest of five replicas first in 68 % of all cases, one of the two nearest in 87 % (its chart has 59 and 79 %); 76 and 92 % with a heuristic that guesses whose leaf set reaches them.',
    setup: '2,000 nodes that join on the plane (published: 10,000), 20,000 keys',
    messages: 1e6,
    plots: [
      {
        form: 'bars',
        x: '',
        y: '% of the messages',
        series: { ours: 1, 'published (chart)': 2, 'ours, with the heuristic': 5, 'published, with the heuristic': 6 },
      },
    ],
    run: nearestReplica,
  },
  failures: {
    says: 'hops and tables when a tenth of the nodes dies at one moment, and what the repair costs',
    paper: 'Pastry (Middleware 2001), figures 9, 10',
    found:
      'With a tenth dead and nothing repaired a lookup takes .23 hops more; after the repair, .01. The repair takes 57 remote procedure calls for each dead node.',
    setup: '2,000 nodes that join on the plane (published: 5,000); 20,000 lookups, 10 minutes of quiet and of repair',
    messages: 1e7,
    plots: [{ form: 'bars', x: '', y: 'hops', series: { ours: 1, published: 3, 'ideal tables': 2 } }],
    run: massFailure,
  },
  joins: {
    says: 'messages for one join by the size of the network',
    paper: 'Pastry (Middleware 2001), §2.4',
    found: 'A join takes O(log N) messages, with a constant of about 3·2^b remote procedure calls; no measurement is printed.',
    setup: '125 to 2,000 nodes on the plane, 20 joins at each size',
    messages: 1e6,
    plots: [{ form: 'lines', x: 'nodes', y: 'messages, calls', series: { 'messages, ours': 1, 'calls, published': 3 }, logarithmic: true }],
    run: joinCost,
  },
  churn: {
    says: 'lookups while nodes come and go, by the length of their sessions',
    paper: 'MSPastry (DSN 2004)',
    found:
      'With sessions as users of Gnutella had them, ways take less than twice the direct delay on average, and a node sends less than half a control message a second.',
    setup: '300 nodes on a transit-stub network (published: 10,000), 20 minutes at each of five lengths',
    messages: 1e6,
    plots: [
      { form: 'lines', x: 'mean session, minutes', y: 'control messages a second and node', series: { ours: 8 }, logarithmic: true },
      { form: 'lines', x: 'mean session, minutes', y: 'times the direct delay', series: { ours: 6 }, logarithmic: true },
    ],
    anyOverlay: true,
    run: churnSweep,
  },
  sessions: {
    says: 'lookups while nodes stay for minutes only, and what upkeep costs in bytes',
    paper: 'Bamboo (USENIX 2004)',
    found:
      'Lookups keep completing down to median sessions of 1.4 minutes, at less than 900 bytes a second and node, where the reactive repair of other systems fails at 23 minutes.',
    setup: '200 nodes on a transit-stub network (published: 1,000), 8 minutes at each of four lengths',
    messages: 1e6,
    plots: [{ form: 'bars', x: 'median session in minutes', y: 'bytes a second and node', series: { 'control, ours': 5 } }],
    anyOverlay: true,
    run: shortSessions,
  },
  ablation: {
    says: 'lookups lost without acknowledgements of each hop, and without probes of the routing table',
    paper: 'MSPastry (DSN 2004)',
    found: 'Without both about a third of the lookups is lost (unconfirmed); acknowledgements do more than probes.',
    setup: '300 nodes on a transit-stub network (published: 10,000), sessions of 30 minutes, 30 minutes a line',
    messages: 1e6,
    plots: [{ form: 'bars', x: '', y: '% of the lookups lost', series: { ours: 2 } }],
    run: ablation,
  },
  timeouts: {
    says: 'how long lookups take when a hop waits by measured round trips or always 5 s',
    paper: 'Bamboo (USENIX 2004)',
    found: 'A wait by measured round trips is best at all rates; one of 5 s more than doubles the mean even where few nodes come and go.',
    setup: '300 nodes on a transit-stub network (published: 1,000), 20 minutes at each of four lengths, twice',
    messages: 1e6,
    plots: [
      {
        form: 'lines',
        x: 'median session, minutes',
        y: 'milliseconds',
        series: { 'by round trips': 2, 'always 5 s': 3 },
        logarithmic: true,
      },
    ],
    run: timeouts,
  },
}
