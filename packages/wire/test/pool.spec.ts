import assert from 'node:assert/strict'
import { bytes, decode, encode, encodedLength, message, nested, repeated, string, uint32, UnencodableError } from '@plaxton/wire'
import { block } from './schemas.ts'

const note = message('Note', { text: string(1, { max: 20_000 }), data: bytes(2, { max: 20_000 }) })
const notes = message('Notes', { notes: repeated(nested(1, note), { max: 100 }), last: uint32(2) })

/** Long enough for any position within the pool of 8 KiB to have been the first byte of a message. */
const rounds = 400

describe('encoded messages', () => {
  it('stay as they were while others are encoded', () => {
    const kept = Array.from({ length: rounds }, (_, i) =>
      encode(note, { text: `${i}`.repeat(1 + (i % 60)), data: new Uint8Array(i % 97).fill(i) }),
    )
    kept.forEach((encoded, i) => {
      assert.deepEqual(decode(note, encoded), { text: `${i}`.repeat(1 + (i % 60)), data: new Uint8Array(i % 97).fill(i) })
    })
  })

  it('share no bytes', () => {
    const kept = Array.from({ length: rounds }, (_, i) => encode(note, { text: 'x'.repeat(i % 50), data: new Uint8Array(3) }))
    kept.forEach((encoded) => encoded.fill(0))
    const another = encode(note, { text: 'y', data: new Uint8Array(0) })
    kept.forEach((encoded) => encoded.fill(0xff))
    assert.deepEqual(decode(note, another), { text: 'y', data: new Uint8Array(0) })
  })

  it('of every length are right, wherever the pool ends', () => {
    for (let length = 0; length < 9000; length += 61) {
      const value = {
        notes: [
          { text: 'é'.repeat(length >> 1), data: new Uint8Array(length).fill(1) },
          { text: 'end', data: new Uint8Array(0) },
        ],
        last: length,
      }
      const encoded = encode(notes, value)
      assert.equal(encoded.length, encodedLength(notes, value))
      assert.deepEqual(decode(notes, encoded), value)
    }
  })

  it('that are large have a buffer of exactly their size, and their data is copied once', () => {
    const value = { nonce: 1, first: new Uint8Array(1 << 20).fill(1), second: new Uint8Array(1 << 20).fill(2) }
    const copies: number[] = []
    const original = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'set')!
    Uint8Array.prototype.set = function (source, at) {
      copies.push(source.length)
      original.value.call(this, source, at)
    }
    try {
      const encoded = encode(block, value)
      assert.equal(encoded.buffer.byteLength, encoded.length)
    } finally {
      Reflect.deleteProperty(Uint8Array.prototype, 'set')
    }
    assert.deepEqual(
      copies.filter((length) => length > 100),
      [1 << 20, 1 << 20],
    )
    assert.deepEqual(decode(block, encode(block, value)), value)
  })

  it('that are small keep no more than the pool alive', () => {
    for (let i = 0; i < rounds; i++) assert.ok(encode(note, { text: 'small', data: new Uint8Array(i) }).buffer.byteLength <= 8192)
  })

  it('are right after one that could not be encoded', () => {
    const before = encode(note, { text: 'before', data: new Uint8Array(0) })
    for (const data of [new Uint8Array(20_001), new Uint8Array(10_000)]) {
      assert.throws(() => encode(note, { text: 5 as never, data }), UnencodableError)
    }
    assert.deepEqual(decode(note, encode(note, { text: 'after', data: new Uint8Array(0) })).text, 'after')
    assert.equal(decode(note, before).text, 'before')
  })
})
