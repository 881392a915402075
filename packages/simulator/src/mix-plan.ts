import type { Millis, Prng } from '@plaxton/kbr'
import { plane, uniform } from './topology.ts'
import type { TopologyFactory } from './topology.ts'
import { canTransitStub, chordTransitStub, transitStub } from './transit-stub.ts'

/** The topologies that are drawn from. */
export const mixTopologies = {
  'uniform 10 ms': uniform(10),
  plane: plane(),
  'transit-stub 100/10/1': transitStub(canTransitStub),
  'transit-stub 50/20/1': transitStub(chordTransitStub),
} satisfies Readonly<Record<string, TopologyFactory>>

export type MixTopology = keyof typeof mixTopologies

/** What goes wrong in one run of the mix, and how hard. A gap of undefined: this fault does not exist in this run. */
export interface MixPlan {
  readonly topology: TopologyFactory
  readonly topologyName: MixTopology
  /** Every message as bytes. */
  readonly encode: boolean
  readonly noticeMs: Millis | undefined
  readonly joinGapMs: Millis
  /** Length of the disturbed phase. */
  readonly chaosMs: Millis

  // Messages
  readonly loss: number
  readonly jitterMs: Millis
  readonly slowNodes: number
  readonly brokenLinks: number
  readonly partitions: number
  readonly partitionMs: Millis
  readonly oneWay: boolean

  // Nodes: mean time between two such events in the network
  readonly crashGapMs: Millis | undefined
  readonly wipeShare: number
  /** Mean time until a crashed node starts again; undefined: it stays down until the end. */
  readonly restartMs: Millis | undefined
  readonly leaveGapMs: Millis | undefined
  readonly joinGapInChaosMs: Millis | undefined
  /** Share of the nodes that crash at one moment. */
  readonly massCrash: number

  // Commands
  readonly putGapMs: Millis
  readonly getGapMs: Millis
  readonly removeGapMs: Millis | undefined
  readonly largest: number
  readonly replicas: number
}

/**
 * Draws a plan. Swarm testing (Groce et al., ISSTA 2012): each run leaves some faults out altogether and gives the others very different weights,
 * because faults mask each other: with everything switched on, the rare combination of two never comes about.
 */
export function drawPlan(prng: Prng): MixPlan {
  const sometimes = <T>(probability: number, value: () => T, otherwise: T): T => {
    // Both drawn always, so that a plan with a fault less differs in nothing else.
    const drawn = value()
    return prng.chance(probability) ? drawn : otherwise
  }
  const between = (low: number, high: number) => low + prng.nextInt(high - low + 1)
  const topologyName = prng.pick(Object.keys(mixTopologies) as MixTopology[])!
  const putGapMs = prng.pick([500, 2000, 5000])!
  return {
    topologyName,
    topology: mixTopologies[topologyName],
    encode: prng.chance(0.25),
    noticeMs: sometimes(0.5, () => prng.pick([20, 200, 3000]), undefined),
    joinGapMs: prng.pick([0, 20, 200, 1000])!,
    chaosMs: between(60, 300) * 1000,
    loss: sometimes(0.4, () => prng.pick([0.001, 0.01, 0.05, 0.1])!, 0),
    jitterMs: sometimes(0.3, () => between(1, 100), 0),
    slowNodes: sometimes(0.2, () => between(1, 5), 0),
    brokenLinks: sometimes(0.2, () => between(1, 50), 0),
    partitions: sometimes(0.4, () => between(1, 3), 0),
    partitionMs: between(5, 120) * 1000,
    oneWay: prng.chance(0.3),
    crashGapMs: sometimes(0.6, () => prng.pick([2, 5, 10, 30])! * 1000, undefined),
    wipeShare: prng.pick([0, 0.2, 1])!,
    restartMs: sometimes(0.7, () => prng.pick([1, 10, 60])! * 1000, undefined),
    leaveGapMs: sometimes(0.4, () => prng.pick([5, 20, 60])! * 1000, undefined),
    joinGapInChaosMs: sometimes(0.5, () => prng.pick([2, 5, 20])! * 1000, undefined),
    massCrash: sometimes(0.25, () => prng.pick([0.1, 0.3, 0.5])!, 0),
    putGapMs,
    getGapMs: prng.pick([500, 2000])!,
    removeGapMs: sometimes(0.6, () => prng.pick([3, 10])! * putGapMs, undefined),
    largest: prng.pick([200, 5000, 40_000])!,
    replicas: prng.pick([3, 5, 5, 5, 7])!,
  }
}

/** The plan in one line. */
export function describePlan(plan: MixPlan): string {
  const { topology: _, topologyName, ...rest } = plan
  const parts = Object.entries(rest).filter(([, value]) => value !== undefined && value !== 0 && value !== false)
  return [topologyName, ...parts.map(([field, value]) => `${field} ${String(value)}`)].join(', ')
}
