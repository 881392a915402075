import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import { clockwise, ringDistance, surrogate } from '../src/ownership.ts'
import type { Ownership } from '../src/ownership.ts'
import { xorDistance } from '../src/xor-ownership.ts'

const guids = (text: string) => text.split(' ') as Guid[]
const guid = (text: string) => text as Guid
const hex = (n: number) => n.toString(16).padStart(2, '0') as Guid
const distinct = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 20 })
const byte = fc.integer({ min: 0, max: 255 })

describe('ownership by ring distance', () => {
  it('puts the numerically closest first, across 0, and the clockwise one of two equally far', () => {
    // From f8: 00 is 8 away, f0 is 8 the other way, 10 is 18, e0 is 18 the other way, 80 is 78.
    assert.deepEqual(ringDistance.ranks(guid('f8'), guids('10 80 e0 f0 00'), 5), guids('00 f0 10 e0 80'))
  })

  it('agrees with sorting everybody by distance', () => {
    fc.assert(
      fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => {
        const clockwise = (id: number) => (id - key + 256) % 256
        const distance = (id: number) => Math.min(clockwise(id), 256 - clockwise(id))
        const expected = [...ids].sort((a, b) => distance(a) - distance(b) || clockwise(a) - clockwise(b))
        assert.deepEqual(ringDistance.ranks(hex(key), ids.map(hex), count), expected.slice(0, count).map(hex))
      }),
    )
  })

  it('finds the first ones near the key', () => {
    fc.assert(fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => narrowsDown(ringDistance, ids, key, count)))
    assert.deepEqual(ringDistance.near!(guid('f8'), guids('00 10 80 e0 f0'), 1), guids('f0 00'))
  })

  it('has its boundaries at the ids and halfway between them', () => {
    assert.deepEqual(ringDistance.boundaries(guids('10 30')), guids('10 11 0f 1f 20 21 30 31 2f 9f a0 a1'))
  })
})

describe('ownership by successors', () => {
  it('finds the first ones from the key on', () => {
    fc.assert(fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => narrowsDown(clockwise, ids, key, count)))
    assert.deepEqual(clockwise.near!(guid('e8'), guids('00 10 80 e0 f0'), 2), guids('f0 00'))
  })
})

describe('ownership by XOR', () => {
  it('finds the first ones in the smallest subtree that has enough', () => {
    fc.assert(fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => narrowsDown(xorDistance, ids, key, count)))
    assert.deepEqual(xorDistance.near!(guid('52'), guids('40 5a 5f 80'), 2), guids('5a 5f'))
  })
})

describe('ownership by surrogate routing', () => {
  const hexadecimal = surrogate(4)

  it('takes the key itself if it is a node', () => {
    assert.deepEqual(hexadecimal.ranks(guid('b437'), guids('b4f8 b437 1234'), 1), guids('b437'))
  })

  it('takes the next digit that somebody has, and the own digit of the key again at the next level', () => {
    // First digit 4: nobody has 4, 5 or 6, but 7. Second digit 2 again: not 71, so upwards: 75.
    assert.deepEqual(hexadecimal.ranks(guid('42'), guids('71 75 79 30'), 4), guids('75 79 71 30'))
  })

  it('goes on with 0 after the last digit', () => {
    assert.deepEqual(hexadecimal.ranks(guid('fe'), guids('10 0c 20 0f'), 4), guids('0f 0c 10 20'))
  })

  it('is not the numerically closest', () => {
    assert.deepEqual(hexadecimal.ranks(guid('40'), guids('3f 7a'), 1), guids('7a'))
  })

  it('reads ids in digits of two bits', () => {
    // 1b is 0 1 2 3. Candidates: 18 is 0 1 2 0, 12 is 0 1 0 2, c6 is 3 0 1 2, 5b is 1 1 2 3.
    assert.deepEqual(surrogate(2).ranks(guid('1b'), guids('5b c6 12 18'), 4), guids('18 12 5b c6'))
  })

  it('reads a narrower last digit: 8 bits in digits of 3, the last of 2', () => {
    // ff is 7 7 3. fc is 7 7 0, fd 7 7 1, 00 0 0 0: after 3 comes 0, after 7 comes 0.
    assert.deepEqual(surrogate(3).ranks(guid('ff'), guids('00 fd fc'), 3), guids('fc fd 00'))
  })

  it('agrees with sorting everybody by the vector of digit differences', () => {
    fc.assert(
      fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => {
        const vector = (id: number) => [((id >> 4) - (key >> 4) + 16) % 16, ((id & 15) - (key & 15) + 16) % 16]
        const expected = [...ids].sort((a, b) => vector(a)[0]! - vector(b)[0]! || vector(a)[1]! - vector(b)[1]!)
        assert.deepEqual(hexadecimal.ranks(hex(key), ids.map(hex), count), expected.slice(0, count).map(hex))
      }),
    )
  })

  it('finds the first ones in the smallest branch that has enough', () => {
    fc.assert(fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => narrowsDown(hexadecimal, ids, key, count)))
    fc.assert(fc.property(distinct, byte, fc.integer({ min: 0, max: 25 }), (ids, key, count) => narrowsDown(surrogate(3), ids, key, count)))
    assert.deepEqual(hexadecimal.near!(guid('42'), guids('30 71 75 79'), 2), guids('71 75 79'))
  })

  it('has its boundaries where branches of the trie begin and end', () => {
    // 12 and 15 share their first digit, so both levels matter to them; 80 stands alone with 8.
    assert.deepEqual(hexadecimal.boundaries(guids('12 15 80')), [
      ...guids('12 13 11 10 0f 1f 20 12 11 12 13'),
      ...guids('15 16 14 10 0f 1f 20 15 14 15 16'),
      ...guids('80 81 7f 80 7f 8f 90'),
    ])
  })
})

/** The shortcut gives the same as looking at everybody. */
function narrowsDown(ownership: Ownership, numbers: readonly number[], key: number, count: number): void {
  const ids = numbers.map(hex).sort()
  assert.deepEqual(ownership.ranks(hex(key), ownership.near!(hex(key), ids, count), count), ownership.ranks(hex(key), ids, count))
}
