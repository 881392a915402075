import assert from 'node:assert/strict'
import { compareByXor, InvalidGuidError, isCloserByXor, isCloserOnRing, xorDistance } from '@plaxton/guid'
import fc from 'fast-check'
import { guids, number } from './arbitrary.ts'
import { all, id, sample } from './ids.ts'

describe('XOR distance', () => {
  it('is right for all pairs of 8-bit ids', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) assert.equal(xorDistance(all[a]!, all[b]!), all[a ^ b])
    }
  })

  it('is right for 256-bit ids', () => {
    fc.assert(fc.property(guids, guids, (a, b) => assert.equal(number(xorDistance(a, b)), number(a) ^ number(b))))
  })

  it('orders all triples of a sample', () => {
    const numbers = sample(6)
    for (const key of numbers) {
      for (const a of numbers) {
        for (const b of numbers) {
          assert.equal(compareByXor(all[a]!, all[b]!, all[key]!), Math.sign((a ^ key) - (b ^ key)))
          assert.equal(isCloserByXor(all[a]!, all[b]!, all[key]!), (a ^ key) < (b ^ key))
        }
      }
    }
  })

  it('orders 256-bit ids', () => {
    fc.assert(
      fc.property(guids, guids, guids, (a, b, key) => {
        const [toA, toB] = [number(a) ^ number(key), number(b) ^ number(key)]
        assert.equal(compareByXor(a, b, key), toA < toB ? -1 : toA > toB ? 1 : 0)
      }),
    )
  })

  it('is not closeness on the ring', () => {
    assert.ok(isCloserOnRing(id('7f'), id('90'), id('80')))
    assert.ok(isCloserByXor(id('90'), id('7f'), id('80')))
  })

  it('is asked of ids of one width', () => {
    assert.throws(() => xorDistance(id('8'), id('80')), InvalidGuidError)
    assert.throws(() => compareByXor(id('80'), id('80'), id('8')), InvalidGuidError)
  })
})
