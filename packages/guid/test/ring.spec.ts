import assert from 'node:assert/strict'
import {
  addToGuid,
  clockwiseDistance,
  compareClockwise,
  compareGuids,
  compareOnRing,
  halfway,
  inClosedOpen,
  inOpen,
  inOpenClosed,
  InvalidGuidError,
  isCloserOnRing,
  predecessorGuid,
  ringDistance,
  successorGuid,
} from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import fc from 'fast-check'
import { guids, number } from './arbitrary.ts'
import { all, id, sample } from './ids.ts'

/** The slow, obvious second implementation: numbers, `%`, and walking round the ring step by step. */
const clockwise = (a: number, b: number) => (b - a + 256) % 256
const shorter = (a: number, b: number) => Math.min(clockwise(a, b), clockwise(b, a))
const order = (a: number | bigint, b: number | bigint) => (a < b ? -1 : a > b ? 1 : 0)

/** Closest to `key` first, the clockwise one of two equally far; by its definition. */
function closeness(a: number, b: number, key: number): number {
  return order(shorter(a, key), shorter(b, key)) || order(clockwise(key, a), clockwise(key, b))
}

/** The numbers met on a walk clockwise from just after `from` until `to` has been met. */
function walk(from: number, to: number): number[] {
  const met: number[] = []
  for (let n = (from + 1) % 256; ; n = (n + 1) % 256) {
    met.push(n)
    if (n === to) return met
  }
}

describe('distance on the ring', () => {
  it('is right for all pairs of 8-bit ids', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        assert.equal(clockwiseDistance(all[a]!, all[b]!), all[clockwise(a, b)])
        assert.equal(ringDistance(all[a]!, all[b]!), all[shorter(a, b)])
        assert.equal(compareGuids(all[a]!, all[b]!), order(a, b))
      }
    }
  })

  it('is right for 256-bit ids', () => {
    const ring = 1n << 256n
    fc.assert(
      fc.property(guids, guids, (a, b) => {
        const way = (number(b) - number(a) + ring) % ring
        assert.equal(number(clockwiseDistance(a, b)), way)
        assert.equal(number(ringDistance(a, b)), way * 2n < ring ? way : (ring - way) % ring)
        assert.equal(compareGuids(a, b), order(number(a), number(b)))
      }),
    )
  })

  it('is half the ring at most, between opposite ids, in both directions', () => {
    assert.equal(ringDistance(id('00'), id('80')), '80')
    assert.equal(ringDistance(id('c0'), id('40')), '80')
  })

  it('is asked of ids of one width', () => {
    assert.throws(() => clockwiseDistance(id('8'), id('80')), InvalidGuidError)
    assert.throws(() => compareOnRing(id('80'), id('80'), id('8')), InvalidGuidError)
    assert.throws(() => compareClockwise(id('80'), id('8'), id('80')), InvalidGuidError)
  })
})

describe('closeness on the ring', () => {
  it('goes the shorter way round', () => {
    assert.ok(isCloserOnRing(id('fe'), id('05'), id('01')))
    assert.ok(isCloserOnRing(id('05'), id('fa'), id('01')))
  })

  it('prefers, of two ids equally far, the one clockwise from the key', () => {
    assert.ok(isCloserOnRing(id('12'), id('0e'), id('10')))
    assert.ok(!isCloserOnRing(id('0e'), id('12'), id('10')))
    assert.ok(isCloserOnRing(id('01'), id('ff'), id('00')))
    assert.ok(isCloserOnRing(id('3f'), id('c1'), id('00')))
  })

  it('is false of an id against itself, also opposite the key', () => {
    for (const guid of all) assert.ok(!isCloserOnRing(guid, guid, id('00')))
  })

  it('orders all pairs of 8-bit ids round some keys by the definition', () => {
    for (const key of [0, 1, 0x7f, 0x80, 0x85, 0xff]) {
      for (let a = 0; a < 256; a++) {
        for (let b = 0; b < 256; b++) assert.equal(compareOnRing(all[a]!, all[b]!, all[key]!), closeness(a, b, key))
      }
    }
  })

  it('orders all triples of a sample by the definition', () => {
    const numbers = sample(6)
    for (const key of numbers) {
      for (const a of numbers) {
        for (const b of numbers) assert.equal(compareOnRing(all[a]!, all[b]!, all[key]!), closeness(a, b, key))
      }
    }
  })

  it('gives every key one root, whatever the order in which candidates are looked at', () => {
    const members = [0x00, 0x10, 0x20, 0x7f, 0x81, 0xfe]
    for (let key = 0; key < 256; key++) {
      const closest = (candidates: number[]) => candidates.reduce((best, n) => (isCloserOnRing(all[n]!, all[best]!, all[key]!) ? n : best))
      assert.equal(closest(members), closest([...members].reverse()))
    }
  })

  it('is right for 256-bit ids, however near each other', () => {
    const ring = 1n << 256n
    const way = (a: Guid, b: Guid) => (number(b) - number(a) + ring) % ring
    const near = fc.tuple(
      guids,
      fc.bigInt({ min: -3n, max: 3n }),
      fc.bigInt({ min: -3n, max: 3n }),
      fc.constantFrom(0n, 200n, 227n, 228n, 229n, 252n, 255n),
    )
    const shortest = (a: Guid, b: Guid) => (way(a, b) < way(b, a) ? way(a, b) : way(b, a))
    const check = (a: Guid, b: Guid, key: Guid) => {
      const expected = order(shortest(a, key), shortest(b, key)) || order(way(key, a), way(key, b))
      assert.equal(compareOnRing(a, b, key), expected)
      assert.equal(isCloserOnRing(a, b, key), expected < 0)
    }
    fc.assert(fc.property(guids, guids, guids, check), { numRuns: 500 })
    fc.assert(
      fc.property(near, ([key, left, right, shift]) => check(addToGuid(key, left << shift), addToGuid(key, right << shift), key)),
      { numRuns: 2000 },
    )
  })
})

describe('order clockwise from a point', () => {
  it('is that of clockwise distance, for all pairs of 8-bit ids', () => {
    for (const from of [0, 1, 0x80, 0x85, 0xff]) {
      for (let a = 0; a < 256; a++) {
        for (let b = 0; b < 256; b++) {
          assert.equal(compareClockwise(all[a]!, all[b]!, all[from]!), order(clockwise(from, a), clockwise(from, b)))
        }
      }
    }
  })
})

describe('intervals on the ring', () => {
  it('are those of a walk clockwise, for all 8-bit ids and a sample of ends', () => {
    for (const from of sample(16)) {
      for (const to of sample(16)) {
        const met = new Set(walk(from, to))
        const metFromOneBefore = new Set(walk((from + 255) % 256, (to + 255) % 256))
        for (let x = 0; x < 256; x++) {
          const [a, b, c] = [all[x]!, all[from]!, all[to]!]
          assert.equal(inOpenClosed(a, b, c), met.has(x))
          assert.equal(inOpen(a, b, c), met.has(x) && x !== to)
          assert.equal(inClosedOpen(a, b, c), metFromOneBefore.has(x))
        }
      }
    }
  })

  it('from a point to itself are the whole ring: without the point when open', () => {
    for (const x of all) {
      assert.equal(inOpen(x, id('85'), id('85')), x !== '85')
      assert.ok(inOpenClosed(x, id('85'), id('85')))
      assert.ok(inClosedOpen(x, id('85'), id('85')))
    }
  })

  it('divide the ring: each id lies in exactly one of (a, b] and (b, a]', () => {
    fc.assert(
      fc.property(guids, guids, guids, (x, a, b) => {
        fc.pre(a !== b)
        assert.notEqual(inOpenClosed(x, a, b), inOpenClosed(x, b, a))
        assert.notEqual(inClosedOpen(x, a, b), inClosedOpen(x, b, a))
        assert.equal(inOpen(x, a, b), inOpenClosed(x, a, b) && x !== b)
      }),
    )
  })
})

describe('points on the ring', () => {
  it('halfway between all pairs of 8-bit ids are rounded towards the first', () => {
    for (let from = 0; from < 256; from++) {
      for (let to = 0; to < 256; to++) {
        const way = from === to ? 256 : clockwise(from, to)
        assert.equal(halfway(all[from]!, all[to]!), all[(from + Math.floor(way / 2)) % 256])
      }
    }
  })

  it('halfway from a point to itself are opposite', () => {
    assert.equal(halfway(id('85'), id('85')), '05')
    assert.equal(halfway(id('00'), id('00')), '80')
  })

  it('halfway are equally far from both ends, give or take one, at 256 bits', () => {
    fc.assert(
      fc.property(guids, guids, (from, to) => {
        fc.pre(from !== to)
        const middle = halfway(from, to)
        const surplus = number(clockwiseDistance(middle, to)) - number(clockwiseDistance(from, middle))
        assert.ok(surplus === 0n || surplus === 1n)
      }),
    )
  })

  it('a number further on wrap round, for all 8-bit ids', () => {
    for (let n = 0; n < 256; n++) {
      assert.equal(successorGuid(all[n]!), all[(n + 1) % 256])
      assert.equal(predecessorGuid(all[n]!), all[(n + 255) % 256])
      for (const step of [-1000, -256, -3, 0, 5, 255, 256, 1000]) {
        assert.equal(addToGuid(all[n]!, step), all[(((n + step) % 256) + 256) % 256])
        assert.equal(addToGuid(all[n]!, BigInt(step)), addToGuid(all[n]!, step))
      }
    }
  })

  it('carry through all of 256 bits', () => {
    const [zero, ones] = [id('0'.repeat(64)), id('f'.repeat(64))]
    assert.equal(successorGuid(ones), zero)
    assert.equal(predecessorGuid(zero), ones)
    assert.equal(successorGuid(id(`${'0'.repeat(20)}${'f'.repeat(44)}`)), `${'0'.repeat(19)}1${'0'.repeat(44)}`)
  })

  it('lie a whole number apart', () => {
    for (const n of [0.5, NaN, Infinity, 2 ** 53]) assert.throws(() => addToGuid(id('00'), n), InvalidGuidError)
  })
})
