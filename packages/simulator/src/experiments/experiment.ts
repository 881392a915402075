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
  /** What the paper found, for somebody who has not read it: a sentence or two. */
  readonly found: string
  /** How the table of its report is drawn; none: not at all. */
  readonly plots?: readonly Plot[]
  /** Whether the same can be measured of any overlay; else `overlay` must be the paper's. Default false. */
  readonly anyOverlay?: boolean
  readonly run: (options: ExperimentOptions) => Report
}

/** A drawing of some columns of a report against its first. A cell counts with the number it begins with; one that begins with none is left out. */
export interface Plot {
  /** Bars stand over the words of the first column, lines over its numbers. */
  readonly form: 'bars' | 'lines'
  /** What the first column counts. */
  readonly x: string
  /** What the others count. */
  readonly y: string
  /** Places of those columns in the table, by their names in the legend; ours first. */
  readonly series: Readonly<Record<string, number>>
  /** Of the first column; for numbers that double from row to row. Default false. */
  readonly logarithmic?: boolean
}
