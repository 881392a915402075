import { compareOnRing, halfway, inOpenClosed, isCloserOnRing, predecessorGuid, successorGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import type { PastryState } from './state.ts'

/**
 * The nodes numerically closest to `key`, closest first, at most `count`; of the leaf set and this node, and only as far as these
 * are certain to be the closest. At the root that is |L|/2 + 1 nodes at least.
 */
export function replicaSet(state: PastryState, key: Guid, count: number): NodeRef[] {
  const chain = state.leafSet.chain()
  if (state.leafSet.wholeRing) return chain.sort((a, b) => compareOnRing(a.id, b.id, key)).slice(0, count)
  const nearest = closestIndex(chain, key)
  if (!state.leafSet.covers(key)) return []

  // From the closest outwards on both sides; beyond the ends of the chain there are nodes this one does not know.
  const closest = [chain[nearest]!]
  let before = nearest - 1
  let after = nearest + 1
  while (closest.length < count && before >= 0 && after < chain.length) {
    closest.push(isCloserOnRing(chain[before]!.id, chain[after]!.id, key) ? chain[before--]! : chain[after++]!)
  }
  return closest.slice(0, count)
}

/**
 * The keys for which `node` is the `rank`-th closest, as the first such interval at or after `lkey`. The keys for which it is among the
 * rank + 1 closest end halfway to the nodes rank + 1 places away on either side; those for which it is among the `rank` closest are left
 * out in the middle.
 */
export function keyRange(state: PastryState, node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
  const chain = state.leafSet.chain()
  const at = chain.findIndex((ref) => ref.id === node.id)
  if (at < 0 || rank < 0) return undefined
  const { wholeRing } = state.leafSet
  if (wholeRing && rank >= chain.length) return undefined
  const place = (offset: number): Guid | undefined => {
    const index = at + offset
    return (wholeRing ? chain[(index + chain.length) % chain.length] : chain[index])?.id
  }
  const outerLeft = place(-rank - 1)
  const outerRight = place(rank + 1)
  if (outerLeft === undefined || outerRight === undefined) return undefined
  const outer: KeyRange = { from: lastKeyOf(outerLeft, node.id), to: lastKeyOf(node.id, outerRight) }
  if (rank === 0) return outer
  const left: KeyRange = { from: outer.from, to: lastKeyOf(place(-rank)!, node.id) }
  const right: KeyRange = { from: lastKeyOf(node.id, place(rank)!), to: outer.to }
  return firstAtOrAfter([left, right], lkey)
}

/** Nodes to send a message for `key` to next, best first. */
export function routeCandidates(state: PastryState, key: Guid, count: number, safe: boolean): NodeRef[] {
  const { leafSet, self } = state
  if (leafSet.covers(key))
    return replicaSet(state, key, count + 1)
      .filter((ref) => ref !== self)
      .slice(0, count)
  // The routing table follows proximity, which an adversary can court; leaf sets follow the ids alone.
  const known = safe ? [...leafSet.members] : state.everybody()
  const shared = new Map(known.map((ref) => [ref.id, safe ? 0 : state.sharedDigits(ref.id, key)]))
  return known
    .filter((ref) => isCloserOnRing(ref.id, self.id, key) || shared.get(ref.id)! > state.sharedDigits(self.id, key))
    .sort((a, b) => shared.get(b.id)! - shared.get(a.id)! || compareOnRing(a.id, b.id, key))
    .slice(0, count)
}

/** Of two neighbours on the ring, the last key clockwise that is closer to the first. A tie goes to the second, which is clockwise of it. */
function lastKeyOf(a: Guid, b: Guid): Guid {
  return successorGuid(a) === b ? a : a === b ? halfway(a, b) : halfway(a, predecessorGuid(b))
}

function firstAtOrAfter(ranges: readonly KeyRange[], lkey: Guid): KeyRange | undefined {
  const filled = ranges.filter(({ from, to }) => from !== to)
  const around = filled.find(({ from, to }) => inOpenClosed(lkey, from, to))
  if (around !== undefined || filled.length < 2) return around ?? filled[0]
  const [a, b] = filled as [KeyRange, KeyRange]
  return inOpenClosed(a.to, lkey, b.to) ? a : b
}

function closestIndex(chain: readonly NodeRef[], key: Guid): number {
  let best = 0
  for (let i = 1; i < chain.length; i++) if (isCloserOnRing(chain[i]!.id, chain[best]!.id, key)) best = i
  return best
}
