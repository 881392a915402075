import { digitAt, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { slotBase } from './neighbor-map.ts'
import { siblingsMax } from './siblings.ts'

/**
 * The cousins: nodes whose sibling group includes this one, though they are not in its own. They are the members of *sparse* branches: those parts of the trie beside this
 * node's way down, one for each slot of its neighbour map, that have fewer than `siblingsMin` members, who therefore look further. With them a node knows all nodes
 * that come before it for a key for which it is among the first `siblingsMin`.
 *
 * All of a group have the same cousins.
 */
export class Cousins {
  readonly self: NodeRef
  /** By the number of the slot in which they would stand. Bound: {@link siblingsMax} in all. Full: a new one is not taken in. */
  private readonly branches = new Map<number, Map<Guid, Cousin>>()
  private readonly digitBits: number
  private readonly least: number
  private count = 0

  constructor(self: NodeRef, digitBits: number, least: number) {
    this.self = self
    this.digitBits = digitBits
    this.least = least
  }

  get size(): number {
    return this.count
  }

  get full(): boolean {
    return this.count >= siblingsMax
  }

  /** Whether it counts as one: it is known, and its branch is not crowded. */
  has(id: Guid): boolean {
    return this.entry(id) !== undefined && !this.isCrowded(id)
  }

  get(id: Guid): NodeRef | undefined {
    return this.entry(id)?.ref
  }

  /** The g of its own group, as it last said. */
  levelOf(id: Guid): number | undefined {
    return this.entry(id)?.level
  }

  /** All that count. */
  refs(): NodeRef[] {
    return this.select(this.least)
  }

  /** With those of crowded branches. */
  all(): NodeRef[] {
    return this.select(Infinity)
  }

  /** The members of one branch, by the number of its slot. */
  numbered(slot: number): NodeRef[] {
    return [...(this.branches.get(slot)?.values() ?? [])].map(({ ref }) => ref)
  }

  /** Those in the branch of `id`. */
  beside(id: Guid): NodeRef[] {
    return this.count === 0 ? [] : this.numbered(this.slotOf(id))
  }

  /** Whether so many are known in the branch of `id` that they ought to keep to themselves. Until one of them says whether they do, they do not count. */
  isCrowded(id: Guid): boolean {
    return (this.branches.get(this.slotOf(id))?.size ?? 0) >= this.least
  }

  set(ref: NodeRef, level: number): void {
    const slot = this.slotOf(ref.id)
    let branch = this.branches.get(slot)
    if (branch === undefined) this.branches.set(slot, (branch = new Map()))
    if (!branch.has(ref.id)) this.count++
    branch.set(ref.id, { ref, level })
  }

  delete(id: Guid): boolean {
    const slot = this.slotOf(id)
    const branch = this.branches.get(slot)
    if (branch?.delete(id) !== true) return false
    this.count--
    if (branch.size === 0) this.branches.delete(slot)
    return true
  }

  /** Takes out all in the branch of `id`. */
  take(id: Guid): NodeRef[] {
    const branch = this.beside(id)
    this.branches.delete(this.slotOf(id))
    this.count -= branch.length
    return branch
  }

  assertInvariants(): void {
    assert(this.count <= siblingsMax, 'cousins are bounded')
    assert(this.all().length === this.count, 'cousins are counted')
  }

  /** The members of branches that have fewer than `size`. */
  private select(size: number): NodeRef[] {
    if (this.count === 0) return []
    const refs: NodeRef[] = []
    for (const branch of this.branches.values()) if (branch.size < size) for (const { ref } of branch.values()) refs.push(ref)
    return refs
  }

  private entry(id: Guid): Cousin | undefined {
    return this.count === 0 ? undefined : this.branches.get(this.slotOf(id))?.get(id)
  }

  private slotOf(id: Guid): number {
    const level = sharedPrefixDigits(id, this.self.id, this.digitBits)
    return 4 * this.self.id.length <= level * this.digitBits ? -1 : level * slotBase + digitAt(id, level, this.digitBits)
  }
}

interface Cousin {
  readonly ref: NodeRef
  readonly level: number
}
