import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef, OverlayEffects, Prng } from '@plaxton/kbr'
import { FailedSet, History, Proximity, tellRanks } from '@plaxton/upkeep'
import { Agreements } from './agreements.ts'
import type { ChordConfig } from './config.ts'
import { FingerTable } from './finger-table.ts'
import { listMax } from './messages.ts'
import type { Report } from './messages.ts'
import { NeighborLists } from './neighbor-lists.ts'

/**
 * Where a node stands. `outside`: not a member, and nobody's neighbour. `claiming`: everybody in its lists has answered, and it asks them to treat it as one of
 * them. `member`: they all do. `gone`: it has left.
 */
export type Standing = 'outside' | 'claiming' | 'member' | 'gone'

/** What one node knows, and the only ways in and out of its tables. */
export class ChordState {
  readonly self: NodeRef
  readonly config: ChordConfig
  readonly prng: Prng
  readonly lists: NeighborLists
  readonly agreements: Agreements
  readonly fingers: FingerTable
  readonly proximity: Proximity
  readonly failed: FailedSet
  readonly history: History
  standing: Standing = 'outside'
  /** The last question before a neighbour was taken in: what it answered before says nothing about it now. Bound: the lists. */
  private readonly admittedAt = new Map<Guid, number>()
  private lastSeq: number

  constructor(self: NodeRef, config: ChordConfig, prng: Prng) {
    this.self = self
    this.config = config
    this.prng = prng
    this.lastSeq = prng.nextUint32()
    this.lists = new NeighborLists(self, config.successors, config.predecessors)
    this.fingers = new FingerTable(self, config.fingerSuccessors + 1)
    this.proximity = new Proximity(config.proximityMax)
    this.agreements = new Agreements(this.lists, this.lastSeq)
    this.failed = new FailedSet(config)
    this.history = new History(config.historyMax)
  }

  /** A number no other question of this node has, greater than those before. Nobody can tell it who was not asked, nor is it in an answer to somebody else. */
  nextSeq(): number {
    this.lastSeq += 1 + this.prng.nextInt(seqStepMax)
    return this.lastSeq
  }

  /** Whether others are to treat this node as a member. */
  get counts(): boolean {
    return this.standing === 'member' || this.standing === 'claiming'
  }

  find(id: Guid): NodeRef | undefined {
    return this.lists.get(id) ?? this.fingers.get(id)
  }

  /** Whether it is in a table, in the life before this one. */
  isReborn(ref: NodeRef): boolean {
    const known = this.find(ref.id)
    return known !== undefined && known.epoch < ref.epoch
  }

  /** Everybody in the tables, each once, the neighbours first. */
  everybody(): NodeRef[] {
    const known = new Map<Guid, NodeRef>()
    for (const ref of this.lists.members) known.set(ref.id, ref)
    for (const ref of this.fingers.entries()) known.set(ref.id, ref)
    return [...known.values()]
  }

  /** `ref` is a member and has answered a question of this node, with its lists: it may stand in every table, unless that incarnation is known to be over. */
  admit(ref: NodeRef, fx: OverlayEffects): void {
    if (!this.mayEnter(ref)) return
    const isNeighbor = this.addToLists(ref, fx)
    if (this.fingers.admit(ref) || isNeighbor) fx.routesChanged()
  }

  /** `ref` is a member and has answered a question of this node, without its lists: it may be used as a finger. */
  admitFinger(ref: NodeRef, fx: OverlayEffects): void {
    if (this.mayEnter(ref) && this.fingers.admit(ref)) fx.routesChanged()
  }

  /** Takes a node out of every table. */
  drop(ref: NodeRef, fx: OverlayEffects): void {
    const wasNeighbor = this.lists.remove(ref.id)
    const wasFinger = this.fingers.remove(ref.id)
    this.admittedAt.delete(ref.id)
    this.proximity.forget(ref.id)
    if (wasNeighbor) fx.neighborChanged(ref, false)
    if (wasNeighbor || wasFinger) fx.routesChanged()
  }

  /** Whether the answer to question `seq`, that it is no member, is younger than its being taken in. */
  hasResigned(id: Guid, seq: number): boolean {
    return seq > (this.admittedAt.get(id) ?? 0) && seq <= this.lastSeq
  }

  /** The nodes of a message that are worth knowing: neither this one nor such as are known to be gone. */
  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return refs.filter((ref) => ref.id !== this.self.id && ref.id.length === this.self.id.length && !this.failed.distrusts(ref, now))
  }

  /** What this node says to `to`. Whoever is about to change its place or its lists leaves nothing out, and wants to be told everything. */
  report(to: Guid, now: Millis): Report {
    const { lists, agreements } = this
    const isSettled = this.standing === 'member' && lists.confirmed && !lists.wounded
    const unchanged = isSettled && agreements.isKnownTo(to)
    return {
      member: this.counts,
      predecessors: unchanged ? noRefs : [...lists.predecessors.members],
      successors: unchanged ? noRefs : [...lists.successors.members],
      unchanged,
      version: agreements.version,
      known: isSettled ? agreements.knownOf(to) : 0,
      failed: this.failedNearby(now),
    }
  }

  assertInvariants(): void {
    this.lists.assertInvariants()
    this.fingers.assertInvariants()
    assert(this.find(this.self.id) === undefined, 'a node is in none of its own tables')
    for (const id of this.failed.ids()) assert(this.find(id) === undefined, 'a node that is taken to be dead is in no table')
    for (const id of this.admittedAt.keys()) assert(this.lists.has(id), 'only neighbours have been taken in')
    assert(this.failed.size <= this.config.failedMax, 'failed nodes are bounded')
  }

  private mayEnter(ref: NodeRef): boolean {
    if (ref.id === this.self.id || this.failed.refuses(ref)) return false
    const known = this.find(ref.id)
    if (known !== undefined && known.epoch > ref.epoch) return false
    this.failed.forget(ref.id)
    if (known !== undefined && known.epoch < ref.epoch) this.proximity.forget(ref.id)
    return true
  }

  /** True when it was not in, or in another incarnation, and is now. */
  private addToLists(ref: NodeRef, fx: OverlayEffects): boolean {
    const before = this.lists.get(ref.id)
    const places = this.lists.placesTaken
    if (before !== undefined && before.epoch < ref.epoch) fx.neighborChanged(before, false)
    for (const displaced of this.lists.add(ref)) {
      if (displaced.id === ref.id) continue
      this.admittedAt.delete(displaced.id)
      this.history.note(displaced, this.prng)
      fx.neighborChanged(displaced, false)
    }
    const isNew = (before === undefined || before.epoch < ref.epoch) && this.lists.has(ref.id)
    if (!isNew) {
      // It was in one list and is now in the other as well.
      if (this.lists.placesTaken !== places) tellRanks(fx)
      return false
    }
    this.admittedAt.set(ref.id, this.lastSeq)
    fx.neighborChanged(ref, true)
    return true
  }

  /** Recent failures that concern the neighbours of this node: those that would stand in its lists. */
  private failedNearby(now: Millis): Guid[] {
    if (this.failed.size === 0) return noIds
    const missed = this.failed.missed(this.config.stabilizeMs, now).map((ref) => ref.id)
    return missed.filter((id) => this.lists.admits(id)).slice(0, listMax)
  }
}

const noIds: Guid[] = []
const noRefs: NodeRef[] = []
/** Our guess: 2^37 questions before the numbers are too large for a message. */
const seqStepMax = 65_536
