import { isCloserOnRing, ringDistance } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { replicaSet } from './questions.ts'
import { shareOfRing } from './share-of-ring.ts'
import type { PastryState } from './state.ts'

/**
 * The heuristic of Middleware 2001, §3.4 and figure 8, for messages that any of the `count` nodes closest to the key may stop. Prefixes lead into their midst, but past a near one whose prefix is
 * another. So this node chooses by proximity as soon as it can: among the closest themselves if its leaf set reaches as far, and before that among the nodes whose leaf sets should, by
 * the density of ids in its own.
 *
 * Undefined where routing goes on as ever: this node is one of the closest, or nobody it knows of should reach them. Otherwise a node closer to the key than this one.
 */
export function towardsNearest(state: PastryState, key: Guid, count: number, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  const closest = replicaSet(state, key, count)
  if (closest.includes(state.self)) return undefined
  const areAll = closest.length === count || state.leafSet.wholeRing
  return nearest(state, (areAll ? closest : [...closest, ...whoseLeafSetsReach(state, key)]).filter(mayUse))
}

/**
 * The nodes closer to the key than this one whose leaf sets should reach it. They need not hold all of the closest: to ask for that as well takes the choice away from many nodes that do, and the nearest
 * is found less often (61 % instead of 70 %, 700 nodes of `simulate -- pastry nearest`).
 */
function whoseLeafSetsReach(state: PastryState, key: Guid): NodeRef[] {
  const { leafSet, config, self } = state
  const reach = (config.leafSetSize / 2) * leafSet.spacing
  return state.everybody().filter(({ id }) => shareOfRing(ringDistance(id, key)) <= reach && isCloserOnRing(id, self.id, key))
}

/** Of those as near, and of those whose distance is unknown, the first. */
function nearest({ proximity }: PastryState, refs: readonly NodeRef[]): NodeRef | undefined {
  let best: NodeRef | undefined
  for (const ref of refs) if (best === undefined || proximity.orFar(ref.id) < proximity.orFar(best.id)) best = ref
  return best
}
