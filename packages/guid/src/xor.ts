import { fromBigInt, requireOneWidth, toBigInt } from './arithmetic.ts'
import { hexValue } from './bytes.ts'
import type { Guid } from './guid.ts'

/** Kademlia's distance: the bits in which the ids differ, as a number of the same width (Maymounkov and Mazières 2002, §2.1). */
export function xorDistance(a: Guid, b: Guid): Guid {
  requireOneWidth(a, b)
  return fromBigInt(toBigInt(a) ^ toBigInt(b), a.length)
}

/** True when `a` is nearer to `key` than `b` by {@link xorDistance}. There are no ties: different ids have different distances. */
export function isCloserByXor(a: Guid, b: Guid, key: Guid): boolean {
  return compareByXor(a, b, key) < 0
}

/** For sorting by {@link xorDistance} to `key`, nearest first: -1, 0 or 1; 0 only for equal ids. Allocates nothing. */
export function compareByXor(a: Guid, b: Guid, key: Guid): -1 | 0 | 1 {
  requireOneWidth(a, b)
  requireOneWidth(a, key)
  for (let i = 0; i < a.length; i++) {
    const digitOfA = a.charCodeAt(i)
    const digitOfB = b.charCodeAt(i)
    // The first digit in which a and b differ decides: before it both are equally far from the key.
    if (digitOfA !== digitOfB) {
      const digitOfKey = hexValue(key.charCodeAt(i))
      return (hexValue(digitOfA) ^ digitOfKey) < (hexValue(digitOfB) ^ digitOfKey) ? -1 : 1
    }
  }
  return 0
}
