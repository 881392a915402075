import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import { WireError, toProto } from '@plaxton/wire'
import { decodeMessage, encodeMessage, frameSchema, maxMessageBytes } from '../src/codec.ts'
import { bodySchema, encodeBody } from '../src/records.ts'
import { messages, records } from './arbitrary.ts'

const anyone = (id: ReturnType<typeof guidOf>, address: string, epoch: number) => ({ id, address, epoch })

/** The same with ordinary prototypes: fast-check makes objects without any. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

describe('the messages between DOLR nodes', () => {
  it('are read as they were written', () => {
    fc.assert(fc.property(messages, (message) => assert.deepEqual(decodeMessage(encodeMessage(message), anyone), plain(message))))
  })

  it('are refused with a WireError, and nothing else, when they are none', () => {
    const damaged = fc.tuple(messages, fc.nat(), fc.nat({ max: 255 })).map(([message, at, byte]) => {
      const bytes = encodeMessage(message)
      bytes[at % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          decodeMessage(bytes, anyone)
        } catch (error) {
          assert.ok(error instanceof WireError, String(error))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('are refused when they name a node in a record that is not to be used', () => {
    fc.assert(
      fc.property(records, (record) => {
        const bytes = encodeMessage({ type: 'publish', record, salt: 0, distanceMs: 0, stepMs: 0, step: 0, push: false })
        assert.throws(() => decodeMessage(bytes, () => undefined), { name: 'WireError', reason: 'rejected' })
      }),
    )
  })

  it('name only hosts that may be used', () => {
    const found = {
      type: 'found',
      hosts: [1, 2].map((i) => ({ node: { id: guidOf(Uint8Array.of(i)), address: `${i}`, epoch: 1 }, distanceMs: i })),
      by: { id: guidOf(Uint8Array.of(0)), address: '', epoch: 0 },
      root: true,
    } as const
    const read = decodeMessage(encodeMessage(found), (id, address, epoch) => (address === '1' ? undefined : { id, address, epoch }))
    assert.deepEqual(read, { ...found, hosts: found.hosts.slice(1) })
  })

  it('are refused when their record was signed for another purpose; among others such a record is left out', () => {
    const record = {
      guid: guidOf(Uint8Array.of(1)),
      host: { id: guidOf(Uint8Array.of(2)), address: 'a', epoch: 1 },
      signedAt: 1,
      ttlMs: 1,
      withdrawn: false,
    }
    const body = encodeBody(record)
    body[body.indexOf('p'.charCodeAt(0))] = 'q'.charCodeAt(0)
    const signed = { ...record, body, publicKey: new Uint8Array(32), signature: new Uint8Array(64) }
    const alone = encodeMessage({ type: 'publish', record: signed, salt: 0, distanceMs: 0, stepMs: 0, step: 0, push: false })
    assert.throws(() => decodeMessage(alone, anyone), { name: 'WireError', field: 'DolrRecord.purpose' })
    const among = encodeMessage({ type: 'copy', records: [signed], distanceMs: 0 })
    assert.deepEqual(decodeMessage(among, anyone), { type: 'copy', records: [], distanceMs: 0 })
  })

  it('hold a message of 1 MiB and no more than the frame allows', () => {
    const message = { type: 'deliver', guid: guidOf(Uint8Array.of(1)), id: 1, payload: new Uint8Array(1024 * 1024) } as const
    const bytes = encodeMessage(message)
    assert.ok(bytes.length <= maxMessageBytes)
    assert.deepEqual(decodeMessage(bytes, anyone), message)
    assert.throws(() => decodeMessage(new Uint8Array(maxMessageBytes + 1), anyone), { name: 'WireError' })
  })

  it('are described in dolr.proto', () => {
    const schemas = [frameSchema, bodySchema]
    const proto = `// The messages of two DOLR nodes, and what hosts sign. Generated: UPDATE=1 mocha test/codec.spec.ts\n${toProto(schemas, 'plaxton.dolr')}`
    const file = new URL('../src/dolr.proto', import.meta.url)
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})
