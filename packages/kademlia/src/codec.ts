import type { Message, MessageCodec, RefReader } from '@plaxton/kbr'
import { bool, decode, encode, guid, message, nested, nodeRef, repeated, uint32, uint53, union } from '@plaxton/wire'
import type { Infer } from '@plaxton/wire'
import { refsMax } from './messages.ts'
import type { KademliaMessage } from './messages.ts'

/** Kademlia's messages as bytes: one protobuf message with a oneof. Unknown fields are skipped, so that the format can grow. */
export const kademliaCodec: MessageCodec = {
  encode: (message: Message): Uint8Array => encode(kademliaMessage, message as WireMessage),
  decode: (bytes: Uint8Array, refs: RefReader): Message => decode(kademliaMessage, bytes, { ref: refs }),
}

const many = { max: refsMax }
const status = { member: bool(1) }

const ping = message('Ping', { ...status, seq: uint53(2) })
const pong = message('Pong', { ...status, seq: uint53(2) })
const heartbeat = message('Heartbeat', { ...status })
const findNode = message('FindNode', { ...status, seq: uint53(2), key: guid(3), count: uint32(4), known: repeated(guid(5), many) })
const nodes = message('Nodes', { ...status, seq: uint53(2), refs: repeated(nodeRef(3), many), gone: repeated(guid(4), many) })
const obituary = message('Obituary', { ...status, gone: repeated(guid(2), many) })
const leave = message('Leave', { refs: repeated(nodeRef(1), many) })

/** What two Kademlia nodes say to each other. */
export const kademliaMessage = union('KademliaMessage', 'type', {
  ping: nested(1, ping),
  pong: nested(2, pong),
  heartbeat: nested(3, heartbeat),
  'find-node': nested(4, findNode),
  nodes: nested(5, nodes),
  obituary: nested(6, obituary),
  leave: nested(7, leave),
})

type WireMessage = Infer<typeof kademliaMessage> & KademliaMessage
