import type { KbrEvent } from './events.ts'
import type { Millis, NodeRef } from './node-ref.ts'

/**
 * What travels between two cores. Each layer narrows `type` to its own union; drivers only ever hand messages
 * on, or pass them through the stack's codec.
 *
 * After `send`, nobody changes a message: in memory it is not copied.
 */
export interface Message {
  readonly type: string
}

/**
 * A timer is data, not a closure: it can be logged, replayed and compared in a test. A timer that is no longer
 * wanted finds nothing to do when it comes due, so there is no way to cancel one.
 */
export interface Timer {
  /** The layer that started it: `'routing'`, `'overlay'` or an application's name. */
  readonly owner: string
  /** What for; the owner's own word. */
  readonly kind: string
  /** A small number the owner chose, such as a sequence number; 0 when it needs none. */
  readonly arg: number
}

/**
 * Something a core wants to know that takes the world some time: disk and signatures. Every question is
 * answered by exactly one {@link Answer} of the same kind, as an input, never inside the step that asked.
 *
 * - `read`: the bytes stored under `key`.
 * - `write`: `entries` in order; `undefined` erases. The answer comes once all are durable. After a crash a prefix
 *   of the entries may have been applied, so the entry that makes the others count stands last.
 * - `list`: all entries whose key starts with `prefix`, keys in ascending order.
 * - `sign`: an Ed25519 signature of `message` by this application's owner key, or by another key it was given under the name `signer`.
 * - `verify`: whether `signature` is `publicKey`'s Ed25519 signature (32 raw bytes) of `message`.
 * - `sign-as-node`: an Ed25519 signature of `message` by the key this node's own id stands for.
 * - `verify-node`: whether `signature` is good, as for `verify`, and `publicKey` is the one that `node.id` stands for. What a node says of itself
 *   can thus be handed on by others.
 */
export type Question =
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'write'; readonly entries: readonly StoreEntry[] }
  | { readonly kind: 'list'; readonly prefix: string }
  | { readonly kind: 'sign'; readonly message: Uint8Array; readonly signer?: string }
  | { readonly kind: 'verify'; readonly publicKey: Uint8Array; readonly message: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'sign-as-node'; readonly message: Uint8Array }
  | {
      readonly kind: 'verify-node'
      readonly node: NodeRef
      readonly publicKey: Uint8Array
      readonly message: Uint8Array
      readonly signature: Uint8Array
    }

/** One key with the bytes to store under it; `undefined` erases the key. Keys are ASCII without spaces, at most 200 characters, with slashes inside only and no two in a row. */
export type StoreEntry = readonly [key: string, bytes: Uint8Array | undefined]

/** What became of a {@link Question}. `failed` says why in a sentence (a full disk, a closed store). */
export type Answer =
  | { readonly kind: 'read'; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'written' }
  | { readonly kind: 'listed'; readonly entries: ReadonlyArray<readonly [key: string, bytes: Uint8Array]> }
  | { readonly kind: 'signed'; readonly signature: Uint8Array; readonly publicKey: Uint8Array }
  | { readonly kind: 'verified'; readonly valid: boolean }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * Everything a stack of cores may ask of the world while it handles one input.
 *
 * The contract (docs/ARCHITECTURE.md has the reasons):
 * 1. A step runs to completion: no `await`, no second input meanwhile.
 * 2. A sink only takes note. It queues or records and returns; it never calls a core back.
 * 3. Timers are data.
 * 4. Messages are handed over.
 * 5. Order is decided, never inherited by accident.
 * 6. Time is whole milliseconds.
 * 7. The same seed and the same inputs give the same effects.
 */
export interface Effects {
  /** Sends to a peer, best effort. A link that breaks is reported by `onPeerDown`, never by an exception. */
  send(to: NodeRef, message: Message): void
  /** Asks for `onTimer(timer)` after `delayMs`, a whole number >= 0. */
  startTimer(timer: Timer, delayMs: Millis): void
  /** Tells whoever listens. Listeners run after the step. */
  emit(event: KbrEvent): void
  /** Asks the world; answered by `onAnswer(application, token, …)`. `token` is the application's own. */
  ask(application: string, token: number, question: Question): void
}

/**
 * How the link to a peer ended. `disconnected`: a connection that existed closed, which idle pruning does too, so it
 * is a hint and not a proof. `unreachable`: an attempt to connect was refused or ran out of time.
 */
export type PeerDownCause = 'disconnected' | 'unreachable'

/** The inputs of a stack of cores: what a driver feeds, one at a time. */
export interface Core {
  /** A message from a peer; the driver vouches that it came from `from`. */
  onMessage(from: NodeRef, message: Message, now: Millis, fx: Effects): void
  /** A timer came due. */
  onTimer(timer: Timer, now: Millis, fx: Effects): void
  /** The link to a peer ended. */
  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: Effects): void
  /** The answer to a question of an application. */
  onAnswer(application: string, token: number, answer: Answer, now: Millis, fx: Effects): void
}
