import { digitAt } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { includesOwnHost, replicaSet } from './hosts.ts'
import { bucketCount } from './messages.ts'
import type { Entry, Page } from './messages.ts'
import type { Held, Shelf } from './shelf.ts'

/** Some records, in short: how many, and the XOR of their versions. */
export class Summary {
  count = 0
  private high = 0
  private low = 0

  add(held: Held): void {
    this.toggle(held)
    this.count++
  }

  remove(held: Held): void {
    this.toggle(held)
    this.count--
  }

  /** A whole number below 2^53. */
  get digest(): number {
    return (this.high >>> 0) * 2 ** 32 + (this.low >>> 0)
  }

  private toggle({ version }: Held): void {
    this.high ^= Math.floor(version / 2 ** 32)
    this.low ^= version >>> 0
  }
}

/** A record and the nodes it belongs on, closest to it first. */
export interface Placed {
  readonly held: Held
  readonly nodes: readonly NodeRef[]
}

/**
 * Which nodes each record here belongs on, as far as this node can see or has been told, and from that what it shares with each
 * neighbour. Follows every change of the shelf; computed anew after the neighbours have changed.
 */
export class Placement {
  private readonly shelf: Shelf
  /** The replica set of each record. One entry per record of the shelf. */
  private readonly sets = new Map<Guid, readonly NodeRef[]>()
  /** When the root was asked, for those sets that it has told. */
  private readonly told = new Map<Guid, Millis>()
  /** Taken over from a node that is leaving but has not left: not to be given away. A part of {@link sets}. */
  private readonly pinned = new Set<Guid>()
  /** By neighbour; one for each node of those sets. */
  private readonly summaries = new Map<Guid, Summary>()
  private current = false

  constructor(shelf: Shelf) {
    this.shelf = shelf
  }

  /** The neighbours have changed: nothing computed before holds. */
  invalidate(): void {
    this.current = false
    this.sets.clear()
    this.told.clear()
    this.pinned.clear()
    this.summaries.clear()
  }

  refresh(fx: AppEffects): void {
    if (this.current) return
    this.current = true
    for (const held of this.shelf.all()) this.enter(held, setOf(held, fx), fx)
  }

  onChange(before: Held | undefined, after: Held | undefined, fx: AppEffects): void {
    if (!this.current) return
    if (before !== undefined) this.leave(before, fx)
    if (after !== undefined) this.enter(after, setOf(after, fx), fx)
  }

  /** What this node and a neighbour should both hold; an empty summary when that is nothing. */
  sharedWith(peer: Guid, fx: AppEffects): Summary {
    this.refresh(fx)
    return this.summaries.get(peer) ?? new Summary()
  }

  /** The digests of what is shared with `peer`, by the last byte of the guid. Worked out when asked for: most comparisons end with the digest of all. */
  bucketDigests(peer: Guid, fx: AppEffects): number[] {
    this.refresh(fx)
    const buckets = new Map<number, Summary>()
    for (const [guid, set] of this.sets) {
      const held = isShared(set, peer, fx) ? this.shelf.get(guid) : undefined
      if (held === undefined) continue
      const bucket = bucketOf(guid)
      const summary = buckets.get(bucket) ?? new Summary()
      buckets.set(bucket, summary)
      summary.add(held)
    }
    const digests = new Array<number>(bucketCount).fill(0)
    for (const [bucket, { digest }] of buckets) digests[bucket] = digest
    return digests
  }

  /** Records held here that belong elsewhere, at most `max`. */
  strays(max: number, fx: AppEffects): Placed[] {
    return this.placed(max, fx, (nodes, held) => nodes.length >= held.leading.replicas || includesOwnHost(nodes, fx))
  }

  /** Records held here whose replica set is not known, because it lies at the edge of this node's view or beyond. At most `max`. */
  unplaced(max: number, fx: AppEffects): Held[] {
    return this.placed(max, fx, (nodes, held) => nodes.length < held.leading.replicas && !includesOwnHost(nodes, fx)).map(
      ({ held }) => held,
    )
  }

  /** The root of a record has said where it belongs. Counts until the neighbours change, or {@link forgetTold}. */
  place(held: Held, nodes: readonly NodeRef[], now: Millis, fx: AppEffects): void {
    if (!this.current || this.shelf.get(held.guid) !== held) return
    this.leave(held, fx)
    this.enter(held, nodes, fx)
    this.told.set(held.guid, now)
  }

  /** A leaving node relies on this one for a record: it stays here until the neighbours have changed. */
  pin(guid: Guid, fx: AppEffects): void {
    this.refresh(fx)
    if (this.sets.has(guid)) this.pinned.add(guid)
  }

  isPinned(guid: Guid): boolean {
    return this.pinned.has(guid)
  }

  /** What roots said before `since` no longer counts: far away, much may have changed without being noticed here. */
  forgetTold(since: Millis, fx: AppEffects): void {
    for (const [guid, at] of this.told) {
      const held = at < since ? this.shelf.get(guid) : undefined
      if (held === undefined) continue
      this.leave(held, fx)
      this.enter(held, setOf(held, fx), fx)
    }
  }

  /** Records whose set does not contain this node and suits. */
  private placed(max: number, fx: AppEffects, suits: (nodes: readonly NodeRef[], held: Held) => boolean): Placed[] {
    this.refresh(fx)
    const found: Placed[] = []
    for (const [guid, set] of this.sets) {
      if (found.length === max) break
      const held = includes(set, fx.self.id) ? undefined : this.shelf.get(guid)
      if (held === undefined) continue
      // Read anew, because a node that has been restarted may have another address.
      const nodes = this.told.has(guid) ? set : setOf(held, fx)
      if (!includes(nodes, fx.self.id) && suits(nodes, held)) found.push({ held, nodes })
    }
    return found
  }

  /** The entries shared with `peer` in these buckets, in the order of bucket and guid. */
  entriesIn(buckets: ReadonlySet<number>, peer: Guid, fx: AppEffects): Map<number, Entry[]> {
    this.refresh(fx)
    const entries = new Map<number, Entry[]>([...buckets].sort((a, b) => a - b).map((bucket) => [bucket, []]))
    for (const [guid, set] of this.sets) {
      const list = entries.get(bucketOf(guid))
      const held = list === undefined || !isShared(set, peer, fx) ? undefined : this.shelf.get(guid)
      if (held !== undefined) list?.push(entryOf(held))
    }
    for (const list of entries.values()) list.sort((a, b) => (a.guid < b.guid ? -1 : 1))
    return entries
  }

  private enter(held: Held, set: readonly NodeRef[], fx: AppEffects): void {
    this.sets.set(held.guid, set)
    if (!includes(set, fx.self.id)) return
    for (const peer of set) {
      if (sameNode(peer, fx.self)) continue
      const summary = this.summaries.get(peer.id) ?? new Summary()
      this.summaries.set(peer.id, summary)
      summary.add(held)
    }
  }

  private leave(held: Held, fx: AppEffects): void {
    const set = this.sets.get(held.guid) ?? []
    this.sets.delete(held.guid)
    this.told.delete(held.guid)
    this.pinned.delete(held.guid)
    if (!includes(set, fx.self.id)) return
    for (const peer of set) {
      this.summaries.get(peer.id)?.remove(held)
    }
  }
}

function bucketOf(guid: Guid): number {
  return digitAt(guid, guid.length / 2 - 1, 8)
}

export function entryOf({ guid, version, leading }: Held): Entry {
  return { guid, version, replicas: leading.replicas }
}

/** True when a page speaks of this guid: everything of its stretch that is not listed is not there. */
export function isInPage(guid: Guid, { after, last, entries }: Page): boolean {
  const end = entries.at(-1)?.guid
  return (after === undefined || guid > after) && (last || (end !== undefined && guid <= end))
}

function setOf({ guid, leading }: Held, fx: AppEffects): NodeRef[] {
  return replicaSet(guid, leading.replicas, fx)
}

function isShared(set: readonly NodeRef[], peer: Guid, fx: AppEffects): boolean {
  return peer !== fx.self.id && includes(set, peer) && includes(set, fx.self.id)
}

function includes(nodes: readonly NodeRef[], id: Guid): boolean {
  return nodes.some((node) => node.id === id)
}
