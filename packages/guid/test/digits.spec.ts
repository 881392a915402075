import assert from 'node:assert/strict'
import { digitAt, digitCount, InvalidGuidError, sharedPrefixBits, sharedPrefixDigits, withDigit } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import fc from 'fast-check'
import { guids, number } from './arbitrary.ts'
import { all, id } from './ids.ts'

const widths = [1, 2, 3, 4, 5, 6, 7, 8]

/** The digits of an id by way of its binary text. */
function digitsOf(guid: Guid, digitBits: number): number[] {
  const binary = number(guid)
    .toString(2)
    .padStart(4 * guid.length, '0')
  const digits: number[] = []
  for (let i = 0; i < binary.length; i += digitBits) digits.push(parseInt(binary.slice(i, i + digitBits), 2))
  return digits
}

describe('digits of a guid', () => {
  it('are read from the most significant end', () => {
    assert.deepEqual(
      [0, 1].map((i) => digitAt(id('8f'), i, 4)),
      [8, 15],
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => digitAt(id('8f'), i, 2)),
      [2, 0, 3, 3],
    )
  })

  it('end with a narrower one where the digits do not fit: the bits that remain', () => {
    // 8f = 100 011 11
    assert.equal(digitCount(8, 3), 3)
    assert.deepEqual(
      [0, 1, 2].map((i) => digitAt(id('8f'), i, 3)),
      [4, 3, 3],
    )
    assert.equal(digitCount(256, 3), 86)
    assert.equal(digitCount(256, 4), 64)
  })

  it('are right for every 8-bit id, every width and every position', () => {
    for (const digitBits of widths) {
      for (const guid of all) {
        const expected = digitsOf(guid, digitBits)
        assert.equal(digitCount(8, digitBits), expected.length)
        expected.forEach((digit, i) => assert.equal(digitAt(guid, i, digitBits), digit))
      }
    }
  })

  it('are right for ids of 256 bits and of a whole number of hex characters', () => {
    const some = fc.tuple(guids, fc.integer({ min: 1, max: 64 })).map(([guid, length]) => guid.slice(64 - length) as Guid)
    fc.assert(
      fc.property(some, fc.constantFrom(...widths), (guid, digitBits) => {
        digitsOf(guid, digitBits).forEach((digit, i) => assert.equal(digitAt(guid, i, digitBits), digit))
      }),
    )
  })

  it('are set one at a time', () => {
    assert.equal(withDigit(id('8f'), 0, 4, 0), '0f')
    assert.equal(withDigit(id('8f'), 2, 3, 1), '8d')
    for (const digitBits of widths) {
      for (const guid of all) {
        const digits = digitsOf(guid, digitBits)
        digits.forEach((digit, i) => {
          const largest = 2 ** Math.min(digitBits, 8 - i * digitBits) - 1
          for (const value of [0, largest, digit ^ 1]) {
            assert.deepEqual(digitsOf(withDigit(guid, i, digitBits, value), digitBits), digits.with(i, value))
          }
        })
      }
    }
  })

  it('are set in wide ids without a change elsewhere', () => {
    fc.assert(
      fc.property(guids, fc.constantFrom(...widths), fc.nat(), fc.nat(), (guid, digitBits, at, any) => {
        const digits = digitsOf(guid, digitBits)
        const i = at % digits.length
        const value = any % 2 ** Math.min(digitBits, 256 - i * digitBits)
        assert.deepEqual(digitsOf(withDigit(guid, i, digitBits, value), digitBits), digits.with(i, value))
      }),
    )
  })

  it('exist only at whole positions, and for widths from 1 to 8', () => {
    for (const [index, digitBits] of [
      [-1, 4],
      [2, 4],
      [0.5, 4],
      [NaN, 4],
      [3, 3],
      [-1, 3],
      [0, 0],
      [0, 9],
      [0, 1.5],
      [0, NaN],
    ] as const) {
      assert.throws(() => digitAt(id('8f'), index, digitBits), InvalidGuidError)
      assert.throws(() => withDigit(id('8f'), index, digitBits, 0), InvalidGuidError)
    }
    assert.throws(() => digitCount(8, 9), InvalidGuidError)
    assert.throws(() => sharedPrefixDigits(id('8f'), id('8f'), 0), InvalidGuidError)
    for (const value of [-1, 16, 0.5]) assert.throws(() => withDigit(id('8f'), 0, 4, value), InvalidGuidError)
    assert.throws(() => withDigit(id('8f'), 2, 3, 4), { field: 'value', value: 4, allowed: 'a whole number from 0 to 3' })
  })
})

describe('the prefix two guids share', () => {
  it('is counted in whole digits', () => {
    assert.equal(sharedPrefixDigits(id('8f12'), id('8f32'), 4), 2)
    assert.equal(sharedPrefixBits(id('8f12'), id('8f32')), 10)
    assert.equal(sharedPrefixDigits(id('7f'), id('80'), 4), 0)
  })

  it('is all digits of equal ids, the narrower last one included', () => {
    for (const digitBits of widths) assert.equal(sharedPrefixDigits(id('8f'), id('8f'), digitBits), Math.ceil(8 / digitBits))
  })

  it('is right for all pairs of 8-bit ids and every width', () => {
    const table = widths.map((digitBits) => all.map((guid) => digitsOf(guid, digitBits)))
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        widths.forEach((digitBits, w) => {
          const digitsOfA = table[w]![a]!
          const digitsOfB = table[w]![b]!
          const first = digitsOfA.findIndex((digit, i) => digit !== digitsOfB[i])
          assert.equal(sharedPrefixDigits(all[a]!, all[b]!, digitBits), first < 0 ? digitsOfA.length : first)
        })
      }
    }
  })

  it('is what a changed bit leaves', () => {
    fc.assert(
      fc.property(guids, fc.nat(255), (guid, bit) => {
        const changed = (number(guid) ^ (1n << BigInt(255 - bit))).toString(16).padStart(64, '0') as Guid
        assert.equal(sharedPrefixBits(guid, changed), bit)
        assert.equal(sharedPrefixBits(guid, guid), 256)
      }),
    )
  })

  it('is asked of ids of one width', () => {
    assert.throws(() => sharedPrefixBits(id('8f'), id('8f0')), InvalidGuidError)
  })
})
