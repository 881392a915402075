import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import type { Ownership } from '@plaxton/simulator'
import { directCases } from './kbr-direct.ts'
import { membershipCases, partitionCases } from './kbr-membership.ts'
import type { KbrCase, KbrContext, KbrNetwork, OverlayAbilities } from './kbr-network.ts'
import { questionCases, rangeCases } from './kbr-questions.ts'
import { routingCases } from './kbr-routing.ts'
import { settle } from './kbr-settle.ts'
import { declares, register } from './suite.ts'
import type { Case, Runner, Suite } from './suite.ts'

export interface KbrInit {
  /** Opens a network of so many nodes on the driver. */
  readonly open: (count: number) => Promise<KbrNetwork>
  readonly ownership: Ownership
  readonly has: OverlayAbilities & {
    /** The driver can cut a network in two. */
    readonly cuts: boolean
  }
  /** Nodes of the networks, ascending. Default 1, 2, 3 and 6. */
  readonly sizes?: readonly number[]
  readonly runner?: Runner
}

/** Registers the tests of key-based routing that `overlayConformance` runs in the simulator, on a live driver, on networks of 1, 2, 3 and more nodes. */
export function kbrConformance(name: string, init: KbrInit): void {
  register(kbrSuite(name, init), init.runner)
}

/** The same as a value. */
export function kbrSuite(name: string, init: KbrInit): Suite {
  const { has, sizes = [1, 2, 3, 6] } = init
  const cases = [...kbrCases(has), ...(has.cuts ? partitionCases(has) : [])]
  return {
    title: name,
    cases: has.cuts ? [] : [declares('this driver cannot cut a network in two')],
    suites: sizes.map((count) => onNetworkOf(count, init, cases.filter(suits(count)))),
  }
}

/** The cases one after the other on one network. */
function onNetworkOf(count: number, { open, ownership, has }: KbrInit, cases: readonly KbrCase[]): Suite {
  let network: KbrNetwork | undefined
  const runOne = async (each: KbrCase): Promise<void> => {
    assert(network !== undefined, 'the network could not be opened')
    const context: KbrContext = { network, ownership, has, prng: Prng.fromSeed(`${each.title} ${count}`) }
    await resize(context, count)
    network.journal.reset()
    await each.run(context)
    assert.deepEqual(network.faults?.() ?? [], [], 'a core threw')
  }
  return {
    title: count === 1 ? 'alone' : `with ${count} nodes`,
    before: async () => {
      network = await open(count)
      await settle({ network, ownership, has, prng: Prng.fromSeed(count) })
    },
    after: () => network?.close(),
    cases: cases.map((each): Case => ({ title: each.title, run: () => runOne(each) })),
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

/** The cases leave as many nodes as they found, unless they fail. */
async function resize(context: KbrContext, count: number): Promise<void> {
  const { network } = context
  if (network.members.length === count) return
  if (network.members.length > count) await network.crash(network.members.slice(count))
  while (network.members.length < count) await network.add(1)
  await settle(context)
}
