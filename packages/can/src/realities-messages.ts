import type { Message, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Claim, Entry } from './claim.ts'
import type { CanMessage } from './messages.ts'
import type { Zone } from './zone.ts'

/** What two nodes of a network with several realities say to each other: what is said within one of them, and about twins. */
export type RealitiesMessage = Within | TwinAsk | TwinTell

/** `fx.send` for this union: the compiler checks what it says. */
export function sendTo(to: NodeRef, message: RealitiesMessage, fx: OverlayEffects): void {
  fx.send(to, message)
}

/** A message of a CAN, for the receiver's zone in that reality. */
export interface Within extends Message {
  readonly type: 'within'
  readonly reality: number
  readonly message: CanMessage
}

/** What of these stretches is yours in reality 0, or whose, and from now on when that changes? */
export interface TwinAsk extends Message {
  readonly type: 'twin-ask'
  /** What the sender owns in the other realities. At most {@link stretchesMax}. */
  readonly zones: readonly Zone[]
  /** The answer repeats it. */
  readonly token: number
}

/** What the sender owns in reality 0, as far as the receiver has asked. */
export interface TwinTell extends Message {
  readonly type: 'twin-tell'
  /** At most `claimsMax`. */
  readonly claims: readonly Claim[]
  /** Those of its contacts of whom the receiver may ask the rest. At most `othersMax`. */
  readonly others: readonly Entry[]
  /** That of the question; 0: it was asked before, and something has changed. */
  readonly token: number
}

/** What walks: a payload of one reality on its own way, or a question to the owner of a key in reality 0. */
export type RealitiesPayload =
  | { readonly type: 'own'; readonly reality: number; readonly payload: Uint8Array }
  | { readonly type: 'twin-seek'; readonly asker: NodeRef; readonly token: number }

/** Most zones in a question: what a node of four realities owns in three of them. */
export const stretchesMax = 192

/** Most bytes of a payload of one reality: a join with the longest address. */
export const payloadMax = 4_096
