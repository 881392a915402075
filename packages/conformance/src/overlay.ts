import { Prng } from '@plaxton/kbr'
import { partitionCases } from './kbr-membership.ts'
import type { KbrCase, KbrContext } from './kbr-network.ts'
import { kbrCases, suits } from './kbr.ts'
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
  /**
   * The line that repeats a failure, printed with it. `title` is the case when it had a network of its own; undefined when it shared one with those before
   * it, which belong to its history then. Default: the call of `overlayConformance` with this seed.
   */
  readonly repeat?: (seed: number | string, title: string | undefined) => string
  readonly runner?: Runner
}

/** Registers tests that hold for every overlay, in the simulator, on networks of 1, 2, 3 and more nodes, for each seed. */
export function overlayConformance(name: string, init: OverlayInit): void {
  register(overlaySuite(name, init), init.runner)
}

/** The same as a value. */
export function overlaySuite(name: string, init: OverlayInit): Suite {
  const { nodes = 24, has } = init
  const cases = [...kbrCases(has), ...partitionCases(has)]
  const on = (count: number, title: string): Suite => {
    const runs = new Runs(name, init, count)
    return { title, cases: cases.filter(suits(count)).map((each) => runs.caseOf(each, each.changes !== true)) }
  }
  const simulated = simulatedCases(init).map((each) => new Runs(name, init, each.nodes ?? nodes).caseOf(each, false))
  return {
    title: `the overlay ${name}`,
    suites: [
      on(1, 'alone'),
      on(2, 'with 2 nodes'),
      on(3, 'with 3 nodes'),
      on(nodes, `with ${nodes} nodes`),
      { title: 'in the simulator', cases: simulated },
    ],
  }
}

/** Runs cases on networks of so many nodes, once for each seed. */
class Runs {
  private readonly name: string
  private readonly init: OverlayInit
  private readonly count: number
  /** The networks that cases share which change nothing about them, by seed. */
  private readonly shared = new Map<number | string, Promise<SimulatedContext['network']>>()

  constructor(name: string, init: OverlayInit, count: number) {
    this.name = name
    this.init = init
    this.count = count
  }

  caseOf(each: KbrCase | SimulatedCase, sharing: boolean): Case {
    const { seeds = 2 } = this.init
    const list = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds
    return {
      title: each.title,
      run: async () => {
        for (const seed of 'once' in each && each.once === true ? list.slice(0, 1) : list) await this.runOne(each, seed, sharing)
      },
    }
  }

  private async runOne(each: KbrCase | SimulatedCase, seed: number | string, sharing: boolean): Promise<void> {
    const { count, init, name } = this
    const { ownership, has, repeat = (): string => `overlayConformance('${name}', { …, seeds: [${JSON.stringify(seed)}] })` } = init
    try {
      const network = sharing ? await this.sharedNetwork(seed) : await this.build(`${seed} ${each.title}`)
      const context: SimulatedContext = { network, ownership, has, prng: Prng.fromSeed(`${seed} ${each.title}`) }
      network.journal.reset()
      await (each.run as (context: KbrContext) => Promise<void>)(context)
    } catch (error) {
      // What a failed case leaves behind is nobody else's.
      this.shared.delete(seed)
      throw framed(
        error,
        `seed ${seed}, ${count} ${count === 1 ? 'node' : 'nodes'}: `,
        `repeat with: ${repeat(seed, sharing ? undefined : each.title)}`,
      )
    }
  }

  private sharedNetwork(seed: number | string): Promise<SimulatedContext['network']> {
    const network = this.shared.get(seed) ?? this.build(`${seed}`)
    this.shared.set(seed, network)
    return network
  }

  private async build(seed: string): Promise<SimulatedContext['network']> {
    const { ownership, has } = this.init
    const network = newNetwork(this.init, `${seed} ${this.count}`)
    await network.grow(this.count)
    await settle({ network, ownership, has, prng: Prng.fromSeed(seed) })
    return network
  }
}
