import type { AppEffects, Millis, NodeRef, Prng, ReplyHandle } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { PastConfig } from './config.ts'
import type { Errands } from './errands.ts'
import type { PastReply } from './messages.ts'
import type { Notary } from './notary.ts'
import type { Shelf } from './shelf.ts'

/** What the exchanges of one PAST node work with. */
export interface PastParts {
  readonly config: PastConfig
  readonly prng: Prng
  readonly errands: Errands
  readonly notary: Notary
  readonly shelf: Shelf
  /** A node that should store something did not: maintenance should look before its time. */
  readonly onShortfall: (now: Millis, fx: AppEffects) => void
  readonly isLeaving: () => boolean
}

/** Gives the answer to whoever asked, near or far. */
export type Respond = (reply: PastReply, now: Millis, fx: AppEffects) => void

/** Answers by handle; an answer nobody waits for any more is dropped by the routing below. */
export function responder(reply: ReplyHandle): Respond {
  return (message, _, fx) => fx.reply(reply, encodeMessage(message))
}

/** Time to allow for sending so many bytes, beyond that for a message without data. */
export function transferMs(bytes: number, { slowestBytesPerSecond }: PastConfig): Millis {
  return Math.ceil((bytes * 1000) / slowestBytesPerSecond)
}

/** The nodes that may hold an object with this many replicas: its replica set, and as many again for views that differ. */
export function widened(replicas: number): number {
  return 2 * replicas
}

/**
 * Why nobody may rely on what this node keeps from now on, although it stands in replica sets; undefined when one may. A node that is leaving gives away what it had when it
 * set out to leave; one that is joining may not get in, and who becomes root meanwhile does not ask it.
 */
export function unreliable({ isLeaving }: PastParts, fx: AppEffects): string | undefined {
  if (isLeaving()) return 'the node is leaving'
  return fx.ready ? undefined : 'the node is not a member yet'
}

/** How many durable replicas a quorum is, of `count` that there can be. */
export function quorumOf(quorum: 'majority' | 'all', count: number): number {
  return quorum === 'all' ? count : Math.floor(count / 2) + 1
}

/** `a, b and c` by the first digits of their ids. */
export function namesOf(nodes: readonly NodeRef[]): string {
  const names = nodes.map((node) => node.id.slice(0, 8))
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
