import { compareByXor } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef, OverlayEffects, Prng } from '@plaxton/kbr'
import { FailedSet, History, Proximity } from '@plaxton/upkeep'
import { Buckets } from './buckets.ts'
import type { KademliaConfig } from './config.ts'
import type { Status } from './messages.ts'
import { SiblingList } from './sibling-list.ts'

/**
 * Where a node stands. `outside`: not a member, and nobody's sibling. `claiming`: it knows its siblings and asks them to treat it as one of them. `member`: they
 * all do. `gone`: it has left.
 */
export type Standing = 'outside' | 'claiming' | 'member' | 'gone'

/** What one node knows, and the only ways in and out of its tables. */
export class KademliaState {
  readonly self: NodeRef
  readonly config: KademliaConfig
  readonly prng: Prng
  readonly siblings: SiblingList
  readonly buckets: Buckets
  readonly proximity: Proximity
  readonly failed: FailedSet
  readonly history: History
  /** By node in the tables: the round trip that next hops are chosen by. It follows the measured one in steps, so that ways do not change with every sample. */
  private readonly chosenBy = new Map<Guid, Millis>()
  /** Levels beyond the siblings' reach where a search has found nobody. Bound: the bits of an id. */
  readonly vacant = new Set<number>()
  standing: Standing = 'outside'

  constructor(self: NodeRef, config: KademliaConfig, prng: Prng) {
    this.self = self
    this.config = config
    this.prng = prng
    this.siblings = new SiblingList(self, config.siblingsSure, config.siblings)
    this.buckets = new Buckets(self.id, config.bucketSize)
    this.proximity = new Proximity(config.proximityMax)
    this.failed = new FailedSet(config)
    this.history = new History(config.historyMax)
  }

  /** The number of a question, which its answer repeats: random, so that nobody answers what it has not been asked. 53 bits, so that none comes twice. */
  nextSeq(): number {
    return this.prng.nextFloat() * 2 ** 53
  }

  /** Whether others are to treat this node as a member. */
  get counts(): boolean {
    return this.standing === 'member' || this.standing === 'claiming'
  }

  /** What this node says of itself. */
  get status(): Status {
    return { member: this.counts }
  }

  /** Ids of another width are in no table. */
  find(id: Guid): NodeRef | undefined {
    if (id.length !== this.self.id.length) return undefined
    return this.siblings.get(id) ?? this.buckets.get(id)?.ref
  }

  /** Everybody in the tables, each once, the siblings first. */
  everybody(): NodeRef[] {
    const { siblings } = this
    return [...siblings.members, ...this.buckets.refs().filter((ref) => !siblings.has(ref.id))]
  }

  /** Up to `count` of the tables closest to `key`, this node not among them, the closest first. */
  closest(key: Guid, count: number): NodeRef[] {
    return this.everybody()
      .sort((a, b) => compareByXor(a.id, b.id, key))
      .slice(0, count)
  }

  /** Everybody known at one distance range, siblings and contacts. */
  atLevel(level: number): readonly NodeRef[] {
    const near = this.siblings.atLevel(level)
    const bucket = this.buckets.at(level)
    if (bucket === undefined) return near
    if (near.length === 0) return bucket.contacts.map(({ ref }) => ref)
    return [...near, ...bucket.contacts.flatMap(({ ref }) => (this.siblings.has(ref.id) ? [] : [ref]))]
  }

  /** Nobody is known at a level beyond the siblings' reach, and that has not been looked into: there may be somebody. */
  isDoubtful(level: number): boolean {
    if (level >= this.siblings.sureLevel || this.vacant.has(level)) return false
    return (this.buckets.at(level)?.contacts.length ?? 0) === 0 && this.siblings.atLevel(level).length === 0
  }

  /** `ref` is a member and has answered this node: it gets its places, unless that incarnation is known to be over. */
  admit(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.isOver(ref)) return
    const known = this.find(ref.id)
    this.failed.forget(ref.id)
    if (known !== undefined && known.epoch < ref.epoch) this.renew(known, ref, fx)
    const isSibling = this.addSibling(ref, fx)
    this.addContact(ref, now, fx)
    if (isSibling) fx.routesChanged()
  }

  /** Takes a node out of every table. Returns who waits for a place in its bucket and is to be greeted. */
  drop(ref: NodeRef, fx: OverlayEffects): NodeRef | undefined {
    const wasSibling = this.siblings.remove(ref.id)
    const wasContact = this.buckets.remove(ref.id)
    this.proximity.forget(ref.id)
    this.chosenBy.delete(ref.id)
    if (wasSibling) fx.neighborChanged(ref, false)
    if (wasSibling || wasContact) fx.routesChanged()
    return this.buckets.heirOf(ref.id)
  }

  /** The round trip that next hops are chosen by; nodes that were never measured are beyond all others. */
  distanceOf(id: Guid): Millis {
    return this.chosenBy.get(id) ?? Infinity
  }

  /** A round trip was measured. */
  noteRoundTrip(id: Guid, rttMs: Millis, fx: OverlayEffects): void {
    this.proximity.sample(id, rttMs)
    if (this.find(id) === undefined) return
    const smoothed = this.proximity.of(id)!
    const before = this.chosenBy.get(id)
    if (before !== undefined && smoothed <= 2 * before && before <= 2 * smoothed) return
    this.chosenBy.set(id, smoothed)
    fx.routesChanged()
  }

  /** The nodes of a message that are worth knowing: neither this one nor such as are known to be gone. */
  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return refs.filter((ref) => ref.id !== this.self.id && ref.id.length === this.self.id.length && !this.failed.distrusts(ref, now))
  }

  assertInvariants(): void {
    this.siblings.assertInvariants()
    this.buckets.assertInvariants()
    for (const refs of [this.siblings.members, this.buckets.refs()]) {
      for (const { id } of refs) {
        assert(id !== this.self.id, 'a node is in none of its own tables')
        assert(!this.failed.has(id), 'a node that is taken to be dead is in no table')
      }
    }
    assert(this.failed.size <= this.config.failedMax, 'failed nodes are bounded')
  }

  /** This node itself, or an incarnation that is known to be over. */
  private isOver(ref: NodeRef): boolean {
    if (ref.id === this.self.id || this.failed.refuses(ref)) return true
    const known = this.find(ref.id)
    return known !== undefined && known.epoch > ref.epoch
  }

  private addSibling(ref: NodeRef, fx: OverlayEffects): boolean {
    const { siblings } = this
    if (!siblings.wants(ref.id)) {
      siblings.noteOutside(ref.id)
      return false
    }
    for (const displaced of siblings.add(ref)) {
      this.history.note(displaced, this.prng)
      if (this.buckets.get(displaced.id) === undefined) this.chosenBy.delete(displaced.id)
      fx.neighborChanged(displaced, false)
    }
    fx.neighborChanged(ref, true)
    return true
  }

  private addContact(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.buckets.touch(ref.id, now)) return
    if (!this.buckets.offer(ref, now)) return
    this.vacant.delete(this.buckets.levelOf(ref.id))
    fx.routesChanged()
  }

  /** A new incarnation of a node takes the place of the one before. */
  private renew(before: NodeRef, ref: NodeRef, fx: OverlayEffects): void {
    this.proximity.forget(ref.id)
    this.chosenBy.delete(ref.id)
    const contact = this.buckets.get(ref.id)
    if (contact !== undefined) contact.ref = ref
    if (this.siblings.has(ref.id)) {
      this.siblings.add(ref)
      fx.neighborChanged(before, false)
      fx.neighborChanged(ref, true)
    }
    fx.routesChanged()
  }
}
