import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { bytes, decode, encode, message, nested, nodeRef, repeated, uint32, union } from '@plaxton/wire'
import type { Infer } from '@plaxton/wire'
import { canMessage, claims, entries, zone } from './codec.ts'
import { payloadMax, stretchesMax } from './realities-messages.ts'
import type { RealitiesMessage, RealitiesPayload } from './realities-messages.ts'

/** The messages of a CAN of several realities as bytes. */
export const realitiesCodec: MessageCodec = {
  encode: (message: Message): Uint8Array => encode(realitiesMessage, message as WireMessage),
  decode: (bytes: Uint8Array, refs: RefReader): Message => decode(realitiesMessage, bytes, { ref: refs }),
}

/** The bytes that walk. */
export function encodeRealitiesPayload(payload: RealitiesPayload): Uint8Array {
  return encode(realitiesPayload, payload)
}

/** Throws the wire error of `@plaxton/wire` when the bytes are none, or `refs` does not vouch for the asker. */
export function decodeRealitiesPayload(bytes: Uint8Array, refs: RefReader): RealitiesPayload {
  return decode(realitiesPayload, bytes, { ref: refs })
}

const within = message('Within', { reality: uint32(1), message: nested(2, canMessage) })
const twinAsk = message('TwinAsk', { zones: repeated(zone(1), { max: stretchesMax }), token: uint32(2) })
const twinTell = message('TwinTell', { claims: claims(1), others: entries(2), token: uint32(3) })
const own = message('OwnPayload', { reality: uint32(1), payload: bytes(2, { max: payloadMax }) })
const twinSeek = message('TwinSeek', { asker: nodeRef(1), token: uint32(2) })

/** What two nodes of a CAN of several realities say to each other. */
export const realitiesMessage = union('RealitiesMessage', 'type', {
  within: nested(1, within),
  'twin-ask': nested(2, twinAsk),
  'twin-tell': nested(3, twinTell),
})

/** The payload of a route of the overlay's own. */
export const realitiesPayload = union('RealitiesPayload', 'type', { own: nested(1, own), 'twin-seek': nested(2, twinSeek) })

type WireMessage = Infer<typeof realitiesMessage> & RealitiesMessage
