import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import { IdealTables } from './ideal-tables.ts'
import type { Place } from './ideal-tables.ts'
import type { Topology } from './topology.ts'

/** The tables of an ideal Chord. */
export interface IdealChordOptions {
  /** Length of the successor list, the paper's r. */
  readonly successors: number
  /** Predecessors known. The paper's nodes do not route by them: 0. */
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
  protected override path(from: number, key: Guid): number[] {
    return this.pathTo(from, this.successorOf(fraction(key)), nobodyDead)[0]
  }

  /**
   * The way from the node at this position to `key` when some are dead and nobody has noticed: a node that is tried in vain is a timeout, and the next best is tried.
   * The way ends at the first live node at or after the key; undefined when it gets stuck.
   */
  routeAmongDead(
    from: number,
    key: Guid,
    isDead: (position: number) => boolean,
  ): { readonly hops: number; readonly timeouts: number } | undefined {
    const [path, timeouts] = this.pathTo(from, this.successorOf(fraction(key)), isDead)
    return path.length === 0 ? undefined : { hops: path.length - 1, timeouts }
  }

  /** The path, empty when there is none; and how many dead nodes were tried. */
  private pathTo(from: number, root: number, isDead: (position: number) => boolean): [path: number[], timeouts: number] {
    const size = this.places.length
    let owner = root
    while (isDead(owner)) owner = (owner + 1) % size
    const path = [from]
    let timeouts = 0
    let at = from
    while (at !== owner) {
      const before = timeouts
      const next = this.candidates(at, root, owner).find((position) => !isDead(position) || ++timeouts < before)
      if (next === undefined) return [[], timeouts]
      path.push(next)
      at = next
      assert(path.length <= size, 'an ideal route goes round in circles')
    }
    return [path, timeouts]
  }

  /** Positions to try for a key whose successor would be `root`, best first. */
  private candidates(at: number, root: number, owner: number): number[] {
    const { successors, predecessors } = this.options
    const size = this.places.length
    const steps = (position: number): number => (position - at + size) % size
    // Beyond the key: from the first that may own it to the last of the list.
    if (steps(root) <= successors && steps(root) > 0) {
      return Array.from({ length: Math.min(successors, size - 1) - steps(root) + 1 }, (_, i) => (root + i) % size)
    }
    if (size - steps(owner) <= predecessors) return [owner]
    const preceding = this.fingersBefore(at, steps(root) === 0 ? size : steps(root))
    const last = Math.min(successors, size - 1)
    const list = Array.from({ length: last }, (_, i) => (at + last - i) % size)
    return [...preceding.filter((position) => steps(position) > last), ...list]
  }

  /** Of the fingers of the node at this position, those less than `limit` steps ahead: the furthest finger first, of each the nearest node first. */
  private fingersBefore(at: number, limit: number): number[] {
    const size = this.places.length
    const found = new Set<number>()
    const { fingerSuccessors } = this.options
    for (let power = 1; power < 52; power++) {
      const start = (this.fractions[at]! + 2 ** -power) % 1
      const first = this.successorOf(start)
      const ahead = (first - at + size) % size
      // The start itself is beyond the node's own place once round.
      if (ahead === 0 || ahead >= limit) continue
      const near: number[] = []
      for (let i = 0; i <= fingerSuccessors && ahead + i < limit; i++) near.push((first + i) % size)
      if (near.length > 1) near.sort((a, b) => this.distance(at, a) - this.distance(at, b))
      for (const position of near) found.add(position)
      if (ahead === 1) break
    }
    return [...found]
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
