import assert from 'node:assert/strict'
import { axisTo } from '../src/page/axis.ts'

describe('an axis', () => {
  it('ends at a round number at or above the largest value, with two to six round numbers from 0', () => {
    assert.deepEqual(axisTo(9.7), { end: 10, ticks: [0, 2, 4, 6, 8, 10] })
    assert.deepEqual(axisTo(0.31), { end: 0.4, ticks: [0, 0.1, 0.2, 0.3, 0.4] })
    assert.deepEqual(axisTo(1), { end: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] })
    assert.deepEqual(axisTo(72_454), { end: 80_000, ticks: [0, 20_000, 40_000, 60_000, 80_000] })
  })

  it('ends at 1 when there is nothing to show', () => {
    assert.equal(axisTo(0).end, 1)
    assert.equal(axisTo(-Infinity).end, 1)
  })
})
