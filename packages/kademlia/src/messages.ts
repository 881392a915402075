import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef, OverlayEffects } from '@plaxton/kbr'

/** What two Kademlia nodes say to each other. STORE and FIND_VALUE are the business of the services on top; see the README. */
export type KademliaMessage = Ping | Pong | Heartbeat | FindNode | Nodes | Obituary | Leave

/** `fx.send` for this union: the compiler checks what it says. */
export function send(to: NodeRef, message: KademliaMessage, fx: OverlayEffects): void {
  fx.send(to, message)
}

/** What a node says of itself. */
export interface Status {
  /** Whether it is a member of the overlay, or about to become one and asks to be treated so. */
  readonly member: boolean
}

/** Are you there, and how far? */
interface Ping extends Message, Status {
  readonly type: 'ping'
  readonly seq: number
}

export interface Pong extends Message, Status {
  readonly type: 'pong'
  /** That of the ping. */
  readonly seq: number
}

/** To the two guardians: I live; should that change, tell my siblings. */
interface Heartbeat extends Message, Status {
  readonly type: 'heartbeat'
}

/** Whom do you know that is closest to `key`? */
export interface FindNode extends Message, Status {
  readonly type: 'find-node'
  readonly seq: number
  readonly key: Guid
  /** At most so many. At most {@link refsMax}. */
  readonly count: number
  /** Those the asker knows already: no need to name them. For its own id, its sibling list: the answer says who of them is dead. At most {@link refsMax}. */
  readonly known: readonly Guid[]
}

/** The answer to a {@link FindNode}. */
export interface Nodes extends Message, Status {
  readonly type: 'nodes'
  readonly seq: number
  /** The closest first. At most {@link refsMax}. */
  readonly refs: readonly NodeRef[]
  /** Those of `known` that the sender takes to be dead; a reason to look, no more. At most {@link refsMax}. */
  readonly gone: readonly Guid[]
}

/** The sender has found these nodes dead; a reason to look, no more. At most {@link refsMax}. */
interface Obituary extends Message, Status {
  readonly type: 'obituary'
  readonly gone: readonly Guid[]
}

/** The sender goes; its siblings help to close the gap. At most {@link refsMax}. */
interface Leave extends Message {
  readonly type: 'leave'
  readonly refs: readonly NodeRef[]
}

/** Most nodes or ids in a message: the largest sibling list, and one more. */
export const refsMax = 257
