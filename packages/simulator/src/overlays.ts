import { can, canDefaults } from '@plaxton/can'
import type { CanConfig } from '@plaxton/can'
import { chord, chordDefaults } from '@plaxton/chord'
import type { ChordConfig, ChordNode } from '@plaxton/chord'
import { kademlia, kademliaDefaults } from '@plaxton/kademlia'
import type { KademliaConfig, KademliaNode } from '@plaxton/kademlia'
import type { Millis, OverlayFactory } from '@plaxton/kbr'
import { pastry, pastryDefaults } from '@plaxton/pastry'
import type { PastryConfig } from '@plaxton/pastry'
import { tapestry, tapestryDefaults } from '@plaxton/tapestry'
import type { TapestryConfig, TapestryNode } from '@plaxton/tapestry'
import { IdealCan } from './ideal-can.ts'
import { IdealChord } from './ideal-chord.ts'
import { IdealKademlia } from './ideal-kademlia.ts'
import { IdealPastry } from './ideal-pastry.ts'
import { IdealTapestry } from './ideal-tapestry.ts'
import type { IdealTables, Place } from './ideal-tables.ts'
import { checkLeafSets } from './overlay-checks.ts'
import { clockwise, ringDistance, surrogate } from './ownership.ts'
import type { Ownership } from './ownership.ts'
import { checkHoles, checkSiblings } from './prefix-checks.ts'
import { checkRing } from './ring-checks.ts'
import type { Simulation } from './simulation.ts'
import type { Topology } from './topology.ts'
import type { Violations } from './violations.ts'
import { checkSiblingLists } from './xor-checks.ts'
import { xorDistance } from './xor-ownership.ts'
import { checkTiling, tiling, zoneOrder } from './zone-ownership.ts'

/** An overlay as the scenarios run and check it. */
export interface OverlayUnderTest {
  readonly overlay: OverlayFactory
  readonly ownership: Ownership
  /** Ranks of a key that its root must know. */
  readonly ranksKnown: number
  /** Of so many nodes that come first for a key, each knows the others. */
  readonly ranksHeld: number
  /** The same overlay with perfect tables. */
  ideal(topology: Topology, places: readonly Place[]): IdealTables
  /** Holds the nodes' own tables against the truth; after quiet. */
  checkTables(simulation: Simulation, violations: Violations): void
  /** What may still change when nobody has come or gone for long: CAN's zones, which go from those who took care of them to others. It has to stay as it is for `forMs` before the checks. */
  readonly late?: { readonly look: (simulation: Simulation) => string; readonly forMs: Millis }
}

/** How an experiment wants its overlay; what is left out is as the mix runs it. */
export interface OverlayVariant {
  /** Bits of a digit, the papers' b. Default 4. */
  readonly digitBits?: number
  /** Upkeep once an hour only, so that the cost of something else can be seen. Default false. */
  readonly calm?: boolean
  /** CAN's coordinate spaces. Default 1. */
  readonly realities?: number
}

export type OverlayName = 'pastry' | 'tapestry' | 'chord' | 'kademlia' | 'can'

/** The overlays there are, by name. */
export const overlays: Readonly<Record<OverlayName, (variant?: OverlayVariant) => OverlayUnderTest>> = {
  pastry: ({ digitBits = 4, calm = false } = {}) => pastryUnderTest({ leafSetSize: 16, digitBits, ...(calm ? calmPastry : {}) }),
  tapestry: ({ digitBits = 4, calm = false } = {}) => tapestryUnderTest({ digitBits, ...(calm ? calmTapestry : {}) }),
  kademlia: ({ calm = false } = {}) => kademliaUnderTest({ siblingsSure: 12, siblings: 30, ...(calm ? calmKademlia : {}) }),
  chord: ({ calm = false } = {}) => chordUnderTest(calm ? calmChord : {}),
  can: ({ calm = false, realities = 1 } = {}) => canUnderTest({ realities, ...(calm ? calmCan : {}) }),
}

const hourMs = 3_600_000
const calmPastry = { heartbeatMs: hourMs, tableProbeMs: hourMs, leafExchangeMs: hourMs, rowExchangeMs: hourMs, historyMs: hourMs } as const
const calmTapestry = { heartbeatMs: hourMs, beaconMs: hourMs, exchangeMs: hourMs, optimizeMs: hourMs, seekMs: hourMs } as const
const calmKademlia = { heartbeatMs: hourMs, contactMs: hourMs, exchangeMs: hourMs, seekMs: hourMs } as const
const calmCan = { heartbeatMs: hourMs, silenceMs: hourMs, watchMs: hourMs, historyMs: hourMs, reassignMs: hourMs } as const
const calmChord = { stabilizeMs: hourMs, historyMs: hourMs } as const

/** Pastry with this configuration. */
export function pastryUnderTest(config: Partial<PastryConfig>): OverlayUnderTest {
  const { leafSetSize } = { ...pastryDefaults, ...config }
  return {
    overlay: pastry(config),
    ownership: ringDistance,
    ranksKnown: leafSetSize / 2 + 1,
    ranksHeld: leafSetSize / 2,
    ideal: (topology, places) => new IdealPastry(topology, places, { digitBits: 4, leafSetSize }),
    checkTables: (simulation, violations) => checkLeafSets(simulation, violations, leafSetSize),
  }
}

/** CAN with this configuration. */
function canUnderTest(config: Partial<CanConfig> = {}): OverlayUnderTest {
  const { dimensions, groupMin } = { ...canDefaults, ...config }
  return {
    overlay: can(config),
    ownership: zoneOrder(),
    ranksKnown: groupMin,
    ranksHeld: groupMin,
    ideal: (topology, places) => new IdealCan(topology, places, { dimensions }),
    checkTables: checkTiling,
    // Two rounds of reassignment, a fifth late each, and one of PAST.
    late: { look: tiling, forMs: 2.4 * canDefaults.reassignMs + 5_000 },
  }
}

/** Tapestry with this configuration. */
export function tapestryUnderTest(config: Partial<TapestryConfig> = {}): OverlayUnderTest {
  const { digitBits, siblingsMin } = { ...tapestryDefaults, ...config }
  return {
    overlay: tapestry(config),
    ownership: surrogate(digitBits),
    ranksKnown: siblingsMin,
    ranksHeld: siblingsMin,
    ideal: (topology, places) => new IdealTapestry(topology, places),
    checkTables: (simulation, violations) => {
      checkHoles(simulation, violations, { digitBits, mapOf: (node) => node.kbr.overlay as TapestryNode })
      checkSiblings(simulation, violations, { digitBits, siblingsMin })
    },
  }
}

/** Chord with this configuration. */
export function chordUnderTest(config: Partial<ChordConfig> = {}): OverlayUnderTest {
  const { successors, predecessors, fingerSuccessors } = { ...chordDefaults, ...config }
  return {
    overlay: chord(config),
    ownership: clockwise,
    ranksKnown: successors + 1,
    ranksHeld: Math.min(predecessors, successors + 1),
    ideal: (topology, places) => new IdealChord(topology, places, { successors, predecessors, fingerSuccessors }),
    checkTables: (simulation, violations) =>
      checkRing(simulation, violations, { successors, predecessors, viewOf: (node) => node.kbr.overlay as ChordNode }),
  }
}

/** Kademlia with this configuration. */
export function kademliaUnderTest(config: Partial<KademliaConfig> = {}): OverlayUnderTest {
  const { bucketSize, siblingsSure, siblings } = { ...kademliaDefaults, ...config }
  return {
    overlay: kademlia(config),
    ownership: xorDistance,
    ranksKnown: siblingsSure,
    // Beyond the root, what is known of a key depends on how evenly nodes are spread: that fewer are fails once in ten thousand million keys.
    ranksHeld: Math.max(1, Math.floor(siblings / 10)),
    ideal: (topology, places) => new IdealKademlia(topology, places, { bucketSize, siblings }),
    checkTables: (simulation, violations) =>
      checkSiblingLists(simulation, violations, {
        least: siblingsSure,
        places: siblings,
        bucketsOf: (node) => node.kbr.overlay as KademliaNode,
      }),
  }
}
