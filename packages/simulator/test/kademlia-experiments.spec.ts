import assert from 'node:assert/strict'
import { kademliaExperiments as experiments } from '../src/experiments/kademlia/index.ts'
import { tooFew } from '../src/experiments/kademlia/sibling-lists.ts'
import { renderReport } from '../src/experiments/report.ts'
import type { ExperimentOptions } from '../src/experiments/world.ts'

// A slice of each, large enough for its shape; `npm run simulate -- kademlia EXPERIMENT` is the whole.
const slices: Readonly<Record<string, Omit<ExperimentOptions, 'seed'>>> = {
  lookups: { nodes: 1_000, lookups: 400 },
  paths: { nodes: 800, lookups: 300 },
  siblings: { nodes: 2_000, lookups: 2_000 },
  caching: { nodes: 150, lookups: 400 },
}

describe('the experiments of Kademlia and S/Kademlia', () => {
  it('have a slice each here', () => {
    assert.deepEqual(Object.keys(slices).sort(), Object.keys(experiments).sort())
  })

  for (const [name, options] of Object.entries(slices)) {
    it(`${name}: ${experiments[name]!.says}`, function () {
      this.timeout(60_000)
      const report = experiments[name]!.run({ seed: 1, ...options })
      for (const claim of report.claims) assert.ok(claim.holds, renderReport(report))
      for (const row of report.rows) assert.equal(row.length, report.columns.length)
    })
  }

  it('agree with the binomial worked out by hand: of ten that fall into a fifth, fewer than two', () => {
    assert.ok(Math.abs(tooFew(10, 0.2, 2) - (0.8 ** 10 + 10 * 0.2 * 0.8 ** 9)) < 1e-12)
  })
})
