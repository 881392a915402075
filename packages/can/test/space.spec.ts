import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guid } from '@plaxton/testbed'
import { Space } from '../src/space.ts'
import { bitsOf } from '../src/zone.ts'
import { zone, zonesOf } from './helpers.ts'

describe('the space', () => {
  const plane = new Space(2, 8)

  it('halves its dimensions in turn, so that a key is its own point', () => {
    assert.deepEqual(plane.boxOf(zone('011')), { low: [4, 8], high: [8, 16] })
    // 1001 1100: the bits 1 0 1 0 of dimension 0, and 0 1 1 0 of dimension 1.
    assert.deepEqual(plane.pointOf(bitsOf(guid('9c'))), [0b1010, 0b0110])
  })

  it('is a torus: zones at its ends abut', () => {
    assert.ok(plane.abut(zone('0000'), zone('1010')), 'the first and the last quarter along dimension 0')
    assert.ok(plane.abut(zone('00'), zone('10')))
    assert.ok(!plane.abut(zone('0000'), zone('1000')), 'the first and the third')
  })

  it('has 2d neighbours for each of many zones of one size, and they are mutual', () => {
    for (const dimensions of [2, 3]) {
      const space = new Space(dimensions, 32)
      const zones = zonesOf(2 * dimensions)
      for (const a of zones) {
        assert.equal(zones.filter((b) => space.abut(a, b)).length, 2 * dimensions)
        for (const b of zones) assert.equal(space.abut(a, b), space.abut(b, a))
      }
    }
  })

  it('does not count zones as neighbours that meet in a corner, nor those that overlap', () => {
    assert.ok(!plane.abut(zone('00'), zone('11')))
    assert.ok(!plane.abut(zone('0'), zone('01')))
  })

  it('measures from a point to the nearest cell of a zone, the shorter way round', () => {
    assert.equal(plane.distance2([0, 0], zone('')), 0)
    assert.equal(plane.distance2([15, 0], zone('0000')), 1)
    assert.equal(plane.distance2([6, 6], zone('0000')), 9 + 9)
  })

  it('counts what is left to a point in hops of the size of a zone, and one at least along each dimension that differs', () => {
    const here = zone('0000')
    assert.equal(plane.hopsLeft([1, 2], here, here), 0)
    assert.equal(plane.hopsLeft([4, 2], here, here), 1, 'one cell beyond four')
    assert.equal(plane.hopsLeft([4, 7], here, here), Math.sqrt(2), 'one hop along each')
    assert.equal(plane.hopsLeft([9, 2], here, here), 1.5, 'six cells of four a hop')
    assert.equal(plane.hopsLeft([9, 2], zone('0010'), here), 1, 'seen from there, in hops as long as here')
  })

  it('has for every point outside a zone a neighbour of that zone which is nearer: greedy routing always gets on', () => {
    const depth = 6
    const zones = zonesOf(depth)
    fc.assert(
      fc.property(fc.nat(zones.length - 1), fc.nat(15), fc.nat(15), (i, x, y) => {
        const own = zones[i]!
        const distance2 = plane.distance2([x, y], own)
        if (distance2 === 0) return
        assert.ok(zones.some((other) => plane.abut(own, other) && plane.distance2([x, y], other) < distance2))
      }),
    )
  })
})
