import assert from 'node:assert/strict'
import { decode, encode, encodedLength, toProto } from '@plaxton/wire'
import type { Schema } from '@plaxton/wire'
import fc from 'fast-check'
import * as any from './arbitrary.ts'
import { Oracle } from './oracle.ts'
import * as schemas from './schemas.ts'

const oracle = new Oracle(toProto([schemas.everything, schemas.envelope, schemas.block], 'plaxton.test'))

describe('a message', () => {
  agree('of two numbers', schemas.ack, any.acks)
  agree('of ids and bytes', schemas.route, any.routes)
  agree('with lists of nodes', schemas.leafSetProbe, any.leafSetProbes)
  agree('with every kind of field', schemas.everything, any.everythings)
  agree('that is a union', schemas.frame, any.frames)
  agree('with a union inside', schemas.envelope, any.envelopes)
  agree('larger than the pool', schemas.block, any.blocks)
})

function agree<T>(what: string, schema: Schema<T>, values: fc.Arbitrary<T>): void {
  describe(what, () => {
    it('has the same bytes as with protobufjs', () => {
      fc.assert(fc.property(values, (value) => assert.deepEqual(hex(encode(schema, value)), hex(oracle.encode(schema, value)))))
    })

    it('is read by protobufjs', () => {
      fc.assert(
        fc.property(values, (value) => assert.deepEqual(oracle.decode(schema, encode(schema, value)), oracle.expected(schema, value))),
      )
    })

    it('is read as it was written by protobufjs', () => {
      fc.assert(fc.property(values, (value) => assert.deepEqual(plain(decode(schema, oracle.encode(schema, value))), plain(value))))
    })

    it('is as long as announced', () => {
      fc.assert(fc.property(values, (value) => assert.equal(encodedLength(schema, value), encode(schema, value).length)))
    })

    it('has the same bytes whatever the order of its properties', () => {
      fc.assert(
        fc.property(values, (value) => {
          const given = Object.fromEntries(Object.entries(value as object).reverse()) as T
          assert.deepEqual(hex(encode(schema, given)), hex(encode(schema, value)))
        }),
      )
    })
  })
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** fast-check makes some records without a prototype, which a strict comparison minds. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}
