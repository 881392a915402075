import assert from 'node:assert/strict'
import { binned, decreases } from '../src/experiments/bins.ts'
import { figure, percent, renderReport } from '../src/experiments/report.ts'
import { attemptsOf, byMinute } from '../src/experiments/success.ts'
import { tapestryExperiments as experiments } from '../src/experiments/tapestry/index.ts'
import { itRepeatsInSlices } from './slices.ts'
import type { Slices } from './slices.ts'

// A slice of each, large enough for its shape; `npm run simulate -- tapestry EXPERIMENT` is the whole.
const slices: Slices = {
  nodes: { nodes: 60, lookups: 1000 },
  objects: { nodes: 40, objects: 50, lookups: 400 },
  pointers: { nodes: 40, objects: 1, lookups: 300 },
  // From 50 to 60 nodes, chance decides how steep it is.
  insertion: { nodes: 200, repeats: 10 },
  traffic: { nodes: 40, repeats: 5 },
  parallel: { nodes: 30, repeats: 1 },
  failures: { nodes: 40, lookups: 30, objects: 5 },
  churn: { nodes: 40, lookups: 30, objects: 5, minutes: 4 },
  nearest: { nodes: 100, lookups: 200 },
}

describe('the experiments of the Tapestry paper', () => {
  // Two hundred messages in a network of a hundred are too few to tell 94 % from 95, and among forty nodes nobody is near.
  itRepeatsInSlices(experiments, slices, (name, _, number) => number > 0 && (name === 'nearest' || name === 'pointers'))

  it('run on Pastry as well, for comparison', () => {
    const report = experiments['nodes']!.run({ seed: 1, overlay: 'pastry', nodes: 40, lookups: 200 })
    assert.ok(report.claims[0]!.holds, renderReport(report))
  })
})

describe('a report', () => {
  it('aligns its columns and says what holds and what does not', () => {
    const text = renderReport({
      title: 'three nodes',
      columns: ['nodes', 'time', 'published'],
      rows: [
        ['1', 0.98765, '1 (F)'],
        ['200', 12345, undefined],
      ],
      remarks: ['a remark'],
      claims: [
        { says: 'it grows', holds: true, measured: '1 to 2' },
        { says: 'it shrinks', holds: false, measured: '1 to 2' },
      ],
      traceHash: 'abc',
    })
    assert.deepEqual(text.split('\n'), [
      'three nodes; trace abc',
      '  nodes   time  published',
      '  1      0.988      1 (F)',
      '  200    12345',
      '  a remark',
      '  holds: it grows (1 to 2)',
      '  FAILS: it shrinks (1 to 2)',
    ])
  })

  it('prints three digits, and shares near the whole with more', () => {
    assert.deepEqual([0.0123, 0.0198, -0.0004, 0.5678, 0, 1, 12.34, 123.4, NaN].map(figure), [
      '0.012',
      '0.020',
      '-0.000',
      '0.568',
      '0.00',
      '1.00',
      '12.3',
      '123',
      '',
    ])
    assert.deepEqual([1, 0.9951, 0.95].map(percent), ['100.0 %', '99.51 %', '95.0 %'])
  })

  it('puts samples into ranges of round trips, the lower edge included', () => {
    const samples = [1, 2, 3].map((value) => ({ roundTripMs: 10, value })).concat([{ roundTripMs: 20, value: 9 }])
    const bins = binned(samples, [0, 10, 20, Infinity])
    assert.deepEqual(
      bins.map(({ count, median, p90 }) => [count, median, p90]),
      [
        [0, NaN, NaN],
        [3, 2, 3],
        [1, 9, 9],
      ],
    )
  })

  it('sees a fall only among ranges with enough samples', () => {
    const bin = (p90: number, count = 100) => ({ fromMs: 0, toMs: 1, count, median: 1, p90 })
    assert.equal(decreases([bin(3), bin(2), bin(2.05)], 0.05), true)
    assert.equal(decreases([bin(3), bin(2), bin(2.2)], 0.05), false)
    assert.equal(decreases([bin(3), bin(9, 5), bin(2)], 0.05), true)
  })

  it('holds a lost message against the network unless its source died while it could still have arrived in time', () => {
    const lost = (source: number) => ({ source, sentAt: 100_000, deliveredAt: undefined, rootThen: undefined, elapsedMs: 0 })
    const nodes = [undefined, 99_999, 100_000, 110_000, 110_001].map((endedAt) => ({ endedAt }))
    const attempts = attemptsOf({ nodes } as never, { probes: nodes.map((_, source) => lost(source)) } as never)
    assert.deepEqual(
      attempts.map((attempt) => attempt.void),
      [false, false, true, true, false],
    )
  })

  it('counts an attempt by the minute it began in: in time, late, never, or not at all when its source died', () => {
    const attempt = (sentAt: number, elapsedMs: number | undefined, isVoid = false) => ({ sentAt, elapsedMs, void: isVoid })
    const minutes = byMinute(
      [attempt(900, 1), attempt(1000, 100), attempt(60_999, 11_000), attempt(61_000, undefined), attempt(61_000, undefined, true)],
      1000,
    )
    assert.deepEqual(
      minutes.map(({ attempts, success }) => [attempts, success]),
      [
        [2, 0.5],
        [1, 0],
      ],
    )
  })
})
