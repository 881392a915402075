import { addToGuid, compareClockwise, compareOnRing, digitAt, digitCount, halfway, sharedPrefixDigits, withDigit } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Overlay } from '@plaxton/kbr'
import { countBefore, position } from './bisect.ts'

/**
 * Whose keys are whose, as an overlay's paper defines it: a total order of all nodes for every key. The checks hold what the nodes believe against
 * this; so it is written from the definition, slowly and obviously, and without a look at the overlay's code.
 */
export interface Ownership {
  readonly name: string
  /**
   * Where it does not follow from the ids alone (CAN): takes from the members what each of them owns now, for the calls that follow. Whether that is right is another check's business.
   */
  look?(members: Iterable<Overlay>): void
  /**
   * The first `count` of `ids` (different, in any order) in the order in which they are responsible for `key`: rank 0 is the root, rank r the node that
   * becomes root when all before it have gone.
   */
  ranks(key: Guid, ids: readonly Guid[], count: number): Guid[]
  /**
   * Some of `sorted` (in ascending order) among which the first `count` are, so that {@link ranks} need not look at every member for every key. Without it,
   * it does. It narrows down and decides nothing.
   */
  near?(key: Guid, sorted: readonly Guid[], count: number): readonly Guid[]
  /** Keys at which the root changes, and their neighbours: where an error by one shows. A few per id; `sorted` is in ascending order. */
  boundaries(sorted: readonly Guid[]): Guid[]
}

/** Pastry's: by numeric closeness on the ring, the clockwise one first among equals. */
export const ringDistance: Ownership = {
  name: 'ring distance',
  ranks(key, ids, count) {
    const best: Guid[] = []
    for (const id of ids) {
      if (best.length === count && (count === 0 || compareOnRing(id, best.at(-1)!, key) >= 0)) continue
      const place = best.findIndex((other) => compareOnRing(id, other, key) < 0)
      best.splice(place < 0 ? best.length : place, 0, id)
      if (best.length > count) best.pop()
    }
    return best
  },
  near(key, sorted, count) {
    if (2 * count >= sorted.length) return sorted
    // The closest are among as many on either side, of which some may lie beyond 0.
    const at = position(sorted, key)
    const [first, end] = [at - count, at + count]
    if (first < 0) return [...sorted.slice(first), ...sorted.slice(0, end)]
    return [...sorted.slice(first, end), ...sorted.slice(0, Math.max(0, end - sorted.length))]
  },
  boundaries(sorted) {
    return sorted.flatMap((id, i) => {
      const middle = halfway(id, sorted[(i + 1) % sorted.length]!)
      return [id, addToGuid(id, 1), addToGuid(id, -1), addToGuid(middle, -1), middle, addToGuid(middle, 1)]
    })
  },
}

/** Chord's (SIGCOMM 2001, §4.2): the key's successor, the first node at or after it clockwise; then the nodes that follow. */
export const clockwise: Ownership = {
  name: 'successors',
  ranks(key, ids, count) {
    const best: Guid[] = []
    for (const id of ids) {
      if (best.length === count && (count === 0 || compareClockwise(id, best.at(-1)!, key) >= 0)) continue
      const place = best.findIndex((other) => compareClockwise(id, other, key) < 0)
      best.splice(place < 0 ? best.length : place, 0, id)
      if (best.length > count) best.pop()
    }
    return best
  },
  near(key, sorted, count) {
    if (count >= sorted.length) return sorted
    const first = position(sorted, key)
    const end = first + count
    return [...sorted.slice(first, end), ...sorted.slice(0, Math.max(0, end - sorted.length))]
  },
  boundaries: (sorted) => sorted.flatMap((id) => [id, addToGuid(id, 1), addToGuid(id, -1)]),
}

/**
 * Tapestry's, by surrogate routing (JSAC 2004, §III-A): at each level the key's digit, or the next one cyclically that some node has; at the next level the
 * key's own digit again. So nodes are in order of ((d_0 - G_0) mod β, (d_1 - G_1) mod β, …), where d are the node's digits and G the key's.
 */
export function surrogate(digitBits: number): Ownership {
  return {
    name: `surrogate routing, digits of ${digitBits} bits`,
    ranks: (key, ids, count) => walkTrie(key, ids, count, 0, digitBits),
    near: (key, sorted, count) => narrowTrie(key, sorted, count, 0, digitBits),
    boundaries: (sorted) => sorted.flatMap((id, i) => trieBoundaries(id, sorted.at(i - 1)!, sorted[(i + 1) % sorted.length]!, digitBits)),
  }
}

/** The first `count` of `ids`, which agree in all digits before `level`: those with the key's digit, then those with the next one, and so on. */
function walkTrie(key: Guid, ids: readonly Guid[], count: number, level: number, digitBits: number): Guid[] {
  if (ids.length <= 1 || count === 0) return ids.slice(0, count)
  // The last digit may be narrower than the others.
  const base = 2 ** Math.min(digitBits, 4 * key.length - level * digitBits)
  const children = Array.from({ length: base }, (): Guid[] => [])
  const wanted = digitAt(key, level, digitBits)
  for (const id of ids) children[(digitAt(id, level, digitBits) - wanted + base) % base]!.push(id)
  const found: Guid[] = []
  for (const child of children) {
    if (found.length === count) break
    found.push(...walkTrie(key, child, count - found.length, level + 1, digitBits))
  }
  return found
}

/** The smallest branch on the way to the root of `key` that has `count` ids. `sorted` agree in all digits before `level`. */
function narrowTrie(key: Guid, sorted: readonly Guid[], count: number, level: number, digitBits: number): readonly Guid[] {
  if (sorted.length <= count || level === digitCount(4 * key.length, digitBits)) return sorted
  // They agree so far, so their digits at this level are in ascending order.
  const digit = (id: Guid): number => digitAt(id, level, digitBits)
  const start = countBefore(sorted, (id) => digit(id) >= digit(key))
  // Nobody has the key's digit or a higher one: the lowest is next.
  const next = digit(sorted[start] ?? sorted[0]!)
  const branch = sorted.slice(
    start % sorted.length,
    countBefore(sorted, (id) => digit(id) > next),
  )
  return branch.length < count ? sorted : narrowTrie(key, branch, count, level + 1, digitBits)
}

/** The id, and the first and last key of each branch of the trie on the way to it, as far as it shares that way with a neighbour. */
function trieBoundaries(id: Guid, before: Guid, after: Guid, digitBits: number): Guid[] {
  const levels = Math.max(...[before, after].map((other) => (other === id ? 0 : sharedPrefixDigits(id, other, digitBits))))
  const keys = [id, addToGuid(id, 1), addToGuid(id, -1)]
  for (let level = 0; level <= levels; level++) {
    const first = branchStart(id, level, digitBits)
    const last = branchEnd(id, level, digitBits)
    keys.push(first, addToGuid(first, -1), last, addToGuid(last, 1))
  }
  return keys
}

/** The lowest key that agrees with `id` up to and including this level. */
function branchStart(id: Guid, level: number, digitBits: number): Guid {
  let key = id
  for (let i = level + 1; i < digitCount(4 * id.length, digitBits); i++) key = withDigit(key, i, digitBits, 0)
  return key
}

/** The highest. */
function branchEnd(id: Guid, level: number, digitBits: number): Guid {
  let key = id
  const digits = digitCount(4 * id.length, digitBits)
  for (let i = level + 1; i < digits; i++) {
    key = withDigit(key, i, digitBits, 2 ** Math.min(digitBits, 4 * id.length - i * digitBits) - 1)
  }
  return key
}
