import { comingsAndGoings } from './comings-and-goings.ts'
import { insertionTime } from './insertion-time.ts'
import { insertionTraffic } from './insertion-traffic.ts'
import { massChange } from './mass-change.ts'
import { nodeStretch } from './node-stretch.ts'
import { parallelInsertion } from './parallel-insertion.ts'
import type { Report } from './report.ts'
import type { ExperimentOptions } from './world.ts'

export type { ExperimentOptions }

export interface Experiment {
  /** What it measures and which figure that is, in half a line. */
  readonly says: string
  readonly run: (options: ExperimentOptions) => Report
}

/** The experiments of the Tapestry paper (published-results.md §4), by the word for the command line. */
export const experiments: Readonly<Record<string, Experiment>> = {
  nodes: { says: 'RDP of routes to nodes by distance (figure 13)', run: nodeStretch },
  insertion: { says: 'time to insert one node by the size of the network (figure 16)', run: insertionTime },
  traffic: { says: 'bytes for that, in base 4 (figure 17)', run: insertionTraffic },
  parallel: { says: 'many nodes inserted at one moment; no holes afterwards (figure 18)', run: parallelInsertion },
  failures: { says: 'a fifth die at one moment, half as many join at another (figure 19)', run: massChange },
  churn: { says: 'nodes come and go (figure 21)', run: comingsAndGoings },
}
