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
    says: 'keys per node',
    paper: 'Chord (ToN 2003), figure 8',
    found:
      'Keys per node differ widely: of 10,000 nodes the fullest has 9.1 times the mean, one in a hundred has 4.6 times as many, and some have none.',
    setup: '10,000 nodes, 500,000 keys (--objects), 20 rings',
    messages: 0,
    run: keysPerNode,
  },
  virtual: {
    says: 'keys per host with 1 to 20 virtual nodes',
    paper: 'Chord (ToN 2003), figure 9',
    found:
      'With more ids for each host the load evens out: from one to twenty, the 99th percentile falls from 4.8 to 1.6 times the mean, and the first rises from 0 to half of it.',
    setup: '10,000 hosts, 1,000,000 keys (--objects)',
    messages: 0,
    plots: [
      {
        form: 'lines',
        x: 'virtual nodes',
        y: 'multiples of the mean',
        series: { 'p1, ours': 1, 'p99, ours': 2, 'p1 of the model': 6, 'p99 of the model': 7 },
      },
    ],
    run: virtualNodes,
  },
  path: {
    says: 'path length by the size of the ring',
    paper: 'Chord (ToN 2003), figure 10',
    found: 'A lookup takes half of log2 N messages on average.',
    setup: '8 to 16,384 nodes (--nodes: the largest), perfect tables',
    messages: 0,
    plots: [{ form: 'lines', x: 'nodes', y: 'hops', series: { 'ours, r = 1': 1, published: 4, 'ours, r = 12': 6 }, logarithmic: true }],
    run: pathLength,
  },
  failures: {
    says: 'lookups after a mass failure that nobody has noticed',
    paper: 'Chord (ToN 2003), table II',
    found:
      'With 20 successors and half of the nodes dead at once, every lookup still succeeds; ways grow from 3.84 to 5.09 hops, with 5.1 timeouts.',
    setup: '1,000 nodes, 10,000 lookups a line',
    messages: 0,
    plots: [
      { form: 'lines', x: '% of the nodes dead', y: 'hops', series: { ours: 1, published: 2 } },
      { form: 'lines', x: '% of the nodes dead', y: 'timeouts a lookup', series: { ours: 3, published: 4 } },
    ],
    run: massFailure,
  },
  lost: {
    says: 'lookups after a mass failure and its repair',
    paper: 'Chord (SIGCOMM 2001), figure 11',
    found: 'Once the ring is repaired, as many lookups fail as keys were lost with their nodes, and no more.',
    setup: '500 nodes, 10,000 lookups a line',
    messages: 1e6,
    plots: [{ form: 'lines', x: '% of the nodes dead', y: '%', series: { 'lookups failed, ours': 2, 'keys lost': 1 } }],
    anyOverlay: true,
    run: lostKeys,
  },
  retries: {
    says: 'lookups that a failure would have ended, had they not been tried again',
    paper: 'Chord (SIGCOMM 2001), figure 12',
    found:
      'Lookups that fail grow in proportion with how fast nodes come and go: about 3 % are expected at the highest rate, and slightly more are measured.',
    setup: '500 nodes, an hour a line',
    messages: 1e7,
    plots: [
      {
        form: 'lines',
        x: 'joins and crashes a second',
        y: '% of the lookups',
        series: { ours: 2, 'expected by the paper’s reasoning': 3 },
      },
    ],
    run: withoutRetries,
  },
  churn: {
    says: 'lookups while nodes come and go',
    paper: 'Chord (ToN 2003), table III',
    found:
      'Paths stay below 4.1 hops and fewer than half of the lookups meet a timeout, up to a join and a crash every 2.5 seconds; at most 16 of 10,000 lookups fail.',
    setup: '1,000 nodes, an hour a line',
    messages: 1e7,
    plots: [
      { form: 'lines', x: 'joins and crashes a second', y: 'hops', series: { ours: 1, published: 2 } },
      { form: 'lines', x: 'joins and crashes a second', y: 'timeouts a lookup', series: { ours: 3, published: 4 } },
    ],
    run: comingsAndGoings,
  },
  stretch: {
    says: 'stretch with s nodes to choose from at each hop',
    paper: 'Chord (ToN 2003), table III',
    found: 'Choosing the nearest of s nodes at each hop brings ways from four times the direct one down to one and a half.',
    setup: '65,536 nodes, perfect tables, 10,000 lookups a line',
    messages: 0,
    plots: [{ form: 'bars', x: 'candidates', y: 'times the direct way, recursive', series: { ours: 3, published: 4 } }],
    run: stretch,
  },
}
