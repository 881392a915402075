import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import { IdealTables } from './ideal-tables.ts'
import type { Place } from './ideal-tables.ts'
import type { Topology } from './topology.ts'

/** The tables of an ideal Chord. */
export interface IdealChordOptions {
  /** Length of the successor list, the paper's r. */
  readonly successors: number
  /** Predecessors known. The paper's nodes do not route by them: 0. All but the furthest can be told to own a key. */
  readonly predecessors: number
  /** Successors known of each finger, the paper's s; the nearest of them is taken. */
  readonly fingerSuccessors: number
}

/**
 * Chord as it could at best be: every finger is the successor of its start, every list is exact. No message is sent. Ids are looked at as fractions of the ring, which
 * a double holds to 2^-52.
 */
export class IdealChord extends IdealTables {
  private readonly options: IdealChordOptions
  private readonly fractions: Float64Array

  constructor(topology: Topology, places: readonly Place[], options: IdealChordOptions) {
    super(topology, places)
    this.options = options
    this.fractions = Float64Array.from(this.places, ({ id }) => fraction(id))
  }

  /** Positions of the nodes a message for `key` passes, this one first and the owner last (ToN 2003, §4). */
  override path(from: number, key: Guid): number[] {
    return this.pathAmongDead(from, key, nobodyDead).path
  }

  /**
   * The way when some nodes are dead and nobody has noticed: each that is tried in vain is a timeout, and the next best is tried. Nobody is tried twice, as where lookups are
   * iterative and whoever looks up knows who did not answer it; we take the paper's to be, whose figures this fits. It ends at the first live node at or after the key; where it
   * gets stuck when the way on is lost.
   */
  pathAmongDead(
    from: number,
    key: Guid,
    isDead: (position: number) => boolean,
  ): { readonly path: number[]; readonly timeouts: number; readonly arrived: boolean } {
    const size = this.places.length
    const root = this.successorOf(fraction(key))
    let owner = root
    while (isDead(owner)) owner = (owner + 1) % size
    const path = [from]
    const tried = new Set<number>()
    for (let at = from; at !== owner;) {
      let next: number | undefined
      for (const candidate of this.candidates(at, root, owner)) {
        if (!isDead(candidate)) {
          next = candidate
          break
        }
        tried.add(candidate)
      }
      if (next === undefined) return { path, timeouts: tried.size, arrived: false }
      path.push(next)
      at = next
      assert(path.length <= size, 'an ideal route goes round in circles')
    }
    return { path, timeouts: tried.size, arrived: true }
  }

  hostAt(position: number): number {
    return this.places[position]!.host
  }

  /** Positions to try for a key whose successor is, or was, at `root`; the best first. */
  private *candidates(at: number, root: number, owner: number): Generator<number> {
    const { predecessors } = this.options
    const size = this.places.length
    const successors = Math.min(this.options.successors, size - 1)
    const ahead = (root - at + size) % size
    if (ahead > 0 && ahead <= successors) {
      // From the first that may own the key to the last of the list; are they dead, those before the key know who follows.
      for (let i = ahead; i <= successors; i++) yield (at + i) % size
      for (let i = ahead - 1; i > 0; i--) yield (at + i) % size
      return
    }
    const behind = (at - owner + size) % size
    if (behind < predecessors) return yield owner
    for (const candidate of this.fingersBefore(at, ahead === 0 ? size : ahead)) {
      if ((candidate - at + size) % size > successors) yield candidate
    }
    for (let i = successors; i > 0; i--) yield (at + i) % size
  }

  /** Of the fingers of the node at this position, those less than `limit` steps ahead: the furthest finger first, of each the nearest node first. */
  private *fingersBefore(at: number, limit: number): Generator<number> {
    const size = this.places.length
    const { fingerSuccessors } = this.options
    for (let power = 1; power < 52; power++) {
      const first = this.successorOf((this.fractions[at]! + 2 ** -power) % 1)
      const ahead = (first - at + size) % size
      // No node between the start of the finger and this one, or none before the key.
      if (ahead === 0 || ahead >= limit) continue
      const near: number[] = []
      for (let i = 0; i <= fingerSuccessors && ahead + i < limit; i++) near.push((first + i) % size)
      if (near.length > 1) near.sort((a, b) => this.distance(at, a) - this.distance(at, b))
      yield* near
      if (ahead === 1) return
    }
  }

  /** Position of the first node at or after this point of the ring. */
  private successorOf(point: number): number {
    let low = 0
    let high = this.fractions.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.fractions[middle]! < point) low = middle + 1
      else high = middle
    }
    return low % this.fractions.length
  }
}

/** The leading 13 hex digits are all that a double can hold. */
function fraction(id: Guid): number {
  return parseInt(id.slice(0, 13).padEnd(13, '0'), 16) / 16 ** 13
}

const nobodyDead = (): boolean => false
