import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { chordExperiments as experiments } from '../src/experiments/chord/index.ts'
import { ChordRing } from '../src/experiments/chord/chord-ring.ts'
import { IdealChord, uniform } from '../src/index.ts'
import { itRepeatsInSlices } from './slices.ts'
import type { Slices } from './slices.ts'

// A slice of each, large enough for its shape; `npm run simulate -- chord EXPERIMENT` is the whole.
const slices: Slices = {
  keys: { nodes: 2000, repeats: 10 },
  virtual: { nodes: 2000, repeats: 2 },
  path: { nodes: 256, lookups: 4000 },
  failures: { lookups: 2000 },
  lost: { nodes: 60, lookups: 300 },
  churn: { nodes: 40, minutes: 1 },
  retries: { nodes: 40, minutes: 1 },
  stretch: { nodes: 4096, lookups: 500 },
}

describe('the experiments of the Chord papers', () => {
  // Of sixty lookups a single one that fails is too many.
  itRepeatsInSlices(experiments, slices, (name) => name === 'churn' || name === 'retries')
})

describe('an ideal Chord', () => {
  it('takes the ways that the cores take', () => {
    for (const [successors, predecessors] of [
      [1, 1],
      [8, 4],
    ] as const) {
      const prng = Prng.fromSeed(`same ways ${successors}`)
      const config = { successors, predecessors, fingerSuccessors: 0 }
      const ring = new ChordRing(prng, 300, config)
      const ideal = new IdealChord(
        uniform(1)(prng),
        ring.nodes.map(({ self: { id } }, host) => ({ id, host })),
        config,
      )
      for (let i = 0; i < 2000; i++) {
        const [from, key] = [prng.nextInt(300), randomGuid(prng)]
        assert.equal(ideal.path(from, key).length - 1, ring.hops(from, key))
      }
    }
  })
})
