import { compareClockwise, inOpen, inOpenClosed } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import type { ChordState } from './state.ts'

/** The owner of `key` and the nodes after it, clockwise, at most `count`; only as far as these are certain. */
export function replicaSet(state: ChordState, key: Guid, count: number): NodeRef[] {
  const { lists } = state
  const chain = lists.chain()
  if (lists.whole) return chain.sort((a, b) => compareClockwise(a.id, b.id, key)).slice(0, count)
  const owner = lists.ownerOf(key)
  if (owner === undefined || (owner === state.self && !lists.owns(key))) return []
  const first = chain.indexOf(owner)
  return chain.slice(first, first + count)
}

/** The keys for which `node` is the `rank`-th: those between the nodes rank + 1 and rank places before it. One interval, whatever `lkey`. */
export function keyRange(state: ChordState, node: NodeRef, rank: number): KeyRange | undefined {
  const { lists } = state
  if (rank === 0 && node.id === state.self.id) return { from: lists.ownedFrom, to: node.id }
  const chain = lists.chain()
  const at = chain.findIndex((ref) => ref.id === node.id)
  if (at < 0 || rank < 0 || (lists.whole && rank >= chain.length)) return undefined
  const before = (places: number): Guid | undefined => {
    const index = at - places
    return (lists.whole ? chain[(index + chain.length) % chain.length] : chain[index])?.id
  }
  const [from, to] = [before(rank + 1), before(rank)]
  return from === undefined || to === undefined ? undefined : { from, to }
}

/** Nodes to send a message for `key` to next, best first. */
export function routeCandidates(state: ChordState, key: Guid, count: number, safe: boolean): NodeRef[] {
  const { lists, self, fingers, proximity } = state
  if (lists.ownerOf(key) !== undefined) {
    const owners = replicaSet(state, key, count + 1)
    return owners.filter((ref) => ref !== self).slice(0, count)
  }
  // Fingers and lists follow from the ids alone. Proximity, which an adversary can court, chooses among the nodes of a finger; safe candidates go without it.
  const preceding = state.everybody().filter((ref) => inOpen(ref.id, self.id, key))
  preceding.sort((a, b) => compareClockwise(b.id, a.id, self.id))
  const nearest = safe ? undefined : fingers.preceding(key, () => true, proximity)
  if (nearest === undefined || !inOpenClosed(nearest.id, lists.successors.furthest?.id ?? self.id, key)) return preceding.slice(0, count)
  return [nearest, ...preceding.filter((ref) => ref.id !== nearest.id)].slice(0, count)
}
