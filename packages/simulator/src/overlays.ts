import type { OverlayFactory } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { checkLeafSets } from './overlay-checks.ts'
import { ringDistance } from './ownership.ts'
import type { Ownership } from './ownership.ts'
import type { Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/** An overlay as the scenarios run and check it. */
export interface OverlayUnderTest {
  readonly overlay: OverlayFactory
  readonly ownership: Ownership
  /** Ranks of a key that its root must know. */
  readonly ranksKnown: number
  /** Holds the nodes' own tables against the truth; after quiet. */
  checkTables(simulation: Simulation, violations: Violations): void
}

export type OverlayName = 'pastry'

/** The overlays there are, by name, as the mix runs them. */
export const overlays: Readonly<Record<OverlayName, () => OverlayUnderTest>> = {
  pastry: () => pastryUnderTest(16),
}

/** Pastry with this many leaves. */
export function pastryUnderTest(leafSetSize: number): OverlayUnderTest {
  return {
    overlay: pastry({ leafSetSize }),
    ownership: ringDistance,
    ranksKnown: leafSetSize / 2 + 1,
    checkTables: (simulation, violations) => checkLeafSets(simulation, violations, leafSetSize),
  }
}
