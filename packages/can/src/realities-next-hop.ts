import type { Guid } from '@plaxton/guid'
import type { Avoid, NextHop, NodeRef } from '@plaxton/kbr'
import { candidatesOf, distanceFrom, greedyHop, nextHop } from './next-hop.ts'
import type { Twins } from './realities-twins.ts'
import type { CanState } from './state.ts'
import { bitsOf } from './zone.ts'

/** What one node knows in order to decide. */
export interface RealitiesView {
  /** One for each reality; the first is the one whose owners are the roots. */
  readonly states: readonly CanState[]
  readonly twins: Pick<Twins, 'at'>
  readonly suspects: ReadonlySet<Guid>
}

/** The cursor of a message that goes on in one reality only, and is for the owner in reality 0 all the same. */
export const pinnedTo = (reality: number): number => 1 + reality

/** The cursor of what is for the owner of the key's point in this reality of so many, whoever the root may be: a join. */
export const ownWay = (reality: number, realities: number): number => 1 + realities + reality

/**
 * The routing decision with several realities (SIGCOMM 2001, §3.2): each node looks at all its neighbours in all of them and sends the message to the one that is nearest to the key's point in
 * any. A key has one root, its owner in reality 0. A message that comes to the owner in another has one hop more before it, to the owner's twin.
 *
 * No message goes in circles. While it may use all realities (cursor 0), the least distance to the point in any of them shrinks with each hop. Where no neighbour is nearer, because some are gone,
 * or the twin is not known, it goes on in one reality alone (cursor 1 + its number), where its distance shrinks; and from there only in one of a lower number, at last in reality 0. To a twin, who need not be
 * what it was, it goes once at most, and from there in reality 0.
 */
export function realitiesNextHop({ states, twins, suspects }: RealitiesView, key: Guid, cursor: number, avoid: Avoid): NextHop {
  const [roots, count] = [states[0]!, states.length]
  const own = states[cursor - ownWay(0, count)]
  if (own !== undefined) return withCursor(nextHop(own, suspects, key, avoid), cursor)
  const mayUse = (ref: NodeRef): boolean => !avoid.has(ref.id) && !suspects.has(ref.id)
  const bits = bitsOf(key)

  const within = (reality: number): NextHop => withCursor(nextHop(states[reality]!, suspects, key, avoid), pinnedTo(reality))
  if (roots.territory.at(bits) !== undefined || roots.atlas.at(bits)?.source === 'contact') return within(0)
  const twin = cursor === pinnedTo(0) ? undefined : twins.at(bits)
  if (twin !== undefined && mayUse(twin)) return withCursor(forward(twin), pinnedTo(0))

  const isOwner = states.some(({ territory }) => territory.at(bits) !== undefined)
  if (cursor === 0 && !isOwner) {
    const next = nearestInAny(states, key, bits, mayUse)
    if (next !== undefined) return withCursor(forward(next), 0)
  }
  for (const reality of isOwner ? [] : alternatives(states, key, cursor)) {
    const next = within(reality)
    if (next.action === 'forward') return next
  }
  return within(0)
}

/** The neighbour to go to, of those of all realities: the owner of the point in one of them if it is known, else by {@link greedyHop}. */
function nearestInAny(states: readonly CanState[], key: Guid, bits: string, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  for (const { atlas } of states) {
    const mark = atlas.at(bits)
    if (mark?.source === 'contact' && mayUse(mark.node)) return mark.node
  }
  const { space, config } = states[0]!
  const point = space.pointOf(bits)
  const own = states.flatMap(({ reach }) => reach)
  const candidates = states.flatMap((state) => candidatesOf(state).filter(({ ref }) => mayUse(ref)))
  return greedyHop(space, point, own, candidates, config.rttWeighted === 1)?.ref
}

/** In which realities a message may go on that is stuck: in the one it keeps to, then in those of lower numbers, the nearest first. */
function alternatives(states: readonly CanState[], key: Guid, cursor: number): number[] {
  const point = states[0]!.space.pointOf(bitsOf(key))
  const kept = cursor > 0 && cursor <= states.length ? cursor - 1 : undefined
  const allowed = cursor === 0 ? states : states.slice(0, kept ?? 1)
  const sorted = allowed
    .map((state, reality) => ({ reality, distance2: distanceFrom(state, point) }))
    .sort((a, b) => a.distance2 - b.distance2 || a.reality - b.reality)
    .map(({ reality }) => reality)
  return kept === undefined ? sorted : [kept, ...sorted]
}

function forward(to: NodeRef): NextHop {
  return { action: 'forward', to, cursor: 0 }
}

function withCursor(next: NextHop, cursor: number): NextHop {
  return next.action === 'forward' ? { ...next, cursor } : next
}
