import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, OverlayEffects } from '@plaxton/kbr'
import { pastryDefaults } from '../src/index.ts'
import { nextHop, prefixMode } from '../src/next-hop.ts'
import { PastryState } from '../src/state.ts'

/**
 * Nanoseconds per routing decision: the best of many short rounds, so that other work on the machine disturbs little. The node knows
 * who it would know in a network of 100,000.
 */

const rounds = 60
const perRound = 20_000
const nodes = 100_000

const prng = Prng.fromSeed('next-hop')
const self = nodeRef(randomGuid(prng))
const state = new PastryState(self, pastryDefaults, prng.fork())
const ignore = (): void => {}
const fx = { neighborChanged: ignore } as unknown as OverlayEffects
const others = Array.from({ length: nodes - 1 }, () => nodeRef(randomGuid(prng)))
for (const ref of others) state.admit(ref, fx)
state.standing = 'member'

const nobody: ReadonlySet<Guid> = new Set()
const someone: ReadonlySet<Guid> = new Set([others[17]!.id])
const anyKeys = Array.from({ length: 1024 }, () => randomGuid(prng))
const neighbors = state.leafSet.members
const nearKeys = Array.from({ length: 1024 }, (_, i) => (neighbors[i % 16]!.id.slice(0, -6) + anyKeys[i]!.slice(0, 6)) as Guid)

let sink = 0
measure('by prefix, any key', anyKeys, nobody)
measure('by prefix, somebody avoided', anyKeys, someone)
measure('by leaf set, a near key', nearKeys, nobody)
measure('by leaf set, somebody avoided', nearKeys, someone)
console.log(`${state.routingTable.entries().length} routing entries in ${state.routingTable.depth} rows; checksum ${sink}`)

function measure(name: string, keys: readonly Guid[], avoid: ReadonlySet<Guid>): void {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    for (let i = 0; i < perRound; i++) sink += nextHop(state, nobody, keys[i & 1023]!, prefixMode, avoid).action.length
    best = Math.min(best, performance.now() - startedAt)
  }
  console.log(`${name.padEnd(32)} ${((best * 1e6) / perRound).toFixed(0).padStart(6)} ns`)
}

function nodeRef(id: Guid): NodeRef {
  return { id, address: `bench:${id.slice(0, 8)}`, epoch: 1 }
}
