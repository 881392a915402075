import { isCloserOnRing } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Avoid, NextHop, NodeRef } from '@plaxton/kbr'
import { towardsNearest } from './nearest-of.ts'
import type { PastryState } from './state.ts'

/** Cursor of a message that has been routed by prefix so far. */
export const prefixMode = 0
/** Cursor of a message that has taken a leaf-set hop: from now on every hop must be numerically closer to the key. */
export const numericMode = 1

/** What is added to the mode in the cursor of a message that any of the `count` nodes closest to the key may stop. */
export function forNearestOf(count: number): number {
  return 2 * count
}

/**
 * Pastry's routing decision (Middleware 2001, §2.3), with two additions. {@link towardsNearest} goes first where another than the root will do. And a leaf-set hop is numeric and may shorten the shared prefix, from
 * 7ff… to 800…; were the next node free to go by prefix again, two nodes with stale leaf sets could send a message back and forth. So after
 * a leaf-set hop a message stays in numeric mode. Each hop makes strict progress: in prefix mode the shared prefix grows, or it stays
 * and the numeric distance shrinks; in numeric mode the distance shrinks.
 */
export function nextHop(state: PastryState, suspects: ReadonlySet<Guid>, key: Guid, cursor: number, avoid: Avoid): NextHop {
  const { leafSet, self } = state
  const mayUseAll = avoid.size === 0 && suspects.size === 0
  const mayUse = mayUseAll ? everybody : (ref: NodeRef) => !avoid.has(ref.id) && !suspects.has(ref.id)
  // It may be any number below 2^32, for strangers send it.
  const mode = cursor & 1
  const count = cursor >>> 1
  const inNumericMode = cursor - mode + numericMode

  if (count > 0) {
    const near = towardsNearest(state, key, count, mayUse)
    if (near !== undefined) return { action: 'forward', to: near, cursor: inNumericMode }
  }

  if (key === self.id || leafSet.covers(key)) {
    const root = key === self.id ? self : mayUseAll ? leafSet.closest(key) : leafSet.closestUsable(key, mayUse)
    if (root === undefined) return hold
    if (root !== self) return { action: 'forward', to: root, cursor: numericMode }
    return state.standing === 'member' ? deliver : hold
  }

  if (mode === prefixMode) {
    const entry = state.routingTable.towards(key)
    if (entry !== undefined && mayUse(entry)) return { action: 'forward', to: entry, cursor }
    const other = rareCase(state, key, mayUse)
    if (other !== undefined) return { action: 'forward', to: other, cursor }
  }
  // Beyond the leaf set's reach this node is nobody's root. In a whole network some member is closer, so this is a gap under repair.
  const closer = closestKnown(state, key, mayUse)
  if (closer !== undefined) return { action: 'forward', to: closer, cursor: inNumericMode }
  return hold
}

/** The slot for the key is empty: a node that shares as much with the key as this one and is closer to it; of these the best. */
function rareCase(state: PastryState, key: Guid, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  const shared = state.routingTable.rowOf(key)
  let best: NodeRef | undefined
  let bestShared = shared
  for (const ref of state.everybody()) {
    if (!mayUse(ref) || !isCloserOnRing(ref.id, state.self.id, key)) continue
    const refShared = state.sharedDigits(ref.id, key)
    if (refShared < bestShared) continue
    if (best === undefined || refShared > bestShared || isCloserOnRing(ref.id, best.id, key)) {
      best = ref
      bestShared = refShared
    }
  }
  return best
}

/** The numerically closest node of all tables that is closer to the key than this one. */
function closestKnown(state: PastryState, key: Guid, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  let best = state.self
  for (const ref of state.everybody()) {
    if (mayUse(ref) && isCloserOnRing(ref.id, best.id, key)) best = ref
  }
  return best === state.self ? undefined : best
}

const everybody = (): boolean => true
const deliver: NextHop = { action: 'deliver' }
const hold: NextHop = { action: 'hold' }
