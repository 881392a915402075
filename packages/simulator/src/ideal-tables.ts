import { compareGuids } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Topology } from './topology.ts'

/** A place of an ideal network: an id and the number of its host in the topology. */
export interface Place {
  readonly id: Guid
  readonly host: number
}

/** A way through an ideal network. */
export interface IdealRoute {
  readonly hops: number
  /** Sum of the distances of the hops, in the topology's unit. */
  readonly distance: number
}

/**
 * An overlay as it could at best be, all tables worked out from global knowledge. What the protocol reaches is measured against this. Nodes are
 * known by their position in the order of ids.
 *
 * Slots are worked out when a route first needs them, since most never are.
 */
export abstract class IdealTables {
  protected readonly topology: Topology
  protected readonly places: readonly Place[]
  /** By `<position>/<prefix>`: the position of the slot's entry, -1 for an empty one. At most nodes × rows × digits. */
  private readonly slots = new Map<string, number>()

  constructor(topology: Topology, places: readonly Place[]) {
    this.topology = topology
    this.places = [...places].sort((a, b) => compareGuids(a.id, b.id))
  }

  /** The way from a node to the root of `key`. */
  route(from: Guid, key: Guid): IdealRoute {
    const path = this.path(this.lowerBound(from), key)
    return { hops: path.length - 1, distance: this.length(path) }
  }

  /** Positions of the nodes a message for `key` passes, the source first and the root last. */
  protected abstract path(from: number, key: Guid): number[]

  /** Length of a way along these positions, in the topology's unit. */
  protected length(path: readonly number[]): number {
    return path.reduce((sum, at, i) => (i === 0 ? 0 : sum + this.distance(path[i - 1]!, at)), 0)
  }

  protected distance(a: number, b: number): number {
    return this.topology.distance(this.places[a]!.host, this.places[b]!.host)
  }

  /** The nearest node whose id starts with `prefix`, seen from this position; -1 when there is none. */
  protected nearest(at: number, prefix: string): number {
    const name = `${at}/${prefix}`
    const known = this.slots.get(name)
    if (known !== undefined) return known
    let nearest = -1
    let least = Infinity
    for (const position of this.withPrefix(prefix)) {
      const distance = this.distance(at, position)
      if (distance < least) {
        least = distance
        nearest = position
      }
    }
    this.slots.set(name, nearest)
    return nearest
  }

  /** The positions of the nodes whose ids start with `prefix`. */
  protected *withPrefix(prefix: string): Generator<number> {
    for (let at = this.lowerBound(prefix); this.places[at]?.id.startsWith(prefix) === true; at++) yield at
  }

  /** Position of the first id that is not less than this one (or than this prefix of one). */
  protected lowerBound(id: string): number {
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
