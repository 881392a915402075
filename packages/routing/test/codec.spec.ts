import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { toProto, WireError } from '@plaxton/wire'
import type { RoutingMessage } from '../src/index.ts'
import { frame, maxFrameBytes } from '../src/index.ts'
import { routingCodec } from '../src/codec.ts'
import { bytes, ref, text } from './support.ts'

const overlay: MessageCodec = {
  encode: (message) => bytes(message.type),
  decode: (encoded) => ({ type: text(encoded) }),
}
const codec = routingCodec(overlay, 2)
const anyone: RefReader = (id, address, epoch) => ({ id, address, epoch })

const id = fc.integer({ min: 0, max: 65_535 }).map((n) => n.toString(16).padStart(4, '0') as Guid)
const uint53 = fc.maxSafeNat()
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const payload = fc.uint8Array({ maxLength: 300 })
const application = fc.stringMatching(/^[a-z0-9-]{1,32}$/)
const detail = fc.string({ maxLength: 200, unit: 'grapheme' }).map((s) => s.slice(0, 60))
const path = fc.array(id, { maxLength: 32 })
const node = fc.record({ id, address: fc.stringMatching(/^[ -~]{0,80}$/), epoch: uint53 })
const reason = fc.constantFrom('no route', 'timed out', 'hop limit', 'rejected by application', 'overloaded', 'left')

const message: fc.Arbitrary<RoutingMessage> = fc.oneof(
  fc.record({
    type: fc.constant('route'),
    seq: uint53,
    nonce: uint53,
    key: id,
    application,
    payload,
    hops: uint32,
    cursor: uint32,
    replyWithinMs: uint32,
    keepPath: fc.boolean(),
    path,
  }),
  fc.record({ type: fc.constant('ack'), seq: uint53 }),
  fc.record({ type: fc.constant('nack'), seq: uint53, reason: fc.constantFrom('not ready', 'overloaded', 'left') }),
  fc.record({ type: fc.constant('reply'), seq: uint53, payload, hops: uint32, path }),
  fc.record({ type: fc.constant('refusal'), seq: uint53, reason, detail, at: fc.array(node, { maxLength: 1 }), hops: uint32, path }),
  fc.record({ type: fc.constant('request'), seq: uint53, application, payload, withinMs: uint32 }),
  fc.record({ type: fc.constant('response'), seq: uint53, payload }),
  fc.record({ type: fc.constant('request-refused'), seq: uint53, reason, detail }),
  fc.record({ type: fc.constant('tell'), application, payload }),
  fc.record({ type: fc.constant('find'), seq: uint53, key: id, num: uint32 }),
  fc.record({ type: fc.constant('found'), seq: uint53, root: fc.boolean(), nodes: fc.array(node, { maxLength: 32 }) }),
) as fc.Arbitrary<RoutingMessage>

function encode(value: Message): Uint8Array {
  return codec.encode(value).slice()
}

describe('the codec of frames', () => {
  it('gives back what went in, for every message', () => {
    fc.assert(
      fc.property(message, (value) => {
        const encoded = encode(value)
        assert.ok(encoded.length <= maxFrameBytes)
        assert.deepEqual(plain(codec.decode(encoded, anyone)), plain(value))
      }),
      { numRuns: 1000 },
    )
  })

  it('is protobuf with these field numbers', () => {
    const hex = (value: Message) => Buffer.from(codec.encode(value)).toString('hex')
    assert.equal(hex({ type: 'ack', seq: 7 } as Message), '12020807')
    assert.equal(hex({ type: 'nack', seq: 300, reason: 'overloaded' } as Message), '1a0508ac021002')
    assert.equal(hex({ type: 'find', seq: 1, key: '8500', num: 3 } as Message), '52080801120285001803')
    const route = {
      type: 'route',
      seq: 1,
      nonce: 2,
      key: '8500',
      application: 'past',
      payload: Uint8Array.of(255),
      hops: 3,
      cursor: 0,
      replyWithinMs: 4,
      keepPath: false,
      path: [],
    }
    assert.equal(hex(route as Message), '0a15' + '0801' + '1002' + '1a028500' + '220470617374' + '2a01ff' + '3003' + '4004')
  })

  it('passes a message of the overlay through the codec of the overlay', () => {
    assert.equal(Buffer.from(codec.encode({ type: 'ping' })).toString('hex'), '7a06' + '0a0470696e67')
    assert.deepEqual(codec.decode(encode({ type: 'ping' }), anyone), { type: 'ping' })
  })

  it('refuses ids of another width than the network has', () => {
    for (const value of [
      { type: 'find', seq: 1, key: '85', num: 3 },
      { type: 'reply', seq: 1, payload: bytes(''), hops: 1, path: ['850000'] },
    ]) {
      assert.throws(() => codec.decode(encode(value as Message), anyone), WireError)
    }
  })

  it('leaves out references that the driver does not believe, and keeps the message', () => {
    const refuse: RefReader = (found) => (found === '0001' ? undefined : ref(found))
    const found = { type: 'found', seq: 1, root: false, nodes: [ref('0001'), ref('0002')] } as Message
    assert.deepEqual(codec.decode(encode(found), refuse), { ...found, nodes: [ref('0002')] })
    const refusal = { type: 'refusal', seq: 1, reason: 'left', detail: '', at: [ref('0001')], hops: 1, path: [] } as Message
    assert.deepEqual(codec.decode(encode(refusal), refuse), { ...refusal, at: [] })
  })

  it('throws WireError and nothing else, whatever the bytes', () => {
    const tryToDecode = (input: Uint8Array) => {
      try {
        codec.decode(input, anyone)
      } catch (error) {
        assert.ok(error instanceof WireError, String(error))
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tryToDecode), { numRuns: 5000 })
    const change = fc.record({ at: fc.nat(400), value: fc.nat(255) })
    fc.assert(
      fc.property(message, fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(400), (value, changes, length) => {
        const input = encode(value)
        for (const { at, value: byte } of changes) if (at < input.length) input[at] = byte
        tryToDecode(input)
        tryToDecode(input.subarray(0, length))
      }),
      { numRuns: 3000 },
    )
  })

  it('refuses a frame longer than any that is sent, unread', () => {
    assert.throws(() => codec.decode(new Uint8Array(maxFrameBytes + 1), anyone), { reason: 'too large' })
  })

  it('has the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/routing.proto', import.meta.url)
    const proto = `// The frames of two Plaxton nodes. Generated from codec.ts: UPDATE=1 mocha test/codec.spec.ts\n${toProto([frame], 'plaxton.routing')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})

/** Views of larger buffers and plain arrays compare equal. */
function plain(value: Message): unknown {
  return JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Uint8Array ? [...inner] : inner)))
}
