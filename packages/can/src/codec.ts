import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import {
  bool,
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
import type { Infer } from '@plaxton/wire'
import { claimsMax } from './claim.ts'
import { depthMax, othersMax } from './messages.ts'
import type { CanMessage, JoinPayload } from './messages.ts'
import { isZone } from './zone.ts'
import type { Zone } from './zone.ts'

/** CAN's messages as bytes: one protobuf message with a oneof. Unknown fields are skipped, so that the format can grow. */
export const canCodec: MessageCodec = {
  encode: (message: Message): Uint8Array => encode(canMessage, message as WireMessage),
  decode: (bytes: Uint8Array, refs: RefReader): Message => decode(canMessage, bytes, { ref: refs }),
}

/** The bytes that walk to the owner of a joiner's point. */
export function encodeJoinPayload(payload: JoinPayload): Uint8Array {
  return encode(joinPayload, payload)
}

/** Throws the wire error of `@plaxton/wire` when the bytes are none, or `refs` does not vouch for the joiner. */
export function decodeJoinPayload(bytes: Uint8Array, refs: RefReader): JoinPayload {
  return decode(joinPayload, bytes, { ref: refs })
}

/** A zone: one character for each halving, `0` or `1`. */
export const zone = (number: number) =>
  refine(string(number, { max: depthMax }), (text): Zone | undefined => (isZone(text, depthMax) ? text : undefined))

const purposes = ['join', 'seek'] as const
const claim = message('Claim', { zone: zone(1), version: uint32(2), caretaker: bool(3) })
export const claims = (number: number) => repeated(nested(number, claim), { max: claimsMax })
const entry = message('Entry', { node: nodeRef(1), claims: claims(2) })
export const entries = (number: number) => repeated(nested(number, entry), { max: othersMax })
const zones = (number: number) => repeated(zone(number), { max: claimsMax })
const surroundings = { claims: claims(1), groups: zones(2), others: entries(3), digest: uint32(4), shared: zones(8) }

const report = message('Report', {
  ...surroundings,
  member: bool(5),
  token: uint53(6),
  echo: uint53(7),
  base: uint32(9),
  gone: repeated(guid(10), { max: othersMax }),
})
const heard = message('Heard', { digest: uint32(1) })
const beat = message('Beat', { digest: uint32(1), known: uint32(2) })
const doubt = message('Doubt', { node: guid(1), epoch: uint53(2) })
const ping = message('Ping', { seq: uint53(1) })
const pong = message('Pong', { seq: uint53(1) })
const joinRequest = message('JoinRequest', { purpose: choice(1, purposes), attempt: uint53(2), key: guid(3) })
const joinRefusal = message('JoinRefusal', { attempt: uint53(1), member: bool(2) })
const split = message('Split', { joiner: nodeRef(1), attempt: uint53(2) })
const grant = message('Grant', { ...surroundings, attempt: uint53(5), zone: nested(6, claim) })
const adopt = message('Adopt', { giver: nodeRef(1), zone: nested(2, claim), ttl: uint32(3) })
const search = message('Search', { zone: zone(1), asker: nodeRef(2), nonce: uint53(3), ttl: uint32(4) })
const searchReply = message('SearchReply', { entries: entries(1) })
const leave = message('Leave', { claims: claims(1), heirs: repeated(guid(2), { max: claimsMax }) })

/** A joiner's message to the owner of its point; the payload of a route. */
export const joinPayload = message('JoinPayload', { purpose: choice(1, purposes), joiner: nodeRef(2), attempt: uint53(3) })

/** What two CAN nodes say to each other. */
export const canMessage = union('CanMessage', 'type', {
  report: nested(1, report),
  beat: nested(2, beat),
  ping: nested(3, ping),
  pong: nested(4, pong),
  'join-request': nested(5, joinRequest),
  'join-refusal': nested(6, joinRefusal),
  split: nested(7, split),
  grant: nested(8, grant),
  adopt: nested(9, adopt),
  search: nested(10, search),
  'search-reply': nested(11, searchReply),
  leave: nested(12, leave),
  heard: nested(13, heard),
  doubt: nested(14, doubt),
})

type WireMessage = Infer<typeof canMessage> & CanMessage
