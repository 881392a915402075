import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef, RoutedMessage } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { PastConfig } from './config.ts'
import type { PastCall } from './messages.ts'

/**
 * Copies of small objects on the way to their holders, in memory and for a while (Kademlia, IPTPS 2002, §2.3): whoever answers a read gives a copy to the node through which the read came
 * last, the closest to the object that it met without it. That one answers later reads and gives the object on in the same way, so what is in demand moves one hop towards those who read it
 * with each read, and its holders have less to do.
 *
 * A copy lasts half as long as the one it was made from, and never longer than that: the paper lets the time fall exponentially with the number of nodes in between. So copies do not keep each
 * other alive, and what nobody reads is soon cached nowhere.
 *
 * Nobody knows where copies are. Cached are therefore only objects without a name, whose bytes prove themselves, and an object that was removed may be read from copies
 * until `cacheMs` are over: caching is off unless that is set.
 */
export class Cache {
  private readonly config: PastConfig
  /** Used longest ago first. Bound: `cacheBytes`. Full: the first goes. */
  private readonly copies = new Map<Guid, Copy>()
  private bytes = 0
  /** Where reads that passed went on to: only that node may send a copy. Bound: {@link passedMax}. Full: the oldest goes. */
  private readonly passed = new Map<Guid, Guid>()

  constructor(config: PastConfig) {
    this.config = config
  }

  /** Copies at this moment, those whose time is over among them. */
  get size(): number {
    return this.copies.size
  }

  /** The bytes, if there is a copy and its time is not over. */
  read(guid: Guid, now: Millis): Uint8Array | undefined {
    const copy = this.copies.get(guid)
    if (copy === undefined) return undefined
    this.drop(guid)
    if (copy.until <= now) return undefined
    this.add(guid, copy)
    return copy.data
  }

  /** A read for `guid` goes on to `next`. */
  notePassed(guid: Guid, next: NodeRef): void {
    if (this.config.cacheMs === 0) return
    this.passed.delete(guid)
    this.passed.set(guid, next.id)
    if (this.passed.size > passedMax) this.passed.delete(this.passed.keys().next().value!)
  }

  /** This node has answered a read with `data`, its own for `lastsMs` more: the node that passed the read on gets a copy, unless it is the reader, who has it now. */
  offer({ key, hops, previousHop }: RoutedMessage, data: Uint8Array, lastsMs: Millis, now: Millis, fx: AppEffects): void {
    const { cacheMs } = this.config
    if (cacheMs === 0 || hops < 2 || sameNode(previousHop, fx.self)) return
    const copy = this.copies.get(key)
    const forMs = Math.min(Math.floor((copy?.forMs ?? cacheMs) / 2), copy === undefined ? lastsMs : copy.until - now)
    if (forMs >= leastMs) fx.tell(previousHop, encodeMessage({ type: 'cache', guid: key, forMs, data }))
  }

  /** Somebody sends a copy. False when it is not the node that a read went on to, or what it sends is not the object. */
  accept(from: NodeRef, { guid, forMs, data }: PastCall & { readonly type: 'cache' }, now: Millis): boolean {
    const { cacheMs, cacheBytes, smallBytes } = this.config
    if (this.passed.get(guid) !== from.id || data.length > smallBytes || guidOf(data) !== guid) return false
    this.passed.delete(guid)
    const until = now + Math.min(forMs, cacheMs)
    const before = this.copies.get(guid)
    if (data.length > cacheBytes || (before !== undefined && before.until >= until)) return true
    this.drop(guid)
    this.add(guid, { data: data.slice(), forMs: until - now, until })
    for (const oldest of this.copies.keys()) {
      if (this.bytes <= cacheBytes) break
      this.drop(oldest)
    }
    return true
  }

  /** The object is held here, or known to have been removed. */
  drop(guid: Guid): void {
    const copy = this.copies.get(guid)
    if (copy === undefined) return
    this.copies.delete(guid)
    this.bytes -= copy.data.length
  }

  private add(guid: Guid, copy: Copy): void {
    this.copies.set(guid, copy)
    this.bytes += copy.data.length
  }
}

interface Copy {
  readonly data: Uint8Array
  /** How long it was to last when it came. */
  readonly forMs: Millis
  readonly until: Millis
}

/** A copy for less is not worth its transmission. Our guess. */
const leastMs = 1_000
/** Our guess: far more reads than pass a node within a round trip. */
const passedMax = 256
