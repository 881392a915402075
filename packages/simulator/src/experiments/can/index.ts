import type { Experiment } from '../experiment.ts'
import { allKnobs } from './all-knobs.ts'
import { hopLatency } from './hop-latency.ts'
import { pathLength } from './path-length.ts'
import { zoneOverloading } from './zone-overloading.ts'
import { zoneVolumes } from './zone-volumes.ts'

/** The figures of CAN (SIGCOMM 2001) by their word for the command line. */
export const canExperiments: Readonly<Record<string, Experiment>> = {
  path: {
    says: 'path length and neighbours by nodes and dimensions',
    paper: 'CAN (SIGCOMM 2001), §2.2',
    setup: '4,096 to 65,536 nodes, 2,000 keys a line',
    messages: 0,
    run: pathLength,
  },
  rtt: {
    says: 'milliseconds of a hop without and with RTT weighting',
    paper: 'CAN (SIGCOMM 2001), §3.3',
    setup: '16,384 nodes, 2,000 keys a line',
    messages: 0,
    run: hopLatency,
  },
  overloading: {
    says: 'milliseconds of a hop by nodes a zone',
    paper: 'CAN (SIGCOMM 2001), §3.5',
    setup: '16,384 nodes, 2,000 keys a line',
    messages: 0,
    run: zoneOverloading,
  },
  volumes: {
    says: 'volumes of zones without and with uniform partitioning',
    paper: 'CAN (SIGCOMM 2001), figure 9',
    setup: '65,536 nodes, 3 dimensions',
    messages: 0,
    run: zoneVolumes,
  },
  knobs: {
    says: 'bare bones against all knobs turned',
    paper: 'CAN (SIGCOMM 2001), §4',
    setup: '65,536 nodes, 1,000 keys a line',
    messages: 0,
    run: allKnobs,
  },
}
