import type { Guid } from '@plaxton/guid'
import type { Avoid, Millis, NextHop, NodeRef } from '@plaxton/kbr'
import type { Claim } from './claim.ts'
import type { Space } from './space.ts'
import { owns } from './state.ts'
import type { CanState } from './state.ts'
import { isSettled } from './territory.ts'
import { bitsOf } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * CAN's routing decision (SIGCOMM 2001, §2.2): greedily to a neighbour whose zones are nearer to the key's point than any of this node's own, until the point lies in one of them. Distances to
 * whole zones, not to their centres, make every hop strict progress: from the nearest point of a zone, the way on leads through a face into a neighbour that is nearer. So no message
 * goes round in circles, whatever the zones' sizes.
 *
 * Where zones are overloaded, distances are those to the zones that nodes share with their peers, and the message goes to the nearest of a zone's peers; within its own zone, to the peer whose key it is.
 *
 * Where no neighbour is nearer, because some are gone, one of the neighbours' neighbours may be: the first ring of the paper's expanding ring, which this node knows already.
 */
export function nextHop(state: CanState, suspects: ReadonlySet<Guid>, key: Guid, avoid: Avoid): NextHop {
  const bits = bitsOf(key)
  const own = state.territory.at(bits)
  if (own !== undefined) return state.standing === 'member' && isSettled(own) ? deliver : hold
  const mayUse = (ref: NodeRef): boolean => !avoid.has(ref.id) && !suspects.has(ref.id)

  const mark = state.atlas.at(bits)
  if (mark?.source === 'contact') {
    // It is the owner, or seems dead; then it is about to be found out who is.
    return mayUse(mark.node) ? forward(mark.node) : hold
  }
  const point = state.space.pointOf(bits)
  const candidates = candidatesOf(state)
  const best = greedyHop(
    state.space,
    point,
    state.reach,
    candidates.filter(({ ref }) => mayUse(ref)),
    state.config.rttWeighted === 1,
  )
  if (best !== undefined) return forward(best.ref)
  const further = secondRing(state, bits, point, distanceFrom(state, point)).find(mayUse)
  return further === undefined ? hold : forward(further)
}

/** Somebody to whom a message might go. */
export interface HopCandidate {
  readonly ref: NodeRef
  readonly zones: readonly Zone[]
  /** The round trip to it; undefined when it is not known. */
  readonly rttMs: Millis | undefined
}

/**
 * Of the candidates nearer to `point` than all zones of the one who asks, `own`, the nearest; or weighted, the one with the most progress by round trip (§3.3), in {@link Space.hopsLeft}. Who has no zones makes
 * no progress that could be weighted. Undefined when none is nearer.
 */
export function greedyHop<C extends HopCandidate>(
  space: Space,
  point: readonly number[],
  own: readonly Zone[],
  candidates: readonly C[],
  rttWeighted: boolean,
): C | undefined {
  const here = nearestZone(space, point, own)
  const from2 = here === undefined ? Infinity : space.distance2(point, here)
  const left = here === undefined ? 0 : space.hopsLeft(point, here, here)
  let best: C | undefined
  let bestValue = -Infinity
  for (const candidate of candidates) {
    const there = nearestZone(space, point, candidate.zones)
    if (there === undefined) continue
    const distance2 = space.distance2(point, there)
    if (distance2 >= from2) continue
    const value =
      rttWeighted && here !== undefined ? (left - space.hopsLeft(point, there, here)) / ((candidate.rttMs ?? unknownRttMs) + 1) : -distance2
    if (value > bestValue) {
      best = candidate
      bestValue = value
    }
  }
  return best
}

/** Nodes to send a message for `key` to next, best first: as {@link nextHop} chooses, then by distance. With `safe`, by distance alone, which nobody can court by being near. */
export function routeCandidates(state: CanState, suspects: ReadonlySet<Guid>, key: Guid, count: number, safe: boolean): NodeRef[] {
  const bits = bitsOf(key)
  const point = state.space.pointOf(bits)
  const isOwner = state.territory.at(bits) !== undefined
  const from = isOwner ? Infinity : distanceFrom(state, point)
  const first = safe || isOwner ? undefined : nextHop(state, suspects, key, nobody)
  const chosen = first?.action === 'forward' ? first.to : undefined
  const mark = state.atlas.at(bits)
  const nearer = candidatesOf(state)
    // In a zone that it shares with this node, the owner alone is nearer.
    .map(({ ref, zones }) => ({
      ref,
      distance2: ref.id === mark?.node.id ? -1 : least(zones.map((zone) => state.space.distance2(point, zone))),
    }))
    .filter(({ ref, distance2 }) => distance2 < from && ref.id !== chosen?.id && !suspects.has(ref.id))
    .sort((a, b) => a.distance2 - b.distance2 || (a.ref.id < b.ref.id ? -1 : 1))
  return [...(chosen === undefined ? [] : [chosen]), ...nearer.map(({ ref }) => ref)].slice(0, count)
}

/** Square of the distance from a point to the nearest own zone; without zones, from nowhere. */
export function distanceFrom({ reach, space }: CanState, point: readonly number[]): number {
  return least(reach.map((zone) => space.distance2(point, zone)))
}

/** All contacts, whether they may be used or not. */
export function candidatesOf({ contacts, proximity }: CanState): HopCandidate[] {
  return [...contacts.values()].map(({ ref, claims, shared }) => ({
    ref,
    zones: shared.length > 0 ? shared : zonesOf(claims),
    rttMs: proximity.of(ref.id),
  }))
}

/** Contacts of contacts that are nearer to the point than this node, the owner first, then the nearest. */
function secondRing(state: CanState, bits: string, point: readonly number[], from: number): NodeRef[] {
  const found = new Map<Guid, { readonly ref: NodeRef; readonly distance2: number }>()
  for (const { others } of state.contacts.values()) {
    for (const { node, claims } of others) {
      if (node.id === state.self.id || state.contacts.has(node.id) || state.failed.has(node.id)) continue
      const distance2 = owns(claims, bits) ? -1 : least(zonesOf(claims).map((zone) => state.space.distance2(point, zone)))
      if (distance2 < from && !((found.get(node.id)?.distance2 ?? Infinity) <= distance2)) found.set(node.id, { ref: node, distance2 })
    }
  }
  return [...found.values()].sort((a, b) => a.distance2 - b.distance2 || (a.ref.id < b.ref.id ? -1 : 1)).map(({ ref }) => ref)
}

function zonesOf(claims: readonly Claim[]): Zone[] {
  return claims.map(({ zone }) => zone)
}

function nearestZone(space: Space, point: readonly number[], zones: readonly Zone[]): Zone | undefined {
  if (zones.length === 1) return zones[0]
  let nearest: Zone | undefined
  let nearest2 = Infinity
  for (const zone of zones) {
    const distance2 = space.distance2(point, zone)
    if (distance2 >= nearest2) continue
    nearest = zone
    nearest2 = distance2
  }
  return nearest
}

function least(numbers: readonly number[]): number {
  let result = Infinity
  for (const number of numbers) if (number < result) result = number
  return result
}

function forward(to: NodeRef): NextHop {
  return { action: 'forward', to, cursor: 0 }
}

const deliver: NextHop = { action: 'deliver' }
const hold: NextHop = { action: 'hold' }
const nobody: Avoid = new Set()
/** Our guess: a peer that nobody has measured is as far as one on another continent. */
const unknownRttMs = 200
