import type { Report } from './report.ts'
import type { ExperimentOptions } from './world.ts'

/** What a list of all there is to run says of one. */
export interface Listing {
  /** What it measures, in half a line. */
  readonly says: string
  /** Whose figure it repeats. */
  readonly paper: string
  /** What is simulated when no size is given. */
  readonly setup: string
  /** Messages that nodes handle in it, to the nearest power of ten; 0: none, what is measured follows from the ids and the cores' own decisions. */
  readonly messages: number
}

/** One that can be repeated from the command line. */
export interface Experiment extends Listing {
  readonly run: (options: ExperimentOptions) => Report
}
