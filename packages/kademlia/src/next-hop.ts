import { compareByXor, digitAt, isCloserByXor, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Avoid, NextHop, NodeRef } from '@plaxton/kbr'
import type { KademliaState } from './state.ts'

/**
 * Kademlia walked recursively: to the closest node known that is strictly closer to the key than this one. XOR distances are never equal and every hop shrinks
 * them, so no message goes in circles, whatever anybody's table looks like.
 *
 * Who is closest of all is nearly always in the bucket for the key's distance range: everybody in it is closer than everybody else. Of those that are within
 * `proximityBits` bits of the closest, the nearest by round trip is taken.
 *
 * This node delivers when nobody it may use is closer, nobody it may not use (suspected, or tried in vain) is closer either, and no distance range in which somebody
 * closer would stand is in doubt. Otherwise the message waits.
 */
export function nextHop(state: KademliaState, suspects: ReadonlySet<Guid>, key: Guid, avoid: Avoid): NextHop {
  const { self } = state
  const mayUseAll = avoid.size === 0 && suspects.size === 0
  const mayUse = mayUseAll ? everybody : (ref: NodeRef): boolean => !avoid.has(ref.id) && !suspects.has(ref.id)
  if (key === self.id) return state.standing === 'member' ? deliver : hold

  const level = sharedPrefixBits(self.id, key)
  const inRange = state.atLevel(level)
  const closest = closestOf(inRange, key, mayUse)
  if (closest !== undefined) return { action: 'forward', to: nearOf(state, inRange, closest, key, mayUse), cursor: 0 }
  if (inRange.length > 0 || state.isDoubtful(level)) return detour(state, key, mayUse)
  return beyond(state, key, mayUse)
}

/** Nobody is in the key's own range: of the nearer ones, those that are closer to the key than this node. */
function beyond(state: KademliaState, key: Guid, mayUse: (ref: NodeRef) => boolean): NextHop {
  const { self } = state
  let best: Guid = self.id
  let to: NodeRef | undefined
  let passedOver = false
  for (const ref of state.everybody()) {
    if (!isCloserByXor(ref.id, best, key)) continue
    if (mayUse(ref)) [best, to] = [ref.id, ref]
    else passedOver = true
  }
  if (to !== undefined) return { action: 'forward', to, cursor: 0 }
  if (passedOver || state.standing !== 'member') return hold
  return mayBeCloser(state, key) ? hold : deliver
}

/** Those in the key's own range cannot be used, or nobody knows whether there is one: any that is closer than this node will know more. */
function detour(state: KademliaState, key: Guid, mayUse: (ref: NodeRef) => boolean): NextHop {
  const to = closestOf(
    state.everybody().filter((ref) => isCloserByXor(ref.id, state.self.id, key)),
    key,
    mayUse,
  )
  return to === undefined ? hold : { action: 'forward', to, cursor: 0 }
}

/** Whether there is a range in which somebody closer to the key would stand, and nobody is known, and that is in doubt. */
function mayBeCloser(state: KademliaState, key: Guid): boolean {
  for (let level = 0; level < state.siblings.sureLevel; level++) {
    if (digitAt(key, level, 1) !== digitAt(state.self.id, level, 1) && state.isDoubtful(level)) return true
  }
  return false
}

function closestOf(refs: readonly NodeRef[], key: Guid, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  let closest: NodeRef | undefined
  for (const ref of refs) {
    if (mayUse(ref) && (closest === undefined || isCloserByXor(ref.id, closest.id, key))) closest = ref
  }
  return closest
}

/** The nearest of those that share as many bits with the key as the closest, or hardly fewer. */
function nearOf(state: KademliaState, refs: readonly NodeRef[], closest: NodeRef, key: Guid, mayUse: (ref: NodeRef) => boolean): NodeRef {
  const shared = sharedPrefixBits(closest.id, key) - state.config.proximityBits
  let nearest = closest
  let least = state.distanceOf(closest.id)
  for (const ref of refs) {
    if (ref === closest || !mayUse(ref) || sharedPrefixBits(ref.id, key) < shared) continue
    const distance = state.distanceOf(ref.id)
    if (distance < least) [nearest, least] = [ref, distance]
  }
  return nearest
}

/**
 * Nodes to send a message for `key` to next, best first: the next hop, then the others that are closer than this node, the closest first. `safe`: the closest
 * first throughout, since round trips are what an adversary can court.
 */
export function routeCandidates(state: KademliaState, suspects: ReadonlySet<Guid>, key: Guid, count: number, safe: boolean): NodeRef[] {
  const closer = state
    .everybody()
    .filter((ref) => isCloserByXor(ref.id, state.self.id, key))
    .sort((a, b) => compareByXor(a.id, b.id, key))
  const next = safe ? undefined : nextHop(state, suspects, key, nobody)
  if (next?.action === 'forward') return [next.to, ...closer.filter((ref) => ref !== next.to)].slice(0, count)
  return closer.slice(0, count)
}

const everybody = (): boolean => true
const nobody: Avoid = new Set()
const deliver: NextHop = { action: 'deliver' }
const hold: NextHop = { action: 'hold' }
