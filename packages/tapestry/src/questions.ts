import { digitAt } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { compareOwnership } from './ownership.ts'
import type { TapestryState } from './state.ts'
import { slotNumber } from './state.ts'

/**
 * The first `count` nodes in the order of responsibility for `key`, as far as that is certain: when the key's root is in this node's sibling group,
 * the group in order; otherwise nobody.
 */
export function replicaSet(state: TapestryState, key: Guid, count: number): NodeRef[] {
  if (!isOfGroup(state, key)) return []
  const certain = state.siblings.ranked(key).filter((ref) => state.siblings.shared(ref.id) >= state.siblings.level)
  return certain.slice(0, count)
}

/** Nodes to send a message for `key` to next, best first: those that stand before this one in the order of responsibility. */
export function routeCandidates(state: TapestryState, key: Guid, count: number, safe: boolean): NodeRef[] {
  const { config, self } = state
  // The neighbour map follows proximity, which an adversary can court; the sibling group follows the ids alone.
  const known = safe ? state.siblings.refs() : state.everybody()
  const compare = (a: NodeRef, b: NodeRef): number => compareOwnership(a.id, b.id, key, config.digitBits)
  return known
    .filter((ref) => compare(ref, self) < 0)
    .sort(compare)
    .slice(0, count)
}

/** Whether on every level before the group's own the digits lead here: the key's root is one of the group. */
function isOfGroup(state: TapestryState, key: Guid): boolean {
  for (let level = 0; level < state.siblings.level; level++) {
    if (!firstDigits(state, level).includes(digitAt(key, level, state.config.digitBits))) return false
  }
  return true
}

/** Digits of keys that lead to this node's own digit on this level: its own, and those before it whose slots are empty for certain. */
export function firstDigits(state: TapestryState, level: number): number[] {
  const { map, doubtful } = state
  const base = map.base(level)
  const own = map.ownDigit(level)
  const digits = [own]
  for (let digit = (own - 1 + base) % base; digit !== own; digit = (digit - 1 + base) % base) {
    if (map.slot(level, digit).length > 0 || doubtful.has(slotNumber(level, digit))) break
    digits.push(digit)
  }
  return digits
}
