import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { bool, choice, decode, encode, guid, message, nested, nodeRef, repeated, uint53, union } from '@plaxton/wire'
import type { Infer } from '@plaxton/wire'
import { listMax } from './messages.ts'
import type { ChordMessage, WalkPayload } from './messages.ts'

/** Chord's messages as bytes: one protobuf message with a oneof. Unknown fields are skipped, so that the format can grow. */
export const chordCodec: MessageCodec = {
  encode: (message: Message): Uint8Array => encode(chordMessage, message as WireMessage),
  decode: (bytes: Uint8Array, refs: RefReader): Message => decode(chordMessage, bytes, { ref: refs }),
}

/** The bytes that walk to the successor of a key. */
export function encodeWalkPayload(payload: WalkPayload): Uint8Array {
  return encode(walkPayload, payload)
}

/** Throws the wire error of `@plaxton/wire` when the bytes are none, or `refs` does not vouch for the asker. */
export function decodeWalkPayload(bytes: Uint8Array, refs: RefReader): WalkPayload {
  return decode(walkPayload, bytes, { ref: refs })
}

const list = { max: listMax }
const lists = { predecessors: repeated(nodeRef(1), list), successors: repeated(nodeRef(2), list) }
const agreements = { version: uint53(8), known: uint53(9), unchanged: bool(10) }
const report = { ...lists, failed: repeated(guid(3), list), member: bool(4), seq: uint53(5), ticket: uint53(7), ...agreements }

const stabilize = message('Stabilize', { ...report })
const neighbors = message('Neighbors', { ...report, counted: bool(6) })
const ping = message('Ping', { seq: uint53(1) })
const pong = message('Pong', { seq: uint53(1), member: bool(2) })
const fingerReply = message('FingerReply', { number: uint53(1), refs: repeated(nodeRef(2), list) })
const joinRequest = message('JoinRequest', { attempt: uint53(1), purpose: choice(2, ['join', 'seek']) })
const joinRefusal = message('JoinRefusal', { attempt: uint53(1) })
const joinState = message('JoinState', { ...lists, attempt: uint53(3) })
const leave = message('Leave', { ...lists })

/** A question for the successor of a key; the payload of a route. */
export const walkPayload = message('WalkPayload', {
  purpose: choice(1, ['join', 'seek', 'finger']),
  asker: nodeRef(2),
  number: uint53(3),
})

/** What two Chord nodes say to each other. */
export const chordMessage = union('ChordMessage', 'type', {
  stabilize: nested(1, stabilize),
  neighbors: nested(2, neighbors),
  ping: nested(3, ping),
  pong: nested(4, pong),
  'finger-reply': nested(5, fingerReply),
  'join-request': nested(6, joinRequest),
  'join-refusal': nested(7, joinRefusal),
  'join-state': nested(8, joinState),
  leave: nested(9, leave),
})

type WireMessage = Infer<typeof chordMessage> & ChordMessage
