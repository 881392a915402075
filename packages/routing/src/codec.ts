import { bool, bytes, choice, decode, encode, guid, message, nested, nodeRef, repeated, string, uint32, uint53, union } from '@plaxton/wire'
import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { maxDetailLength, maxFound, routingMessageTypes } from './messages.ts'
import type { RoutingMessage } from './messages.ts'

/** Longest payload on the wire, the largest `payloadBytesMax`. */
const maxPayload = 2_097_152
/** Longest message of an overlay: some 200 references to nodes with the longest address, thousands with a usual one. */
const maxOverlayMessage = 262_144
/** The largest `hopLimit`. */
const maxPath = 255

const payload = (number: number) => bytes(number, { max: maxPayload })
const application = (number: number) => string(number, { max: 32 })
const detail = (number: number) => string(number, { max: 3 * maxDetailLength })
const path = (number: number) => repeated(guid(number), { max: maxPath })
const reason = (number: number) => choice(number, ['no route', 'timed out', 'hop limit', 'rejected by application', 'overloaded', 'left'])

/** A frame: one message of the walking, or the bytes of one of the overlay's. Field numbers are the specification; never reuse one. */
export const frame = union('Frame', 'type', {
  route: nested(
    1,
    message('Route', {
      seq: uint53(1),
      nonce: uint53(2),
      key: guid(3),
      application: application(4),
      payload: payload(5),
      hops: uint32(6),
      cursor: uint32(7),
      replyWithinMs: uint32(8),
      keepPath: bool(9),
      path: path(10),
    }),
  ),
  ack: nested(2, message('Ack', { seq: uint53(1) })),
  nack: nested(3, message('Nack', { seq: uint53(1), reason: choice(2, ['not ready', 'overloaded', 'left']) })),
  reply: nested(4, message('Reply', { seq: uint53(1), payload: payload(2), hops: uint32(3), path: path(4) })),
  refusal: nested(
    5,
    message('Refusal', {
      seq: uint53(1),
      reason: reason(2),
      detail: detail(3),
      at: repeated(nodeRef(4), { max: 1 }),
      hops: uint32(5),
      path: path(6),
    }),
  ),
  request: nested(6, message('Request', { seq: uint53(1), application: application(2), payload: payload(3), withinMs: uint32(4) })),
  response: nested(7, message('Response', { seq: uint53(1), payload: payload(2) })),
  'request-refused': nested(8, message('RequestRefused', { seq: uint53(1), reason: reason(2), detail: detail(3) })),
  tell: nested(9, message('Tell', { application: application(1), payload: payload(2) })),
  find: nested(10, message('Find', { seq: uint53(1), key: guid(2), num: uint32(3) })),
  found: nested(11, message('Found', { seq: uint53(1), root: bool(2), nodes: repeated(nodeRef(3), { max: maxFound }) })),
  overlay: nested(15, message('OverlayFrame', { bytes: bytes(1, { max: maxOverlayMessage }) })),
})

/** The longest frame: a payload with a full path and everything else. */
export const maxFrameBytes = maxPayload + 16_384

/** The codec of whole frames over an overlay's. `decode` throws only `WireError`; ids of another width than the network's are refused. */
export function routingCodec(overlay: MessageCodec, guidBytes: number): MessageCodec {
  return {
    encode(message: Message): Uint8Array {
      if (routingMessageTypes.has(message.type)) return encode(frame, message as RoutingMessage)
      return encode(frame, { type: 'overlay', bytes: overlay.encode(message) })
    },
    decode(bytes: Uint8Array, refs: RefReader): Message {
      const message = decode(frame, bytes, { ref: refs, guidBytes, maxBytes: maxFrameBytes })
      return message.type === 'overlay' ? overlay.decode(message.bytes, refs) : message
    },
  }
}
