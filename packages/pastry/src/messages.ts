import type { Guid } from '@plaxton/guid'
import type { Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'

/** What two Pastry nodes say to each other directly. A join's way to its root is a payload; see {@link JoinPayload}. */
export type PastryMessage =
  | LeafProbe
  | LeafReply
  | Heartbeat
  | Ping
  | Pong
  | Distance
  | StateRequest
  | StateReply
  | SlotRequest
  | SlotReply
  | JoinRequest
  | JoinRefusal
  | JoinState
  | Announcement
  | Leave

/** `fx.send` for this union: the compiler checks what it says. */
export function send(to: NodeRef, message: PastryMessage, fx: OverlayEffects): void {
  fx.send(to, message)
}

/** What a node says about its surroundings in the id space, in MSPastry's leaf-set probes and their replies. */
export interface LeafReport {
  /** Whether the sender is a member of the overlay, or about to become one and asks to be treated so. */
  readonly member: boolean
  /** Its leaf set, in no order. At most {@link leafRefsMax}. */
  readonly leafSet: readonly NodeRef[]
  /** Nodes it takes to be dead, so that the receiver may look for itself. At most {@link leafRefsMax}. */
  readonly failed: readonly Guid[]
}

/** Are you there, and who is around you? Joining, failure detection, exchange and repair of leaf sets all ask this one question. */
export interface LeafProbe extends Message, LeafReport {
  readonly type: 'leaf-probe'
  readonly seq: number
  /** The sender has lost everybody on this side and wants to hear of nodes close to it there. */
  readonly lost: LostSide
  /** The round trip as the sender has measured it; 0: not yet. Who is asked knows by it how long to wait for the sender, should it fall silent. */
  readonly rttMs: Millis
}

export type LostSide = 'none' | 'left' | 'right'

export interface LeafReply extends Message, LeafReport {
  readonly type: 'leaf-reply'
  /** That of the probe. */
  readonly seq: number
  /** Nodes of any table, nearest to the asker on the side it lost. At most {@link hintsMax}. */
  readonly hints: readonly NodeRef[]
}

/** To the left neighbour every T_ls. */
interface Heartbeat extends Message {
  readonly type: 'heartbeat'
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

/** The sender measured this round trip to the receiver, who need not measure it again. */
interface Distance extends Message {
  readonly type: 'distance'
  readonly rttMs: Millis
  readonly member: boolean
}

/** The receiver's row `row` is wanted, or its deepest when it has none so deep. `refs`: the sender's own row, in return. */
export interface StateRequest extends Message {
  readonly type: 'state-request'
  readonly row: number
  /** The leaf set is wanted as well. */
  readonly leafSet: boolean
  readonly refs: readonly NodeRef[]
}

export interface StateReply extends Message {
  readonly type: 'state-reply'
  readonly member: boolean
  /** Which row this is. */
  readonly row: number
  /** In which columns the nodes stand follows from their ids. At most {@link rowRefsMax}. */
  readonly refs: readonly NodeRef[]
  /** Empty unless asked for. */
  readonly leafSet: readonly NodeRef[]
  readonly neighborhood: readonly NodeRef[]
}

/** Whom do you know who shares `row` digits with me and has digit `column` next? */
export interface SlotRequest extends Message {
  readonly type: 'slot-request'
  readonly row: number
  readonly column: number
}

export interface SlotReply extends Message {
  readonly type: 'slot-reply'
  readonly row: number
  readonly column: number
  readonly refs: readonly NodeRef[]
}

/** Route a {@link JoinPayload} towards my id for me. */
export interface JoinRequest extends Message {
  readonly type: 'join-request'
  readonly purpose: JoinPurpose
  readonly attempt: number
}

/** The receiver of the request is no member either. */
interface JoinRefusal extends Message {
  readonly type: 'join-refusal'
  readonly attempt: number
}

/** From a node on the join's path to the joiner: what it contributes. */
export interface JoinState extends Message {
  readonly type: 'join-state'
  readonly attempt: number
  /** From the bootstrap node: 0. */
  readonly hops: number
  /** Whether the sender is the joiner's root; then `leafSet` counts. */
  readonly root: boolean
  readonly leafSet: readonly NodeRef[]
  /** The rows that sender and joiner have in common, nearest hop's first. At most {@link rowRefsMax}. */
  readonly rows: readonly NodeRef[]
  /** From the bootstrap node: its neighbourhood set. */
  readonly neighborhood: readonly NodeRef[]
}

/** From a new member to the nodes of its routing table: the row in which the receiver stands, and the distance between the two. */
export interface Announcement extends Message {
  readonly type: 'announcement'
  readonly rttMs: Millis
  readonly refs: readonly NodeRef[]
}

/** The sender goes; its leaf set helps to close the gap. */
export interface Leave extends Message {
  readonly type: 'leave'
  readonly leafSet: readonly NodeRef[]
}

/**
 * `join`: the asker wants the state of everybody on the way to its root. `seek`: a member looks, through a past contact, for a ring other
 * than its own; only the root answers.
 */
type JoinPurpose = 'join' | 'seek'

/** What walks to a joiner's root. */
export interface JoinPayload {
  readonly purpose: JoinPurpose
  readonly joiner: NodeRef
  readonly attempt: number
}

/** Most nodes of a leaf set in a message. */
export const leafRefsMax = 64

/** Most nodes of routing-table rows in a message: 16 full rows of b = 4, two of b = 8. */
export const rowRefsMax = 512

/** Most hints in a reply. */
export const hintsMax = 8
