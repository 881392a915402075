import type { Guid } from '@plaxton/guid'
import type { Message, PeerDownCause } from './effects.ts'
import type { KbrEvent } from './events.ts'
import type { Kbr } from './kbr.ts'
import type { Millis, NodeRef, RefReader } from './node-ref.ts'
import type { Prng } from './prng.ts'

/**
 * Where a message for a key goes next.
 *
 * - `forward`: to `to`; `cursor` travels with the message (see {@link Overlay.nextHop}).
 * - `deliver`: this node is the root.
 * - `hold`: a node that is closer may be dead but is not known to be, or this node is not a member yet; ask again after
 *   the overlay has learnt more. Delivering now could be wrong.
 * - `none`: no way on.
 */
export type NextHop =
  | { readonly action: 'forward'; readonly to: NodeRef; readonly cursor: number }
  | { readonly action: 'deliver' }
  | { readonly action: 'hold' }
  | { readonly action: 'none' }

/** Ids that must not be chosen as the next hop, because they were tried for this message and did not answer. */
export type Avoid = ReadonlySet<Guid>

/**
 * A routing overlay as the walking in `@plaxton/routing` sees it: it answers *who next?* and *who is responsible?* and keeps
 * itself repaired. It never walks, never retries a hop, and never names a service.
 */
export interface Overlay extends Kbr {
  /** The overlay's name, as in `plaxton up --overlay pastry`. */
  readonly name: string
  readonly codec: MessageCodec

  /**
   * Pure: decides, changes nothing. `cursor` is a small number >= 0 the overlay gave out at the previous hop (at the
   * source 0, or what {@link nearestOf} says, or what the overlay's own message set out with): Tapestry's count of resolved digits, Pastry's numeric mode.
   */
  nextHop(key: Guid, cursor: number, avoid: Avoid): NextHop
  /**
   * The `cursor` with which a message sets out that any of the `count` nodes closest to its key may stop (`RouteOptions.nearestOf`). Overlays without it lead such a message
   * straight to the root.
   */
  nearestOf?(count: number): number

  /**
   * Command: become a member through one of `bootstrap` (nearest first if known); alone when it is empty. A member that is given nodes makes
   * contact with them: they belong to a ring it does not know, and the two are to become one.
   */
  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void
  /**
   * Command, before {@link leave}, for overlays whose nodes stay routable while they go (Tapestry): the others are to take this node out of their tables;
   * until they have, it passes on what still comes, and is root of nothing.
   */
  retire?(now: Millis, fx: OverlayEffects): void
  /** From {@link retire} on: whether nobody has this node in a table any more, or the overlay has waited for that long enough. */
  readonly retired?: boolean
  /** Command: tell the neighbours that this node goes. Afterwards it does nothing more. */
  leave(now: Millis, fx: OverlayEffects): void

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void
  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void
  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void

  /** Anything arrived from `from`: it is alive now. Called before the message itself is handled. Cheap. */
  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void
  /** The walking measured a round trip to `peer`. */
  onRoundTrip(peer: NodeRef, rttMs: Millis, now: Millis, fx: OverlayEffects): void
  /** A hop to `peer` was not acknowledged in time: check whether it lives. */
  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void
  /** The round trip to `peer` as far as this node measured it itself, never hearsay; undefined when it did not. Whole milliseconds. */
  measuredMs?(peer: NodeRef): Millis | undefined

  /**
   * One of the overlay's own messages (see {@link OverlayEffects.route}) passes here (`nextHop` undefined: this node is
   * its root). It always goes on afterwards, unless this returns false.
   */
  forwardOwn(key: Guid, payload: Uint8Array, hops: number, nextHop: NodeRef | undefined, now: Millis, fx: OverlayEffects): boolean

  /**
   * For overlays in which everybody measures closeness to a key alike, and a node can name the closest it knows (Kademlia): iterative lookups then go by this, with many names in an answer
   * and over disjoint paths.
   */
  readonly metric?: Metric

  /** Throws when the node's own state contradicts the protocol. For tests and the simulator. */
  assertInvariants(): void
}

/** Closeness on which all nodes of an overlay agree. */
export interface Metric {
  /** For sorting ids by closeness to `key`, the root first. */
  compare(a: Guid, b: Guid, key: Guid): number
  /** Up to `count` nodes of all tables, this one not among them, the closest to `key` first. */
  closest(key: Guid, count: number): NodeRef[]
  /** Nodes that must have answered before a search is over: Kademlia's k. */
  readonly width: number
}

/** What an overlay may do while it handles one input. */
export interface OverlayEffects {
  send(to: NodeRef, message: Message): void
  /** The overlay's `onTimer(kind, arg)` after `delayMs`. */
  startTimer(kind: string, arg: number, delayMs: Millis): void
  emit(event: KbrEvent): void
  /**
   * Walks one of the overlay's own payloads towards the root of `key`, with acks and rerouting; see {@link Overlay.forwardOwn}. It sets out with `cursor`, 0 unless told otherwise: in a CAN of
   * several realities the way of a join is another from the first hop on.
   */
  route(key: Guid, payload: Uint8Array, cursor?: number): void
  /** This node became a member: messages held back may be delivered. */
  becameReady(): void
  /** `node` entered or left the neighbour set: becomes the applications' `update`. */
  neighborChanged(node: NodeRef, joined: boolean): void
  /** `nextHop` may answer otherwise than before, for some key: becomes the applications' `routesChanged`, once for all calls of a step. */
  routesChanged(): void
  /**
   * `replicaSet` may answer otherwise than before although no neighbour came or went, because they have exchanged what they own (CAN), or what is known of them has become
   * certain (all others): becomes the applications' `ranksChanged`, once for all calls of a step. PAST places its objects by it.
   */
  ranksChanged?(): void
  /** Judges a reference that came inside a routed payload of the overlay; undefined: drop it. */
  readonly readRef: RefReader
  /** `peer` is known to be dead: whatever was on its way to it takes another. */
  peerFailed(peer: NodeRef): void
  /** `peer`, suspected before, answered: messages held for it go to it. */
  peerRecovered(peer: NodeRef): void
}

/** Bytes to messages and back. `decode` throws only the wire error of `@plaxton/wire`. */
export interface MessageCodec {
  encode(message: Message): Uint8Array
  decode(bytes: Uint8Array, refs: RefReader): Message
}

/** Makes one overlay node; what `pastry({…})` returns. */
export interface OverlayFactory {
  readonly name: string
  create(self: NodeRef, prng: Prng): Overlay
}
