import type { Guid } from '@plaxton/guid'
import type { AppEffects, ForwardDecision, Millis, NodeRef, RoutedMessage } from '@plaxton/kbr'
import type { SendCall, Traced } from './messages.ts'
import { respond, tell } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { distanceTo } from './pointers.ts'
import type { Suspects } from './suspects.ts'

/**
 * The paper's way with messages to objects (policy `'holder'`): the first node with a pointer sends the message itself on to the host nearest to *it*, and
 * the answer comes back the way the message took. The host does not learn who asks.
 *
 *     sender ──► … ──► holder ──► host          answer: the same way back
 *     sender ◄── late: hop ──┘ ✕                the next hop has not acknowledged it in time: has it the message?
 *     sender ──── trace ────► hop               it says where it has sent it on to; or has not had it, and will not take it any more
 *
 * Two holders would choose two hosts, so a message never takes two ways. When its next hop does not take it, routing asks again where to send the same
 * message; a node then ends it and says so, where another message would take another way. The sender follows the way from node to node to its end,
 * and gives the message to the host there, which knows it by its number, or sends it again under the next attempt.
 */
export class Redirecting {
  private readonly parts: DolrParts
  private readonly suspects: Suspects
  /** Messages that passed, by the sender's number. Bound: {@link recentMax}; full: the oldest is forgotten. */
  private readonly passed = new Map<number, Passed>()

  constructor(parts: DolrParts, suspects: Suspects) {
    this.parts = parts
    this.suspects = suspects
  }

  /** A message passes that is not for this node to answer. */
  onPassing(message: RoutedMessage, call: SendCall, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const { guid, id, attempt } = call
    const from = `${message.previousHop.id} ${message.hops}`
    const earlier = this.passed.get(id)
    if (earlier?.to !== undefined && earlier.attempt === attempt && earlier.from === from) return this.end(message, earlier, fx)
    const pointers = this.parts.pointers.live(guid, now, fx).filter(({ record }) => record.host.id !== fx.self.id)
    for (const pointer of pointers) if (call.excluded.includes(pointer.record.host.id)) this.suspects.suspect(pointer, now, fx)
    const usable = pointers.filter(({ record }) => !call.excluded.includes(record.host.id))
    const chosen = usable.find(({ record }) => record.host.id === earlier?.to?.id) ?? usable[0]
    const to = chosen?.record.host ?? nextHop
    const takenBack = earlier?.takenBack ?? 0
    if (to !== undefined) this.note(id, { guid, attempt, from, to, isHost: chosen !== undefined, takenBack, at: now })
    return chosen === undefined ? { action: 'continue' } : { action: 'redirect', nextHop: chosen.record.host }
  }

  /** This node is the root, and there is no host. */
  onDelivered({ reply }: RoutedMessage, fx: AppEffects): void {
    respond(reply, { type: 'absent', root: fx.self }, fx)
  }

  /** This node was a host and is none any more: whoever still takes it for one hears it. */
  deny(guid: Guid, previousHop: NodeRef, fx: AppEffects): void {
    if (previousHop.id !== fx.self.id) tell(previousHop, { type: 'moved', guid }, fx)
  }

  /** Whether the sender has been told that this attempt has not been here and will not be taken. */
  isTakenBack({ id, attempt }: SendCall): boolean {
    return attempt <= (this.passed.get(id)?.takenBack ?? 0)
  }

  /** Where this node has sent the message on to. When it has not, it does not take that attempt any more. */
  trace(guid: Guid, id: number, attempt: number, now: Millis): Traced {
    const earlier = this.passed.get(id)
    if (earlier?.to !== undefined && earlier.guid === guid && earlier.attempt >= attempt)
      return { type: 'traced', state: earlier.isHost ? 'host' : 'onward', to: [earlier.to] }
    const unknown = { guid, attempt: 0, from: '', to: undefined, isHost: false, at: now }
    this.note(id, { ...(earlier ?? unknown), takenBack: attempt })
    return { type: 'traced', state: 'unknown', to: [] }
  }

  /** Whether a message to `guid` passed here after `since`. */
  hasPassed(guid: Guid, since: Millis): boolean {
    for (const passed of this.passed.values()) if (passed.guid === guid && passed.to !== undefined && passed.at >= since) return true
    return false
  }

  /** The node it was sent on to has not taken it, or has not said so in time. */
  private end({ reply }: RoutedMessage, { guid, to, isHost }: Passed, fx: AppEffects): ForwardDecision {
    const pointer = isHost ? this.parts.pointers.get(guid, to!.id) : undefined
    const distanceMs = pointer === undefined ? 0 : distanceTo(pointer, fx)
    if (isHost) respond(reply, { type: 'found', hosts: [{ node: to!, distanceMs }], by: fx.self, root: false }, fx)
    else respond(reply, { type: 'late', hop: to! }, fx)
    return { action: 'stop' }
  }

  private note(id: number, passed: Passed): void {
    this.passed.delete(id)
    if (this.passed.size >= recentMax) {
      for (const oldest of this.passed.keys()) {
        this.passed.delete(oldest)
        break
      }
    }
    this.passed.set(id, passed)
  }
}

interface Passed {
  readonly guid: Guid
  /** The sender's. */
  readonly attempt: number
  /** The previous hop, and how many there were. */
  readonly from: string
  /** The next hop, or the host; undefined: it has not been here. */
  readonly to: NodeRef | undefined
  readonly isHost: boolean
  /** Attempts up to this one are not taken any more. */
  readonly takenBack: number
  readonly at: Millis
}

/** Our guess: seconds of a busy node. */
const recentMax = 4_096
