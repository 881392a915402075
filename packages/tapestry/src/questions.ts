import { digitAt } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { compareOwnership } from './ownership.ts'
import type { TapestryState } from './state.ts'
import { slotNumber } from './state.ts'

/**
 * The first `count` nodes in the order of responsibility for `key`, as far as that is certain: everybody this node comes across from the key's first digit on, in its own group and
 * in sparse branches, until a branch it does not know in full. Empty when it comes to such a branch before itself and has not found `count` nodes; then it is
 * not among the first `siblingsMin`.
 */
export function replicaSet(state: TapestryState, key: Guid, count: number): NodeRef[] {
  const found: NodeRef[] = []
  collect(state, key, 0, count, found)
  return found.length >= count || found.includes(state.self) ? found.slice(0, count) : []
}

/**
 * Nodes to send a message for `key` to next, best first: the pointers of the slot that the next hop is chosen from, nearest first, then the others that stand before this one in
 * the order of responsibility, in that order.
 */
export function routeCandidates(state: TapestryState, key: Guid, count: number, safe: boolean): NodeRef[] {
  const { config, self } = state
  // The neighbour map follows proximity, which an adversary can court; siblings and cousins follow the ids alone.
  const known = safe ? state.neighbors() : state.everybody()
  const compare = (a: NodeRef, b: NodeRef): number => compareOwnership(a.id, b.id, key, config.digitBits)
  const before = known.filter((ref) => compare(ref, self) < 0).sort(compare)
  const [first] = before
  if (safe || first === undefined) return before.slice(0, count)
  // Whoever is first is beyond the slots that are empty: the one it would stand in is the next to be taken.
  return [...new Set([...state.map.slotFor(first.id), ...before])].slice(0, count)
}

/** The members of a branch beside this node's way down; undefined when this node may not know them all. */
export function knownBranch(state: TapestryState, level: number, digit: number): NodeRef[] | undefined {
  const { map, cousins, doubtful, config } = state
  const number = slotNumber(level, digit)
  const slot = map.slot(level, digit)
  if (slot.length === 0) return doubtful.has(number) ? undefined : []
  const branch = cousins.numbered(number)
  // All of a sparse branch are cousins, those in the map among them.
  const isSparse = branch.length > 0 && branch.length < config.siblingsMin && slot.every((ref) => cousins.has(ref.id))
  return isSparse ? branch : undefined
}

/** Appends those that share `level` digits with this node, in order. Returns whether to go on: nobody may be missing, and more are wanted. */
function collect(state: TapestryState, key: Guid, level: number, count: number, found: NodeRef[]): boolean {
  const { siblings, map, config } = state
  if (level >= siblings.level) {
    found.push(...siblings.first(key, level, count - found.length))
    return found.length < count
  }
  const base = map.base(level)
  const origin = digitAt(key, level, config.digitBits)
  for (let i = 0; i < base; i++) {
    const digit = (origin + i) % base
    if (digit === map.ownDigit(level)) {
      if (!collect(state, key, level + 1, count, found)) return false
      continue
    }
    const branch = knownBranch(state, level, digit)
    if (branch === undefined) return false
    found.push(...branch.sort((a, b) => compareOwnership(a.id, b.id, key, config.digitBits)))
    if (found.length >= count) return false
  }
  return true
}
