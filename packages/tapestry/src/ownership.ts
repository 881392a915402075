import { digitAt, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'

/**
 * Who is responsible for a key. Surrogate routing (JSAC 2004, §III-B) takes at each level the key's digit, or cyclically the next one that some
 * node has, and at the next level the key's own digit again. So for every key the nodes stand in a total order, by the vector
 * ((d_0 - G_0) mod β, (d_1 - G_1) mod β, …) of the node's digits d and the key's G: the first is the root, and each becomes root when all
 * before it have gone.
 */

/** Values of digit `level` of an id of `bits` bits; the last digit may be narrower. */
export function baseOf(level: number, bits: number, digitBits: number): number {
  return 1 << Math.min(digitBits, bits - level * digitBits)
}

/** For sorting by responsibility for `key`, the root first: -1, 0 or 1; 0 only for equal ids. Up to the first digit in which they differ, both are as good. */
export function compareOwnership(a: Guid, b: Guid, key: Guid, digitBits: number): -1 | 0 | 1 {
  if (a === b) return 0
  const level = sharedPrefixDigits(a, b, digitBits)
  const origin = digitAt(key, level, digitBits)
  const mask = baseOf(level, 4 * key.length, digitBits) - 1
  return ((digitAt(a, level, digitBits) - origin) & mask) < ((digitAt(b, level, digitBits) - origin) & mask) ? -1 : 1
}
