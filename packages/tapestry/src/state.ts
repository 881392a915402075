import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef, OverlayEffects, Prng } from '@plaxton/kbr'
import { FailedSet, History, Proximity } from '@plaxton/upkeep'
import { Backpointers } from './backpointers.ts'
import type { TapestryConfig } from './config.ts'
import { Cousins } from './cousins.ts'
import { Guests } from './guests.ts'
import { farAway, send } from './messages.ts'
import type { Status } from './messages.ts'
import { NeighborMap, slotBase } from './neighbor-map.ts'
import { compareOwnership } from './ownership.ts'
import { SiblingGroup } from './siblings.ts'

/**
 * Where a node stands. `outside`: not a member, and in nobody's map. `inserting`: its map is built, and everybody who needs to know it is being
 * told. `member`: they all know. `leaving`: it is root of nothing, and passes on what comes until it is in nobody's table. `gone`: it has left.
 */
export type Standing = 'outside' | 'inserting' | 'member' | 'leaving' | 'gone'

/** What one node knows, and the only ways in and out of its tables. */
export class TapestryState {
  readonly self: NodeRef
  readonly config: TapestryConfig
  readonly prng: Prng
  readonly map: NeighborMap
  readonly siblings: SiblingGroup
  readonly cousins: Cousins
  readonly backpointers: Backpointers
  readonly guests: Guests
  readonly proximity: Proximity
  readonly failed: FailedSet
  readonly history: History
  /** Slots that have lost their last pointer and may not be taken for empty yet, by number. Bound: the slots of a map. */
  readonly doubtful = new Set<number>()
  /** Who was found dead since somebody new came in. Bound: `failedMax`. Full: a further one does not count. */
  readonly missed = new Set<Guid>()
  standing: Standing = 'outside'
  /** While this node leaves: those that may still have it in a table. */
  unconfirmed: ReadonlyMap<Guid, NodeRef> = new Map()
  private lastSeq = 0
  /** Nodes that have come into the map or gone from it in this step. Bound: what one step can do. Undefined when none. */
  private untold: Map<Guid, NodeRef> | undefined = undefined

  constructor(self: NodeRef, config: TapestryConfig, prng: Prng) {
    this.self = self
    this.config = config
    this.prng = prng
    this.proximity = new Proximity(config.proximityMax)
    this.map = new NeighborMap(self, config.digitBits, config.redundancy, this.proximity)
    this.siblings = new SiblingGroup(self, config.digitBits, config.siblingsMin)
    this.cousins = new Cousins(self, config.digitBits, config.siblingsMin)
    this.backpointers = new Backpointers(config.backpointersMax)
    this.guests = new Guests(config.watchMax)
    this.failed = new FailedSet(config)
    this.history = new History(config.historyMax)
  }

  /** A number no other transmission of this node has. */
  nextSeq(): number {
    return ++this.lastSeq
  }

  /** Whether others are to treat this node as a member. */
  get counts(): boolean {
    return this.standing === 'member' || this.standing === 'inserting'
  }

  /** Whether this node passes messages on. */
  get routes(): boolean {
    return this.standing === 'member' || this.standing === 'leaving'
  }

  /** What this node says of itself to `ref`. */
  statusFor(ref: NodeRef): Status {
    this.untold?.delete(ref.id)
    return { member: this.counts, group: this.siblings.floor, points: this.map.get(ref.id) !== undefined }
  }

  ping(to: NodeRef, seq: number, fx: OverlayEffects): void {
    send(to, { type: 'ping', seq, ...this.statusFor(to) }, fx)
  }

  /** Tells those that have come into the map or gone from it, unless another message of this step has. */
  tellPointers(fx: OverlayEffects): void {
    if (this.untold === undefined) return
    const { untold } = this
    this.untold = undefined
    for (const ref of untold.values()) {
      const rttMs = this.proximity.of(ref.id)
      send(ref, { type: 'pointer', rttMs: rttMs === undefined ? farAway : Math.round(rttMs), ...this.statusFor(ref) }, fx)
    }
  }

  /** Ids of another width are in no table. */
  find(id: Guid): NodeRef | undefined {
    if (id.length !== this.self.id.length) return undefined
    return this.siblings.get(id) ?? this.map.get(id) ?? this.cousins.get(id)
  }

  /** Whether this node has `id` in a table, or `id` this one in its map, as it says. */
  isAcquainted(id: Guid): boolean {
    return this.find(id) !== undefined || this.backpointers.has(id)
  }

  /** Everybody in the tables, each once, the siblings first, then the cousins. */
  everybody(): NodeRef[] {
    const known = new Map<Guid, NodeRef>()
    for (const ref of this.siblings.refs()) known.set(ref.id, ref)
    for (const ref of this.cousins.refs()) known.set(ref.id, ref)
    for (const ref of this.map.entries()) known.set(ref.id, ref)
    return [...known.values()]
  }

  /** Siblings and cousins, each once. */
  kin(): NodeRef[] {
    const { siblings, cousins } = this
    return [...siblings.refs(), ...cousins.refs().filter((ref) => !siblings.has(ref.id))]
  }

  /** The same, nearest in the trie first: the longest common prefix, then by cyclic distance of the next digit; the order of responsibility for the own id. */
  neighbors(): NodeRef[] {
    const { self, config } = this
    return this.kin().sort((a, b) => compareOwnership(a.id, b.id, self.id, config.digitBits))
  }

  /** The g of the group of a sibling or cousin, as it last said; undefined for others. */
  groupLevelOf(id: Guid): number | undefined {
    return this.siblings.has(id) ? this.siblings.levelOf(id) : this.cousins.levelOf(id)
  }

  /** Everybody in the tables who shares `level` digits with this node. */
  sharing(level: number): NodeRef[] {
    return this.everybody().filter((ref) => this.map.levelOf(ref.id) >= level)
  }

  /**
   * `ref` is a member and spoke to this node: it gets its places, unless that incarnation is known to be over. True when it was unknown.
   */
  admit(ref: NodeRef, fx: OverlayEffects): boolean {
    if (this.isOver(ref)) return false
    const known = this.find(ref.id)
    this.failed.forget(ref.id)
    if (known !== undefined && known.epoch < ref.epoch) this.renew(known, ref, fx)
    this.addSibling(ref, fx)
    this.offer(ref, fx)
    // While somebody new comes in, those missed before have died one by one; one that was only missed says nothing of the others.
    if (known === undefined && !this.missed.has(ref.id) && this.find(ref.id) !== undefined) this.missed.clear()
    return known === undefined
  }

  /** `ref` says that all who share `level` digits with it are its siblings. If this node is one of them and it is none here, it is a cousin. */
  noteGroup(ref: NodeRef, level: number, fx: OverlayEffects): void {
    if (this.isOver(ref)) return
    const { siblings } = this
    siblings.noteLevel(ref.id, level)
    const shared = siblings.shared(ref.id)
    if (shared >= siblings.level) return
    if (shared >= level) this.addCousin(ref, level, fx)
    else this.dropBranch(ref.id, fx)
  }

  /** The distance to `ref` was measured: it gets the place in its slot that is due to it. */
  place(ref: NodeRef, fx: OverlayEffects): void {
    if (this.map.get(ref.id) === undefined) this.offer(ref, fx)
    else if (this.map.reorder(ref.id)) fx.routesChanged()
  }

  /** Takes a node out of every table. A slot that loses its last pointer is filled from the siblings; beyond their reach it is doubtful. */
  drop(ref: NodeRef, fx: OverlayEffects): void {
    const { map } = this
    const level = map.levelOf(ref.id)
    const wasPrimary = map.slotFor(ref.id)[0]?.id === ref.id
    const wasSibling = this.siblings.delete(ref.id)
    const wasCousin = this.cousins.has(ref.id)
    this.deleteCousin(ref.id, fx)
    this.backpointers.delete(ref.id)
    if (map.remove(ref.id)) {
      for (const other of [...this.siblings.within(ref.id, level + 1), ...this.cousins.beside(ref.id)]) {
        if (map.get(other.id) === undefined && map.hasRoomFor(other.id)) this.offer(other, fx)
      }
      const slot = map.slotFor(ref.id)
      if (slot.length === 0 && level < this.siblings.level) this.doubtful.add(slotNumber(level, map.digitOf(ref.id, level)))
      if (wasPrimary) fx.routesChanged()
    }
    if (wasSibling || wasCousin) fx.neighborChanged(ref, false)
    this.proximity.forget(ref.id)
  }

  /** Goes over to a smaller sibling group if one is large enough. Of those who no longer belong, the members of sparse branches are cousins. */
  narrow(fx: OverlayEffects): void {
    const { siblings, cousins } = this
    const cut = siblings.narrow()
    for (const { ref, level } of cut) cousins.set(ref, level)
    for (const { ref, level } of cut) {
      if (cousins.has(ref.id) && siblings.shared(ref.id) >= level) continue
      for (const other of cousins.take(ref.id)) fx.neighborChanged(other, false)
    }
  }

  /** Begins to collect the group of those that share `floor` digits. */
  collect(floor: number): void {
    this.siblings.collect(floor)
    this.adoptCousins()
  }

  /** The group that was being collected is complete. */
  settleGroup(fx: OverlayEffects): void {
    this.siblings.settle()
    this.adoptCousins()
    this.narrow(fx)
  }

  /** A joiner, or one that starts over, belongs to the group of those that share `level` digits with it. */
  enterGroup(level: number, fx: OverlayEffects): void {
    for (const ref of this.siblings.place(level)) fx.neighborChanged(ref, false)
    this.adoptCousins()
  }

  /** Everybody in the map learns that it is in it; for a node that has just become known. */
  announcePointers(): void {
    for (const ref of this.map.entries()) this.tell(ref)
  }

  /** The nodes of a message that are worth knowing: neither this one nor such as are known to be gone. */
  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return refs.filter((ref) => ref.id !== this.self.id && ref.id.length === this.self.id.length && !this.failed.distrusts(ref, now))
  }

  /** Whether it matters for correctness, not only for speed, that this node gets to know `id`: a sibling, a cousin, or somebody for an empty slot. */
  needs(id: Guid): boolean {
    if (id.length !== this.self.id.length || id === this.self.id) return false
    if (this.siblings.includes(id)) return !this.siblings.has(id) && !this.siblings.full
    return (
      this.map.slotFor(id).length === 0 || (this.cousins.get(id) === undefined && !this.cousins.full && this.cousins.beside(id).length > 0)
    )
  }

  assertInvariants(): void {
    this.map.assertInvariants()
    this.siblings.assertInvariants()
    this.cousins.assertInvariants()
    for (const ref of this.everybody()) {
      assert(ref.id !== this.self.id, 'a node is in none of its own tables')
      assert(!this.failed.has(ref.id), 'a node that is taken to be dead is in no table')
    }
    for (const ref of this.kin()) assert(this.map.slotFor(ref.id).length > 0, 'the slot of a sibling or cousin is not empty')
    for (const slot of this.doubtful) assert(this.map.numbered(slot).length === 0, 'a slot in doubt has no pointer')
    assert(this.failed.size <= this.config.failedMax, 'failed nodes are bounded')
    assert(this.backpointers.size <= this.config.backpointersMax, 'backpointers are bounded')
  }

  private addSibling(ref: NodeRef, fx: OverlayEffects): void {
    const { siblings } = this
    if (!siblings.includes(ref.id)) return
    const isNew = !siblings.has(ref.id)
    if (isNew && siblings.full) return
    siblings.set(ref)
    if (!isNew) return
    if (!this.cousins.has(ref.id)) fx.neighborChanged(ref, true)
    this.narrow(fx)
  }

  private addCousin(ref: NodeRef, level: number, fx: OverlayEffects): void {
    const { cousins } = this
    const isNew = cousins.get(ref.id) === undefined
    if (isNew && cousins.full) return
    const wereCousins = cousins.isCrowded(ref.id) ? [] : cousins.beside(ref.id)
    cousins.set(ref, level)
    if (!isNew) return
    if (cousins.has(ref.id)) this.tellOfCousin(ref, true, fx)
    else for (const other of wereCousins) this.tellOfCousin(other, false, fx)
  }

  private deleteCousin(id: Guid, fx: OverlayEffects): void {
    const { cousins } = this
    const wasCrowded = cousins.isCrowded(id)
    if (!cousins.delete(id) || !wasCrowded || cousins.isCrowded(id)) return
    for (const other of cousins.beside(id)) this.tellOfCousin(other, true, fx)
  }

  /** The branch of `id` is not sparse: its members do not have this node in their groups. */
  private dropBranch(id: Guid, fx: OverlayEffects): void {
    const wereCousins = !this.cousins.isCrowded(id)
    for (const ref of this.cousins.take(id)) if (wereCousins) this.tellOfCousin(ref, false, fx)
  }

  /** Siblings were neighbours before, and still are. */
  private tellOfCousin(ref: NodeRef, joined: boolean, fx: OverlayEffects): void {
    if (!this.siblings.has(ref.id)) fx.neighborChanged(ref, joined)
  }

  /** Cousins of whom this node has become a sibling. They stay cousins as well while the group is being collected. */
  private adoptCousins(): void {
    const { siblings, cousins } = this
    for (const ref of cousins.refs()) {
      if (!siblings.includes(ref.id)) continue
      if (!siblings.has(ref.id)) {
        siblings.set(ref)
        siblings.noteLevel(ref.id, cousins.levelOf(ref.id)!)
      }
    }
    for (const ref of cousins.all()) if (siblings.shared(ref.id) >= siblings.level) cousins.delete(ref.id)
  }

  /** This node itself, or an incarnation that is known to be over. */
  private isOver(ref: NodeRef): boolean {
    if (ref.id === this.self.id || this.failed.refuses(ref)) return true
    const known = this.find(ref.id)
    return known !== undefined && known.epoch > ref.epoch
  }

  /** The incumbents stay unless `ref` is known to be nearer than one. */
  private offer(ref: NodeRef, fx: OverlayEffects): void {
    const { map } = this
    if (map.get(ref.id) !== undefined) return
    if (!map.hasRoomFor(ref.id) && this.proximity.of(ref.id) === undefined) return
    const { taken, primary, displaced } = map.offer(ref)
    const level = map.levelOf(ref.id)
    this.doubtful.delete(slotNumber(level, map.digitOf(ref.id, level)))
    if (displaced !== undefined) {
      this.history.note(displaced, this.prng)
      if (this.counts) this.tell(displaced)
    }
    if (taken && this.counts) this.tell(ref)
    if (primary) fx.routesChanged()
  }

  /** A new incarnation of a node takes the place of the one before. */
  private renew(before: NodeRef, ref: NodeRef, fx: OverlayEffects): void {
    this.proximity.forget(ref.id)
    this.map.replace(ref)
    const cousinLevel = this.cousins.levelOf(ref.id)
    if (cousinLevel !== undefined) this.cousins.set(ref, cousinLevel)
    if (this.siblings.has(ref.id)) this.siblings.set(ref)
    if (this.siblings.has(ref.id) || this.cousins.has(ref.id)) {
      fx.neighborChanged(before, false)
      fx.neighborChanged(ref, true)
    }
    fx.routesChanged()
  }

  private tell(ref: NodeRef): void {
    const untold = (this.untold ??= new Map())
    untold.set(ref.id, ref)
  }
}

/** The number of a slot in messages, timers and sets. */
export function slotNumber(level: number, digit: number): number {
  return level * slotBase + digit
}
