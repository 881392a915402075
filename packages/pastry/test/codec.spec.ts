import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { toProto, WireError } from '@plaxton/wire'
import { randomGuid } from '@plaxton/guid'
import { decodeJoinPayload, encodeJoinPayload, joinPayload, pastryCodec, pastryMessage } from '../src/codec.ts'
import { hintsMax, leafRefsMax, rowRefsMax } from '../src/messages.ts'
import type { PastryMessage } from '../src/messages.ts'

const prng = Prng.fromSeed('codec')
const node = (): NodeRef => ({ id: randomGuid(prng), address: `/ip4/10.0.0.${prng.nextInt(256)}/tcp/4001`, epoch: prng.nextInt(2 ** 31) })
const nodes = (count: number): NodeRef[] => Array.from({ length: count }, node)
const accept: RefReader = (id, address, epoch) => ({ id, address, epoch })

/** One of each kind, and each kind at its largest. */
function samples(): PastryMessage[] {
  const failed = nodes(3).map(({ id }) => id)
  return [
    { type: 'leaf-probe', seq: 7, member: true, leafSet: nodes(16), failed, lost: 'none', rttMs: 40 },
    { type: 'leaf-probe', seq: 2 ** 53 - 1, member: false, leafSet: nodes(leafRefsMax), failed: [], lost: 'left', rttMs: 0 },
    { type: 'leaf-reply', seq: 8, member: true, leafSet: [], failed: [], hints: nodes(hintsMax) },
    { type: 'heartbeat' },
    { type: 'ping', seq: 1 },
    { type: 'pong', seq: 1, member: true },
    { type: 'distance', rttMs: 123, member: false },
    { type: 'state-request', row: 255, leafSet: true, refs: [] },
    { type: 'state-reply', member: true, row: 0, refs: nodes(rowRefsMax), leafSet: nodes(16), neighborhood: nodes(2) },
    { type: 'slot-request', row: 3, column: 15 },
    { type: 'slot-reply', row: 3, column: 15, refs: nodes(1) },
    { type: 'join-request', purpose: 'seek', attempt: 0 },
    { type: 'join-refusal', attempt: 4 },
    { type: 'join-state', attempt: 1, hops: 3, root: true, leafSet: nodes(16), rows: nodes(45), neighborhood: [] },
    { type: 'announcement', rttMs: 40, refs: nodes(15) },
    { type: 'leave', leafSet: nodes(16) },
  ]
}

describe('pastryCodec', () => {
  it('gives back every message it wrote', () => {
    for (const message of samples()) assert.deepEqual(pastryCodec.decode(pastryCodec.encode(message), accept), message)
  })

  it('has a sample of every kind of message in this test', () => {
    assert.equal(new Set(samples().map(({ type }) => type)).size, 15)
  })

  it('leaves out the nodes that the driver refuses', () => {
    const [good, bad] = nodes(2) as [NodeRef, NodeRef]
    const bytes = pastryCodec.encode({ type: 'leave', leafSet: [good, bad] } as PastryMessage)
    const decoded = pastryCodec.decode(bytes, (id, address, epoch) => (id === bad.id ? undefined : { id, address, epoch }))
    assert.deepEqual(decoded, { type: 'leave', leafSet: [good] })
  })

  it('writes a heartbeat in two bytes and a leaf-set probe of 16 nodes in less than 1,200', () => {
    assert.equal(pastryCodec.encode({ type: 'heartbeat' }).length, 2)
    assert.ok(pastryCodec.encode(samples()[0]!).length < 1_200)
  })

  it('refuses more nodes than a message may name', () => {
    for (const message of [
      { type: 'leave', leafSet: nodes(leafRefsMax + 1) },
      { type: 'announcement', rttMs: 1, refs: nodes(rowRefsMax + 1) },
    ] satisfies PastryMessage[]) {
      assert.throws(() => pastryCodec.encode(message))
    }
  })

  it('throws nothing but the wire error, whatever the bytes', () => {
    for (const message of samples()) {
      const bytes = pastryCodec.encode(message)
      for (let round = 0; round < 200; round++) {
        const damaged = Uint8Array.from(bytes)
        for (let i = 0; i <= prng.nextInt(4); i++) damaged[prng.nextInt(damaged.length)] = prng.nextInt(256)
        refusesOrReads(prng.chance(0.5) ? damaged : damaged.subarray(0, prng.nextInt(damaged.length)))
      }
    }
    for (let round = 0; round < 2_000; round++) refusesOrReads(Uint8Array.from({ length: prng.nextInt(64) }, () => prng.nextInt(256)))
  })

  it('carries a join to its root', () => {
    const payload = { purpose: 'join', joiner: node(), attempt: 3 } as const
    assert.deepEqual(decodeJoinPayload(encodeJoinPayload(payload), accept), payload)
    assert.throws(() => decodeJoinPayload(encodeJoinPayload(payload), () => undefined), WireError)
    assert.throws(() => decodeJoinPayload(new Uint8Array(5), accept), WireError)
  })

  it('has the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/pastry.proto', import.meta.url)
    const proto = `// The messages of two Pastry nodes. Generated from codec.ts: UPDATE=1 mocha test/codec.spec.ts\n${toProto([pastryMessage, joinPayload], 'plaxton.pastry')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})

function refusesOrReads(bytes: Uint8Array): void {
  try {
    assert.equal(typeof pastryCodec.decode(bytes, accept).type, 'string')
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
  }
}
