import type { Experiment } from '../experiment.ts'
import { allKnobs } from './all-knobs.ts'
import { hopLatency } from './hop-latency.ts'
import { pathLength } from './path-length.ts'
import { zoneOverloading } from './zone-overloading.ts'
import { zoneVolumes } from './zone-volumes.ts'

/** The figures of CAN (SIGCOMM 2001) by their word for the command line. */
export const canExperiments: Readonly<Record<string, Experiment>> = {
  path: { says: 'path length and neighbours by nodes and dimensions', run: pathLength },
  rtt: { says: 'milliseconds of a hop without and with RTT weighting', run: hopLatency },
  overloading: { says: 'milliseconds of a hop by nodes a zone', run: zoneOverloading },
  volumes: { says: 'volumes of zones without and with uniform partitioning', run: zoneVolumes },
  knobs: { says: 'bare bones against all knobs turned', run: allKnobs },
}
