import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { bool, choice, decode, encode, guid, message, nested, nodeRef, repeated, uint32, uint53, union } from '@plaxton/wire'
import type { Infer } from '@plaxton/wire'
import { foundMax, refsMax, slotsMax } from './messages.ts'
import type { InsertPayload, TapestryMessage } from './messages.ts'

/** Tapestry's messages as bytes: one protobuf message with a oneof. Unknown fields are skipped, so that the format can grow. */
export const tapestryCodec: MessageCodec = {
  encode: (message: Message): Uint8Array => encode(tapestryMessage, message as WireMessage),
  decode: (bytes: Uint8Array, refs: RefReader): Message => decode(tapestryMessage, bytes, { ref: refs }),
}

/** The bytes that walk to a joiner's surrogate. */
export function encodeInsertPayload(payload: InsertPayload): Uint8Array {
  return encode(insertPayload, payload)
}

/** Throws the wire error of `@plaxton/wire` when the bytes are none, or `refs` does not vouch for the joiner. */
export function decodeInsertPayload(bytes: Uint8Array, refs: RefReader): InsertPayload {
  return decode(insertPayload, bytes, { ref: refs })
}

const purposes = ['join', 'seek'] as const
const many = { max: refsMax }
const slots = { max: slotsMax }
const status = { member: bool(1), group: uint32(2), points: bool(3) }

const ping = message('Ping', { ...status, seq: uint53(4) })
const pong = message('Pong', { ...status, seq: uint53(4) })
const heartbeat = message('Heartbeat', { ...status })
const pointer = message('Pointer', { ...status, rttMs: uint32(4) })
const contacts = message('Contacts', { refs: repeated(nodeRef(1), many), gone: repeated(guid(2), many) })
const fetch = message('Fetch', { ids: repeated(guid(1), many) })
const exchange = message('Exchange', {
  ...status,
  prefix: uint32(4),
  count: uint32(5),
  digest: uint32(6),
  holes: repeated(uint32(7), slots),
})
const exchangeReply = message('ExchangeReply', {
  ...status,
  same: bool(4),
  prefix: uint32(5),
  ids: repeated(guid(6), many),
  gone: repeated(guid(7), many),
  refs: repeated(nodeRef(8), many),
})
const levelRequest = message('LevelRequest', { ...status, level: uint32(4), back: bool(5), refs: repeated(nodeRef(6), many) })
const levelReply = message('LevelReply', { ...status, level: uint32(4), refs: repeated(nodeRef(5), many) })
const slotRequest = message('SlotRequest', { ...status, slot: uint32(4) })
const slotReply = message('SlotReply', { ...status, slot: uint32(4), refs: repeated(nodeRef(5), { max: foundMax }), checked: bool(6) })
const groupRequest = message('GroupRequest', { ...status, prefix: uint32(4) })
const groupReply = message('GroupReply', {
  ...status,
  prefix: uint32(4),
  refs: repeated(nodeRef(5), many),
  branches: repeated(nodeRef(6), many),
})
const insertRequest = message('InsertRequest', { purpose: choice(1, purposes), attempt: uint53(2) })
const insertRefusal = message('InsertRefusal', { attempt: uint53(1), member: bool(2), refs: repeated(nodeRef(3), { max: 1 }) })
const surrogate = message('Surrogate', { ...status, attempt: uint53(4), refs: repeated(nodeRef(5), many) })
const insert = message('Insert', { attempt: uint53(1), holes: repeated(uint32(2), slots) })
const inserted = message('Inserted', { attempt: uint53(1), level: uint32(2), ids: repeated(guid(3), many) })
const multicast = message('Multicast', {
  seq: uint53(1),
  token: uint53(2),
  purpose: choice(3, ['insert', 'obituary', 'check']),
  level: uint32(4),
  subject: nodeRef(5),
  slots: repeated(uint32(6), slots),
})
const multicastAck = message('MulticastAck', {
  seq: uint53(1),
  done: bool(2),
  ids: repeated(guid(3), many),
  refs: repeated(nodeRef(4), { max: foundMax }),
})
const leave = message('Leave', { refs: repeated(nodeRef(1), many) })
const leaveAck = message('LeaveAck', {})

/** A joiner's message to its surrogate; the payload of a route. */
export const insertPayload = message('InsertPayload', { purpose: choice(1, purposes), joiner: nodeRef(2), attempt: uint53(3) })

/** What two Tapestry nodes say to each other. */
export const tapestryMessage = union('TapestryMessage', 'type', {
  ping: nested(1, ping),
  pong: nested(2, pong),
  heartbeat: nested(3, heartbeat),
  pointer: nested(4, pointer),
  contacts: nested(5, contacts),
  fetch: nested(6, fetch),
  exchange: nested(7, exchange),
  'exchange-reply': nested(8, exchangeReply),
  'level-request': nested(9, levelRequest),
  'level-reply': nested(10, levelReply),
  'slot-request': nested(11, slotRequest),
  'slot-reply': nested(12, slotReply),
  'group-request': nested(13, groupRequest),
  'group-reply': nested(14, groupReply),
  'insert-request': nested(15, insertRequest),
  'insert-refusal': nested(16, insertRefusal),
  surrogate: nested(17, surrogate),
  insert: nested(18, insert),
  inserted: nested(19, inserted),
  multicast: nested(20, multicast),
  'multicast-ack': nested(21, multicastAck),
  leave: nested(22, leave),
  'leave-ack': nested(23, leaveAck),
})

type WireMessage = Infer<typeof tapestryMessage> & TapestryMessage
