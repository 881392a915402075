import { compareByXor } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { KademliaState } from './state.ts'

/**
 * The nodes closest to `key`, the closest first, at most `count`: of the siblings and this node, as far as these are certain to be the closest. At the root that is
 * `siblingsSure` nodes at least.
 */
export function replicaSet(state: KademliaState, key: Guid, count: number): NodeRef[] {
  const { self, siblings } = state
  const { edge } = siblings
  const known = [self, ...siblings.members].sort((a, b) => compareByXor(a.id, b.id, key))
  if (edge === undefined) return known.slice(0, count)
  const unknown = closestUnknown(self.id, edge, key)
  const certain = known.findIndex(({ id }) => compareByXor(id, unknown, key) >= 0)
  return known.slice(0, certain < 0 ? count : Math.min(count, certain))
}

/**
 * Of all ids that are at least as far from `self` as `edge` is, the one closest to `key`: whoever is closer to the key than this is known.
 *
 * Digit by digit, in bits: written as distances from `self`, the id wanted must not be less than `edge` and should differ little from `key`. While it equals the edge's
 * distance so far, a bit where the edge has a one must be one; where the edge has a zero, a one in the key's place sets it free, and from there on it is the key's own.
 */
export function closestUnknown(self: Guid, edge: Guid, key: Guid): Guid {
  let unknown = ''
  for (let i = 0; i < key.length; i++) {
    const [own, bound, wanted] = [valueOf(self, i), valueOf(edge, i) ^ valueOf(self, i), valueOf(key, i) ^ valueOf(self, i)]
    let digit = 0
    for (let bit = 8; bit > 0; bit >>= 1) {
      if ((bound & bit) !== 0) digit |= bit
      else if ((wanted & bit) !== 0) {
        digit |= bit | (wanted & (bit - 1))
        return (unknown + (digit ^ own).toString(16) + key.slice(i + 1)) as Guid
      }
    }
    unknown += (digit ^ own).toString(16)
  }
  return unknown as Guid
}

function valueOf(id: Guid, index: number): number {
  return parseInt(id.charAt(index), 16)
}
