import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guid } from '@plaxton/testbed'
import {
  bitsOf,
  contains,
  differenceFrom,
  firstKey,
  halves,
  lastKey,
  overlap,
  parentOf,
  siblingOf,
  volumeOf,
  without,
} from '../src/zone.ts'
import { zone, zonesOf } from './helpers.ts'

const bits = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 8 }).map(zone)

describe('a zone', () => {
  it('contains the keys whose bits begin with its own', () => {
    assert.equal(bitsOf(guid('a5')), '10100101')
    assert.ok(contains(zone('101'), bitsOf(guid('a5'))))
    assert.ok(!contains(zone('100'), bitsOf(guid('a5'))))
    assert.ok(contains(zone(''), bitsOf(guid('a5'))))
  })

  it('has two halves, which are siblings and whose parent it is', () => {
    assert.deepEqual(halves(zone('01')), ['010', '011'])
    assert.equal(siblingOf(zone('010')), '011')
    assert.equal(parentOf(zone('011')), '01')
  })

  it('is an interval of keys', () => {
    assert.deepEqual([firstKey(zone('101'), 2), lastKey(zone('101'), 2)], ['a0', 'bf'])
    assert.deepEqual([firstKey(zone(''), 2), lastKey(zone(''), 2)], ['00', 'ff'])
  })

  it('without a part of it leaves one sibling for each halving', () => {
    assert.deepEqual(without(zone('0'), zone('0101')), ['00', '011', '0100'])
    assert.deepEqual(without(zone('01'), zone('0')), [])
    assert.deepEqual(without(zone('00'), zone('1')), ['00'])
  })

  it('without a part, and that part, have its volume together and overlap nowhere', () => {
    fc.assert(
      fc.property(bits, bits, (whole, part) => {
        const rest = without(whole, part)
        const kept = part.startsWith(whole) ? [...rest, part] : rest
        if (overlap(whole, part))
          assert.equal(
            kept.reduce((sum, piece) => sum + volumeOf(piece), 0),
            part.startsWith(whole) ? volumeOf(whole) : 0,
          )
        for (const [i, a] of kept.entries()) for (const b of kept.slice(i + 1)) assert.ok(!overlap(a, b))
      }),
    )
  })

  it('is the closer to a key the more halvings it shares with it', () => {
    const order = (key: string): string[] =>
      zonesOf(3).toSorted((a, b) => (differenceFrom(bitsOf(guid(key)), a) < differenceFrom(bitsOf(guid(key)), b) ? -1 : 1))
    assert.deepEqual(order('b0'), ['101', '100', '111', '110', '001', '000', '011', '010'])
  })
})
