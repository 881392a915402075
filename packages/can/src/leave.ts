import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import { nextVersion } from './claim.ts'
import type { Claim } from './claim.ts'
import type { Leave } from './messages.ts'
import type { CanState } from './state.ts'
import { everything, siblingOf } from './zone.ts'

/**
 * Who is to have a zone of a node that leaves (SIGCOMM 2001, §2.3): a neighbour with which it makes a valid zone, else the neighbour with the least. Undefined when there is no
 * neighbour.
 */
export function heirOf(state: CanState, { zone }: Claim): Guid | undefined {
  if (zone === everything) return undefined
  const sibling = siblingOf(zone)
  let best: Guid | undefined
  let bestDepth = -1
  for (const { ref, claims } of state.contacts.values()) {
    if (claims.length === 0) continue
    if (claims.some((claim) => claim.zone === sibling)) return ref.id
    const depth = Math.min(...claims.map((claim) => claim.zone.length))
    if (depth > bestDepth && claims.some((claim) => state.space.abut(claim.zone, zone))) {
      best = ref.id
      bestDepth = depth
    }
  }
  return best
}

/** A contact leaves. What of its zones is for this node, as it may claim it. */
export function onLeave(state: CanState, from: NodeRef, { claims, heirs }: Leave, _now: Millis): Claim[] {
  const owned = state.contacts.get(from.id)?.claims ?? []
  return claims
    .filter(({ zone }, i) => heirs[i] === state.self.id && owned.some((own) => own.zone === zone))
    .map((claim) => (claim.caretaker ? claim : { ...claim, version: nextVersion(claim.version) }))
}
