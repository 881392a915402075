import assert from 'node:assert/strict'
import { decode, encode, WireError } from '@plaxton/wire'
import type { Schema } from '@plaxton/wire'
import fc from 'fast-check'
import * as any from './arbitrary.ts'
import * as schemas from './schemas.ts'

/**
 * Whatever arrives: either WireError, or a value that can be encoded again and is then read as the same. Each schema gets random bytes,
 * bytes that look like protobuf, and valid messages with a few changes.
 */

const cases: readonly (readonly [Schema<unknown>, fc.Arbitrary<unknown>])[] = [
  [schemas.ack, any.acks],
  [schemas.route, any.routes],
  [schemas.leafSetProbe, any.leafSetProbes],
  [schemas.everything, any.everythings],
  [schemas.envelope, any.envelopes],
]

describe('hostile bytes', () => {
  for (const [schema, values] of cases) {
    it(`at random make no ${schema.name} and throw nothing but WireError`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(schema, bytes)),
        { numRuns: 2000 },
      )
    })

    it(`that look like fields do no harm to ${schema.name}`, () => {
      fc.assert(
        fc.property(fieldLike, (bytes) => survives(schema, bytes)),
        { numRuns: 2000 },
      )
    })

    it(`that were a ${schema.name} before some changes do no harm`, () => {
      const mutated = fc.tuple(values, fc.array(mutation, { minLength: 1, maxLength: 4 })).map(([value, mutations]) => {
        let bytes = [...encode(schema, value)]
        for (const mutate of mutations) bytes = mutate(bytes)
        return Uint8Array.from(bytes)
      })
      fc.assert(
        fc.property(mutated, (bytes) => survives(schema, bytes)),
        { numRuns: 2000 },
      )
    })

    it(`that are a ${schema.name} cut short are refused, or read as a shorter one`, () => {
      fc.assert(
        fc.property(values, (value) => {
          const bytes = encode(schema, value)
          for (let length = 0; length < bytes.length; length += 1 + (bytes.length >> 6)) survives(schema, bytes.subarray(0, length))
        }),
      )
    })
  }

  it('cannot make decoding allocate by a length they announce', () => {
    const before = process.memoryUsage()
    // 2^53 - 1 bytes announced for each length-delimited field in turn.
    for (let number = 1; number <= 25; number++) {
      for (let i = 0; i < 100; i++)
        survives(schemas.everything, Uint8Array.of(...tagOf(number, 2), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f))
    }
    const after = process.memoryUsage()
    assert.ok(after.arrayBuffers - before.arrayBuffers < 10_000_000)
    assert.ok(after.heapUsed - before.heapUsed < 100_000_000)
  })

  it('take time in proportion to their number at most', () => {
    // 1 MiB of the shortest unknown fields, of empty fields, and of one list: a quadratic reader would need hours.
    for (const pattern of [
      [0x78, 0x01],
      [0xfa, 0x3f, 0x00],
      [0x1a, 0x00],
      [0x58, 0x01],
    ]) {
      const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => pattern[i % pattern.length]!)
      const start = performance.now()
      for (const [schema] of cases) survives(schema, bytes)
      assert.ok(performance.now() - start < 2000)
    }
  })
})

/** Decoding `bytes` ends well: with WireError, or with a value that survives a round trip. */
function survives(schema: Schema<unknown>, bytes: Uint8Array): void {
  let value: unknown
  try {
    value = decode(schema, bytes)
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    return
  }
  assert.deepEqual(decode(schema, encode(schema, value)), value)
}

function tagOf(number: number, wireType: number): number[] {
  const tag = number * 8 + wireType
  return tag < 0x80 ? [tag] : [(tag & 0x7f) | 0x80, tag >> 7]
}

/** Tags of known and unknown fields, each with a value that mostly fits its wire type. */
const fieldLike = fc
  .array(
    fc
      .tuple(fc.integer({ min: 0, max: 30 }), fc.constantFrom(0, 0, 1, 2, 2, 2, 3, 4, 5), fc.uint8Array({ maxLength: 12 }), fc.nat(3))
      .map(([number, wireType, content, error]) => {
        const prefix = wireType === 2 ? [error === 0 ? content.length + 1 : content.length] : []
        const body = wireType === 0 ? [...content.subarray(0, 3).map((byte) => byte | 0x80), 1] : [...content]
        return [...tagOf(number, wireType), ...prefix, ...body]
      }),
    { maxLength: 12 },
  )
  .map((fields) => Uint8Array.from(fields.flat()))

const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const place = (bytes: readonly number[], at: number) => Math.floor(at * bytes.length)

/** One change to a message. */
const mutation: fc.Arbitrary<(bytes: number[]) => number[]> = fc.oneof(
  fc.tuple(position, fc.nat(7)).map(
    ([at, bit]) =>
      (bytes: number[]) =>
        bytes.map((byte, i) => (i === place(bytes, at) ? byte ^ (1 << bit) : byte)),
  ),
  fc.tuple(position, fc.nat(255)).map(
    ([at, byte]) =>
      (bytes: number[]) =>
        bytes.map((old, i) => (i === place(bytes, at) ? byte : old)),
  ),
  fc.tuple(position, fc.uint8Array({ maxLength: 5 })).map(
    ([at, more]) =>
      (bytes: number[]) =>
        bytes.toSpliced(place(bytes, at), 0, ...more),
  ),
  fc.tuple(position, fc.nat(5)).map(
    ([at, count]) =>
      (bytes: number[]) =>
        bytes.toSpliced(place(bytes, at), count),
  ),
  fc.tuple(position, position).map(([at, length]) => (bytes: number[]) => {
    const from = place(bytes, at)
    return [...bytes, ...bytes.slice(from, from + place(bytes, length))]
  }),
)
