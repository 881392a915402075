import type { Guid } from '@plaxton/guid'
import type { Message, Millis, NodeRef, RouteFailureReason } from '@plaxton/kbr'

/**
 * What the walking of two nodes says to each other. Besides these, a frame may carry a message of the overlay, whose `type` is none
 * of {@link routingMessageTypes}.
 *
 * No message names its source. A reply goes back the way the message came: each node remembers, under the number it gave its own
 * transmission, which peer the message came from and under which number. So a root learns nobody's address, and a reply needs no
 * connection that is not there already.
 *
 * `seq` is a number the sender of a `route`, `request` or `find` chose, different for each transmission; the answers repeat it.
 */
export type RoutingMessage =
  | RouteMessage
  | AckMessage
  | NackMessage
  | ReplyMessage
  | RefusalMessage
  | RequestMessage
  | ResponseMessage
  | RequestRefusedMessage
  | TellMessage
  | FindMessage
  | FoundMessage

/** A payload on its way to the root of `key`. */
export interface RouteMessage extends Message {
  readonly type: 'route'
  readonly seq: number
  /** Names the message on all its ways: random, 1 to 2^53 - 1, the same for every attempt and every copy. */
  readonly nonce: number
  readonly key: Guid
  /** The application it is for; {@link overlayName} for the overlay's own. */
  readonly application: string
  readonly payload: Uint8Array
  /** Transmissions including this one. */
  readonly hops: number
  /** The overlay's note to its colleague at the next hop. */
  readonly cursor: number
  /** How long the source waits for a reply, 0 when it wants none. */
  readonly replyWithinMs: Millis
  /** Whether each node on the way adds its id to `path`. */
  readonly keepPath: boolean
  /** Ids of the nodes passed after the source. */
  readonly path: readonly Guid[]
}

/** The `route` or `request` numbered `seq` was accepted: its sender need not look for another way. */
export interface AckMessage extends Message {
  readonly type: 'ack'
  readonly seq: number
}

/** The `route` numbered `seq` was not accepted: its sender must find another way. */
export interface NackMessage extends Message {
  readonly type: 'nack'
  readonly seq: number
  readonly reason: NackReason
}

/** `not ready`: no member of the overlay. `left`: no longer one. */
export type NackReason = 'not ready' | 'overloaded' | 'left'

/** The answer to the `route` numbered `seq`, on its way back. */
export interface ReplyMessage extends Message {
  readonly type: 'reply'
  readonly seq: number
  readonly payload: Uint8Array
  /** Transmissions from the source to the node that answered. */
  readonly hops: number
  /** The path of the message, the node that answered last. */
  readonly path: readonly Guid[]
}

/** The `route` numbered `seq` came to nothing; on its way back like a reply. */
export interface RefusalMessage extends Message {
  readonly type: 'refusal'
  readonly seq: number
  readonly reason: RouteFailureReason
  /** One sentence, at most {@link maxDetailLength} characters. */
  readonly detail: string
  /** The node that gave up; empty when it cannot be named. */
  readonly at: readonly NodeRef[]
  /** Transmissions from the source to that node. */
  readonly hops: number
  readonly path: readonly Guid[]
}

/** A question to one node. It is repeated under the same `seq` until answered. */
export interface RequestMessage extends Message {
  readonly type: 'request'
  readonly seq: number
  readonly application: string
  readonly payload: Uint8Array
  /** How long the asker waits for a response. */
  readonly withinMs: Millis
}

export interface ResponseMessage extends Message {
  readonly type: 'response'
  readonly seq: number
  readonly payload: Uint8Array
}

export interface RequestRefusedMessage extends Message {
  readonly type: 'request-refused'
  readonly seq: number
  readonly reason: RouteFailureReason
  readonly detail: string
}

/** A request that wants no answer; sent once. */
export interface TellMessage extends Message {
  readonly type: 'tell'
  readonly application: string
  readonly payload: Uint8Array
}

/** Whom would you ask next for `key`? At most `num` nodes, 1 to {@link maxFound}. */
export interface FindMessage extends Message {
  readonly type: 'find'
  readonly seq: number
  readonly key: Guid
  readonly num: number
}

/** What a node knows about the way to a key. */
export interface FoundMessage extends Message {
  readonly type: 'found'
  readonly seq: number
  /** Whether the node takes itself for the root; then `nodes` is the replica set of the key as it sees it. */
  readonly root: boolean
  /** Best first. */
  readonly nodes: readonly NodeRef[]
}

/** The name under which the overlay's own payloads travel; no application may have it. */
export const overlayName = 'overlay'

/** Longest `detail`, in characters. */
export const maxDetailLength = 200

/** Most nodes a `found` names. */
export const maxFound = 32

const types: Record<RoutingMessage['type'], true> = {
  route: true,
  ack: true,
  nack: true,
  reply: true,
  refusal: true,
  request: true,
  response: true,
  'request-refused': true,
  tell: true,
  find: true,
  found: true,
}

/** The words an overlay's messages may not use as their `type`. */
export const routingMessageTypes: ReadonlySet<string> = new Set(Object.keys(types))
