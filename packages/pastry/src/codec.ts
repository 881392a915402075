import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { bool, choice, decode, encode, guid, message, nested, nodeRef, repeated, uint32, uint53, union } from '@plaxton/wire'
import type { Infer } from '@plaxton/wire'
import { hintsMax, leafRefsMax, rowRefsMax } from './messages.ts'
import type { JoinPayload, PastryMessage } from './messages.ts'

/** Pastry's messages as bytes: one protobuf message with a oneof. Unknown fields are skipped, so that the format can grow. */
export const pastryCodec: MessageCodec = {
  encode: (message: Message): Uint8Array => encode(pastryMessage, message as WireMessage),
  decode: (bytes: Uint8Array, refs: RefReader): Message => decode(pastryMessage, bytes, { ref: refs }),
}

/** The bytes that walk to a joiner's root. */
export function encodeJoinPayload(payload: JoinPayload): Uint8Array {
  return encode(joinPayload, payload)
}

/** Throws the wire error of `@plaxton/wire` when the bytes are none, or `refs` does not vouch for the joiner. */
export function decodeJoinPayload(bytes: Uint8Array, refs: RefReader): JoinPayload {
  return decode(joinPayload, bytes, { ref: refs })
}

const purposes = ['join', 'seek'] as const
const leafRefs = { max: leafRefsMax }
const rowRefs = { max: rowRefsMax }

const report = {
  member: bool(1),
  leafSet: repeated(nodeRef(2), leafRefs),
  failed: repeated(guid(3), leafRefs),
}

const heartbeat = message('Heartbeat', {})
const ping = message('Ping', { seq: uint53(1) })
const pong = message('Pong', { seq: uint53(1), member: bool(2) })
const distance = message('Distance', { rttMs: uint32(1), member: bool(2) })
const leafProbe = message('LeafProbe', { ...report, seq: uint53(4), lost: choice(5, ['none', 'left', 'right']), rttMs: uint32(6) })
const leafReply = message('LeafReply', { ...report, seq: uint53(4), hints: repeated(nodeRef(5), { max: hintsMax }) })
const stateRequest = message('StateRequest', { row: uint32(1), leafSet: bool(2), refs: repeated(nodeRef(3), rowRefs) })
const stateReply = message('StateReply', {
  member: bool(1),
  row: uint32(2),
  refs: repeated(nodeRef(3), rowRefs),
  leafSet: repeated(nodeRef(4), leafRefs),
  neighborhood: repeated(nodeRef(5), leafRefs),
})
const slotRequest = message('SlotRequest', { row: uint32(1), column: uint32(2) })
const slotReply = message('SlotReply', { row: uint32(1), column: uint32(2), refs: repeated(nodeRef(3), rowRefs) })
const joinRequest = message('JoinRequest', { attempt: uint53(1), purpose: choice(2, purposes) })
const joinRefusal = message('JoinRefusal', { attempt: uint53(1) })
const joinState = message('JoinState', {
  attempt: uint53(1),
  hops: uint32(2),
  root: bool(3),
  leafSet: repeated(nodeRef(4), leafRefs),
  rows: repeated(nodeRef(5), rowRefs),
  neighborhood: repeated(nodeRef(6), leafRefs),
})
const announcement = message('Announcement', { rttMs: uint32(1), refs: repeated(nodeRef(2), rowRefs) })
const leave = message('Leave', { leafSet: repeated(nodeRef(1), leafRefs) })

/** A joiner's message to the root of its id; the payload of a route. */
export const joinPayload = message('JoinPayload', { purpose: choice(1, purposes), joiner: nodeRef(2), attempt: uint53(3) })

/** What two Pastry nodes say to each other. */
export const pastryMessage = union('PastryMessage', 'type', {
  'leaf-probe': nested(1, leafProbe),
  'leaf-reply': nested(2, leafReply),
  heartbeat: nested(3, heartbeat),
  ping: nested(4, ping),
  pong: nested(5, pong),
  distance: nested(6, distance),
  'state-request': nested(7, stateRequest),
  'state-reply': nested(8, stateReply),
  'slot-request': nested(9, slotRequest),
  'slot-reply': nested(10, slotReply),
  'join-request': nested(11, joinRequest),
  'join-refusal': nested(12, joinRefusal),
  'join-state': nested(13, joinState),
  announcement: nested(14, announcement),
  leave: nested(15, leave),
})

type WireMessage = Infer<typeof pastryMessage> & PastryMessage
