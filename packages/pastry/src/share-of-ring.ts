import type { Guid } from '@plaxton/guid'

/** A distance on the ring as a share of it, from 0 to 1. Exact to the leading 13 hex digits, which is all that a double can hold. */
export function shareOfRing(distance: Guid): number {
  return parseInt(distance.slice(0, 13).padEnd(13, '0'), 16) / 16 ** 13
}
