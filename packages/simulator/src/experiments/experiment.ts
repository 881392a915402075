import type { Report } from './report.ts'
import type { ExperimentOptions } from './world.ts'

/** One that can be repeated from the command line. */
export interface Experiment {
  /** What it measures and which figure that is, in half a line. */
  readonly says: string
  readonly run: (options: ExperimentOptions) => Report
}
