import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { WireError, toProto } from '@plaxton/wire'
import { namedKeySchema, recordSchema, removalSchema } from '../src/claims.ts'
import type { Claim } from '../src/claims.ts'
import { decodeMessage, decodeRecord, encodeMessage, encodeRecord, frameSchema, maxMessageBytes } from '../src/codec.ts'
import type { PastMessage } from '../src/messages.ts'

const guids = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => guidOf(bytes))
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const nodes = fc.record({ id: guids, address: fc.string({ maxLength: 20, unit: 'grapheme-ascii' }), epoch: whole })
const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength })
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const claims: fc.Arbitrary<Claim> = fc.record({
  certificate: fc.record({
    guid: guids,
    kind: fc.constantFrom('content' as const, 'named' as const),
    name: fc.string({ maxLength: 40, unit: 'grapheme' }).filter((name) => name.isWellFormed()),
    salt: bytesUpTo(32),
    ownerKey: exactly(32),
    contentDigest: guids,
    size: whole,
    replicas: fc.nat({ max: 100 }),
    created: whole,
    expires: whole,
  }),
  signature: exactly(64),
  withdrawal: fc.option(fc.record({ removed: whole, signature: exactly(64) }), { nil: undefined }),
})
const entries = fc.array(fc.record({ guid: guids, version: whole, replicas: fc.nat({ max: 64 }) }), { maxLength: 5 })
const data = fc.option(bytesUpTo(100), { nil: undefined })
const lists = fc.array(claims, { maxLength: 3 })
const type = <T extends string>(name: T) => fc.constant(name)

const messages: fc.Arbitrary<PastMessage> = fc.oneof(
  fc.record({ type: type('put'), claim: claims, data: bytesUpTo(100), quorum: fc.constantFrom('majority' as const, 'all' as const) }),
  fc.record({ type: type('where'), replicas: fc.nat() }),
  fc.record({
    type: type('get'),
    want: fc.constantFrom('data' as const, 'presence' as const),
    excluded: fc.array(guids, { maxLength: 16 }),
    hurry: fc.boolean(),
  }),
  fc.record({ type: type('remove'), ownerKey: exactly(32), removed: whole, signature: exactly(64) }),
  fc.record({
    type: type('inspect'),
    ensure: fc.constantFrom('no' as const, 'own' as const, 'given' as const),
    replicas: fc.nat({ max: 9 }),
  }),
  fc.record({ type: type('store'), guid: guids, claims: lists, data }),
  fc.record({ type: type('fetch'), guid: guids, withData: fc.boolean() }),
  fc.record({ type: type('cache'), guid: guids, forMs: whole, data: bytesUpTo(100) }),
  fc.record({ type: type('compare'), digest: whole, count: fc.nat() }),
  fc.record({
    type: type('exchange'),
    pages: fc.array(fc.record({ bucket: fc.nat({ max: 255 }), after: fc.option(guids, { nil: undefined }), last: fc.boolean(), entries }), {
      maxLength: 3,
    }),
    offers: entries,
    without: fc.array(guids, { maxLength: 16 }),
  }),
  fc.record({ type: type('receipt'), holders: fc.array(nodes, { maxLength: 5 }), wanted: fc.nat(), quorum: fc.nat() }),
  fc.record({
    type: type('refusal'),
    code: fc.constantFrom('invalid' as const, 'exists' as const, 'superseded' as const, 'quorum' as const),
    detail: fc.string({ maxLength: 50, unit: 'grapheme-ascii' }),
    stamp: whole,
    stored: fc.nat(),
    needed: fc.nat(),
    transient: fc.boolean(),
  }),
  fc.record({ type: type('here'), node: nodes, replicaSet: fc.array(nodes, { maxLength: 5 }) }),
  fc.record({ type: type('object'), holder: nodes, claims: lists, settled: fc.boolean(), data }),
  fc.record({ type: type('absent'), removed: fc.boolean(), silent: fc.nat(), certain: fc.boolean() }),
  fc.record({ type: type('inspection'), size: whole, wanted: fc.nat(), holders: fc.array(nodes, { maxLength: 5 }), expires: whole }),
  fc.record({
    type: type('stored'),
    outcome: fc.constantFrom('kept' as const, 'needs data' as const, 'refused' as const),
    detail: fc.constant('why'),
    claims: lists,
  }),
  fc.record({ type: type('buckets'), digests: fc.array(whole, { maxLength: 256 }) }),
  fc.record({ type: type('exchanged'), entries, held: fc.array(guids, { maxLength: 5 }), leaving: fc.boolean() }),
)

describe('the codec', () => {
  it('gives back every message it has encoded', () => {
    fc.assert(
      fc.property(messages, (message) => assert.deepEqual(decodeMessage(encodeMessage(message)), withoutAbsent(message))),
      { numRuns: 500 },
    )
  })

  it('gives back every record', () => {
    fc.assert(fc.property(lists, (record) => assert.deepEqual(decodeRecord(encodeRecord(record)), withoutAbsent(record))))
  })

  it('throws nothing but WireError for bytes that are no message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => onlyWireError(() => decodeMessage(bytes))),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => onlyWireError(() => decodeRecord(bytes))),
      { numRuns: 500 },
    )
  })

  it('throws nothing but WireError for messages with bytes changed, cut off or added', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(messages, damage, fc.nat(), (message, changes, cut) => {
        const bytes = encodeMessage(message).slice()
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
        onlyWireError(() => decodeMessage(bytes))
        onlyWireError(() => decodeMessage(bytes.subarray(0, cut % (bytes.length + 1))))
        onlyWireError(() => decodeMessage(new Uint8Array([...bytes, cut & 255])))
      }),
      { numRuns: 1000 },
    )
  })

  it('has the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/past.proto', import.meta.url)
    const schemas = [frameSchema, recordSchema, namedKeySchema, removalSchema]
    const proto = `// The messages of two PAST nodes, and what owners sign. Generated: UPDATE=1 mocha test/codec.spec.ts\n${toProto(schemas, 'plaxton.past')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })

  it('leaves out the nodes that the driver does not vouch for, and refuses what is about one of them', () => {
    const [honest, forged] = ['0a', '0b'].map((byte) => ({ id: byte.repeat(32) as Guid, address: byte, epoch: 1 })) as [NodeRef, NodeRef]
    const judge: RefReader = (id, address, epoch) => (id === honest.id ? { id, address, epoch } : undefined)
    const receipt = encodeMessage({ type: 'receipt', holders: [honest, forged], wanted: 2, quorum: 2 })
    assert.deepEqual(decodeMessage(receipt, judge), { type: 'receipt', holders: [honest], wanted: 2, quorum: 2 })
    const object = encodeMessage({ type: 'object', holder: forged, claims: [], settled: true })
    assert.throws(() => decodeMessage(object, judge), { name: 'WireError' })
  })

  it('refuses messages of another version, and longer ones than any may be', () => {
    const bytes = encodeMessage({ type: 'where', replicas: 0 }).slice()
    bytes[1] = 2
    assert.throws(() => decodeMessage(bytes), { name: 'WireError', message: /version 2 instead of 1/ })
    assert.throws(() => decodeMessage(new Uint8Array(maxMessageBytes + 1)), { name: 'WireError' })
  })
})

function onlyWireError(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
  }
}

/** The same value without properties that are undefined: on the wire they do not exist. */
function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, withoutAbsent(inner)]),
  )
}
