import { digitAt, digitCount, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { Proximity } from '@plaxton/upkeep'
import { baseOf } from './ownership.ts'

/** The pointers of one place: the primary first, then the backups. */
type Slot = NodeRef[]

/**
 * The neighbour map (JSAC 2004, §III-A): slot (l, d) is for nodes whose id starts with this node's own first l digits and then d, the nearest
 * `redundancy` of those known; the nearest is the primary. The slot of this node's own digit is this node itself and holds nobody.
 * Levels exist from the first to the deepest that is in use.
 */
export class NeighborMap {
  readonly self: NodeRef
  readonly digitBits: number
  private readonly redundancy: number
  private readonly proximity: Proximity
  private readonly levels: Array<Array<Slot | undefined>> = []

  constructor(self: NodeRef, digitBits: number, redundancy: number, proximity: Proximity) {
    this.self = self
    this.digitBits = digitBits
    this.redundancy = redundancy
    this.proximity = proximity
  }

  /** Levels in use. */
  get depth(): number {
    return this.levels.length
  }

  /** Digits of an id. */
  get digits(): number {
    return digitCount(4 * this.self.id.length, this.digitBits)
  }

  base(level: number): number {
    return baseOf(level, 4 * this.self.id.length, this.digitBits)
  }

  /** The level on which `id` would stand: how many digits it shares with this node. Meaningless for the own id. */
  levelOf(id: Guid): number {
    return sharedPrefixDigits(id, this.self.id, this.digitBits)
  }

  digitOf(id: Guid, level: number): number {
    return digitAt(id, level, this.digitBits)
  }

  ownDigit(level: number): number {
    return digitAt(this.self.id, level, this.digitBits)
  }

  slot(level: number, digit: number): readonly NodeRef[] {
    return this.levels[level]?.[digit] ?? nobody
  }

  /** The slot in which `id` would stand. */
  slotFor(id: Guid): readonly NodeRef[] {
    const level = this.levelOf(id)
    return level < this.levels.length ? this.slot(level, this.digitOf(id, level)) : nobody
  }

  get(id: Guid): NodeRef | undefined {
    return this.slotFor(id).find((ref) => ref.id === id)
  }

  /** Whether there is room for `id` without another node having to go. */
  hasRoomFor(id: Guid): boolean {
    return this.slotFor(id).length < this.redundancy
  }

  /** How far the furthest node is that stands where `id` would. */
  furthestFor(id: Guid): Millis {
    return Math.max(...this.slotFor(id).map((ref) => this.proximity.orFar(ref.id)))
  }

  /**
   * Offers a place to a node that is in none. Says whether it took one, whether it is the primary now, and who had to make room: the node
   * furthest away, unless that is the one offered.
   */
  offer(ref: NodeRef): { readonly taken: boolean; readonly primary: boolean; readonly displaced: NodeRef | undefined } {
    const level = this.levelOf(ref.id)
    const slot = this.slotAt(level, this.digitOf(ref.id, level))
    const before = slot[0]
    slot.push(ref)
    this.sort(slot)
    const displaced = slot.length > this.redundancy ? slot.pop() : undefined
    return { taken: displaced !== ref, primary: slot[0] !== before, displaced: displaced === ref ? undefined : displaced }
  }

  /** Puts a new incarnation in the place of the one before. */
  replace(ref: NodeRef): void {
    const slot = this.slotFor(ref.id) as Slot
    const at = slot.findIndex((other) => other.id === ref.id)
    if (at >= 0) slot[at] = ref
  }

  /** Whether it was there. */
  remove(id: Guid): boolean {
    const slot = this.slotFor(id) as Slot
    const at = slot.findIndex((ref) => ref.id === id)
    if (at < 0) return false
    slot.splice(at, 1)
    while (this.levels.length > 0 && !this.levels[this.levels.length - 1]!.some((last) => last !== undefined && last.length > 0)) {
      this.levels.pop()
    }
    return true
  }

  /** The distance to `id` was measured: its slot is put in order. True when the primary is another one now. */
  reorder(id: Guid): boolean {
    const slot = this.slotFor(id) as Slot
    const before = slot[0]
    if (slot.length > 1) this.sort(slot)
    return slot[0] !== before
  }

  /** The primaries of one level, by digit. */
  primaries(level: number): NodeRef[] {
    return (this.levels[level] ?? []).flatMap((slot) => (slot === undefined || slot.length === 0 ? [] : [slot[0]!]))
  }

  /** Everybody on one level. */
  level(level: number): NodeRef[] {
    return (this.levels[level] ?? []).flatMap((slot) => slot ?? nobody)
  }

  /** Everybody, level by level. */
  entries(): NodeRef[] {
    return this.levels.flatMap((_, level) => this.level(level))
  }

  /** The empty slots on the levels before `end`, as numbers for messages and timers. */
  holes(end: number): number[] {
    const holes: number[] = []
    for (let level = 0; level < end; level++) {
      for (let digit = 0; digit < this.base(level); digit++) {
        if (digit !== this.ownDigit(level) && this.slot(level, digit).length === 0) holes.push(level * slotBase + digit)
      }
    }
    return holes
  }

  /** The slot that a message names by number; none when there is no such slot here. */
  numbered(slot: number): readonly NodeRef[] {
    return this.slot(Math.floor(slot / slotBase), slot % slotBase)
  }

  assertInvariants(): void {
    this.levels.forEach((slots, level) =>
      slots.forEach((slot, digit) => {
        assert(level < this.digits, 'a neighbour map has no more levels than an id has digits')
        assert(slot === undefined || slot.length <= this.redundancy, 'a slot holds no more pointers than it may')
        for (const ref of slot ?? nobody) {
          assert(ref.id !== this.self.id, 'a node is not in its own neighbour map')
          assert(this.levelOf(ref.id) === level && this.digitOf(ref.id, level) === digit, 'a pointer stands in the slot of its digits')
        }
        const distances = (slot ?? nobody).map((ref) => this.proximity.orFar(ref.id))
        assert(new Set((slot ?? nobody).map(({ id }) => id)).size === distances.length, 'a node stands once in its slot')
      }),
    )
  }

  private slotAt(level: number, digit: number): Slot {
    while (this.levels.length <= level) this.levels.push(new Array<Slot | undefined>(this.base(this.levels.length)).fill(undefined))
    return (this.levels[level]![digit] ??= [])
  }

  /** Stable: of nodes equally far or of unknown distance, who came first stays first. */
  private sort(slot: Slot): void {
    slot.sort((a, b) => this.proximity.compare(a.id, b.id))
  }
}

/** Packs level and digit into one number; a digit has at most 5 bits. */
export const slotBase = 32

const nobody: readonly NodeRef[] = []
