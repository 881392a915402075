import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Prng } from '../src/index.ts'

/** sfc32 as published by its author, in BigInt, with the seeding left out: state in, outputs out. */
function referenceSfc32(a: bigint, b: bigint, c: bigint, counter: bigint, count: number): bigint[] {
  const mask = 0xffffffffn
  const outputs: bigint[] = []
  for (let i = 0; i < count; i++) {
    const sum = (a + b + counter) & mask
    counter = (counter + 1n) & mask
    a = b ^ (b >> 9n)
    b = (c + (c << 3n)) & mask
    c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask
    outputs.push(sum)
  }
  return outputs
}

describe('Prng', () => {
  it('draws what sfc32 draws', () => {
    const prng = Prng.fromSeed('reference')
    const { a, b, c, counter } = prng as unknown as Record<'a' | 'b' | 'c' | 'counter', number>
    const expected = referenceSfc32(BigInt(a >>> 0), BigInt(b >>> 0), BigInt(c >>> 0), BigInt(counter >>> 0), 1000)
    const drawn = Array.from({ length: 1000 }, () => BigInt(prng.nextUint32()))
    assert.deepEqual(drawn, expected)
  })

  it('repeats itself from the same seed and not from another', () => {
    const draw = (seed: number | string): number[] => {
      const prng = Prng.fromSeed(seed)
      return Array.from({ length: 20 }, () => prng.nextUint32())
    }
    assert.deepEqual(draw(7), draw('7'))
    const seeds = Array.from({ length: 500 }, (_, seed) => draw(seed).join())
    assert.equal(new Set(seeds).size, 500)
  })

  it('forks children that do not depend on what the parent or a sibling draws later', () => {
    const quiet = Prng.fromSeed(1)
    const busy = Prng.fromSeed(1)
    const quietChild = quiet.fork()
    const busyChild = busy.fork()
    for (let i = 0; i < 100; i++) busy.nextUint32()
    const sequence = (prng: Prng): number[] => Array.from({ length: 50 }, () => prng.nextUint32())
    assert.deepEqual(sequence(quietChild), sequence(busyChild))
    assert.notDeepEqual(sequence(quiet.fork()), sequence(Prng.fromSeed(1).fork()))
  })

  it('spreads whole numbers evenly (chi-square below the 99.9 % point)', () => {
    const prng = Prng.fromSeed('even')
    const bins = new Array<number>(100).fill(0)
    const draws = 200_000
    for (let i = 0; i < draws; i++) bins[prng.nextInt(100)]! += 1
    const expected = draws / 100
    const chiSquare = bins.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0)
    assert.ok(chiSquare < 148.2, `chi-square ${chiSquare} with 99 degrees of freedom`)
  })

  it('keeps floats in [0, 1) with the mean and variance of the uniform distribution', () => {
    const prng = Prng.fromSeed('floats')
    const draws = Array.from({ length: 100_000 }, () => prng.nextFloat())
    assert.ok(draws.every((x) => x >= 0 && x < 1))
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length
    assert.ok(Math.abs(mean - 1 / 2) < 0.004, String(mean))
    assert.ok(Math.abs(variance - 1 / 12) < 0.002, String(variance))
  })

  it('shuffles into every order equally often and leaves its argument alone', () => {
    const prng = Prng.fromSeed('shuffle')
    const items = ['a', 'b', 'c', 'd'] as const
    const seen = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const order = prng.shuffle(items).join('')
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    assert.equal(seen.size, 24)
    assert.deepEqual(items, ['a', 'b', 'c', 'd'])
    for (const [order, times] of seen) assert.ok(Math.abs(times - 1000) < 160, `${order} ${times} times`)
  })

  it('jitters within its share and keeps whole milliseconds', () => {
    const prng = Prng.fromSeed('jitter')
    for (let i = 0; i < 1000; i++) {
      const ms = prng.jitter(1000, 0.25)
      assert.ok(Number.isInteger(ms) && ms >= 750 && ms <= 1250, String(ms))
    }
    assert.equal(prng.jitter(0, 1), 0)
  })

  it('draws exponential times with the mean asked for', () => {
    const prng = Prng.fromSeed('sessions')
    let sum = 0
    for (let i = 0; i < 100_000; i++) sum += prng.nextExponential(60)
    assert.ok(Math.abs(sum / 100_000 - 60) < 1, String(sum / 100_000))
  })

  it('picks nothing from nothing', () => {
    assert.equal(Prng.fromSeed(0).pick([]), undefined)
  })
})
