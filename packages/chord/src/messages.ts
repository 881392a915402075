import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef, OverlayEffects } from '@plaxton/kbr'

/** What two Chord nodes say to each other directly. What walks to the successor of a key is a payload; see {@link WalkPayload}. */
export type ChordMessage = Stabilize | Neighbors | Ping | Pong | FingerReply | JoinRequest | JoinRefusal | JoinState | Leave

/** `fx.send` for this union: the compiler checks what it says. */
export function send(to: NodeRef, message: ChordMessage, fx: OverlayEffects): void {
  fx.send(to, message)
}

/** What a node says about its surroundings on the ring. */
export interface Report {
  /** Whether the sender is a member of the overlay, or about to become one and asks to be treated so. */
  readonly member: boolean
  /** Nearest first. At most {@link listMax}. */
  readonly predecessors: readonly NodeRef[]
  /** The successor list, nearest first. At most {@link listMax}. */
  readonly successors: readonly NodeRef[]
  /** The lists are left out, because the receiver has said that it needs this version no more. */
  readonly unchanged: boolean
  /** The number of the sender's lists as they are; see `Agreements`. */
  readonly version: number
  /** The version of the receiver's lists that the sender needs no more. 0: none. */
  readonly known: number
  /** Nodes it takes to be dead, so that the receiver may look for itself. At most {@link listMax}. */
  readonly failed: readonly Guid[]
}

/**
 * The paper's `stabilize` and `notify` in one: who is around you, and know that I am here? Joining, failure detection and repair of the lists all ask this
 * one question.
 */
export interface Stabilize extends Message, Report {
  readonly type: 'stabilize'
  readonly seq: number
  /** The one that the receiver gave the sender, which makes this an answer to it. 0: none. */
  readonly ticket: number
}

export interface Neighbors extends Message, Report {
  readonly type: 'neighbors'
  /** That of the question. */
  readonly seq: number
  /** Whether the asker now stands in the sender's lists, or has no place there because nearer nodes fill them. */
  readonly counted: boolean
  /** For an asker that has a place in the sender's lists and has not answered a question of it yet: to be shown with its next question. 0: none. */
  readonly ticket: number
}

/** Are you there, and how far? */
interface Ping extends Message {
  readonly type: 'ping'
  readonly seq: number
}

export interface Pong extends Message {
  readonly type: 'pong'
  readonly seq: number
  readonly member: boolean
}

/** To the asker of a finger: the successor of the finger's start, which is the sender, and the nodes that follow it. */
export interface FingerReply extends Message {
  readonly type: 'finger-reply'
  /** The {@link WalkPayload.number} of the question. */
  readonly number: number
  /** Nearest to the start first. At most {@link listMax}. */
  readonly refs: readonly NodeRef[]
}

/** Route a {@link WalkPayload} towards my id for me. */
export interface JoinRequest extends Message {
  readonly type: 'join-request'
  readonly purpose: 'join' | 'seek'
  /** Comes back with the answer. */
  readonly attempt: number
}

/** The receiver of the request is no member either. */
export interface JoinRefusal extends Message {
  readonly type: 'join-refusal'
  readonly attempt: number
}

/** From the joiner's successor: its lists, which the joiner takes for its own. */
export interface JoinState extends Message {
  readonly type: 'join-state'
  readonly attempt: number
  readonly predecessors: readonly NodeRef[]
  readonly successors: readonly NodeRef[]
}

/** The sender goes; its lists help to close the gap. */
export interface Leave extends Message {
  readonly type: 'leave'
  readonly predecessors: readonly NodeRef[]
  readonly successors: readonly NodeRef[]
}

/**
 * What walks to the successor of a key. `join`: a joiner wants its lists. `seek`: a member looks, through a past contact, for a ring other than its
 * own. `finger`: a member wants the successor of a finger's start.
 */
export interface WalkPayload {
  readonly purpose: 'join' | 'seek' | 'finger'
  readonly asker: NodeRef
  /** Comes back with the answer, and tells the asker that it has asked. */
  readonly number: number
}

/** Most nodes of one list in a message. */
export const listMax = 64
