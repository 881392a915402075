import { maxAddressLength } from '@plaxton/kbr'
import type { RefReader } from '@plaxton/kbr'
import {
  WireError,
  bool,
  bytes,
  choice,
  decode,
  encode,
  guid,
  message,
  nested,
  nodeRef,
  refine,
  repeated,
  string,
  uint32,
  uint53,
  union,
} from '@plaxton/wire'
import { deliveryOutcomes, deliveryStates, maxCopies, maxExcluded, maxHosts, traceStates } from './messages.ts'
import type { DolrMessage } from './messages.ts'
import { maxBodyBytes, readBody } from './records.ts'
import type { PublicationRecord, SignedRecord } from './records.ts'

/** The bytes of a message between DOLR nodes. */
export function encodeMessage(body: DolrMessage): Uint8Array {
  return encode(frameSchema, { version, body })
}

/**
 * The message in `payload`; throws `WireError`, and nothing else, when there is none. `refs` judges every node it names. Payloads, keys and
 * signatures in it are views of `payload`.
 */
export function decodeMessage(payload: Uint8Array, refs: RefReader): DolrMessage {
  const frame = decode(frameSchema, payload, { guidBytes: 32, maxBytes: maxMessageBytes, ref: refs })
  if (frame.version !== version) throw new WireError('value', 'DolrFrame.version', `version ${frame.version} instead of ${version}`)
  const { body } = frame
  switch (body.type) {
    case 'publish':
      return { ...body, record: readRecord(body.record, refs) }
    case 'copy':
      return { ...body, records: body.records.flatMap((record) => readableRecord(record, refs)) }
    default:
      return body
  }
}

/** Version of the format. Messages of another are refused. */
const version = 1
/** Longest message to an object and longest answer, in bytes: a block, as in PAST. */
export const maxPayloadBytes = 1024 * 1024
/** One such with 4 KiB for what surrounds it. A routing payload may be longer by default. */
export const maxMessageBytes = maxPayloadBytes + 4096
/** Longest sentence, in bytes of UTF-8. */
export const maxDetailBytes = 1024

const recordSchema = message('SignedRecord', {
  body: bytes(1, { max: maxBodyBytes }),
  publicKey: bytes(2, { length: 32 }),
  signature: bytes(3, { length: 64 }),
})

const hostSchema = message('Host', { id: guid(1), address: string(2, { max: maxAddressLength }), epoch: uint53(3) })
const candidateSchema = message('Candidate', { node: nested(1, hostSchema), distanceMs: uint32(2) })
/** A host whose reference is not to be used is left out, and the others stay. */
const candidates = (number: number) =>
  repeated(
    refine(nested(number, candidateSchema), ({ node: { id, address, epoch }, distanceMs }, { ref }) => {
      const node = ref?.(id, address, epoch)
      return node === undefined ? undefined : { node, distanceMs }
    }),
    { max: maxHosts },
  )
const payloadField = (number: number) => bytes(number, { max: maxPayloadBytes })
const detailField = (number: number) => string(number, { max: maxDetailBytes })

const bodySchema = union('DolrMessage', 'type', {
  publish: nested(
    1,
    message('Publish', {
      record: nested(1, recordSchema),
      salt: uint32(2),
      distanceMs: uint32(3),
      stepMs: uint32(4),
      step: uint32(5),
      push: bool(6),
    }),
  ),
  locate: nested(
    2,
    message('Locate', {
      guid: guid(1),
      salt: uint32(2),
      wanted: uint32(3),
      excluded: repeated(guid(4), { max: maxExcluded }),
      found: candidates(5),
    }),
  ),
  deliver: nested(3, message('Deliver', { guid: guid(1), id: uint53(2), payload: payloadField(3) })),
  ping: nested(4, message('Ping', { guid: guid(1), id: uint53(2) })),
  copy: nested(5, message('Copy', { records: repeated(nested(1, recordSchema), { max: maxCopies }), distanceMs: uint32(2) })),
  recheck: nested(6, message('Recheck', { guid: guid(1), host: guid(2), salt: uint32(3) })),

  send: nested(
    7,
    message('Send', {
      guid: guid(1),
      salt: uint32(2),
      id: uint53(3),
      excluded: repeated(guid(4), { max: maxExcluded }),
      payload: payloadField(5),
      attempt: uint32(6),
    }),
  ),
  moved: nested(8, message('Moved', { guid: guid(1) })),
  release: nested(9, message('Release', { guid: guid(1), host: guid(2), salt: uint32(3) })),
  trace: nested(10, message('Trace', { guid: guid(1), id: uint53(2), attempt: uint32(3) })),

  published: nested(16, message('Published', { root: nodeRef(1) })),
  refusal: nested(17, message('Refusal', { detail: detailField(1), signedAt: uint53(2) })),
  found: nested(18, message('Found', { hosts: candidates(1), by: nodeRef(2), root: bool(3) })),
  absent: nested(19, message('Absent', { root: nodeRef(1) })),
  answer: nested(20, message('Answer', { outcome: choice(1, deliveryOutcomes), detail: detailField(2), payload: payloadField(3) })),
  pong: nested(21, message('Pong', { hosts: bool(1), state: choice(2, deliveryStates) })),
  kept: nested(22, message('Kept', {})),
  late: nested(23, message('Late', { hop: nodeRef(1) })),
  traced: nested(24, message('Traced', { state: choice(1, traceStates), to: repeated(nodeRef(2), { max: 1 }) })),
})

/** What travels between DOLR nodes. */
export const frameSchema = message('DolrFrame', { version: uint32(1), body: nested(2, bodySchema) })

/** A record as it travels: the fields of its body are read from there. */
function readRecord({ body, publicKey, signature }: Omit<SignedRecord, keyof PublicationRecord>, refs: RefReader): SignedRecord {
  return { ...readBody(body, refs), body, publicKey, signature }
}

/** The record, unless it is none; the others in its message count all the same. */
function readableRecord(record: Parameters<typeof readRecord>[0], refs: RefReader): SignedRecord[] {
  try {
    return [readRecord(record, refs)]
  } catch (error) {
    if (error instanceof WireError) return []
    throw error
  }
}
