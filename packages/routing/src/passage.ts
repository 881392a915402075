import type { Guid } from '@plaxton/guid'
import type { Avoid, Millis, NodeRef, RouteOptions } from '@plaxton/kbr'
import type { RoutingConfig } from './config.ts'
import type { RouteMessage } from './messages.ts'
import { addReturn } from './reply-handles.ts'
import type { ReturnHop } from './reply-handles.ts'

/** One message's stay at this node: from its acceptance until its next hop, or this node, has taken it over and answered. */
export class Passage {
  /** As it came, or as an application here replaced it. At the source: 0 hops, numbered with the call's id. */
  message: RouteMessage
  /** Where the answer goes: the peer it came from, or this node itself. */
  readonly previous: NodeRef
  /** When this node gives up on it. */
  readonly stayUntil: Millis
  /** When the source gives up on the reply. */
  readonly replyUntil: Millis
  /** Answered, given up, or no longer of interest. */
  done = false
  /** Its transmissions that are `sent` or `accepted`. */
  copies = 0
  /** Peers that were tried from here and did not take it. */
  avoid: Set<Guid> | undefined = undefined
  /** The peer that failed it last. */
  failedHop: NodeRef | undefined = undefined
  /** When a held message is tried again. */
  retryAt: Millis = 0
  /** Where else the answer goes: copies of the message that came here while it was held. Bound: that of {@link addReturn}. */
  joined: ReturnHop[] | undefined = undefined
  /** The source's wishes; undefined on all other nodes. */
  wishes: Wishes | undefined = undefined

  constructor(message: RouteMessage, previous: NodeRef, now: Millis, config: RoutingConfig) {
    const { replyWithinMs } = message
    this.message = message
    this.previous = previous
    this.replyUntil = now + Math.min(replyWithinMs, config.replyMsMax)
    this.stayUntil = replyWithinMs > 0 && replyWithinMs < config.stayMs ? this.replyUntil : now + config.stayMs
  }

  /** At the source: which way to leave. `firstHops` are those of earlier attempts and gets the one of this. */
  leaveBy(options: RouteOptions, firstHops: Guid[]): void {
    this.wishes = { firstHop: firstHops.length === 0 ? options.firstHop : undefined, never: options.avoid ?? [], firstHops }
    this.forgive()
  }

  /** Gives the peers that failed it another chance. */
  forgive(): void {
    this.avoid = this.wishes === undefined || this.wishes.never.length === 0 ? undefined : new Set(this.wishes.never)
  }

  /** Everyone who waits for the answer. */
  get returns(): ReturnHop[] {
    const first = { peer: this.previous, seq: this.message.seq }
    return this.joined === undefined ? [first] : [first, ...this.joined]
  }

  /** A copy of it came here; the answer is for both. */
  join(copy: Passage): void {
    copy.done = true
    if (copy.previous.id === this.previous.id && copy.message.seq === this.message.seq) return
    this.joined ??= []
    addReturn(this.joined, { peer: copy.previous, seq: copy.message.seq })
  }

  /** `peer` failed it. */
  shun(peer: NodeRef): void {
    this.avoid ??= new Set()
    this.avoid.add(peer.id)
    this.failedHop = peer
  }
}

/** What the source asked for, by `RouteOptions` or by trying again. */
interface Wishes {
  /** The first hop to take, whatever the overlay says. */
  readonly firstHop: NodeRef | undefined
  /** Never to be taken. */
  readonly never: readonly Guid[]
  /** Taken by earlier attempts: to be avoided where there is another. */
  readonly firstHops: Guid[]
}

/** One transmission of a message to one next hop. */
export interface Transmission {
  readonly seq: number
  readonly passage: Passage
  readonly to: NodeRef
  readonly sentAt: Millis
  readonly dueAt: Millis
  /**
   * `sent`: its acknowledgement is awaited. `accepted`: the peer answers for it. `overdue`: not acknowledged in time; the message took
   * another way, but an answer by this one is still welcome.
   */
  state: 'sent' | 'accepted' | 'overdue'
}

/** Nothing to avoid. */
export const nobody: Avoid = new Set()
