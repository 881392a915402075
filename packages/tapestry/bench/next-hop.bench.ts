import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, OverlayEffects } from '@plaxton/kbr'
import { tapestryDefaults } from '../src/index.ts'
import { nextHop } from '../src/next-hop.ts'
import { replicaSet } from '../src/questions.ts'
import { TapestryState } from '../src/state.ts'

/**
 * Nanoseconds per decision: the best of many short rounds, so that other work on the machine disturbs little. The node knows who it would know
 * in a network of 4,000.
 */

const rounds = 60
const perRound = 20_000
const nodes = 4_000

const prng = Prng.fromSeed('next-hop')
const self = nodeRef(randomGuid(prng))
const state = new TapestryState(self, tapestryDefaults, prng.fork())
const ignore = (): void => {}
const fx = { neighborChanged: ignore, routesChanged: ignore } as unknown as OverlayEffects
for (let i = 1; i < nodes; i++) state.admit(nodeRef(randomGuid(prng)), fx)
state.standing = 'member'

const nobody: ReadonlySet<Guid> = new Set()
const someone: ReadonlySet<Guid> = new Set([state.map.primaries(0)[3]!.id])
const anyKeys = Array.from({ length: 1024 }, () => randomGuid(prng))
const ownKeys = anyKeys.map((key) => (self.id.slice(0, 8) + key.slice(8)) as Guid)

let sink = 0
measure('next hop, any key', (i) => nextHop(state, nobody, anyKeys[i]!, 0, nobody).action.length)
measure('next hop, somebody avoided', (i) => nextHop(state, nobody, anyKeys[i]!, 0, someone).action.length)
measure('next hop, an own key', (i) => nextHop(state, nobody, ownKeys[i]!, 0, nobody).action.length)
measure('replica set of five, an own key', (i) => replicaSet(state, ownKeys[i]!, 5).length)
console.log(`${state.map.entries().length} pointers on ${state.map.depth} levels, ${state.siblings.size} siblings; checksum ${sink}`)

function measure(name: string, run: (i: number) => number): void {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    for (let i = 0; i < perRound; i++) sink += run(i & 1023)
    best = Math.min(best, performance.now() - startedAt)
  }
  console.log(`${name.padEnd(32)} ${((best * 1e6) / perRound).toFixed(0).padStart(6)} ns`)
}

function nodeRef(id: Guid): NodeRef {
  return { id, address: `bench:${id.slice(0, 8)}`, epoch: 1 }
}
