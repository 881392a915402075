import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { DolrConfig } from './config.ts'
import type { SignedRecord } from './records.ts'
import { Shares } from './shares.ts'

/** That `host` hosts `guid`, as this node knows it; or, for as long as older records could turn up, that it no longer does. */
export interface Pointer {
  /** Verified. */
  record: SignedRecord
  expiresAt: Millis
  /** From the host to here along the way, as a round trip: what whoever brought this record first has said, at most {@link farthestMs}. */
  distanceMs: Millis
  /** The ways on which it came here, at most one for each salt; none when it is a copy off the way. */
  ways: readonly Way[]
}

/** One way from a host to a root, where it passes this node. */
export interface Way {
  readonly salt: number
  /** The key it leads to. */
  readonly key: Guid
  /** Where records came from, since the one before the newest; this node itself when it is the host. Bounded in `ways.ts`. */
  lastHops: readonly LastHop[]
  /** There were more than are noted. */
  crowded: boolean
  /** Where the newest went on to; undefined: this node is the root. */
  nextHop: NodeRef | undefined
  /** Where it went on to before, for as long as that may keep it: a hop that was slow may have it all the same. Undefined: nowhere. Bounded in `ways.ts`. */
  strays: readonly Stray[] | undefined
  /** Of the newest record that passed on this way. */
  signedAt: Millis
  /** When the last hops were last asked whether the way still comes through them. */
  recheckedAt: Millis
}

/** A node to which a record was sent on before it took another way. */
interface Stray {
  readonly node: NodeRef
  /** When the record expires there. */
  readonly until: Millis
}

/** A node that has sent a record here, and the date of the newest. */
export interface LastHop {
  readonly node: NodeRef
  readonly signedAt: Millis
}

/**
 * The pointers of one node: for each guid its hosts.
 *
 * Bounds: `pointersPerGuid`, and of these the nearest are kept; `pointersMax` in all, and when that is reached the host with the most pointers loses
 * its oldest, so that nobody displaces others by publishing a lot. This node's own publications count for neither.
 */
export class Pointers {
  private readonly config: DolrConfig
  private readonly self: () => Guid | undefined
  private readonly byGuid = new Map<Guid, Map<Guid, Pointer>>()
  private readonly shares = new Shares<Pointer>()
  /** Pointers that gave way to others, or were not taken. */
  displaced = 0

  constructor(config: DolrConfig, self: () => Guid | undefined) {
    this.config = config
    this.self = self
  }

  /** Pointers of others. */
  get size(): number {
    return this.shares.size
  }

  get(guid: Guid, host: Guid): Pointer | undefined {
    return this.byGuid.get(guid)?.get(host)
  }

  /** The hosts of `guid` to send messages to, nearest first. */
  live(guid: Guid, now: Millis, fx: AppEffects): Pointer[] {
    const pointers = this.byGuid.get(guid)
    if (pointers === undefined) return []
    const live = [...pointers.values()].filter((pointer) => isLive(pointer, now))
    return live.length < 2 ? live : nearestFirst(live, fx)
  }

  all(): Pointer[] {
    return [...this.byGuid.values()].flatMap((pointers) => [...pointers.values()])
  }

  ofHost(host: Guid): Pointer[] {
    return [...this.shares.of(host)]
  }

  /** Adds a pointer to a host that `record.guid` has none to. Returns undefined when it is not taken: there are nearer ones, or its host has the most already. */
  add(record: SignedRecord, expiresAt: Millis, distanceMs: Millis, fx: AppEffects): Pointer | undefined {
    const { guid, host } = record
    const pointer: Pointer = { record, expiresAt, distanceMs, ways: [] }
    const others = this.byGuid.get(guid) ?? new Map<Guid, Pointer>()
    assert(!others.has(host.id), 'a pointer is added once')
    const isOwn = this.isOwn(record)
    if (!isOwn && !this.makeRoom(pointer, others, fx)) {
      this.displaced++
      return undefined
    }
    this.byGuid.set(guid, others.set(host.id, pointer))
    if (!isOwn) this.shares.add(host.id, pointer)
    return pointer
  }

  delete(pointer: Pointer): void {
    const { guid, host } = pointer.record
    const pointers = this.byGuid.get(guid)
    if (pointers?.get(host.id) !== pointer) return
    pointers.delete(host.id)
    if (pointers.size === 0) this.byGuid.delete(guid)
    this.shares.delete(host.id, pointer)
  }

  /** It counts no longer; what is known of its ways stays until the next sweep. */
  expire(pointer: Pointer): void {
    pointer.expiresAt = 0
  }

  /** Forgets what has expired. */
  sweep(now: Millis): void {
    for (const pointer of this.all()) if (pointer.expiresAt <= now) this.delete(pointer)
  }

  assertInvariants(): void {
    let count = 0
    for (const [guid, pointers] of this.byGuid) {
      assert(pointers.size > 0, 'no guid is kept without a pointer')
      for (const [host, pointer] of pointers) {
        assert(pointer.record.guid === guid && pointer.record.host.id === host, 'a pointer stands under its guid and host')
        assert(new Set(pointer.ways.map(({ salt }) => salt)).size === pointer.ways.length, 'a pointer has one way for each salt')
        if (!this.isOwn(pointer.record)) count++
      }
    }
    assert(count === this.shares.size && count <= this.config.pointersMax, `${count} pointers are as many as are counted and allowed`)
  }

  /** A publication of this node. What it has withdrawn is kept as others' pointers are. */
  private isOwn({ host, withdrawn }: SignedRecord): boolean {
    return host.id === this.self() && !withdrawn
  }

  /** False when `pointer` itself is the one to go. */
  private makeRoom(pointer: Pointer, others: ReadonlyMap<Guid, Pointer>, fx: AppEffects): boolean {
    const { pointersPerGuid, pointersMax } = this.config
    if (others.size >= pointersPerGuid) {
      const farthest = nearestFirst([...others.values(), pointer], fx).pop()!
      if (farthest === pointer || this.isOwn(farthest.record)) return false
      this.displace(farthest)
    }
    if (this.shares.size < pointersMax) return true
    const most = this.shares.most!
    if (this.shares.count(pointer.record.host.id) >= this.shares.count(most)) return false
    for (const oldest of this.shares.of(most)) {
      this.displace(oldest)
      break
    }
    return true
  }

  private displace(pointer: Pointer): void {
    this.displaced++
    this.delete(pointer)
  }
}

export function isLive(pointer: Pointer, now: Millis): boolean {
  return pointer.expiresAt > now && !pointer.record.withdrawn
}

/** Whether both are the same node in the same incarnation; one that has been started anew has lost its pointers. Undefined: nobody. */
export function isSameRun(a: NodeRef | undefined, b: NodeRef | undefined): boolean {
  return a?.id === b?.id && a?.epoch === b?.epoch
}

/** How far the host is: measured where that has been done, otherwise along the way. */
export function distanceTo(pointer: Pointer, fx: AppEffects): Millis {
  const { host } = pointer.record
  return host.id === fx.self.id ? 0 : (fx.roundTripMs(host) ?? pointer.distanceMs)
}

/** Sorts by distance, then by id; withdrawn ones last. */
function nearestFirst(pointers: Pointer[], fx: AppEffects): Pointer[] {
  const measured = pointers.map((pointer) => ({ pointer, ms: pointer.record.withdrawn ? Infinity : distanceTo(pointer, fx) }))
  measured.sort((a, b) => (a.ms === b.ms ? (a.pointer.record.host.id < b.pointer.record.host.id ? -1 : 1) : a.ms - b.ms))
  return measured.map(({ pointer }) => pointer)
}
