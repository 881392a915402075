import { compareClockwise, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef, OverlayEffects, Prng } from '@plaxton/kbr'
import { FailedSet, History, Proximity } from '@plaxton/upkeep'
import type { PastryConfig } from './config.ts'
import { LeafSet } from './leaf-set.ts'
import { hintsMax, leafRefsMax } from './messages.ts'
import type { LeafReport, LostSide } from './messages.ts'
import { NeighborhoodSet } from './neighborhood-set.ts'
import { RoutingTable } from './routing-table.ts'

/**
 * Where a node stands. `outside`: not a member, and nobody's neighbour. `claiming`: it has confirmed its leaf set and asks its members to
 * treat it as one of them. `member`: they all do. `gone`: it has left.
 */
export type Standing = 'outside' | 'claiming' | 'member' | 'gone'

/** What one node knows, and the only ways in and out of its tables. */
export class PastryState {
  readonly self: NodeRef
  readonly config: PastryConfig
  readonly prng: Prng
  readonly leafSet: LeafSet
  readonly routingTable: RoutingTable
  readonly proximity: Proximity
  readonly neighborhoodSet: NeighborhoodSet
  readonly failed: FailedSet
  readonly history: History
  standing: Standing = 'outside'
  private lastSeq = 0

  constructor(self: NodeRef, config: PastryConfig, prng: Prng) {
    this.self = self
    this.config = config
    this.prng = prng
    this.leafSet = new LeafSet(self, config.leafSetSize)
    this.routingTable = new RoutingTable(self, config.digitBits)
    this.proximity = new Proximity(config.proximityMax)
    this.neighborhoodSet = new NeighborhoodSet(config.neighborhoodSetSize, this.proximity)
    this.failed = new FailedSet(config)
    this.history = new History(config.historyMax)
  }

  /** A number no other probe or ping of this node has. */
  nextSeq(): number {
    return ++this.lastSeq
  }

  /** Whether others are to treat this node as a member. */
  get counts(): boolean {
    return this.standing === 'member' || this.standing === 'claiming'
  }

  find(id: Guid): NodeRef | undefined {
    return this.leafSet.get(id) ?? this.routingTable.get(id) ?? this.neighborhoodSet.get(id)
  }

  sharedDigits(a: Guid, b: Guid): number {
    return sharedPrefixDigits(a, b, this.config.digitBits)
  }

  /** Everybody in the tables, each once, the leaf set first. */
  everybody(): NodeRef[] {
    const known = new Map<Guid, NodeRef>()
    for (const ref of this.leafSet.members) known.set(ref.id, ref)
    for (const ref of this.routingTable.entries()) known.set(ref.id, ref)
    for (const ref of this.neighborhoodSet.entries()) known.set(ref.id, ref)
    return [...known.values()]
  }

  /**
   * `ref` spoke to this node itself and is a member: it may stand in every table, unless that incarnation is known to be over. True when it
   * has become a member of the leaf set.
   */
  admit(ref: NodeRef, fx: OverlayEffects): boolean {
    if (ref.id === this.self.id || this.failed.refuses(ref)) return false
    const neighbor = this.leafSet.memberLike(ref)
    const known = neighbor ?? this.routingTable.get(ref.id) ?? this.neighborhoodSet.get(ref.id)
    if (known !== undefined && known.epoch > ref.epoch) return false
    this.failed.forget(ref.id)
    if (known !== undefined && known.epoch < ref.epoch) this.proximity.forget(ref.id)
    const isNeighbor = neighbor !== ref && this.addToLeafSet(ref, neighbor, fx)
    if (this.offer(ref) || isNeighbor) fx.routesChanged()
    return isNeighbor
  }

  /**
   * Gives a node that was admitted its place in the tables that follow proximity. The incumbent stays unless `ref` is known to be nearer. True
   * when `ref` has entered the routing table.
   */
  private offer(ref: NodeRef): boolean {
    this.neighborhoodSet.consider(ref)
    const { routingTable, proximity } = this
    const incumbent = routingTable.towards(ref.id)
    if (incumbent === ref) return false
    if (incumbent !== undefined && incumbent.id !== ref.id) {
      if (proximity.orFar(ref.id) >= proximity.orFar(incumbent.id)) return false
      this.history.note(incumbent, this.prng)
    }
    routingTable.put(ref)
    return incumbent?.id !== ref.id
  }

  /** Takes a node out of every table. What it leaves behind in the leaf set is a wound, unless the ring is small and wholly known. */
  drop(ref: NodeRef, fx: OverlayEffects): void {
    const wasLeaf = this.leafSet.remove(ref.id)
    const wasEntry = this.routingTable.remove(ref.id)
    if (wasLeaf) fx.neighborChanged(ref, false)
    if (wasLeaf || wasEntry) fx.routesChanged()
    this.neighborhoodSet.remove(ref.id)
    this.proximity.forget(ref.id)
  }

  /** The nodes of a message that are worth knowing: neither this one nor such as are known to be gone. */
  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return refs.filter((ref) => ref.id !== this.self.id && ref.id.length === this.self.id.length && !this.failed.distrusts(ref, now))
  }

  report(now: Millis): LeafReport {
    return { member: this.counts, leafSet: this.leafSet.members, failed: this.failedNearby(now) }
  }

  /** Up to {@link hintsMax} nodes of any table nearest to `origin` on the given side of it. */
  nearestTo(origin: NodeRef, side: LostSide): NodeRef[] {
    if (side === 'none') return []
    const isOther = (ref: NodeRef): boolean => ref.id !== origin.id
    const clockwise = (a: NodeRef, b: NodeRef): number => compareClockwise(a.id, b.id, origin.id)
    const nearest = this.everybody().filter(isOther).sort(clockwise)
    return side === 'right' ? nearest.slice(0, hintsMax) : nearest.slice(-hintsMax)
  }

  /** Hops of a message on average: (2^b - 1)/2^b · log_{2^b} N, with N from the density of the leaf set. */
  expectedHops(): number {
    const base = 2 ** this.config.digitBits
    return (((base - 1) / base) * Math.log(this.leafSet.estimateNodes())) / Math.log(base)
  }

  assertInvariants(): void {
    this.leafSet.assertInvariants()
    this.routingTable.assertInvariants()
    assert(this.find(this.self.id) === undefined, 'a node is in none of its own tables')
    for (const id of this.failed.ids()) assert(this.find(id) === undefined, 'a node that is taken to be dead is in no table')
    assert(this.failed.size <= this.config.failedMax, 'failed nodes are bounded')
    assert(this.neighborhoodSet.entries().length <= this.config.neighborhoodSetSize, 'the neighbourhood set is bounded')
  }

  /** True when it was not in, or in another incarnation, `before`, and is now. */
  private addToLeafSet(ref: NodeRef, before: NodeRef | undefined, fx: OverlayEffects): boolean {
    if (before !== undefined && before.epoch < ref.epoch) fx.neighborChanged(before, false)
    for (const displaced of this.leafSet.add(ref)) {
      if (displaced.id === ref.id) continue
      this.history.note(displaced, this.prng)
      fx.neighborChanged(displaced, false)
    }
    const isNew = (before === undefined || before.epoch < ref.epoch) && this.leafSet.has(ref.id)
    if (isNew) fx.neighborChanged(ref, true)
    return isNew
  }

  /** Recent failures that concern the neighbours of this node: those that would stand in its leaf set. */
  private failedNearby(now: Millis): Guid[] {
    if (this.failed.size === 0) return noIds
    return this.failed
      .missed(this.config.heartbeatMs, now)
      .map((ref) => ref.id)
      .filter((id) => this.leafSet.admits(id))
      .slice(0, leafRefsMax)
  }
}

const noIds: Guid[] = []
