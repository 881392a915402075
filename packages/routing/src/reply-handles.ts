import type { Millis, NodeRef, ReplyHandle } from '@plaxton/kbr'
import type { RoutingConfig } from './config.ts'
import type { Trail } from './outcome.ts'

/** Where an answer goes next: to the peer the question came from, under the number it gave it. This node itself for its own. */
export interface ReturnHop {
  readonly peer: NodeRef
  readonly seq: number
}

/** A routed message or a request that an application here has yet to answer. */
export interface OpenReply {
  /** What is answered: a routed message by its nonce, or a request by who asked it and under which number. */
  readonly question:
    | { readonly type: 'route'; readonly nonce: number; readonly trail: Trail }
    | { readonly type: 'request'; readonly from: NodeRef; readonly seq: number }
  /** Everyone who waits. Bound: {@link maxReturns}; full: the oldest goes, the latest copy has the freshest way. */
  readonly returns: ReturnHop[]
  readonly expiresAt: Millis
}

/** The handles given to applications. Bound: `openRepliesMax`; full: what would need another is refused. */
export class ReplyHandles {
  private readonly config: RoutingConfig
  private open: Map<ReplyHandle, OpenReply> | undefined = undefined
  private last: ReplyHandle = 0
  /** The handle shown to an application that is just being asked to forward, and whether it answered. */
  private offered: ReplyHandle = 0
  private offeredUsed = false

  constructor(config: RoutingConfig) {
    this.config = config
  }

  get size(): number {
    return this.open === undefined ? 0 : this.open.size
  }

  get full(): boolean {
    return this.size >= this.config.openRepliesMax
  }

  /** A handle that was never used before and that nothing hangs on yet. */
  draw(): ReplyHandle {
    return ++this.last
  }

  /** Such a handle, to be shown while an application decides. */
  offer(): ReplyHandle {
    this.offered = this.draw()
    this.offeredUsed = false
    return this.offered
  }

  /** An application answers. */
  used(handle: ReplyHandle): void {
    if (handle === this.offered) this.offeredUsed = true
  }

  /** The application has decided. True when it has answered by the offered handle. */
  withdraw(): boolean {
    this.offered = 0
    return this.offeredUsed
  }

  /** From now on an answer to `handle` finds its way. The caller has asked {@link full}. */
  add(handle: ReplyHandle, reply: OpenReply): void {
    this.open ??= new Map()
    this.open.set(handle, reply)
  }

  /** The same answer is awaited by one more; nothing happens when it is no longer open. */
  attach(handle: ReplyHandle, hop: ReturnHop): void {
    const reply = this.open?.get(handle)
    if (reply !== undefined) addReturn(reply.returns, hop)
  }

  isOpen(handle: ReplyHandle): boolean {
    return this.open !== undefined && this.open.has(handle)
  }

  /** The open reply, which is closed by this; undefined when it was answered before or has expired. */
  take(handle: ReplyHandle): OpenReply | undefined {
    const reply = this.open?.get(handle)
    if (reply !== undefined) this.open!.delete(handle)
    return reply
  }

  /** Every open reply, closed by this. */
  takeAll(): OpenReply[] {
    const all = this.open === undefined ? [] : [...this.open.values()]
    this.open = undefined
    return all
  }

  /** Closes what has expired: its source has given up. Returns when to come again. */
  sweep(now: Millis, expired: (reply: OpenReply) => void): Millis {
    let next = Infinity
    for (const [handle, reply] of this.open ?? []) {
      if (reply.expiresAt > now) next = Math.min(next, reply.expiresAt)
      else {
        this.open!.delete(handle)
        expired(reply)
      }
    }
    // Not for each of many that follow closely.
    return Math.max(next, now + sweepMs)
  }
}

/** Adds one who waits; twice the same is once. Full: the oldest goes. */
export function addReturn(returns: ReturnHop[], hop: ReturnHop): void {
  if (returns.some((known) => known.peer.id === hop.peer.id && known.seq === hop.seq)) return
  if (returns.length >= maxReturns) returns.shift()
  returns.push(hop)
}

/** Copies of one message that await its answer. Our guess. */
const maxReturns = 8

/** How often expired replies are looked for. Our guess. */
const sweepMs = 1_000
