import { digitAt, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { differences, membersOf, name } from './overlay-checks.ts'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/** What can be seen of a node's neighbour map: slot (level, digit) is for nodes whose id starts with its own first `level` digits and then `digit`. */
export interface NeighborMapView {
  slot(level: number, digit: number): readonly NodeRef[]
}

interface MapOptions {
  readonly digitBits: number
  readonly mapOf: (node: SimNode) => NeighborMapView
}

/**
 * No false hole (JSAC 2004, property 1): after quiet, a slot of a member's neighbour map is empty only if there is no member with that prefix. Entries that
 * are not members do not fill a slot.
 */
export function checkHoles(simulation: Simulation, violations: Violations, options: MapOptions): void {
  for (const { node, level, digit, example, entries, isFilled } of slotsOf(simulation, options)) {
    if (isFilled) continue
    const what = entries === 0 ? 'is empty' : `has only ${entries} that are gone`
    violations.add(
      'no false hole',
      simulation.now,
      `slot ${level}/${digit.toString(16)} of ${name(node)} ${what}; ${example} would fill it`,
    )
  }
}

/** Slots that hold somebody in perfect maps, of all members together, and how many of them hold a member in their own. */
export function countSlots(simulation: Simulation, options: MapOptions): { readonly ideal: number; readonly filled: number } {
  const slots = [...slotsOf(simulation, options)]
  return { ideal: slots.length, filled: slots.filter(({ isFilled }) => isFilled).length }
}

/** A slot that there is a member for. */
interface NeededSlot {
  readonly node: SimNode
  readonly level: number
  readonly digit: number
  /** A member that would fill it. */
  readonly example: Guid
  readonly entries: number
  /** By a member. */
  readonly isFilled: boolean
}

function* slotsOf(simulation: Simulation, { digitBits, mapOf }: MapOptions): Generator<NeededSlot> {
  const { members } = simulation
  const isMember = (ref: NodeRef) => members.of(ref.id)?.self.epoch === ref.epoch
  for (const node of membersOf(simulation)) {
    const map = mapOf(node)
    for (const [level, digits] of neededSlots(node.id, members.sorted, digitBits).entries()) {
      for (const [digit, example] of digits ?? []) {
        const slot = map.slot(level, digit)
        yield { node, level, digit, example, entries: slot.length, isFilled: slot.some(isMember) }
      }
    }
  }
}

/**
 * After quiet, a node's neighbour set holds its sibling group: all members that share its first g digits, with the largest g for which they are at least
 * `siblingsMin` (all members when there are fewer); those with the longest common prefix first. Beside them it may hold cousins, who have this node in their
 * group, and nobody else.
 */
export function checkSiblings(
  simulation: Simulation,
  violations: Violations,
  options: { readonly digitBits: number; readonly siblingsMin: number },
): void {
  const { members } = simulation
  const shared = (a: Guid, b: Guid) => sharedPrefixDigits(a, b, options.digitBits)
  const levels = new Map(members.sorted.map((id) => [id, groupLevel(id, members.sorted, shared, options.siblingsMin)]))
  for (const node of membersOf(simulation)) {
    const found = node.kbr.overlay.neighborSet(members.size).map((ref) => ref.id)
    const isSibling = (id: Guid) => id !== node.id && shared(node.id, id) >= levels.get(node.id)!
    const isCousin = (id: Guid) => id !== node.id && shared(node.id, id) >= (levels.get(id) ?? Infinity)
    const wanted = members.sorted.filter((id) => isSibling(id) || (found.includes(id) && isCousin(id)))
    const unordered = found.some((id, i) => i > 0 && shared(node.id, id) > shared(node.id, found[i - 1]!))
    const difference = differences(wanted, found) || (unordered ? 'has them in the wrong order' : '')
    if (difference !== '') violations.add('sibling groups exact', simulation.now, `${name(node)} ${difference}`)
  }
}

/** By level: the digits for which there is a node, each with such a node. */
function neededSlots(self: Guid, ids: readonly Guid[], digitBits: number): Array<Map<number, Guid> | undefined> {
  const levels: Array<Map<number, Guid>> = []
  for (const id of ids) {
    if (id === self) continue
    const level = sharedPrefixDigits(self, id, digitBits)
    const digits = (levels[level] ??= new Map())
    digits.set(digitAt(id, level, digitBits), id)
  }
  return levels
}

/** g: how many digits the group of `id` shares. */
function groupLevel(id: Guid, ids: readonly Guid[], shared: (a: Guid, b: Guid) => number, least: number): number {
  const prefixes = ids.filter((other) => other !== id).map((other) => shared(id, other))
  // Itself and the least - 1 that share most; with fewer nodes than that, the group of all.
  return prefixes.sort((a, b) => b - a)[least - 2] ?? 0
}
