import type { Guid } from '@plaxton/guid'
import type { AppEffects } from '@plaxton/kbr'
import { bucketCount } from './messages.ts'
import type { Entry, Page } from './messages.ts'
import type { Held, Shelf } from './shelf.ts'

/** What this node and one neighbour should both hold: the XOR of record versions, over all and per bucket of the guid's last byte. */
export class Summary {
  count = 0
  private readonly high = new Int32Array(bucketCount)
  private readonly low = new Int32Array(bucketCount)

  /** Puts a record in, or takes it out again. */
  toggle({ guid, version }: Held): void {
    const bucket = bucketOf(guid)
    this.high[bucket] = (this.high[bucket] ?? 0) ^ Math.floor(version / 2 ** 32)
    this.low[bucket] = (this.low[bucket] ?? 0) ^ (version >>> 0)
  }

  /** Over all buckets: a whole number below 2^53. */
  get digest(): number {
    let high = 0
    let low = 0
    for (let i = 0; i < bucketCount; i++) {
      high ^= this.high[i] ?? 0
      low ^= this.low[i] ?? 0
    }
    return joined(high, low)
  }

  digests(): number[] {
    return Array.from(this.high, (high, i) => joined(high, this.low[i] ?? 0))
  }
}

/**
 * Which nodes each record here belongs on, as far as this node can see, and from that what it shares with each neighbour. Follows
 * every change of the shelf; computed anew after the neighbours have changed.
 */
export class Placement {
  private readonly shelf: Shelf
  /** The replica set of each record, by id, closest first. One entry per record of the shelf. */
  private readonly sets = new Map<Guid, readonly Guid[]>()
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
    this.summaries.clear()
  }

  refresh(fx: AppEffects): void {
    if (this.current) return
    this.current = true
    for (const held of this.shelf.all()) this.enter(held, fx)
  }

  onChange(before: Held | undefined, after: Held | undefined, fx: AppEffects): void {
    if (!this.current) return
    if (before !== undefined) this.leave(before, fx)
    if (after !== undefined) this.enter(after, fx)
  }

  /** What is shared with a neighbour; an empty summary when nothing is. */
  sharedWith(peer: Guid, fx: AppEffects): Summary {
    this.refresh(fx)
    return this.summaries.get(peer) ?? new Summary()
  }

  /** Records held here that belong elsewhere, at most `max`. */
  strays(max: number, fx: AppEffects): Held[] {
    this.refresh(fx)
    const strays: Held[] = []
    for (const [guid, set] of this.sets) {
      if (strays.length === max) break
      const held = this.shelf.get(guid)
      if (held !== undefined && set.length > 0 && !set.includes(fx.self.id)) strays.push(held)
    }
    return strays
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

  private enter(held: Held, fx: AppEffects): void {
    const set = fx.replicaSet(held.guid, held.leading.replicas).map((node) => node.id)
    this.sets.set(held.guid, set)
    for (const peer of set) {
      if (!isShared(set, peer, fx)) continue
      const summary = this.summaries.get(peer) ?? new Summary()
      this.summaries.set(peer, summary)
      summary.toggle(held)
      summary.count++
    }
  }

  private leave(held: Held, fx: AppEffects): void {
    const set = this.sets.get(held.guid) ?? []
    this.sets.delete(held.guid)
    for (const peer of set) {
      const summary = isShared(set, peer, fx) ? this.summaries.get(peer) : undefined
      if (summary === undefined) continue
      summary.toggle(held)
      summary.count--
    }
  }
}

export function bucketOf(guid: Guid): number {
  return Number.parseInt(guid.slice(-2), 16)
}

export function entryOf({ guid, version, leading }: Held): Entry {
  return { guid, version, replicas: leading.replicas }
}

/** True when a page speaks of this guid: everything of its stretch that is not listed is not there. */
export function isInPage(guid: Guid, { after, last, entries }: Page): boolean {
  const end = entries.at(-1)?.guid
  return (after === undefined || guid > after) && (last || (end !== undefined && guid <= end))
}

function isShared(set: readonly Guid[], peer: Guid, fx: AppEffects): boolean {
  return peer !== fx.self.id && set.includes(peer) && set.includes(fx.self.id)
}

function joined(high: number, low: number): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0)
}
