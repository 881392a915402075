import { Prng } from '@plaxton/kbr'
import { directCases } from './kbr-direct.ts'
import { membershipCases, partitionCases } from './kbr-membership.ts'
import type { KbrCase, KbrContext, OverlayAbilities } from './kbr-network.ts'
import { questionCases, rangeCases } from './kbr-questions.ts'
import { routingCases } from './kbr-routing.ts'
import { settle } from './kbr-settle.ts'
import { simulatedCases } from './simulated-cases.ts'
import { newNetwork } from './simulated-network.ts'
import type { OverlayUnderTest, SimulatedCase, SimulatedContext } from './simulated-network.ts'
import { framed, register } from './suite.ts'
import type { Case, Runner, Suite } from './suite.ts'

export interface OverlayInit extends OverlayUnderTest {
  /** How many seeds, counted from 1, or which ones. Default 2: a slice for every day. Every case runs once for each. */
  readonly seeds?: number | readonly (number | string)[]
  /** Nodes of the networks that are not about few nodes. Default 24: more than most overlays' nodes know all of. */
  readonly nodes?: number
  /** The line that repeats a failure, printed with it. Default: the call of `overlayConformance` with this seed. */
  readonly repeat?: (seed: number | string, title: string) => string
  readonly runner?: Runner
}

/** Registers tests that hold for every overlay, in the simulator, on networks of 1, 2, 3 and more nodes, for each seed. */
export function overlayConformance(name: string, init: OverlayInit): void {
  register(overlaySuite(name, init), init.runner)
}

/** The same as a value. */
export function overlaySuite(name: string, init: OverlayInit): Suite {
  const { nodes = 24, has } = init
  const cases = kbrCases(has)
  const partitions = partitionCases(has)
  const onSimulated = (count: number, title: string): Suite => ({
    title,
    cases: [...cases, ...partitions].filter(suits(count)).map((each) => simulated(name, init, count, each)),
  })
  return {
    title: `the overlay ${name}`,
    suites: [
      onSimulated(1, 'alone'),
      onSimulated(2, 'with 2 nodes'),
      onSimulated(3, 'with 3 nodes'),
      onSimulated(nodes, `with ${nodes} nodes`),
      { title: 'in the simulator', cases: simulatedCases(init).map((each) => simulated(name, init, each.nodes ?? nodes, each)) },
    ],
  }
}

/** What holds on every driver. */
export function kbrCases(has: OverlayAbilities): KbrCase[] {
  return [...routingCases, ...questionCases, ...rangeCases(has.ranges), ...directCases, ...membershipCases(has)]
}

/** Whether a case is about networks of this many nodes. */
export function suits(count: number): (each: KbrCase) => boolean {
  return ({ from = 1, upTo = Infinity }) => from <= count && count <= upTo
}

/** A case on a network of its own, once for each seed. */
function simulated(name: string, init: OverlayInit, count: number, each: KbrCase | SimulatedCase): Case {
  const { seeds = 2 } = init
  const list = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds
  const repeat = init.repeat ?? ((seed) => `overlayConformance('${name}', { …, seeds: [${JSON.stringify(seed)}] })`)
  return {
    title: each.title,
    run: async () => {
      for (const seed of list) {
        try {
          await runOn(init, count, each, seed)
        } catch (error) {
          throw framed(error, `seed ${seed}, ${count} ${count === 1 ? 'node' : 'nodes'}: `, `repeat with: ${repeat(seed, each.title)}`)
        }
      }
    },
  }
}

async function runOn(init: OverlayInit, count: number, each: KbrCase | SimulatedCase, seed: number | string): Promise<void> {
  const network = newNetwork(init, `${seed} ${each.title} ${count}`)
  const context: SimulatedContext = { network, ownership: init.ownership, has: init.has, prng: Prng.fromSeed(`${seed} ${each.title}`) }
  await network.grow(count)
  await settle(context)
  await (each.run as (context: KbrContext) => Promise<void>)(context)
}
