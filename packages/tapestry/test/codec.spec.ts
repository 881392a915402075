import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { toProto, WireError } from '@plaxton/wire'
import { randomGuid } from '@plaxton/guid'
import { decodeInsertPayload, encodeInsertPayload, insertPayload, tapestryCodec, tapestryMessage } from '../src/codec.ts'
import { foundMax, refsMax, slotsMax } from '../src/messages.ts'
import type { TapestryMessage } from '../src/messages.ts'

const prng = Prng.fromSeed('codec')
const node = (): NodeRef => ({ id: randomGuid(prng), address: `/ip4/10.0.0.${prng.nextInt(256)}/tcp/4001`, epoch: prng.nextInt(2 ** 31) })
const nodes = (count: number): NodeRef[] => Array.from({ length: count }, node)
const ids = (count: number): NodeRef['id'][] => nodes(count).map(({ id }) => id)
const accept: RefReader = (id, address, epoch) => ({ id, address, epoch })

/** One of each kind, and kinds with lists at their largest. */
function samples(): TapestryMessage[] {
  const status = { member: true, group: 2, points: false }
  return [
    { type: 'ping', seq: 1, ...status },
    { type: 'pong', seq: 2 ** 53 - 1, member: false, group: 0, points: true },
    { type: 'heartbeat', ...status },
    { type: 'pointer', rttMs: 4_294_967_295, ...status },
    { type: 'contacts', refs: nodes(3), gone: ids(2) },
    { type: 'fetch', ids: ids(4) },
    { type: 'exchange', prefix: 1, count: 17, digest: 4_294_967_295, holes: [0, 33, 1_023], ...status },
    { type: 'exchange-reply', same: true, prefix: 1, ids: [], gone: [], refs: [], ...status },
    { type: 'exchange-reply', same: false, prefix: 3, ids: ids(20), gone: ids(1), refs: nodes(2), ...status },
    { type: 'level-request', level: 3, back: true, refs: nodes(2), ...status },
    { type: 'level-reply', level: 3, refs: nodes(refsMax), ...status },
    { type: 'slot-request', slot: 37, ...status },
    { type: 'slot-reply', slot: 37, refs: nodes(foundMax), checked: true, ...status },
    { type: 'group-request', prefix: 1, ...status },
    { type: 'group-reply', prefix: 1, refs: nodes(5), branches: nodes(3), ...status },
    { type: 'insert-request', purpose: 'seek', attempt: 0 },
    { type: 'insert-refusal', attempt: 4, member: false, refs: nodes(1) },
    { type: 'surrogate', attempt: 4, refs: nodes(40), ...status },
    { type: 'insert', attempt: 4, holes: Array.from({ length: slotsMax }, (_, i) => i) },
    { type: 'inserted', attempt: 4, level: 1, ids: ids(10) },
    { type: 'multicast', seq: 3, token: 2 ** 52, purpose: 'check', level: 63, subject: node(), slots: [5] },
    { type: 'multicast-ack', seq: 3, done: true, ids: ids(10), refs: nodes(1) },
    { type: 'leave', refs: nodes(9) },
    { type: 'leave-ack' },
  ]
}

describe('tapestryCodec', () => {
  it('gives back every message it wrote', () => {
    for (const message of samples()) assert.deepEqual(tapestryCodec.decode(tapestryCodec.encode(message), accept), message)
  })

  it('has a sample of every kind of message in this test', () => {
    assert.equal(new Set(samples().map(({ type }) => type)).size, 23)
  })

  it('leaves out the nodes that the driver refuses', () => {
    const [good, bad] = nodes(2) as [NodeRef, NodeRef]
    const bytes = tapestryCodec.encode({ type: 'leave', refs: [good, bad] } as TapestryMessage)
    const decoded = tapestryCodec.decode(bytes, (id, address, epoch) => (id === bad.id ? undefined : { id, address, epoch }))
    assert.deepEqual(decoded, { type: 'leave', refs: [good] })
  })

  it('refuses a multicast about a node that the driver does not vouch for', () => {
    const [message] = samples().filter(({ type }) => type === 'multicast') as [TapestryMessage]
    assert.throws(() => tapestryCodec.decode(tapestryCodec.encode(message), () => undefined), WireError)
  })

  it('writes a ping, its pong and a heartbeat in less than ten bytes each', () => {
    for (const message of samples().slice(0, 3))
      assert.ok(tapestryCodec.encode({ ...message, ...('seq' in message ? { seq: 9 } : {}) }).length < 10)
  })

  it('refuses more nodes, ids or slots than a message may name', () => {
    for (const message of [
      { type: 'leave', refs: nodes(refsMax + 1) },
      { type: 'fetch', ids: ids(refsMax + 1) },
      { type: 'insert', attempt: 1, holes: Array.from({ length: slotsMax + 1 }, () => 0) },
    ] satisfies TapestryMessage[]) {
      assert.throws(() => tapestryCodec.encode(message))
    }
  })

  it('throws nothing but the wire error, whatever the bytes', () => {
    for (const message of samples()) {
      const bytes = tapestryCodec.encode(message)
      for (let round = 0; round < 100; round++) {
        const damaged = Uint8Array.from(bytes)
        for (let i = 0; i <= prng.nextInt(4); i++) damaged[prng.nextInt(damaged.length)] = prng.nextInt(256)
        refusesOrReads(prng.chance(0.5) ? damaged : damaged.subarray(0, prng.nextInt(damaged.length)))
      }
    }
    for (let round = 0; round < 2_000; round++) refusesOrReads(Uint8Array.from({ length: prng.nextInt(64) }, () => prng.nextInt(256)))
  })

  it('carries a joiner’s message to its surrogate', () => {
    const payload = { purpose: 'join', joiner: node(), attempt: 3 } as const
    assert.deepEqual(decodeInsertPayload(encodeInsertPayload(payload), accept), payload)
    assert.throws(() => decodeInsertPayload(encodeInsertPayload(payload), () => undefined), WireError)
    assert.throws(() => decodeInsertPayload(new Uint8Array(5), accept), WireError)
  })

  it('has the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/tapestry.proto', import.meta.url)
    const proto = `// The messages of two Tapestry nodes. Generated from codec.ts: UPDATE=1 mocha test/codec.spec.ts\n${toProto([tapestryMessage, insertPayload], 'plaxton.tapestry')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})

function refusesOrReads(bytes: Uint8Array): void {
  try {
    assert.equal(typeof tapestryCodec.decode(bytes, accept).type, 'string')
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
  }
}
