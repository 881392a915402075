import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import {
  bool,
  decode,
  encode,
  guid,
  message,
  nested,
  nodeRef,
  optional,
  refine,
  repeated,
  string,
  uint32,
  UnencodableError,
  union,
  WireError,
} from '@plaxton/wire'
import type { DecodeContext, Infer, Schema, WireNodeRef } from '@plaxton/wire'
import { ack, envelope, frame, leafSetProbe, someId } from './schemas.ts'
import type { Frame } from './schemas.ts'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

function refused(schema: Schema<unknown>, bytes: string | Uint8Array, reason: string, field: string, context: DecodeContext = {}): void {
  assert.throws(() => decode(schema, typeof bytes === 'string' ? fromHex(bytes) : bytes, context), {
    name: 'WireError',
    code: 'ERR_WIRE',
    reason,
    field,
  })
}

const pair = message('Pair', { b: uint32(2), a: uint32(1), list: repeated(uint32(3), { max: 3 }) })

describe('a message', () => {
  it('is written in the order of its field numbers', () => {
    assert.deepEqual(encode(pair, { b: 2, list: [3], a: 1 }), fromHex('0801 1002 1a0103'))
  })

  it('is read in any order', () => {
    assert.deepEqual(decode(pair, fromHex('1002 0801')), { a: 1, b: 2, list: [] })
    assert.deepEqual(decode(pair, fromHex('1a0103 1002 1a0104 0801')), { a: 1, b: 2, list: [3, 4] })
  })

  it('has its properties in the order of the numbers, so that all have one shape', () => {
    for (const bytes of ['', '0801', '1002', '1002 0801', '1a0103'])
      assert.deepEqual(Object.keys(decode(pair, fromHex(bytes))), ['a', 'b', 'list'])
  })

  it('has each field once', () => {
    refused(pair, '0801 0801', 'repeated', 'Pair.a')
    refused(pair, '1002 0801 1002', 'repeated', 'Pair.b')
  })

  it('has each field in its wire type', () => {
    refused(pair, '0a0101', 'wire type', 'Pair.a')
    refused(pair, '1d00000000', 'wire type', 'Pair.list')
  })

  it('may have fields that the schema does not know, of the four simple wire types', () => {
    // Field 9 as varint (the largest there is), 8 bytes, length-delimited and 4 bytes; field 536870911, the last.
    const unknown = '48ffffffffffffffffff01 490011223344556677 4a03aabbcc 4d00112233 f8ffffff0f05'
    assert.deepEqual(decode(pair, fromHex(`0801 ${unknown} 1002`)), { a: 1, b: 2, list: [] })
    assert.deepEqual(decode(message('Empty', {}), fromHex(unknown)), {})
  })

  it('has no groups, no reserved wire types, and no field number that does not exist', () => {
    for (const wireType of [3, 4, 6, 7]) refused(pair, (0x48 + wireType).toString(16), 'wire type', 'Pair')
    refused(pair, '0001', 'wire type', 'Pair')
    refused(pair, '8080808010 01', 'wire type', 'Pair')
    refused(pair, 'ffffffffffffff0f 01', 'wire type', 'Pair')
  })

  it('has unknown fields that end before it does', () => {
    for (const bytes of ['48', '4880', '4900112233445566', '4a', '4a03aabb', '4affffffffffffff0f', '4d001122'])
      refused(pair, bytes, 'truncated', 'Pair')
    refused(pair, '48ffffffffffffffffffff01', 'number', 'Pair')
  })

  it('is refused unread when longer than the context allows', () => {
    refused(pair, '0801 1002', 'too large', 'Pair', { maxBytes: 3 })
    assert.deepEqual(decode(pair, fromHex('0801'), { maxBytes: 2 }), { a: 1, b: 0, list: [] })
  })

  it('is read from a view at any place of a larger buffer', () => {
    const encoded = encode(leafSetProbe, { leafSet: [{ id: someId('a'), address: 'x', epoch: 7 }], failed: [], reply: true })
    const buffer = new Uint8Array(encoded.length + 20).fill(0xff)
    buffer.set(encoded, 11)
    assert.deepEqual(decode(leafSetProbe, buffer.subarray(11, 11 + encoded.length)), decode(leafSetProbe, encoded))
  })

  it('names the field at fault, also in a nested message', () => {
    refused(envelope, '0801 12020a00 78', 'truncated', 'Envelope')
    refused(envelope, '0801 12 06 0a 04 08 01 10 02', 'value', 'Ack.accepted')
    assert.throws(() => encode(envelope, { version: 1, body: { type: 'ack', nonce: -1, accepted: true } }), {
      name: 'UnencodableError',
      code: 'ERR_UNENCODABLE',
      field: 'Ack.nonce',
      value: -1,
      allowed: 'a whole number from 0 to 4294967295',
    })
  })

  it('has at most 31 fields, of different numbers from 1 to 2047', () => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, uint32(i + 1)]))
    assert.equal(Object.keys(decode(message('Many', fields(31)), new Uint8Array(0))).length, 31)
    assert.throws(() => message('TooMany', fields(32)), UnencodableError)
    assert.throws(() => message('Twice', { a: uint32(1), b: bool(1) }), UnencodableError)
    for (const number of [0, -1, 2048, 1.5]) assert.throws(() => message('Number', { a: uint32(number) }), UnencodableError)
  })
})

describe('a nested message', () => {
  const outer = message('Outer', { first: nested(1, ack), last: optional(nested(2, ack)) })

  it('must be there, even if all its fields have their defaults', () => {
    assert.deepEqual(encode(outer, { first: { nonce: 0, accepted: false } }), fromHex('0a00'))
    assert.deepEqual(decode(outer, fromHex('0a00')), { first: { nonce: 0, accepted: false } })
    refused(outer, '', 'missing', 'Outer.first')
    refused(outer, '1200', 'missing', 'Outer.first')
  })

  it('does not reach beyond its length, nor its length beyond the message', () => {
    refused(outer, '0a01 08 01', 'truncated', 'Ack.nonce')
    refused(outer, '0a05 0801', 'truncated', 'Outer.first')
  })

  it('ends its last list where it ends itself, even if the next tag looks like one more element', () => {
    const inner = message('Inner', { words: repeated(string(2, { max: 5 }), { max: 5 }) })
    const around = message('Around', { inner: nested(1, inner), word: string(2, { max: 5 }) })
    assert.deepEqual(decode(around, fromHex('0a03 120161 120162')), { inner: { words: ['a'] }, word: 'b' })
  })

  it('must be an object', () => {
    for (const first of [5, 'x', true]) assert.throws(() => encode(outer, { first } as never), UnencodableError)
  })
})

describe('a list', () => {
  it('has at most as many elements as the schema says', () => {
    refused(pair, '1a0400010203', 'too large', 'Pair.list')
    refused(pair, '1800 1800 1800 1800', 'too large', 'Pair.list')
    refused(pair, '1a020001 0801 1a020203', 'too large', 'Pair.list')
    assert.throws(() => encode(pair, { a: 1, b: 2, list: [1, 2, 3, 4] }), UnencodableError)
    for (const list of ['abc', [1, undefined], [null]])
      assert.throws(() => encode(pair, { a: 1, b: 2, list: list as never }), UnencodableError)
  })

  it('of numbers is packed when written, and read packed or not', () => {
    for (const bytes of ['1a03010203', '180118021803', '1801 1a0102 1803', '1a00 1a03010203']) {
      assert.deepEqual(decode(pair, fromHex(bytes)).list, [1, 2, 3])
    }
    refused(pair, '1a0280', 'truncated', 'Pair.list')
    refused(pair, '1a0180', 'truncated', 'Pair.list')
  })

  it('of messages keeps empty ones', () => {
    const acks = message('Acks', { acks: repeated(nested(1, ack), { max: 3 }) })
    const value = {
      acks: [
        { nonce: 0, accepted: false },
        { nonce: 1, accepted: false },
        { nonce: 0, accepted: false },
      ],
    }
    assert.deepEqual(encode(acks, value), fromHex('0a00 0a020801 0a00'))
    assert.deepEqual(decode(acks, fromHex('0a00 0a020801 0a00')), value)
  })

  it('may have a field number of two bytes', () => {
    const far = message('Far', { words: repeated(string(2047, { max: 5 }), { max: 5 }) })
    assert.deepEqual(decode(far, encode(far, { words: ['a', '', 'b'] })), { words: ['a', '', 'b'] })
  })
})

describe('a union', () => {
  it('is a message with the one field that the discriminant names', () => {
    const value: Frame = { type: 'ack', nonce: 5, accepted: true }
    assert.deepEqual(encode(frame, value), fromHex('0a04 0805 1001'))
    assert.deepEqual(decode(frame, fromHex('0a04 0805 1001')), value)
    assert.deepEqual(decode(frame, encode(frame, { type: 'nothing' })), { type: 'nothing' })
  })

  it('has the discriminant first', () => {
    assert.deepEqual(Object.keys(decode(frame, fromHex('0a00'))), ['type', 'nonce', 'accepted'])
  })

  it('narrows in TypeScript', () => {
    const value: Frame = decode(frame, fromHex('0a020805'))
    const nonce: number = value.type === 'ack' ? value.nonce : -1
    assert.equal(nonce, 5)
  })

  it('has exactly one variant that the schema knows', () => {
    refused(frame, '', 'missing', 'Frame')
    refused(frame, '7a00', 'missing', 'Frame')
    refused(frame, '0805', 'missing', 'Frame')
    refused(frame, '0a00 a20100', 'repeated', 'Frame')
    refused(frame, '0a00 0a00', 'repeated', 'Frame')
    refused(frame, '0b', 'wire type', 'Frame')
    refused(frame, '0200', 'wire type', 'Frame')
  })

  it('skips unknown fields beside its variant', () => {
    assert.deepEqual(decode(frame, fromHex('7a00 0a00 7801')), { type: 'ack', nonce: 0, accepted: false })
  })

  it('is not written with a variant it does not have', () => {
    assert.throws(() => encode(frame, { type: 'stranger' } as never), { name: 'UnencodableError', field: 'Frame.type', value: 'stranger' })
    assert.throws(() => encode(frame, {} as never), UnencodableError)
  })

  it('is made of messages without a field of the discriminant’s name, at different numbers', () => {
    const typed = message('Typed', { type: uint32(1) })
    assert.throws(() => union('U', 'type', { typed: nested(1, typed) }), UnencodableError)
    assert.throws(() => union('U', 'type', { number: uint32(1) }), UnencodableError)
    assert.throws(() => union('U', 'type', { inner: nested(1, frame) }), UnencodableError)
    assert.throws(() => union('U', 'type', { a: nested(1, ack), b: nested(1, ack) }), UnencodableError)
  })
})

describe('a refined field', () => {
  const even = refine(uint32(1), (n) => (n % 2 === 0 ? n : undefined))

  it('refuses its message, or, in a list, is left out', () => {
    const one = message('One', { n: even })
    const many = message('Many', { n: repeated(even, { max: 4 }) })
    assert.deepEqual(decode(one, fromHex('0804')), { n: 4 })
    refused(one, '0805', 'rejected', 'One.n')
    assert.deepEqual(decode(many, fromHex('0a0404050607')), { n: [4, 6] })
  })

  it('counts against the bound of its list also when left out', () => {
    refused(message('Many', { n: repeated(even, { max: 2 }) }), '0a0403050204', 'too large', 'Many.n')
  })

  it('is written as it is', () => {
    assert.deepEqual(encode(message('One', { n: even }), { n: 5 }), fromHex('0805'))
  })
})

describe('a node reference', () => {
  const ref = (id: string, address: string, epoch: number): WireNodeRef => ({ id: id as Guid, address, epoch })
  const probe = message('Probe', { sender: nodeRef(1), others: repeated(nodeRef(2), { max: 4 }) })
  const bytes = encode(probe, { sender: ref('85', 'a', 1), others: [ref('86', 'bad', 2), ref('87', 'c', 3)] })

  it('is id, address and epoch', () => {
    assert.deepEqual(bytes, fromHex('0a08 0a0185 120161 1801 120a 0a0186 1203626164 1802 1208 0a0187 120163 1803'))
  })

  it('is what the context makes of it', () => {
    const known = ref('85', 'a', 1)
    const decoded = decode(probe, bytes, { ref: (id, address, epoch) => (id === '85' ? known : ref(id, `${address}!`, epoch + 1)) })
    assert.equal(decoded.sender, known)
    assert.deepEqual(decoded.others, [ref('86', 'bad!', 3), ref('87', 'c!', 4)])
  })

  it('is left out of lists, or refuses its message, when the context refuses it', () => {
    const judge = (refusedAddress: string): DecodeContext => ({
      ref: (id, address, epoch) => (address === refusedAddress ? undefined : { id, address, epoch }),
    })
    assert.deepEqual(decode(probe, bytes, judge('bad')).others, [ref('87', 'c', 3)])
    refused(probe, bytes, 'rejected', 'Probe.sender', judge('a'))
  })

  it('has an address of at most 1024 bytes', () => {
    assert.throws(() => encode(probe, { sender: ref('85', 'x'.repeat(1025), 1), others: [] }), UnencodableError)
  })

  it('is taken as it is without a context', () => {
    assert.deepEqual(decode(probe, bytes).sender, ref('85', 'a', 1))
  })
})

describe('the type of a schema’s values', () => {
  it('is that of its fields', () => {
    const schema = message('Typed', {
      id: guid(1),
      count: uint32(2),
      note: optional(string(3, { max: 9 })),
      all: repeated(bool(4), { max: 2 }),
    })
    type Typed = Infer<typeof schema>
    interface ByHand {
      readonly id: Guid
      readonly count: number
      readonly note?: string
      readonly all: readonly boolean[]
    }
    // Compiles only if each type can stand for the other.
    const there = (value: ByHand): Typed => value
    const back = (value: Typed): ByHand => value
    const value = { id: someId('a'), count: 1, all: [true] }
    assert.deepEqual(decode(schema, encode(schema, there(back(value)))), value)
  })

  it('cannot be left out in part', () => {
    // @ts-expect-error: `accepted` is missing.
    assert.throws(() => encode(ack, { nonce: 1 }), UnencodableError)
  })
})

describe('an error about bytes', () => {
  it('says what was wrong, for a log', () => {
    assert.throws(
      () => decode(pair, fromHex('1a0400010203')),
      (error) => error instanceof WireError && error.message === 'Pair.list: more than 3',
    )
  })
})
