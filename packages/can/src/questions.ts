import { predecessorGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import type { Claim } from './claim.ts'
import type { CanState } from './state.ts'
import { bitsOf, everything, firstKey, lastKey } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * The nodes responsible for `key` in the order of the trie of halvings, the owner of its zone first, at most `count`; only as far as this node knows the trie. At the owner, and at
 * everybody among the first, that is `groupMin` nodes. A node that is gone has no rank, for whoever takes its zone over is one of the others as a rule; but who is first is open while nobody has
 * taken over the zone with the key.
 */
export function replicaSet(state: CanState, key: Guid, count: number): NodeRef[] {
  const found: NodeRef[] = []
  if (count === 0) return found
  for (const mark of state.atlas.inOrder(bitsOf(key))) {
    const isGone = mark?.source === 'ghost' || (mark !== undefined && state.failed.hasIncarnation(mark.node))
    if (mark === undefined || (isGone && found.length === 0)) break
    if (isGone || found.some(({ id }) => id === mark.node.id)) continue
    found.push(mark.node)
    if (found.length === count) break
  }
  return found
}

/**
 * The keys that `node` owns, as the first zone of it at or after `lkey`, with those that follow it directly. Of other ranks than 0 it is not known: they are many small intervals, and nobody
 * has needed them.
 */
export function keyRange(state: CanState, node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
  if (rank !== 0) return undefined
  const claims: readonly Claim[] | undefined = node.id === state.self.id ? state.territory.holdings : state.contacts.get(node.id)?.claims
  if (claims === undefined || claims.length === 0) return undefined
  const ranges = intervals(
    claims.map(({ zone }) => zone),
    state.self.id.length,
  )
  const around = ranges.find(({ first, last }) => (first <= last ? first <= lkey && lkey <= last : lkey >= first || lkey <= last))
  const next = around ?? ranges.find(({ first }) => first > lkey) ?? ranges[0]!
  return { from: predecessorGuid(next.first), to: next.last }
}

interface Interval {
  readonly first: Guid
  readonly last: Guid
}

/** Zones as intervals of keys, ascending; those that follow each other directly as one. */
function intervals(zones: readonly Zone[], length: number): Interval[] {
  const found: Interval[] = []
  for (const zone of zones.toSorted((a, b) => (firstKey(a, length) < firstKey(b, length) ? -1 : 1))) {
    const [first, last] = [firstKey(zone, length), lastKey(zone, length)]
    const before = found.at(-1)
    if (before !== undefined && predecessorGuid(first) === before.last) found[found.length - 1] = { first: before.first, last }
    else found.push({ first, last })
  }
  // Around the end of the key space.
  const [head, tail] = [found[0]!, found.at(-1)!]
  const wraps = found.length > 1 && head.first === firstKey(everything, length) && tail.last === lastKey(everything, length)
  return wraps ? [...found.slice(1, -1), { first: tail.first, last: head.last }] : found
}
