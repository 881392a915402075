import type { AppEffects, Millis, NodeRef, Prng, ReplyHandle } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { DolrConfig } from './config.ts'
import type { Errands } from './errands.ts'
import type { DolrMessage, DolrReply } from './messages.ts'
import type { Notary } from './notary.ts'
import type { Pointers } from './pointers.ts'

/** What the exchanges of one DOLR node work with. */
export interface DolrParts {
  readonly config: DolrConfig
  readonly prng: Prng
  readonly errands: Errands
  readonly notary: Notary
  readonly pointers: Pointers
}

export function respond(reply: ReplyHandle, message: DolrReply, fx: AppEffects): void {
  fx.reply(reply, encodeMessage(message))
}

export function tell(to: NodeRef, message: DolrMessage, fx: AppEffects): void {
  fx.tell(to, encodeMessage(message))
}

/** How long `node` may take to answer a ping before it counts as dead: on a long way more than `pingMs`. */
export function pingWaitMs(node: NodeRef, { pingMs }: DolrConfig, fx: AppEffects): Millis {
  return Math.max(pingMs, Math.ceil(3 * (fx.roundTripMs(node) ?? pingMs)))
}

/** `a, b and c` by the first digits of their ids. */
export function namesOf(nodes: ReadonlyArray<{ readonly id: string }>): string {
  const names = nodes.map((node) => node.id.slice(0, 8))
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
