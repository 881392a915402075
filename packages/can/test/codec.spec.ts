import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { WireError, toProto } from '@plaxton/wire'
import { canCodec, canMessage, decodeJoinPayload, encodeJoinPayload, joinPayload } from '../src/codec.ts'
import {
  decodeRealitiesPayload,
  encodeRealitiesPayload,
  realitiesCodec,
  realitiesMessage,
  realitiesPayload,
} from '../src/realities-codec.ts'
import { payloadMax, stretchesMax } from '../src/realities-messages.ts'
import type { RealitiesMessage, RealitiesPayload } from '../src/realities-messages.ts'
import { claimsMax } from '../src/claim.ts'
import type { Entry } from '../src/claim.ts'
import { depthMax, othersMax } from '../src/messages.ts'
import type { CanMessage } from '../src/messages.ts'
import { claim, zone } from './helpers.ts'

const prng = Prng.fromSeed('codec')
const node = (): NodeRef => ({ id: randomGuid(prng), address: `/ip4/10.0.0.${prng.nextInt(256)}/tcp/4001`, epoch: prng.nextInt(2 ** 31) })
const entries = (count: number): Entry[] =>
  Array.from({ length: count }, () => ({ node: node(), claims: [claim('01', 3), claim('', 0, true)] }))
const accept: RefReader = (id, address, epoch) => ({ id, address, epoch })

/** One of each kind, and kinds with lists at their largest. */
function samples(): CanMessage[] {
  const around = { claims: [claim('0110', 7)], groups: [zone('01'), zone('')], shared: [zone('011')], others: entries(3), digest: 9 }
  const full = {
    claims: Array.from({ length: claimsMax }, () => claim('1'.repeat(depthMax), 2 ** 32 - 1, true)),
    groups: [zone('1'.repeat(depthMax))],
    shared: [],
    others: entries(othersMax),
    digest: 2 ** 32 - 1,
  }
  return [
    { type: 'report', ...around, member: true, token: 5, echo: 2 ** 53 - 1, base: 0, gone: [] },
    { type: 'report', ...around, member: true, token: 0, echo: 0, base: 8, gone: Array.from({ length: othersMax }, () => node().id) },
    { type: 'report', ...full, member: false, token: 0, echo: 0, base: 2 ** 32 - 1, gone: [] },
    { type: 'beat', digest: 4_294_967_295, known: 0 },
    { type: 'heard', digest: 7 },
    { type: 'doubt', node: node().id, epoch: 2 },
    { type: 'ping', seq: 1 },
    { type: 'pong', seq: 2 ** 53 - 1 },
    { type: 'join-request', purpose: 'seek', attempt: 0, key: node().id },
    { type: 'join-refusal', attempt: 3, member: true },
    { type: 'split', joiner: node(), attempt: 3 },
    { type: 'grant', ...around, attempt: 3, zone: claim('01101', 8) },
    { type: 'adopt', giver: node(), zone: claim('1', 1, true), ttl: 32 },
    { type: 'search', zone: zone('0101'), asker: node(), nonce: 9, ttl: 3 },
    { type: 'search-reply', entries: entries(2) },
    { type: 'leave', claims: [claim('0', 1), claim('11', 2)], heirs: [node().id, node().id] },
  ]
}

describe('canCodec', () => {
  it('gives back every message it wrote', () => {
    for (const message of samples()) assert.deepEqual(canCodec.decode(canCodec.encode(message), accept), message)
  })

  it('has a sample of every kind of message in this test', () => {
    assert.equal(new Set(samples().map(({ type }) => type)).size, 14)
  })

  it('refuses a zone that is not of zeros and ones, and one with too many halvings', () => {
    for (const bits of ['2', '1'.repeat(depthMax + 1)]) {
      const message = { type: 'search', zone: bits, asker: node(), nonce: 1, ttl: 1 } as unknown as CanMessage
      assert.throws(() => canCodec.decode(canCodec.encode(message), accept), /./)
    }
  })

  it('gives back what walks to the owner of a point', () => {
    const payload = { purpose: 'join' as const, joiner: node(), attempt: 4 }
    assert.deepEqual(decodeJoinPayload(encodeJoinPayload(payload), accept), payload)
    assert.throws(() => decodeJoinPayload(encodeJoinPayload(payload), () => undefined), WireError)
  })

  it('is described by can.proto', () => {
    const file = new URL('../src/can.proto', import.meta.url)
    const note = '// The messages of two CAN nodes. Generated from codec.ts: UPDATE=1 mocha test/codec.spec.ts\n'
    const text = note + toProto([canMessage, joinPayload, realitiesMessage, realitiesPayload], 'plaxton.can')
    if (process.env['UPDATE'] === '1') writeFileSync(file, text)
    assert.equal(readFileSync(file, 'utf8'), text)
  })
})

describe('realitiesCodec', () => {
  it('gives back every message of every reality', () => {
    for (const [i, message] of samples().entries()) {
      const within: RealitiesMessage = { type: 'within', reality: i % 4, message }
      assert.deepEqual(realitiesCodec.decode(realitiesCodec.encode(within), accept), within)
    }
  })

  it('gives back questions about twins and their answers', () => {
    const messages: RealitiesMessage[] = [
      { type: 'twin-ask', zones: [zone('0110'), zone('')], token: 2 ** 31 },
      { type: 'twin-ask', zones: Array.from({ length: stretchesMax }, () => zone('1'.repeat(depthMax))), token: 1 },
      { type: 'twin-tell', claims: [claim('01', 3), claim('1', 0, true)], others: entries(othersMax), token: 0 },
    ]
    for (const message of messages) assert.deepEqual(realitiesCodec.decode(realitiesCodec.encode(message), accept), message)
  })

  it('gives back what walks', () => {
    const payloads: RealitiesPayload[] = [
      { type: 'own', reality: 3, payload: encodeJoinPayload({ purpose: 'join', joiner: node(), attempt: 4 }) },
      { type: 'own', reality: 0, payload: new Uint8Array(payloadMax) },
      { type: 'twin-seek', asker: node(), token: 7 },
    ]
    for (const payload of payloads) assert.deepEqual(decodeRealitiesPayload(encodeRealitiesPayload(payload), accept), payload)
    assert.throws(() => decodeRealitiesPayload(encodeRealitiesPayload(payloads[2]!), () => undefined), WireError)
  })
})
