import type { Experiment } from '../experiment.ts'
import { allKnobs } from './all-knobs.ts'
import { hopLatency } from './hop-latency.ts'
import { pathLength } from './path-length.ts'
import { realities } from './realities.ts'
import { zoneOverloading } from './zone-overloading.ts'
import { zoneVolumes } from './zone-volumes.ts'

/** The figures of CAN (SIGCOMM 2001) by their word for the command line. */
export const canExperiments: Readonly<Record<string, Experiment>> = {
  path: {
    says: 'path length and neighbours by nodes and dimensions',
    paper: 'CAN (SIGCOMM 2001), §2.2',
    found: 'Among equal zones in d dimensions a way has (d/4) n^(1/d) hops, and a node 2d neighbours however many nodes there are.',
    setup: '4,096 to 65,536 nodes, 2,000 keys a line',
    messages: 0,
    plots: [{ form: 'bars', x: 'network', y: 'hops', series: { ours: 2, published: 1 } }],
    run: pathLength,
  },
  realities: {
    says: 'path length by coordinate spaces in which each node has a zone',
    paper: 'CAN (SIGCOMM 2001), §3.2',
    found:
      'A zone in each of several independent coordinate spaces brings a node nearer to every point in one of them; more dimensions do so for less.',
    setup: '1,024 to 16,384 nodes, 1,000 keys a figure',
    messages: 0,
    plots: [{ form: 'lines', x: 'nodes', y: 'hops to the root', series: { 'r 1': 3, 'r 2': 6, 'r 3': 9, 'r 4': 12 }, logarithmic: true }],
    run: realities,
  },
  rtt: {
    says: 'milliseconds of a hop without and with RTT weighting',
    paper: 'CAN (SIGCOMM 2001), §3.3',
    found: 'Weighing progress by round trip takes 24 to 40 % off a hop.',
    setup: '16,384 nodes, 2,000 keys a line',
    messages: 0,
    plots: [{ form: 'bars', x: 'dimensions', y: 'milliseconds a hop, weighted', series: { ours: 4, published: 3 } }],
    run: hopLatency,
  },
  overloading: {
    says: 'milliseconds of a hop by nodes a zone',
    paper: 'CAN (SIGCOMM 2001), §3.4',
    found: 'Several nodes in one zone, of which each knows the nearest next door, take up to 45 % off a hop.',
    setup: '16,384 nodes, 2,000 keys a line',
    messages: 0,
    plots: [{ form: 'lines', x: 'nodes a zone at most', y: 'part of a hop with one node a zone', series: { ours: 4, published: 3 } }],
    run: zoneOverloading,
  },
  volumes: {
    says: 'volumes of zones without and with uniform partitioning',
    paper: 'CAN (SIGCOMM 2001), figure 9',
    found:
      'Splitting the largest zone around leaves almost 90 % of all zones at exactly the mean size, where random splits leave a little over 40 %.',
    setup: '65,536 nodes, 3 dimensions',
    messages: 0,
    plots: [{ form: 'bars', x: 'volume', y: '% of the zones', series: { 'without, ours': 2, 'with, ours': 4 } }],
    run: zoneVolumes,
  },
  knobs: {
    says: 'bare bones against all knobs turned',
    paper: 'CAN (SIGCOMM 2001), §4',
    found: 'All improvements together bring a way of 23 seconds down to 135 ms, 1.64 times the direct one.',
    setup: '65,536 nodes, 1,000 keys a line',
    messages: 0,
    run: allKnobs,
  },
}
