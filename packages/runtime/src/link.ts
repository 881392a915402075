import type { NodeRef, PeerDownCause, RefReader } from '@plaxton/kbr'
import type { KeyPort } from './ports.ts'

/**
 * How the frames of one node travel: the in-memory network of this package, or libp2p. A link vouches for `from`: on libp2p the
 * Noise handshake proves it.
 */
export interface Link {
  /** This node as others reach it. May change while it runs (a new listen address); read it when needed. */
  readonly self: NodeRef
  /** Judges references that arrive inside messages. */
  readonly readRef: RefReader
  /** The key this node's id stands for. Rejects with `InvalidValueError` when it is of a kind that nobody else could check. */
  key(): Promise<KeyPort>
  /** Whether `publicKey`, 32 raw bytes of Ed25519, is the one that the id of `node` stands for. */
  isKeyOf(node: NodeRef, publicKey: Uint8Array): boolean
  /**
   * Names the host that `node` runs on: nodes of one host share a name, and fail together. Without it each node is taken to be a host of its own. For
   * references that {@link readRef} has accepted.
   */
  hostOf?(node: NodeRef): string
  /** Starts to accept; frames go to `receiver` from now on, never inside a call of `send`. */
  open(receiver: LinkReceiver): Promise<void>
  /**
   * Best effort, in order while one connection holds; the link owns `frame` from here on. Connects when needed. What can't be
   * sent is dropped and reported by `onPeerDown`, unless the reference is a false one: its id may be that of a node that lives. A `patient`
   * frame may wait for some milliseconds, to leave together with what follows it.
   */
  send(to: NodeRef, frame: Uint8Array, patient?: boolean): void
  /** Peers worth keeping connected, the overlay's neighbours. Replaces the list given before. */
  keep(peers: readonly NodeRef[]): void
  close(): Promise<void>
}

/** Where a link hands what arrives. Calls come one at a time. */
export interface LinkReceiver {
  /**
   * One whole frame; `frame` may be a view of a larger buffer that the link will not touch again. False: it was no message of this stack, and a
   * peer that goes on like that may be cut off.
   */
  onFrame(from: NodeRef, frame: Uint8Array): false | void
  onPeerDown(peer: NodeRef, cause: PeerDownCause): void
}
