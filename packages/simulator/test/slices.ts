import assert from 'node:assert/strict'
import type { Claim, Experiment, ExperimentOptions } from '../src/index.ts'
import { renderReport } from '../src/index.ts'

/** Sizes by the words of experiments. */
export type Slices = Readonly<Record<string, Omit<ExperimentOptions, 'seed'>>>

/**
 * Says that each experiment has a slice, that the claims hold there, and that its tables and plots are whole. `tooSmall` tells claims for which a slice is too small, so that chance decides them.
 */
export function itRepeatsInSlices(
  experiments: Readonly<Record<string, Experiment>>,
  slices: Slices,
  tooSmall: (name: string, claim: Claim, number: number) => boolean = () => false,
): void {
  it('have a slice each here', () => {
    assert.deepEqual(Object.keys(slices).sort(), Object.keys(experiments).sort())
  })

  for (const [name, options] of Object.entries(slices)) {
    it(`${name}: ${experiments[name]!.says}`, function () {
      this.timeout(120_000)
      const { run, plots = [] } = experiments[name]!
      const report = run({ seed: 1, ...options })
      report.claims.forEach((claim, number) => assert.ok(claim.holds || tooSmall(name, claim, number), renderReport(report)))
      for (const row of report.rows) assert.equal(row.length, report.columns.length)
      for (const { series } of plots)
        for (const [legend, column] of Object.entries(series))
          for (const word of ['published', 'ideal'])
            assert.ok(
              column > 0 && report.columns[column]?.includes(word) === legend.includes(word),
              `${legend} is ${report.columns[column]}`,
            )
    })
  }
}
