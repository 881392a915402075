import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { DolrMessage } from '../src/messages.ts'
import { deliveryOutcomes, deliveryStates, traceStates } from '../src/messages.ts'
import { encodeBody } from '../src/records.ts'
import type { SignedRecord } from '../src/records.ts'

const guids = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => guidOf(bytes))
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const small = fc.nat({ max: 2 ** 32 - 1 })
const nodes = fc.record({ id: guids, address: fc.string({ maxLength: 20, unit: 'grapheme-ascii' }), epoch: whole })
const payloads = fc.uint8Array({ maxLength: 100 })
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
export const records: fc.Arbitrary<SignedRecord> = fc
  .record({
    record: fc.record({ guid: guids, host: nodes, signedAt: whole, ttlMs: small, withdrawn: fc.boolean() }),
    publicKey: exactly(32),
    signature: exactly(64),
  })
  .map(({ record, publicKey, signature }) => ({ ...record, body: encodeBody(record), publicKey, signature }))
const candidates = fc.array(fc.record({ node: nodes, distanceMs: small }), { maxLength: 16 })
const excluded = fc.array(guids, { maxLength: 64 })
const sentences = fc.string({ maxLength: 100, unit: 'grapheme' }).filter((text) => text.isWellFormed())
const type = <T extends string>(name: T) => fc.constant(name)

/** Every message there is. */
export const messages: fc.Arbitrary<DolrMessage> = fc.oneof(
  fc.record({ type: type('publish'), record: records, salt: small, distanceMs: small, stepMs: small, step: small, push: fc.boolean() }),
  fc.record({ type: type('locate'), guid: guids, salt: small, wanted: small, excluded, found: candidates }),
  fc.record({ type: type('send'), guid: guids, salt: small, id: whole, attempt: small, excluded, payload: payloads }),
  fc.record({ type: type('deliver'), guid: guids, id: whole, payload: payloads }),
  fc.record({ type: type('ping'), guid: guids, id: whole }),
  fc.record({ type: type('copy'), records: fc.array(records, { maxLength: 4 }), distanceMs: small }),
  fc.record({ type: type('recheck'), guid: guids, host: guids, salt: small }),
  fc.record({ type: type('release'), guid: guids, host: guids, salt: small }),
  fc.record({ type: type('moved'), guid: guids }),
  fc.record({ type: type('trace'), guid: guids, id: whole, attempt: small }),
  fc.record({ type: type('late'), hop: nodes }),
  fc.record({ type: type('traced'), state: fc.constantFrom(...traceStates), to: fc.array(nodes, { maxLength: 1 }) }),
  fc.record({ type: type('published'), root: nodes }),
  fc.record({ type: type('refusal'), detail: sentences, signedAt: whole }),
  fc.record({ type: type('found'), hosts: candidates, by: nodes, root: fc.boolean() }),
  fc.record({ type: type('absent'), root: nodes }),
  fc.record({ type: type('answer'), outcome: fc.constantFrom(...deliveryOutcomes), detail: sentences, payload: payloads }),
  fc.record({ type: type('pong'), hosts: fc.boolean(), state: fc.constantFrom(...deliveryStates) }),
  fc.record({ type: type('kept') }),
)
