import { World, chordTransitStub, transitStub } from '@plaxton/simulator'
import type { OverlayUnderTest, Simulation, WorldOptions } from '@plaxton/simulator'

/** One claim made for overlays at application level over routing by IP alone, and what was measured of it. */
export interface Exhibit {
  /** Names the row: `scale`, `load balancing`, … */
  readonly row: string
  /** What IP offers and what the overlay is said to offer instead. */
  readonly claim: string
  readonly findings: readonly Finding[]
  /** What belongs to the claim and is not built yet; a sentence each. */
  readonly notBuilt: readonly string[]
}

/** One experiment and what came of it. */
export interface Finding {
  readonly experiment: string
  /** What was measured, in words. */
  readonly figure: string
  /** What the figure must be for the claim to hold. */
  readonly bound: string
  readonly holds: boolean
}

/** `not built`: there is nothing to measure yet. */
export type Verdict = 'held' | 'not held' | 'not built'

export function verdictOf({ findings }: Exhibit): Verdict {
  if (findings.length === 0) return 'not built'
  return findings.every(({ holds }) => holds) ? 'held' : 'not held'
}

/** What an exhibit is measured on. */
export interface Ground {
  readonly subject: OverlayUnderTest
  readonly seed: number
  readonly nodes: number
  /** How often each experiment is made: objects, changes. */
  readonly samples: number
  /** Called with each network before its first node joins. For tests that break what a claim rests on. */
  readonly prepare?: (simulation: Simulation) => void
}

/** A network of `nodes` nodes, grown by messages on a transit-stub network (links of the Chord paper) and settled. */
export function networkOf(
  { subject, seed, prepare }: Ground,
  nodes: number,
  options: Pick<WorldOptions, 'applications' | 'onDisk'> = {},
): World {
  const world = new World({ seed }, { nodes, topology: transitStub(chordTransitStub), subject, ...options })
  prepare?.(world.simulation)
  world.grow(nodes, { gapMs: joinGapMs })
  return world
}

/** As in the comparison. */
const joinGapMs = 250
