import assert from 'node:assert/strict'
import { kademliaExperiments as experiments } from '../src/experiments/kademlia/index.ts'
import { tooFew } from '../src/experiments/kademlia/sibling-lists.ts'
import { itRepeatsInSlices } from './slices.ts'
import type { Slices } from './slices.ts'

// A slice of each, large enough for its shape; `npm run simulate -- kademlia EXPERIMENT` is the whole.
const slices: Slices = {
  lookups: { nodes: 1_000, lookups: 400 },
  paths: { nodes: 800, lookups: 300 },
  siblings: { nodes: 2_000, lookups: 2_000 },
  caching: { nodes: 150, lookups: 400 },
}

describe('the experiments of Kademlia and S/Kademlia', () => {
  itRepeatsInSlices(experiments, slices)

  it('agree with the binomial worked out by hand: of ten that fall into a fifth, fewer than two', () => {
    assert.ok(Math.abs(tooFew(10, 0.2, 2) - (0.8 ** 10 + 10 * 0.2 * 0.8 ** 9)) < 1e-12)
  })
})
