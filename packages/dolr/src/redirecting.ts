import type { Guid } from '@plaxton/guid'
import type { AppEffects, ForwardDecision, Millis, NodeRef, RoutedMessage } from '@plaxton/kbr'
import type { SendCall } from './messages.ts'
import { respond, tell } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { distanceTo } from './pointers.ts'
import type { Suspects } from './suspects.ts'

/**
 * The paper's way with messages to objects (policy `'holder'`): the first node with a pointer sends the message itself on to the host nearest to *it*, and
 * the answer comes back the way the message took. The host does not learn who asks.
 *
 *     sender ──► … ──► holder ──► host          answer: the same way back
 *     sender ◄── found: host ──┘ ✕              the host has not acknowledged it in time: has it the message? The sender asks it, directly
 *
 * When the host does not take it, routing asks again where to send the same message; so one that comes again as it came before has met with a host that is
 * dead, or slow. One that its source has sent again goes to the same host as before, which knows it, unless its way has changed meanwhile.
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
  onPassing(message: RoutedMessage, call: SendCall, now: Millis, fx: AppEffects): ForwardDecision {
    const at = `${message.previousHop.id} ${message.hops} ${call.attempt}`
    const earlier = this.sent.get(call.id)
    const pointers = this.parts.pointers.live(call.guid, now, fx).filter(({ record }) => record.host.id !== fx.self.id)
    for (const pointer of pointers) if (call.excluded.includes(pointer.record.host.id)) this.suspects.suspect(pointer, now, fx)
    const usable = pointers.filter(({ record }) => !call.excluded.includes(record.host.id))
    const chosen = usable.find(({ record }) => record.host.id === earlier?.host) ?? usable[0]
    if (chosen === undefined) return { action: 'continue' }
    const { host } = chosen.record
    if (earlier?.at === at && earlier.host === host.id) {
      respond(message.reply, { type: 'found', hosts: [{ node: host, distanceMs: distanceTo(chosen, fx) }], by: fx.self, root: false }, fx)
      return { action: 'stop' }
    }
    this.note(call.id, { host: host.id, at })
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
  /** The host it was sent to. */
  readonly host: Guid
  /** The previous hop, how many there were, and the sender's attempt. */
  readonly at: string
}

/** Our guess: seconds of a busy node. */
const recentMax = 4_096
