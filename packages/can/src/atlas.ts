import type { NodeRef } from '@plaxton/kbr'
import type { Claim } from './claim.ts'
import type { Zone } from './zone.ts'

/**
 * What an {@link Atlas} knows of a stretch of the space: who claims it, and how this node knows. `own` and `contact`: from the owner. `hearsay`: from somebody to whom the owner
 * is a contact. `ghost`: the owner is gone, and nobody is known to have taken its place.
 */
export interface Mark {
  readonly node: NodeRef
  readonly claim: Claim
  readonly source: 'own' | 'contact' | 'hearsay' | 'ghost'
}

/** A stretch without an owner; `mark`: that of its ghost. */
export interface Gap {
  readonly zone: Zone
  readonly mark: Mark | undefined
}

type Cell = Mark | undefined | readonly [Cell, Cell]

/** All that one node knows of who owns what: the trie of halvings, each leaf painted with the claim that counts there. */
export class Atlas {
  private top: Cell = undefined

  /** Paints over whatever was there. */
  paint(zone: Zone, mark: Mark): void {
    this.top = paint(this.top, zone, 0, mark)
  }

  /** Whose the key with these bits is. */
  at(bits: string): Mark | undefined {
    let cell = this.top
    for (let depth = 0; Array.isArray(cell); depth++) cell = (cell as readonly [Cell, Cell])[bits[depth] === '1' ? 1 : 0]
    return cell as Mark | undefined
  }

  /** All leaves, in the order in which they are responsible for the key with these bits, the zone that contains it first; undefined where nothing is known. */
  *inOrder(bits: string): Generator<Mark | undefined> {
    yield* inOrder(this.top, bits, 0)
  }

  /** The marks within a zone, in the order of keys; undefined where nothing is known. */
  *within(zone: Zone): Generator<Mark | undefined> {
    let cell = this.top
    for (const bit of zone) if (isSplit(cell)) cell = cell[bit === '1' ? 1 : 0]
    yield* inOrder(cell, '', 0)
  }

  /** Whether a zone is one undivided leaf here, or part of one, with an owner. */
  leaf(zone: Zone): Mark | undefined {
    let cell = this.top
    for (const bit of zone) if (isSplit(cell)) cell = cell[bit === '1' ? 1 : 0]
    return isSplit(cell) ? undefined : cell
  }

  gaps(): Gap[] {
    const found: Gap[] = []
    collectGaps(this.top, '', found)
    return found
  }
}

function isSplit(cell: Cell): cell is readonly [Cell, Cell] {
  return Array.isArray(cell)
}

function paint(cell: Cell, zone: Zone, depth: number, mark: Mark): Cell {
  if (depth === zone.length) return mark
  const [zero, one] = isSplit(cell) ? cell : [cell, cell]
  return zone[depth] === '0' ? [paint(zero, zone, depth + 1, mark), one] : [zero, paint(one, zone, depth + 1, mark)]
}

function* inOrder(cell: Cell, bits: string, depth: number): Generator<Mark | undefined> {
  if (!isSplit(cell)) return yield cell
  const first = bits[depth] === '1' ? 1 : 0
  yield* inOrder(cell[first], bits, depth + 1)
  yield* inOrder(cell[1 - first]!, bits, depth + 1)
}

function collectGaps(cell: Cell, zone: string, found: Gap[]): void {
  if (isSplit(cell)) {
    collectGaps(cell[0], `${zone}0`, found)
    collectGaps(cell[1], `${zone}1`, found)
  } else if (cell === undefined || cell.source === 'ghost') found.push({ zone: zone as Zone, mark: cell })
}
