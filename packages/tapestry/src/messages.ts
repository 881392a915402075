import type { Guid } from '@plaxton/guid'
import type { Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'

/** What two Tapestry nodes say to each other directly. A joiner's way to its surrogate is a payload; see {@link InsertPayload}. */
export type TapestryMessage =
  | Ping
  | Pong
  | Heartbeat
  | Pointer
  | Contacts
  | Fetch
  | Exchange
  | ExchangeReply
  | LevelRequest
  | LevelReply
  | SlotRequest
  | SlotReply
  | GroupRequest
  | GroupReply
  | InsertRequest
  | InsertRefusal
  | Surrogate
  | Insert
  | Inserted
  | Multicast
  | MulticastAck
  | Leave
  | LeaveAck

/** `fx.send` for this union: the compiler checks what it says. */
export function send(to: NodeRef, message: TapestryMessage, fx: OverlayEffects): void {
  fx.send(to, message)
}

/** What a node says of itself. */
export interface Status {
  /** Whether it is a member of the overlay, or about to become one and asks to be treated so. */
  readonly member: boolean
  /** The g of its sibling group: everybody who shares so many digits with it is its sibling. */
  readonly group: number
  /** Whether the receiver stands in the sender's neighbour map. */
  readonly points: boolean
}

/** Are you there, and how far? */
interface Ping extends Message, Status {
  readonly type: 'ping'
  readonly seq: number
}

export interface Pong extends Message, Status {
  readonly type: 'pong'
  /** That of the ping; 0 when there was none. */
  readonly seq: number
}

/** To the two guardians: I live; should that change, tell my group. */
interface Heartbeat extends Message, Status {
  readonly type: 'heartbeat'
}

/** You have come into my neighbour map, or gone from it: sent when nothing else tells. */
export interface Pointer extends Message, Status {
  readonly type: 'pointer'
  /** How far the sender found the receiver to be; a reason for the receiver to measure, no more. {@link farAway} when it does not know. */
  readonly rttMs: Millis
}

/** Nodes the receiver may want to know, and such as the sender takes to be dead; a reason to look, no more. */
export interface Contacts extends Message {
  readonly type: 'contacts'
  readonly refs: readonly NodeRef[]
  readonly gone: readonly Guid[]
}

/** The references to these of your siblings, please. Answered by {@link Contacts}. */
export interface Fetch extends Message {
  readonly type: 'fetch'
  readonly ids: readonly Guid[]
}

/** Do we know the same siblings? And who is in the slots that I believe to be empty? */
export interface Exchange extends Message, Status {
  readonly type: 'exchange'
  /** The group compared: all nodes that share so many digits with the receiver. */
  readonly prefix: number
  readonly count: number
  readonly digest: number
  /** Empty slots of levels that both share. */
  readonly holes: readonly number[]
}

export interface ExchangeReply extends Message, Status {
  readonly type: 'exchange-reply'
  readonly same: boolean
  /** The group that `ids` and `gone` are about: all nodes that share so many digits with the sender, the sender included. Empty when `same`. */
  readonly prefix: number
  readonly ids: readonly Guid[]
  readonly gone: readonly Guid[]
  /** For the holes. */
  readonly refs: readonly NodeRef[]
}

/** Your pointers on this level are wanted; `refs`: mine, in return. */
export interface LevelRequest extends Message, Status {
  readonly type: 'level-request'
  readonly level: number
  /** And those whose maps you are in, on this level or beyond. */
  readonly back: boolean
  readonly refs: readonly NodeRef[]
}

export interface LevelReply extends Message, Status {
  readonly type: 'level-reply'
  readonly level: number
  readonly refs: readonly NodeRef[]
}

/** Whom do you have in this slot? We share the digits before it. */
export interface SlotRequest extends Message, Status {
  readonly type: 'slot-request'
  readonly slot: number
}

export interface SlotReply extends Message, Status {
  readonly type: 'slot-reply'
  readonly slot: number
  readonly refs: readonly NodeRef[]
  /** Nobody, and that has been checked. */
  readonly checked: boolean
}

/** Who shares the first `prefix` digits with us both? */
export interface GroupRequest extends Message, Status {
  readonly type: 'group-request'
  readonly prefix: number
}

/** All of the sender's siblings that share `prefix` digits with it, and, where the group asked for is larger, one node of each other part of it. */
export interface GroupReply extends Message, Status {
  readonly type: 'group-reply'
  readonly prefix: number
  readonly refs: readonly NodeRef[]
  readonly branches: readonly NodeRef[]
}

/** Route an {@link InsertPayload} towards my id for me. */
export interface InsertRequest extends Message {
  readonly type: 'insert-request'
  readonly purpose: InsertPurpose
  readonly attempt: number
}

/** The receiver of an `insert-request` is no member, or that of an `insert` no longer the right surrogate. */
export interface InsertRefusal extends Message {
  readonly type: 'insert-refusal'
  readonly attempt: number
  readonly member: boolean
  /** Who is none names a member that it has heard itself, if any; one that leaves, a neighbour. */
  readonly refs: readonly NodeRef[]
}

/** From a node's surrogate to it: the levels the two share, and the surrogate's siblings. */
export interface Surrogate extends Message, Status {
  readonly type: 'surrogate'
  readonly attempt: number
  readonly refs: readonly NodeRef[]
}

/** From a joiner whose map is built to its surrogate: tell everybody. */
export interface Insert extends Message {
  readonly type: 'insert'
  readonly attempt: number
  /** Its empty slots on the levels it shares with the surrogate. */
  readonly holes: readonly number[]
}

/** Everybody has been told: those who share `level` digits with the joiner, all named. */
export interface Inserted extends Message {
  readonly type: 'inserted'
  readonly attempt: number
  readonly level: number
  readonly ids: readonly Guid[]
}

/**
 * Acknowledged multicast to all nodes that share `level` digits with the receiver.
 * - `insert`: `subject` is about to become a member; its empty slots are `slots`.
 * - `obituary`: `subject` is said to be dead.
 * - `check`: who knows somebody for `slots`, which `subject` believes to be empty?
 */
export interface Multicast extends Message {
  readonly type: 'multicast'
  /** The sender's number of this transmission. */
  readonly seq: number
  /** Names the multicast everywhere. */
  readonly token: number
  readonly purpose: MulticastPurpose
  readonly level: number
  readonly subject: NodeRef
  readonly slots: readonly number[]
}

export type MulticastPurpose = 'insert' | 'obituary' | 'check'

/** `done`: everybody below has been reached. Otherwise: still at it. */
export interface MulticastAck extends Message {
  readonly type: 'multicast-ack'
  readonly seq: number
  readonly done: boolean
  /** Who has been reached; for `insert` only. */
  readonly ids: readonly Guid[]
  /** For `check`: some of those found. */
  readonly refs: readonly NodeRef[]
}

/** The sender goes. `refs` are the nodes that share most with it, by level: whoever lacks a replacement finds one among them or need not look. */
interface Leave extends Message {
  readonly type: 'leave'
  readonly refs: readonly NodeRef[]
}

/** The sender of a {@link Leave} is in none of my tables any more. */
interface LeaveAck extends Message {
  readonly type: 'leave-ack'
}

/** `join`: the joiner asks. `seek`: a member looks, through a past contact, for a part of the network that it does not know. */
type InsertPurpose = 'join' | 'seek'

/** What walks to a joiner's surrogate. */
export interface InsertPayload {
  readonly purpose: InsertPurpose
  readonly joiner: NodeRef
  readonly attempt: number
}

/** Most nodes in a message: a sibling group of the largest size, or all levels of a map. */
export const refsMax = 1_024

/** Most slots in a message. */
export const slotsMax = 1_024

/** Most nodes that one acknowledgement names for a slot. */
export const foundMax = 8

/** A distance nobody has measured. */
export const farAway = 4_294_967_295
