import assert from 'node:assert/strict'
import { canExperiments as experiments } from '../src/experiments/can/index.ts'
import { renderReport } from '../src/experiments/report.ts'
import type { ExperimentOptions } from '../src/experiments/world.ts'

// A slice of each, large enough for its shape; `npm run simulate -- can EXPERIMENT` is the whole.
const slices: Readonly<Record<string, Omit<ExperimentOptions, 'seed'>>> = {
  path: { nodes: 4_096, lookups: 300 },
  rtt: { nodes: 4_096, lookups: 300 },
  overloading: { nodes: 1_024, lookups: 300 },
  volumes: { nodes: 4_096 },
  knobs: { nodes: 2_048, lookups: 200 },
}

describe('the experiments of CAN', () => {
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
})
