import { digitAt } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Avoid, NextHop, NodeRef } from '@plaxton/kbr'
import { replicaSet } from './questions.ts'
import type { TapestryState } from './state.ts'
import { slotNumber } from './state.ts'

/**
 * NEXTHOP of the paper (JSAC 2004, Fig. 3): at each level the key's digit, or cyclically the next whose slot is not empty (surrogate routing); when that is
 * this node's own digit, the next level; after the last level this node is the root. `cursor` is the number of digits resolved so far.
 *
 * With one addition. Levels before the cursor were resolved by nodes whose maps may have been different; they are looked at again. So every hop goes to a node that
 * stands strictly before this one in the order of responsibility (`ownership.ts`), whatever anybody's map looks like, and there is no loop; and a root is one by
 * its own map on all levels. The cursor only says which level is expected to be next.
 *
 * A slot that is not empty is never passed by: when none of its pointers may be used, or nobody can say yet whether it is empty, the message waits. To go
 * on to the next digit would make a second root.
 */
export function nextHop(state: TapestryState, suspects: ReadonlySet<Guid>, key: Guid, _cursor: number, avoid: Avoid): NextHop {
  const { map, doubtful } = state
  const end = doubtful.size === 0 ? map.depth : map.digits
  for (let level = 0; level < end; level++) {
    const choice = choose(state, suspects, key, level, avoid)
    if (choice === 'stay') continue
    if (choice === 'hold') return hold
    return { action: 'forward', to: choice, cursor: level + 1 }
  }
  if (state.standing === 'leaving') return toHeir(state, suspects, key, avoid)
  return state.standing === 'member' ? deliver : hold
}

/**
 * A node that leaves is root of nothing: the next in the order of responsibility is, from the moment it has said that this node is out of its tables; until
 * then it would send the message back.
 */
function toHeir(state: TapestryState, suspects: ReadonlySet<Guid>, key: Guid, avoid: Avoid): NextHop {
  const heir = replicaSet(state, key, 2).find((ref) => ref.id !== state.self.id)
  if (heir === undefined) return state.everybody().length === 0 ? deliver : hold
  const isFit = !avoid.has(heir.id) && !suspects.has(heir.id) && !state.unconfirmed.has(heir.id)
  return isFit ? { action: 'forward', to: heir, cursor: 0 } : hold
}

function choose(state: TapestryState, suspects: ReadonlySet<Guid>, key: Guid, level: number, avoid: Avoid): NodeRef | 'stay' | 'hold' {
  const { map } = state
  const base = map.base(level)
  const own = map.ownDigit(level)
  for (let digit = digitAt(key, level, map.digitBits); digit !== own; digit = (digit + 1) % base) {
    const slot = map.slot(level, digit)
    if (slot.length > 0) {
      for (const ref of slot) if (!avoid.has(ref.id) && !suspects.has(ref.id)) return ref
      return anySibling(state, suspects, slot[0]!, level, avoid) ?? 'hold'
    }
    if (state.doubtful.size > 0 && state.doubtful.has(slotNumber(level, digit))) return 'hold'
  }
  return 'stay'
}

/** The pointers of a slot cannot be used; siblings who would fit there may. */
function anySibling(state: TapestryState, suspects: ReadonlySet<Guid>, example: NodeRef, level: number, avoid: Avoid): NodeRef | undefined {
  if (level < state.siblings.floor) return undefined
  return state.siblings.within(example.id, level + 1).find((ref) => !avoid.has(ref.id) && !suspects.has(ref.id))
}

const deliver: NextHop = { action: 'deliver' }
const hold: NextHop = { action: 'hold' }
