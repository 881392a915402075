import type { Guid } from '@plaxton/guid'

/** What each host has of something that is short, and who has the most; every call takes the same time however many there are. */
export class Shares<T> {
  /** In the order they came. No entry for a host without any. */
  private readonly byHost = new Map<Guid, Set<T>>()
  /** The hosts that have so many. No entry for a number nobody has. */
  private readonly byCount = new Map<number, Set<Guid>>()
  private highest = 0
  private total = 0

  get size(): number {
    return this.total
  }

  /** One of the hosts that have the most; undefined when nobody has any. */
  get most(): Guid | undefined {
    for (const host of this.byCount.get(this.highest) ?? []) return host
    return undefined
  }

  count(host: Guid): number {
    return this.byHost.get(host)?.size ?? 0
  }

  /** The oldest first. */
  of(host: Guid): Iterable<T> {
    return this.byHost.get(host) ?? []
  }

  add(host: Guid, item: T): void {
    const items = this.byHost.get(host) ?? new Set()
    if (items.has(item)) return
    this.byHost.set(host, items.add(item))
    this.total++
    this.recount(host, items.size - 1, items.size)
    this.highest = Math.max(this.highest, items.size)
  }

  delete(host: Guid, item: T): void {
    const items = this.byHost.get(host)
    if (items?.delete(item) !== true) return
    if (items.size === 0) this.byHost.delete(host)
    this.total--
    this.recount(host, items.size + 1, items.size)
    // Numbers change by one, so whoever had the most now has one less, if nobody else has as many.
    if (!this.byCount.has(this.highest)) this.highest--
  }

  private recount(host: Guid, before: number, after: number): void {
    const equals = this.byCount.get(before)
    equals?.delete(host)
    if (equals?.size === 0) this.byCount.delete(before)
    if (after === 0) return
    const others = this.byCount.get(after) ?? new Set()
    this.byCount.set(after, others.add(host))
  }
}
