import { compareOnRing, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import { IdealTables } from './ideal-tables.ts'
import type { Place } from './ideal-tables.ts'
import type { Topology } from './topology.ts'

/**
 * Pastry as it could at best be: every routing-table slot holds the nearest of all nodes that qualify, every leaf set is exact. No message is sent.
 */
export class IdealPastry extends IdealTables {
  private readonly digitBits: number
  private readonly leafSetSize: number

  constructor(topology: Topology, places: readonly Place[], options: { readonly digitBits: number; readonly leafSetSize: number }) {
    assert(options.digitBits === 4, 'ideal tables are worked out for hexadecimal digits only')
    super(topology, places)
    this.digitBits = options.digitBits
    this.leafSetSize = options.leafSetSize
  }

  /** Positions of the nodes a message for `key` passes, this one first and the root last (Middleware 2001, §2.3). */
  protected override path(from: number, key: Guid): number[] {
    const path = [from]
    for (;;) {
      const next = this.nextHop(path.at(-1)!, key)
      if (next === path.at(-1)) return path
      path.push(next)
      assert(path.length <= this.places.length, 'an ideal route goes round in circles')
    }
  }

  /** Where a message for `key` goes from the node at this position; the position itself when it is the root. */
  private nextHop(at: number, key: Guid): number {
    const leaves = this.leafSet(at)
    if (this.covers(leaves, key)) return this.closest(leaves, key)
    const row = sharedPrefixDigits(this.places[at]!.id, key, this.digitBits)
    const entry = this.nearest(at, key.slice(0, row + 1))
    if (entry >= 0) return entry
    // The rare case: no entry. Any node that shares as much and is closer; the leaf set has one.
    return this.closest(
      leaves.filter((leaf) => sharedPrefixDigits(this.places[leaf]!.id, key, this.digitBits) >= row),
      key,
    )
  }

  /** Positions of the node and its leaves, from the lowest side to the highest. */
  private leafSet(at: number): number[] {
    const size = this.places.length
    const half = this.leafSetSize / 2
    if (size <= this.leafSetSize) return this.places.map((_, position) => position)
    return Array.from({ length: this.leafSetSize + 1 }, (_, i) => (at - half + i + size) % size)
  }

  private covers(leaves: readonly number[], key: Guid): boolean {
    if (leaves.length === this.places.length) return true
    const low = this.places[leaves[0]!]!.id
    const high = this.places[leaves.at(-1)!]!.id
    return low <= high ? low <= key && key <= high : low <= key || key <= high
  }

  private closest(positions: readonly number[], key: Guid): number {
    return positions.reduce((best, position) =>
      compareOnRing(this.places[position]!.id, this.places[best]!.id, key) < 0 ? position : best,
    )
  }
}
