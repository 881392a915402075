import { InvalidValueError, configOf } from '@plaxton/kbr'
import type { Bounds, Millis } from '@plaxton/kbr'

/** Every parameter of a Chord node. Times are whole milliseconds; `…Max` are bounds on what one node keeps. */
export interface ChordConfig {
  /** Entries of the successor list, the paper's r: 1 to 64. Bounds k of PAST: k <= r + 1. */
  readonly successors: number
  /** Predecessors known, 1 to 64. That many replicas of a key know each other. */
  readonly predecessors: number
  /** Successors of each finger that are known beside it, the paper's s: 0 to 16. Messages go to the nearest of them. */
  readonly fingerSuccessors: number

  /** How often, on average, a node stabilises; each time between half and one and a half of this. */
  readonly stabilizeMs: Millis
  /** How often a node asks a predecessor that has not yet confirmed that nobody is between the two. */
  readonly confirmMs: Millis
  /** Pause between the lookups of a new member's fingers. */
  readonly fillFingersMs: Millis

  /** Wait for the answer of a peer whose round trip is unknown; with a known one, four round trips but never longer. */
  readonly probeTimeoutMs: Millis
  /** Shortest wait for an answer, however near the peer is. */
  readonly probeTimeoutMinMs: Millis
  /** Probes sent again before a peer counts as failed. */
  readonly probeRetries: number
  /** Probes of strangers that await an answer at one time. Full: a new one is left out; the next exchange brings its reason again. */
  readonly probesMax: number
  /** How long after finding a failure the neighbours are told, so that several failures go in one message. */
  readonly failureNoticeMs: Millis
  /** How long a failed node is remembered. */
  readonly failedMs: Millis
  /** How long nobody looks for a failed node because others speak of it; doubles with each look in vain. */
  readonly failedHoldMs: Millis
  /** Failed nodes remembered. Full: the one that failed first goes. */
  readonly failedMax: number

  /** Measured distances remembered. Full: the one measured first goes. */
  readonly proximityMax: number
  /** Distances being measured at one time, and candidates that wait for it. Full: a new one is left out; the next lookup brings it again. */
  readonly measurementsMax: number
  readonly candidatesMax: number

  /** How often a node looks for another ring through a past contact. */
  readonly historyMs: Millis
  /** Past contacts remembered. Full: a random one goes. */
  readonly historyMax: number

  /** Wait for the answer of the joiner's successor; and how often a joiner repeats what its neighbours have not answered. */
  readonly joinReplyMs: Millis
  /** First pause before another attempt; doubles with each round through the bootstrap nodes, up to `joinRetryMaxMs`. */
  readonly joinRetryMs: Millis
  readonly joinRetryMaxMs: Millis
  /** Joining gives up after this time. */
  readonly joinMs: Millis
}

export const chordDefaults: ChordConfig = {
  /** Stoica et al. 2003 (ToN): of the order of log N, 20 in its experiments with 1,000 nodes. 12 is log N at 4,096; and half of them dying leaves one list in 4,096 empty. */
  successors: 12,
  /** The paper has one. With as many as successors, whoever has a node in its list is known to that node, which tells it when it comes and goes. */
  predecessors: 12,
  /** Our choice among the paper's 1, 2, 4, 8, 16: halves the stretch. */
  fingerSuccessors: 4,

  /** The same paper: each time uniform in 15 to 45 s. */
  stabilizeMs: 30_000,
  /** Our guess: a few round trips. */
  confirmMs: 1_000,
  /** Our guess: 20 fingers, those of a network of a million, within 4 s. */
  fillFingersMs: 200,

  /** MSPastry (Castro, Costa and Rowstron, DSN 2004). The paper of Chord: 500 ms, without another try. */
  probeTimeoutMs: 3_000,
  /** Our guess: longer than a busy event loop pauses. */
  probeTimeoutMinMs: 500,
  /** MSPastry. */
  probeRetries: 2,
  /** Some three times the neighbours. */
  probesMax: 64,
  /** Our guess: mass failures are found within a second of each other. */
  failureNoticeMs: 500,
  /** FreePastry. */
  failedMs: 900_000,
  /** Our guess: a dead node is noticed by all its neighbours within one and a half `stabilizeMs` and four probe timeouts, 57 s. */
  failedHoldMs: 60_000,
  /** Some three times the neighbours. */
  failedMax: 64,

  /** Our guess: a node of a network of a million knows some 120 others. */
  proximityMax: 512,
  /** Our guess. */
  measurementsMax: 16,
  candidatesMax: 128,

  /** Our guess, as in `@plaxton/pastry`. */
  historyMs: 120_000,
  /** FreePastry. */
  historyMax: 20,

  /** A walk of some ten hops, one of them rerouted after 3 s. */
  joinReplyMs: 5_000,
  /** Our guess. */
  joinRetryMs: 500,
  joinRetryMaxMs: 15_000,
  joinMs: 120_000,
}

/** Smallest and largest allowed value of each parameter, all whole numbers. */
const bounds: Bounds<keyof ChordConfig> = {
  successors: [1, 64],
  predecessors: [1, 64],
  fingerSuccessors: [0, 16],
  stabilizeMs: [100, 3_600_000],
  confirmMs: [10, 600_000],
  fillFingersMs: [1, 600_000],
  probeTimeoutMs: [10, 600_000],
  probeTimeoutMinMs: [1, 600_000],
  probeRetries: [0, 10],
  probesMax: [16, 4_096],
  failureNoticeMs: [0, 600_000],
  failedMs: [1_000, 86_400_000],
  failedHoldMs: [0, 86_400_000],
  failedMax: [1, 65_536],
  proximityMax: [1, 1_000_000],
  measurementsMax: [1, 1_024],
  candidatesMax: [1, 65_536],
  historyMs: [100, 86_400_000],
  historyMax: [0, 1_000],
  joinReplyMs: [10, 600_000],
  joinRetryMs: [1, 600_000],
  joinRetryMaxMs: [1, 3_600_000],
  joinMs: [100, 86_400_000],
}

/** The defaults with `changes`, checked. Throws `InvalidValueError` naming the field, also for one that is no parameter. */
export function chordConfig(changes: Partial<ChordConfig> = {}): ChordConfig {
  const config = configOf('chord', chordDefaults, changes, bounds)
  if (config.probeTimeoutMinMs > config.probeTimeoutMs) {
    throw new InvalidValueError('chord.probeTimeoutMinMs', config.probeTimeoutMinMs, `at most probeTimeoutMs, ${config.probeTimeoutMs}`)
  }
  return config
}
