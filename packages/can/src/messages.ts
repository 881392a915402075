import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Claim, Entry } from './claim.ts'
import type { Zone } from './zone.ts'

/** What two CAN nodes say to each other directly. A join's way to the owner of its point is a payload; see {@link JoinPayload}. */
export type CanMessage =
  | Report
  | Heard
  | Beat
  | Doubt
  | Ping
  | Pong
  | JoinRequest
  | JoinRefusal
  | Split
  | Grant
  | Adopt
  | Search
  | SearchReply
  | Leave

/** `fx.send` for this union: the compiler checks what it says. */
export function send(to: NodeRef, message: CanMessage, fx: OverlayEffects): void {
  fx.send(to, message)
}

/** What a node says about itself and its surroundings: the paper's update. */
export interface Surroundings {
  /** The sender's own zones, those it does not answer for yet included. At most {@link claimsMax}. */
  readonly claims: readonly Claim[]
  /** Whoever has a zone in one of these stretches belongs to the sender's group. At most {@link claimsMax}. */
  readonly groups: readonly Zone[]
  /** The zones that the sender shares with its peers, where zones are overloaded; else none. At most {@link claimsMax}. */
  readonly shared: readonly Zone[]
  /** The sender's contacts with their zones. At most {@link othersMax}. */
  readonly others: readonly Entry[]
  /** Of all this; the same for as long as it stays the same. */
  readonly digest: number
}

export interface Report extends Message, Surroundings {
  readonly type: 'report'
  /** Whether the sender owns zones, or is about to, and asks to be treated so. */
  readonly member: boolean
  /** A number that the receiver's report in return must repeat, which proves that it is there; 0: no answer is wanted. */
  readonly token: number
  /** The token that this answers; 0: none. */
  readonly echo: number
  /** Digest of the sender's surroundings as the receiver has confirmed them: of `others`, only those that are new or have changed since are here. 0: all are. */
  readonly base: number
  /** With a base: the nodes that are no contacts of the sender any more. At most {@link othersMax}. */
  readonly gone: readonly Guid[]
}

/** The receiver's report has been taken note of, and the sender claims nothing of what it claims. */
export interface Heard extends Message {
  readonly type: 'heard'
  /** Of the surroundings in that report. */
  readonly digest: number
}

/** The sender lives. When either side sees that the other's surroundings are not what it last heard, a report follows. */
export interface Beat extends Message {
  readonly type: 'beat'
  /** Of the sender's surroundings. */
  readonly digest: number
  /** Of the receiver's surroundings as the sender knows them. */
  readonly known: number
}

/** The sender takes this node to be dead, whatever its last report says. A receiver to whom it is a contact is to look for itself. */
export interface Doubt extends Message {
  readonly type: 'doubt'
  readonly node: Guid
  readonly epoch: number
}

interface Ping extends Message {
  readonly type: 'ping'
  readonly seq: number
}

export interface Pong extends Message {
  readonly type: 'pong'
  readonly seq: number
}

/** Route a {@link JoinPayload} towards `key` for me. */
export interface JoinRequest extends Message {
  readonly type: 'join-request'
  readonly purpose: JoinPurpose
  readonly attempt: number
  readonly key: Guid
}

/** The receiver of the request is no member, or has no zone that could be split. */
export interface JoinRefusal extends Message {
  readonly type: 'join-refusal'
  readonly attempt: number
  /** It is a member: there is a network to join, although not at once. */
  readonly member: boolean
}

/** Uniform partitioning: the receiver's zone is larger than the sender's; let it be split for this joiner. */
export interface Split extends Message {
  readonly type: 'split'
  readonly joiner: NodeRef
  readonly attempt: number
}

/** The receiver may claim this zone; the sender lets go when it hears that claim. */
export interface Grant extends Message, Surroundings {
  readonly type: 'grant'
  /** That of the receiver's join; 0: it is a member, and the zone is handed over. */
  readonly attempt: number
  readonly zone: Claim
}

/** Background reassignment: whoever can give its own zone to the sibling of it may have this one. */
export interface Adopt extends Message {
  readonly type: 'adopt'
  /** Owner of the zone. */
  readonly giver: NodeRef
  readonly zone: Claim
  /** Nodes it may still pass. */
  readonly ttl: number
}

/** Expanding ring: who knows an owner in this zone? */
export interface Search extends Message {
  readonly type: 'search'
  readonly zone: Zone
  readonly asker: NodeRef
  readonly nonce: number
  readonly ttl: number
}

export interface SearchReply extends Message {
  readonly type: 'search-reply'
  /** At most {@link othersMax}. */
  readonly entries: readonly Entry[]
}

/** The sender goes. */
export interface Leave extends Message {
  readonly type: 'leave'
  readonly claims: readonly Claim[]
  /** Who is to have each of these, in the same order. */
  readonly heirs: readonly Guid[]
}

/**
 * `join`: the owner of the key is to give the joiner a zone. `seek`: a member looks for whoever else owns a key of its own, or for the owner of a stretch of which it knows none; the
 * owner reports to it.
 */
type JoinPurpose = 'join' | 'seek'

/** What walks to the owner of a key. */
export interface JoinPayload {
  readonly purpose: JoinPurpose
  readonly joiner: NodeRef
  readonly attempt: number
}

/** Most other nodes in a message. */
export const othersMax = 64

/** Most halvings of a zone in a message: 24 bits in 16 dimensions. */
export const depthMax = 384
