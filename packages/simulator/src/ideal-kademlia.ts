import { compareByXor, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { IdealTables } from './ideal-tables.ts'
import type { Place } from './ideal-tables.ts'
import type { Topology } from './topology.ts'

/**
 * Kademlia as it could at best be, walked recursively: every bucket holds as many of the nodes in its range as it can, spread evenly over it, and each hop goes to the one
 * closest to the key. No message is sent.
 */
export class IdealKademlia extends IdealTables {
  private readonly bucketSize: number
  private readonly siblings: number

  constructor(topology: Topology, places: readonly Place[], options: { readonly bucketSize: number; readonly siblings: number }) {
    super(topology, places)
    this.bucketSize = options.bucketSize
    this.siblings = options.siblings
  }

  protected override path(from: number, key: Guid): number[] {
    const path = [from]
    for (let at = from; ;) {
      const next = this.closest([at, ...this.known(at, key)], key)
      if (next === at) return path
      path.push(next)
      at = next
    }
  }

  /** Those a node knows that share as many bits with it as the key does, or more. Small ranges are known in full, by the sibling list. */
  private known(at: number, key: Guid): number[] {
    const own = this.places[at]!.id
    for (let level = sharedPrefixBits(own, key); level < 4 * key.length; level++) {
      const range = this.range(own, level)
      const size = range.length <= this.siblings / 2 ? range.length : this.bucketSize
      if (range.length > 0)
        return Array.from({ length: Math.min(size, range.length) }, (_, i) => range[Math.floor((i * range.length) / size)]!)
    }
    return []
  }

  /** Positions of the nodes that share exactly `level` bits with `own`; they stand beside each other. */
  private range(own: Guid, level: number): number[] {
    const flipped = (8 >> (level & 3)) ^ parseInt(own.charAt(level >> 2), 16)
    const kept = flipped & ~((8 >> (level & 3)) - 1)
    const width = (8 >> (level & 3)) - 1
    const prefix = own.slice(0, level >> 2)
    const first = this.lowerBound(prefix + kept.toString(16))
    const after = this.lowerBound(prefix + ((kept | width) === 15 ? 'g' : ((kept | width) + 1).toString(16)))
    return Array.from({ length: after - first }, (_, i) => first + i)
  }

  private closest(positions: readonly number[], key: Guid): number {
    return positions.reduce((best, other) => (compareByXor(this.places[other]!.id, this.places[best]!.id, key) < 0 ? other : best))
  }
}
