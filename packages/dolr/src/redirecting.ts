import type { Guid } from '@plaxton/guid'
import type { AppEffects, ForwardDecision, Millis, NodeRef, RoutedMessage } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { SendCall } from './messages.ts'
import { maxExcluded } from './messages.ts'
import { respond, tell } from './parts.ts'
import type { DolrParts } from './parts.ts'
import type { Pointer } from './pointers.ts'
import type { Suspects } from './suspects.ts'

/**
 * The paper's way with messages to objects (policy `'holder'`): the first node with a pointer sends the message itself on to the host nearest to *it*, and
 * the answer comes back the way the message took. The host does not learn who asks.
 *
 * When the host does not take it, routing asks again where to send the same message; so one that comes again as it came before has met with a dead
 * host. One sent again by its source, because the handler is slow or an answer got lost, goes to the same host as before, which knows it, unless its way has
 * changed meanwhile: then a second host may handle it.
 */
export class Redirecting {
  private readonly parts: DolrParts
  private readonly suspects: Suspects
  /** Messages sent on to hosts, by the sender's number. Bound: {@link recentMax}; full: the oldest is forgotten. */
  private readonly sent = new Map<number, Sent>()

  constructor(parts: DolrParts, suspects: Suspects) {
    this.parts = parts
    this.suspects = suspects
  }

  /** A message passes that is not for this node to answer. */
  onPassing(message: RoutedMessage, call: SendCall, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const at = `${message.previousHop.id} ${message.hops} ${call.attempt}`
    const pointers = this.parts.pointers.live(call.guid, now, fx).filter(({ record }) => record.host.id !== fx.self.id)
    const earlier = this.sent.get(call.id)
    const failed = new Set([...call.excluded, ...(earlier?.failed ?? [])])
    if (earlier?.at === at) {
      failed.add(earlier.host)
      this.suspect(pointers, earlier.host, now, fx)
    }
    const usable = pointers.filter(({ record }) => !failed.has(record.host.id))
    const chosen = usable.find(({ record }) => record.host.id === earlier?.host) ?? usable[0]
    if (chosen === undefined) return this.passOn(call, failed, nextHop)
    const { host } = chosen.record
    this.note(call.id, { host: host.id, failed, at })
    return { action: 'redirect', nextHop: host }
  }

  /** This node is the root, and there is no host. */
  onDelivered({ reply }: RoutedMessage, fx: AppEffects): void {
    respond(reply, { type: 'absent', root: fx.self }, fx)
  }

  /** This node was a host and is none any more: whoever still takes it for one hears it. */
  deny(guid: Guid, previousHop: NodeRef, fx: AppEffects): void {
    if (previousHop.id !== fx.self.id) tell(previousHop, { type: 'moved', guid }, fx)
  }

  private passOn(call: SendCall, failed: ReadonlySet<Guid>, nextHop: NodeRef | undefined): ForwardDecision {
    if (nextHop === undefined || failed.size === call.excluded.length) return { action: 'continue' }
    return { action: 'replace', payload: encodeMessage({ ...call, excluded: [...failed].slice(-maxExcluded) }) }
  }

  private suspect(pointers: readonly Pointer[], host: Guid, now: Millis, fx: AppEffects): void {
    const pointer = pointers.find(({ record }) => record.host.id === host)
    if (pointer !== undefined) this.suspects.suspect(pointer, now, fx)
  }

  private note(message: number, sent: Sent): void {
    this.sent.delete(message)
    if (this.sent.size >= recentMax) {
      for (const oldest of this.sent.keys()) {
        this.sent.delete(oldest)
        break
      }
    }
    this.sent.set(message, sent)
  }
}

interface Sent {
  /** The host it was sent to last, and those before. */
  readonly host: Guid
  readonly failed: ReadonlySet<Guid>
  /** The previous hop, how many there were, and the sender's attempt. */
  readonly at: string
}

/** Our guess: seconds of a busy node. */
const recentMax = 4_096
