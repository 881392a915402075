import type { Guid } from '@plaxton/guid'
import type { Answer, Question } from './effects.ts'
import type { KbrEvent } from './events.ts'
import type { Millis, NodeRef, RefReader } from './node-ref.ts'

/**
 * Key-based routing: the calls an application makes of its overlay (Dabek et al., "Towards a common API for
 * structured peer-to-peer overlays", IPTPS 2003, table 1). Answers come from local state at once.
 */
export interface Kbr {
  readonly self: NodeRef
  /** True once this node is a member and may answer for keys (MSPastry's consistent join). */
  readonly ready: boolean
  /**
   * Up to `num` nodes one could send a message for `key` to next, best first. With `safe`, candidates are chosen so
   * that the share of faulty nodes among them does not exceed the overlay-wide share, at some cost in locality.
   */
  localLookup(key: Guid, num: number, safe: boolean): NodeRef[]
  /** Up to `num` neighbours in the id space, this node not among them. */
  neighborSet(num: number): NodeRef[]
  /**
   * The nodes on which replicas of `key` belong, rank 0 (the root) first, at most `maxRank` of them, this node
   * possibly among them. Shorter than asked when the local view does not reach further.
   */
  replicaSet(key: Guid, maxRank: number): NodeRef[]
  /**
   * The keys for which `node` is the rank-`rank` root, as the directed interval (from, to] at or after `lkey`; undefined
   * when it is not locally known. Ranges may be non-contiguous (Kademlia): ask again from `to`.
   */
  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined
}

/** The keys in the directed interval (from, to]; from === to is the whole ring. */
export interface KeyRange {
  readonly from: Guid
  readonly to: Guid
}

/** What an application may ask for when it routes. */
export interface RouteOptions {
  /** Ask for a reply (or a failure) within this time; without it the message is fire and forget. */
  readonly replyWithinMs?: Millis
  /** Take this node as the first hop instead of the overlay's choice (the paper's `hint`). */
  readonly firstHop?: NodeRef
  /** Ids not to be used as the next hop from here. For a second attempt by another way. */
  readonly avoid?: readonly Guid[]
  /**
   * How often the message may set out from here while its reply is awaited, each time by another first hop where there is one; at most, and by default, what the
   * walking is configured to. 1: for what must not arrive at two places because the first was slow.
   */
  readonly attempts?: number
  /**
   * Any of so many nodes closest to the key will do, as for reading what each of them holds; 1 to 64. An overlay that can (Pastry) leads the message past a near one of them, and on to
   * the root unless the application stops it there.
   */
  readonly nearestOf?: number
  /** Collect the ids of the nodes passed, for explaining; costs 32 bytes a hop. Default false. */
  readonly keepPath?: boolean
}

/** What an application may ask for when it asks one node. */
export interface RequestOptions {
  /** Give up after this time in all. */
  readonly withinMs: Millis
}

/** Names the place a reply goes to; valid at this node until replied to or expired. 0: no reply is wanted. */
export type ReplyHandle = number

/** A message on its way, as an application sees it on each node that handles it. */
export interface RoutedMessage {
  readonly key: Guid
  /** Owned by the message: copy what you keep, change nothing. */
  readonly payload: Uint8Array
  /** Overlay transmissions so far; 0 at the source. */
  readonly hops: number
  /** The node it came from directly; this node itself at the source. */
  readonly previousHop: NodeRef
  /** Where {@link AppEffects.reply} sends the answer; 0 when none is wanted. */
  readonly reply: ReplyHandle
}

/** An application's answer to `forward` (the paper's rewritable arguments, as data). */
export type ForwardDecision =
  | { readonly action: 'continue' }
  /** The message ends here. The application has answered it or will. */
  | { readonly action: 'stop' }
  /** The message ends here and its source is told `rejected by application`. */
  | { readonly action: 'reject'; readonly reason: string }
  /** It goes on with another payload. */
  | { readonly action: 'replace'; readonly payload: Uint8Array }
  /** It goes to another node next. */
  | { readonly action: 'redirect'; readonly nextHop: NodeRef }

/** Why a routed message or a request came to nothing. */
export type RouteFailureReason = 'no route' | 'timed out' | 'hop limit' | 'rejected by application' | 'overloaded' | 'left'

/** A failure that names the step: `at` is the node that gave up, as far as that is known here. */
export interface RouteFailure {
  readonly reason: RouteFailureReason
  /** One sentence for a person. */
  readonly detail: string
  readonly at: NodeRef | undefined
}

/** The outcome of a `route` with a reply wanted, or of a `request`. */
export type Reply =
  | {
      readonly ok: true
      readonly payload: Uint8Array
      /** Transmissions from here to the node that answered. */
      readonly hops: number
      /** Round trip as seen here. */
      readonly elapsedMs: Millis
      /** Ids of the nodes passed, the source first; empty unless asked for. */
      readonly path: readonly Guid[]
    }
  | { readonly ok: false; readonly failure: RouteFailure; readonly elapsedMs: Millis; readonly path: readonly Guid[] }

/** What an application may do while it handles one input: key-based routing plus the world. */
export interface AppEffects extends Kbr {
  /**
   * Sends `payload` towards the root of `key`; every node on the way gets `forward`, the root `deliver`. Returns the
   * request id that `onReply` repeats; 0 when no reply is wanted.
   *
   * When the answer is known at once (this node is the root), `onReply` follows within the same step: after this upcall has returned, but
   * before a driver's `command` does. So note the id where you call, not where `command` returns it.
   */
  route(key: Guid, payload: Uint8Array, options?: RouteOptions): number
  /** Asks one node directly (its `onRequest`); returns the request id that `onReply` repeats. */
  request(to: NodeRef, payload: Uint8Array, options: RequestOptions): number
  /** Tells one node directly (its `onRequest` with handle 0); best effort. */
  tell(to: NodeRef, payload: Uint8Array): void
  /** Answers a routed message or a request. The first answer counts; later ones and expired handles are ignored. */
  reply(handle: ReplyHandle, payload: Uint8Array): void
  /** Answers that nothing will come; `reason` is one sentence for a person. */
  refuse(handle: ReplyHandle, reason: string): void
  /** The application's `onTimer(kind, arg)` after `delayMs`. */
  startTimer(kind: string, arg: number, delayMs: Millis): void
  /** Asks the world; the application's `onAnswer` repeats `token`. */
  ask(token: number, question: Question): void
  /** Tells whoever listens, after the step. */
  emit(event: KbrEvent): void
  /** Says that everything this node must hand over before it leaves has been handed over. See {@link Application.onLeave}. */
  handedOver(): void
  /** The smoothed round trip to a peer in milliseconds, measured by this node: on the way of messages, else by its overlay; undefined when never. */
  roundTripMs(peer: NodeRef): Millis | undefined
  /**
   * Names the host that a node runs on: the virtual nodes of one host fail together, so copies on two of them are as good as one. Undefined when the driver
   * cannot tell; then each node counts as a host of its own.
   */
  readonly hostOf?: ((node: NodeRef) => string) | undefined
  /** Judges a reference that came inside a payload: use what this returns, or drop the reference when that is undefined. */
  readonly readRef: RefReader
}

/**
 * A service on top of key-based routing: PAST, DOLR, or a user's own. A core: no clock, no promise, no socket; its
 * effects go into `fx`, which is valid only during the call.
 */
export interface Application {
  /** Distinguishes applications on one overlay; 1 to 32 characters of a-z, 0-9 and `-`. */
  readonly name: string
  /** Once, before anything else. The place to ask for what is on disk. */
  onStart(now: Millis, fx: AppEffects): void
  /** This node is the root of `message.key`. */
  deliver(message: RoutedMessage, now: Millis, fx: AppEffects): void
  /**
   * A message passes: on the source, on every node of the way, and on the root before `deliver` (`nextHop` undefined
   * there). The one question a core is asked in the middle of a step; it answers from state.
   */
  forward(message: RoutedMessage, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision
  /** The neighbour set changed: `node` joined or left it. */
  update(node: NodeRef, joined: boolean, now: Millis, fx: AppEffects): void
  /**
   * Messages may take other ways from here than before: `localLookup` may answer otherwise for some key. At most once a step, and in a big network
   * often; an application that keeps something along the ways of messages (DOLR's pointers) moves it then.
   */
  routesChanged?(now: Millis, fx: AppEffects): void
  /**
   * `replicaSet` may answer otherwise than before although no neighbour came or went (`update` tells of those). At most once a step; only some overlays have that.
   */
  ranksChanged?(now: Millis, fx: AppEffects): void
  /** Another node asks (or tells, `reply` 0) directly. */
  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, now: Millis, fx: AppEffects): void
  /** The outcome of an own `route` or `request`; exactly once per request id. */
  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void
  onTimer(kind: string, arg: number, now: Millis, fx: AppEffects): void
  onAnswer(token: number, answer: Answer, now: Millis, fx: AppEffects): void
  /** The node is about to leave: hand over, then call `fx.handedOver()` (now or in a later step; a deadline bounds it). */
  onLeave(now: Millis, fx: AppEffects): void
}
