import assert from 'node:assert/strict'
import { overlays, pastryUnderTest } from '@plaxton/simulator'
import { compare } from '../src/compare/comparison.ts'
import type { CompareOptions, Comparison } from '../src/compare/comparison.ts'
import { figures } from '../src/compare/figures.ts'
import type { FigureName } from '../src/compare/figures.ts'
import { renderTable } from '../src/compare/table.ts'

const small: CompareOptions = {
  nodes: 20,
  topology: 'plane',
  sessionMinutes: 10,
  minutes: 1,
  seeds: [7],
  overlays: ['pastry'],
}

describe('a comparison', function () {
  this.timeout(60_000)
  let once: Comparison

  before('measure twenty nodes of Pastry', () => {
    once = compare(small)
  })

  it('is the same again with the same seeds', () => {
    assert.deepEqual(compare(small), once)
  })

  it('differs with another seed', () => {
    assert.notDeepEqual(compare({ ...small, seeds: [8] }).overlays[0]!.traceHashes, once.overlays[0]!.traceHashes)
  })

  it('is JSON as it stands, in the form that others read', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(once)), once)
    assert.equal(once.format, 'plaxton lab compare 1')
    assert.deepEqual(Object.keys(once), ['format', 'workload', 'seeds', 'figures', 'overlays'])
    assert.deepEqual(Object.keys(once.overlays[0]!), ['name', 'figures', 'curves', 'traceHashes', 'failures'])
    // What stands here is part of the format: a name that goes or changes its meaning makes it format 2.
    assert.deepEqual(
      Object.keys(once.overlays[0]!.figures).join(' '),
      'hops hopsP99 stretch latencyP50 successAtRest state joinMessages joinBytes joinTime quietMessages quietBytes churnMessages churnBytes ' +
        'churnSuccess churnP50 churnP99 keysP1 keysP50 keysP99 keysMax recoveryFirstMinute recoveryLookups recoveryTables',
    )
    assert.deepEqual(
      once.figures.map(({ name }) => name),
      Object.keys(figures),
    )
  })

  it('measures what twenty nodes that all know each other must show', () => {
    const value = (name: FigureName): number => once.overlays[0]!.figures[name].mean!
    assert.equal(value('successAtRest'), 1)
    // A leaf set of 16 and a table reach everybody among 20 in one hop or, seldom, two.
    assert(value('hops') > 0.8 && value('hops') < 1.5, `${value('hops')} hops`)
    assert(value('stretch') >= 1 && value('stretch') < 1.5, `stretch ${value('stretch')}`)
    assert(value('state') >= 16 && value('state') <= 19, `${value('state')} nodes`)
    // A heartbeat in 30 s, and leaf sets and rows exchanged now and then.
    assert(value('quietMessages') > 1 / 30 && value('quietMessages') < 1)
    assert(value('churnMessages') > value('quietMessages'))
    assert(value('joinMessages') > 19, 'everybody is told')
    assert(value('recoveryTables') > 5000, 'silence is noticed after some seconds only')
  })

  it('counts a hundred keys for each node', () => {
    const { load } = once.overlays[0]!.curves
    assert.equal(load.length, 20)
    assert.equal(
      load.reduce((sum, keys) => sum + keys, 0),
      2000,
    )
  })

  it('gives mean and standard deviation over several seeds', () => {
    const { figures: twice } = compare({ ...small, seeds: [7, 8] }).overlays[0]!
    const [a, b] = twice.hops.values as [number, number]
    assert.equal(a, once.overlays[0]!.figures.hops.mean)
    assert.equal(twice.hops.mean, (a + b) / 2)
    // Of two values, half their distance times the square root of two.
    assert(Math.abs(twice.hops.deviation! - Math.abs(a - b) / Math.SQRT2) < 1e-12)
    assert.equal(once.overlays[0]!.figures.hops.deviation, null)
  })

  it('shows when an overlay is slow to find the dead', () => {
    const slow = compare({ ...small, subject: () => pastryUnderTest({ leafSetSize: 16, heartbeatMs: 200_000 }) })
    const tables = (comparison: Comparison) => comparison.overlays[0]!.figures.recoveryTables.mean ?? Infinity
    assert(tables(slow) > 2 * tables(once), `${tables(slow)} ms against ${tables(once)} ms`)
  })

  it('takes the overlays from the simulator’s table when none are named, and goes on when one breaks', () => {
    const broken = { ...overlays.pastry(), overlay: { name: 'broken', create: () => assert.fail('it cannot start') } }
    const { overlays: names, ...rest } = small
    assert.deepEqual(names, ['pastry'])
    const all = compare({ ...rest, seeds: [1, 2], subject: () => broken })
    assert.deepEqual(
      all.overlays.map(({ name }) => name),
      Object.keys(overlays),
    )
    const { failures, figures: none } = all.overlays[0]!
    assert.equal(failures.length, 2)
    assert.match(failures[0]!, /^seed 1: .*it cannot start/)
    assert.equal(none.hops.mean, null)
    assert.match(renderTable(all), /pastry FAILED, seed 1: /)
  })

  it('is a table with a row for each figure and a column for each overlay', () => {
    const lines = renderTable(once).split('\n')
    for (const { title } of Object.values(figures))
      assert(
        lines.some((line) => line.trim().startsWith(title)),
        title,
      )
    assert.equal(lines.filter((line) => line.trim() === 'pastry').length, 1)
    assert(lines.every((line) => line === line.trimEnd()))
  })
})
