import type { Guid } from '@plaxton/guid'
import type { Avoid, NextHop, NodeRef } from '@plaxton/kbr'
import type { ChordState } from './state.ts'

/** Cursor of a message on its way up to its key. */
export const before = 0
/** Cursor of a message that was sent to the owner of its key: if that one knows a node between the key and itself, it goes back. */
export const behind = 1

/**
 * Chord's routing decision (ToN 2003, §4.3 and §4.6). A key between the furthest predecessor and the furthest successor goes to the first node at or after it at once;
 * any other to a node that precedes it, of the furthest finger that does, and among that finger's successors to the nearest by round trip.
 *
 * The paper's messages only go clockwise; one that has passed its key, because somebody did not know of the owner yet, would go once more round the ring. Here it goes
 * back through the predecessors. Every hop makes strict progress: `before` the key, the way up to it becomes shorter; `behind` it, the way back.
 */
export function nextHop(state: ChordState, suspects: ReadonlySet<Guid>, key: Guid, cursor: number, avoid: Avoid): NextHop {
  const { lists, self } = state
  if (lists.owns(key)) return state.standing === 'member' ? deliver : hold
  const mayUse = avoid.size === 0 && suspects.size === 0 ? anybody : (ref: NodeRef) => !avoid.has(ref.id) && !suspects.has(ref.id)
  const owner = lists.ownerOf(key)
  if (owner !== undefined) return owner !== self && mayUse(owner) ? { action: 'forward', to: owner, cursor: behind } : hold
  const next = cursor === behind ? furthestBack(state, mayUse) : closestPreceding(state, key, mayUse)
  return next === undefined ? hold : { action: 'forward', to: next, cursor: cursor === behind ? behind : before }
}

/** Beyond the successor list, so all successors precede the key. */
function closestPreceding(state: ChordState, key: Guid, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  const { lists, fingers, proximity } = state
  const successor = lists.successors.members.findLast(mayUse)
  const finger = fingers.preceding(key, mayUse, proximity)
  if (finger === undefined) return successor
  return successor !== undefined && lists.successors.isNearer(finger.id, successor.id) ? successor : finger
}

function furthestBack(state: ChordState, mayUse: (ref: NodeRef) => boolean): NodeRef | undefined {
  return state.lists.predecessors.members.findLast(mayUse)
}

const anybody = (): boolean => true
const deliver: NextHop = { action: 'deliver' }
const hold: NextHop = { action: 'hold' }
