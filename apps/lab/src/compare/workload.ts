import { canTransitStub, chordTransitStub, plane, transitStub, uniform } from '@plaxton/simulator'
import type { TopologyFactory } from '@plaxton/simulator'

/** What every overlay is put through. The same seed gives each the same ids, the same places and the same lookups. */
export interface Workload {
  /** Nodes of the network before anything happens to it. */
  readonly nodes: number
  readonly topology: TopologyName
  /** Mean session under churn, in minutes; sessions are exponential and end without a word. */
  readonly sessionMinutes: number
  /** Simulated minutes of quiet, and of churn, that are measured. */
  readonly minutes: number
}

export type TopologyName = 'transit-stub' | 'can' | 'plane' | 'uniform'

/** Where the nodes may be, by name. */
export const topologies: Readonly<Record<TopologyName, TopologyFactory>> = {
  'transit-stub': transitStub(chordTransitStub),
  can: transitStub(canTransitStub),
  plane: plane(),
  uniform: uniform(50),
}

export const workloadDefaults: Workload = {
  /** A network that every overlay grows and measures in about a minute of one core. */
  nodes: 200,
  /** The links of the Chord paper (ToN 2003, §VI). */
  topology: 'transit-stub',
  /** The middle of MSPastry's range (DSN 2004, figure 4: 5 to 600 minutes, most changes of the figures between 15 and 60). */
  sessionMinutes: 30,
  /** Long enough for twenty heartbeats of the slowest overlay here. */
  minutes: 10,
}

/** Lookups a second under churn and failure: one by every twentieth node. Enough for a 99th percentile in ten minutes. Our guess. */
export function lookupsPerSecond({ nodes }: Pick<Workload, 'nodes'>): number {
  return nodes / 20
}
