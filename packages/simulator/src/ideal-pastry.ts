import { compareGuids, compareOnRing, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Topology } from './topology.ts'

/** A place of the ideal network: an id and the number of its host in the topology. */
export interface Place {
  readonly id: Guid
  readonly host: number
}

/** A way through the ideal network. */
export interface IdealRoute {
  readonly hops: number
  /** Sum of the distances of the hops, in the topology's unit. */
  readonly distance: number
}

/**
 * Pastry as it could at best be: every routing-table slot holds the nearest of all nodes that qualify, every leaf set is exact, all worked out
 * from global knowledge. No message is sent. What the protocol reaches is measured against this.
 *
 * Slots are worked out when a route first needs them, since most never are.
 */
export class IdealPastry {
  private readonly topology: Topology
  private readonly places: readonly Place[]
  private readonly digitBits: number
  private readonly leafSetSize: number
  /** By `<position>/<prefix>`: the position of the slot's entry, -1 for an empty one. At most nodes × rows × 2^digitBits. */
  private readonly slots = new Map<string, number>()

  constructor(topology: Topology, places: readonly Place[], options: { readonly digitBits: number; readonly leafSetSize: number }) {
    assert(options.digitBits === 4, 'ideal tables are worked out for hexadecimal digits only')
    this.topology = topology
    this.places = [...places].sort((a, b) => compareGuids(a.id, b.id))
    this.digitBits = options.digitBits
    this.leafSetSize = options.leafSetSize
  }

  /** The way from a node to the root of `key` (Middleware 2001, §2.3). */
  route(from: Guid, key: Guid): IdealRoute {
    let at = this.lowerBound(from)
    let hops = 0
    let distance = 0
    for (;;) {
      const next = this.nextHop(at, key)
      if (next === at) return { hops, distance }
      distance += this.topology.distance(this.places[at]!.host, this.places[next]!.host)
      hops++
      at = next
      assert(hops <= this.places.length, 'an ideal route goes round in circles')
    }
  }

  /** Where a message for `key` goes from the node at this position; the position itself when it is the root. */
  private nextHop(at: number, key: Guid): number {
    const leaves = this.leafSet(at)
    if (this.covers(leaves, key)) return this.closest(leaves, key)
    const row = sharedPrefixDigits(this.places[at]!.id, key, this.digitBits)
    const entry = this.slot(at, key.slice(0, row + 1))
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

  /** The nearest node whose id starts with `prefix`, seen from this position; -1 when there is none. */
  private slot(at: number, prefix: string): number {
    const name = `${at}/${prefix}`
    const known = this.slots.get(name)
    if (known !== undefined) return known
    let nearest = -1
    let least = Infinity
    for (let position = this.lowerBound(prefix); this.places[position]?.id.startsWith(prefix) === true; position++) {
      const distance = this.topology.distance(this.places[at]!.host, this.places[position]!.host)
      if (distance < least) {
        least = distance
        nearest = position
      }
    }
    this.slots.set(name, nearest)
    return nearest
  }

  /** Position of the first id that is not less than this one (or than this prefix of one). */
  private lowerBound(id: string): number {
    let low = 0
    let high = this.places.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.places[middle]!.id < id) low = middle + 1
      else high = middle
    }
    return low
  }
}
