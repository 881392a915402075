import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, RouteFailure } from '@plaxton/kbr'
import type { Answered, Then } from './errands.ts'
import type { DolrMessage } from './messages.ts'
import { namesOf, pingWaitMs } from './parts.ts'
import type { DolrParts } from './parts.ts'

/** How a delivery ended. `not delivered`: as far as is known here. A host that died while it handled the message looks the same. */
export type DeliveryEnd =
  | { readonly type: 'answered'; readonly payload: Uint8Array }
  | { readonly type: 'refused'; readonly detail: string }
  | { readonly type: 'not delivered'; readonly failure: RouteFailure }
  /** There is nobody to deliver to, now and for a while. */
  | { readonly type: 'no handler'; readonly detail: string }

/**
 * One message to one host, directly.
 *
 *     sender                        host
 *       deliver ──────────────────►   to the handler, which takes its time
 *       ping ─────────────────────►   no answer for a while: is it still at it?
 *       ◄──────────────────── pong    open: yes, wait on
 *       ◄────────────────── answer
 *
 * Without the pings a host that died would be waited for until the deadline, and a slow handler could not be told from it.
 */
export class Delivery {
  private readonly parts: DolrParts
  private readonly guid: Guid
  private readonly message: number
  private readonly host: NodeRef
  private readonly payload: Uint8Array
  private readonly withinMs: Millis
  private readonly then: Then<DeliveryEnd>
  private over = false
  private patience = 0

  constructor(
    parts: DolrParts,
    guid: Guid,
    message: number,
    host: NodeRef,
    payload: Uint8Array,
    withinMs: Millis,
    then: Then<DeliveryEnd>,
  ) {
    this.parts = parts
    this.guid = guid
    this.message = message
    this.host = host
    this.payload = payload
    this.withinMs = withinMs
    this.then = then
  }

  begin(fx: AppEffects): void {
    const { guid, message: id, payload } = this
    // The command ends first when time is up, and says what it was waiting for.
    const withinMs = Math.min(this.withinMs + 1_000, longestMs)
    this.parts.errands.request(this.host, { type: 'deliver', guid, id, payload }, withinMs, fx, (answered, now, effects) =>
      this.end(endOf(answered, this.host), now, effects),
    )
    this.watch(fx)
  }

  private watch(fx: AppEffects): void {
    const { errands, config } = this.parts
    this.patience = errands.later(config.patienceMs, fx, (_, __, effects) => {
      errands.request(
        this.host,
        { type: 'ping', guid: this.guid, id: this.message },
        pingWaitMs(this.host, config, effects),
        effects,
        (answered, now, later) => {
          if (this.over) return
          if (!answered.ok && answered.failure.reason !== 'overloaded')
            this.end({ type: 'not delivered', failure: answered.failure }, now, later)
          else if (answered.ok && isElsewhere(answered.message))
            this.end({ type: 'no handler', detail: 'it does not host the object any more' }, now, later)
          else this.watch(later)
        },
      )
    })
  }

  private end(end: DeliveryEnd, now: Millis, fx: AppEffects): void {
    if (this.over) return
    this.over = true
    this.parts.errands.forget(this.patience)
    this.then(end, now, fx)
  }
}

/** One request waits no longer, well within routing's `replyMsMax`; then the host is found and asked again, and knows the message. Our guess. */
const longestMs = 120_000

/** A host that was started anew knows neither the message nor the object. */
function isElsewhere(message: DolrMessage): boolean {
  return message.type === 'pong' && !message.hosts && message.state === 'unknown'
}

function endOf(answered: Answered, host: NodeRef): DeliveryEnd {
  if (!answered.ok) return { type: 'not delivered', failure: answered.failure }
  const { message } = answered
  if (message.type !== 'answer') return { type: 'no handler', detail: `${namesOf([host])} answered with ${message.type}` }
  switch (message.outcome) {
    case 'answered':
      return { type: 'answered', payload: message.payload }
    case 'refused':
      return { type: 'refused', detail: message.detail }
    case 'busy':
      return { type: 'not delivered', failure: { reason: 'overloaded', detail: message.detail, at: host } }
    default:
      return { type: 'no handler', detail: message.detail }
  }
}
