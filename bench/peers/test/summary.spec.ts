import assert from 'node:assert/strict'
import { figures } from '../src/figures.ts'
import { withSection } from '../src/readme.ts'
import { quantile } from '../src/samples.ts'
import { cellOf, short, table } from '../src/summary.ts'
import type { RunResult } from '../src/figures.ts'

const getP50 = figures.find(({ key }) => key === 'getP50')!

function run(system: string, seed: number, getMs?: number): RunResult {
  return { system, nodes: 20, seed, figures: getMs === undefined ? {} : { getP50: getMs }, errors: [] }
}

describe('the summary of runs', () => {
  it('gives the median of the runs, the lowest and the highest', () => {
    const results = [run('hyperdht', 1, 5), run('hyperdht', 2, 1), run('hyperdht', 3, 2)]
    assert.deepEqual(cellOf(results, 'hyperdht', getP50), { median: 2, lowest: 1, highest: 5, runs: 3, ratio: undefined })
  })

  it('takes ratios within a round, and then their median', () => {
    // A slow second round hits both: by medians alone hyperdht would seem twice as slow as it ever was.
    const results = [
      run('pastry', 1, 1),
      run('hyperdht', 1, 2),
      run('pastry', 2, 10),
      run('hyperdht', 2, 20),
      run('pastry', 3, 1),
      run('hyperdht', 3, 9),
    ]
    assert.equal(cellOf(results, 'hyperdht', getP50)?.ratio, 2)
  })

  it('leaves out runs that lack the figure, and says nothing where all do', () => {
    assert.equal(cellOf([run('hyperdht', 1), run('hyperdht', 2, 3)], 'hyperdht', getP50)?.runs, 1)
    assert.equal(cellOf([run('hyperdht', 1)], 'hyperdht', getP50), undefined)
  })

  it('is a table with a row for each figure that somebody has', () => {
    const text = table([run('pastry', 1, 0.5), run('hyperdht', 1, 1.25), run('kad-dht', 1)], ['pastry', 'hyperdht', 'kad-dht'])
    const rows = text.split('\n')
    assert.equal(rows.length, 3)
    assert.match(rows[2]!, /^\| get, median, ms +\| +0\.5 \| +1\.25 \(2\.5×\) \| +– \|$/)
  })

  it('writes numbers with the digits that count', () => {
    assert.deepEqual([0.00123, 0.1234, 1.234, 12.34, 123.4, 12_345].map(short), ['0.001', '0.12', '1.23', '12.3', '123', '12,345'])
  })

  it('takes the smallest value that the share does not exceed', () => {
    assert.equal(quantile([4, 1, 3, 2], 0.5), 2)
    assert.equal(quantile([4, 1, 3, 2], 0.99), 4)
    assert.ok(Number.isNaN(quantile([], 0.5)))
  })
})

describe('the README section', () => {
  it('is what stands between its marks, and nothing else', () => {
    const before = 'a\n<!-- figures -->\nold\n<!-- end of figures -->\nz\n'
    assert.equal(withSection(before, 'npm run peers', ['T']), 'a\n<!-- figures -->\n\n`npm run peers`\n\nT\n\n<!-- end of figures -->\nz\n')
  })

  it('needs its marks', () => {
    assert.throws(() => withSection('nothing', 'npm run peers', []), /no place for figures/)
  })
})
