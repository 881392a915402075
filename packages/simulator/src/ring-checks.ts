import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { differences, membersOf, name } from './overlay-checks.ts'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/** A node's own neighbours on the ring, nearest first. */
export interface RingView {
  readonly successors: readonly NodeRef[]
  readonly predecessors: readonly NodeRef[]
}

/** How long the lists are in a ring with enough members, and where to look at them. */
export interface RingCheck {
  readonly successors: number
  readonly predecessors: number
  viewOf(node: SimNode): RingView
}

/**
 * After quiet there is exactly one cycle of first successors, in the order of the ids, and every member is on it (Zave). Every successor list and every list of
 * predecessors holds the next members in that direction, in order and without gaps.
 */
export function checkRing(simulation: Simulation, violations: Violations, check: RingCheck): void {
  checkCycle(simulation, violations, check)
  const { members, now } = simulation
  for (const node of membersOf(simulation)) {
    const { successors, predecessors } = check.viewOf(node)
    const wrong = [
      difference('successors', members.successors(node.id, check.successors), successors),
      difference('predecessors', members.predecessors(node.id, check.predecessors), predecessors),
    ]
    for (const what of wrong) if (what !== '') violations.add('lists exact', now, `${name(node)} ${what}`)
  }
}

function checkCycle(simulation: Simulation, violations: Violations, check: RingCheck): void {
  const nodes = new Map(membersOf(simulation).map((node) => [node.id, node]))
  const [first] = nodes.values()
  const seen = new Set<Guid>()
  let wraps = 0
  for (let at = first; at !== undefined && !seen.has(at.id);) {
    seen.add(at.id)
    const next: Guid = check.viewOf(at).successors[0]?.id ?? at.id
    if (next <= at.id) wraps++
    at = nodes.get(next)
  }
  const fail = (why: string) => violations.add('one ordered cycle', simulation.now, why)
  if (seen.size < nodes.size) {
    const lost = [...nodes.keys()].filter((id) => !seen.has(id)).map(shortGuid)
    fail(
      `the cycle through ${first === undefined ? 'nobody' : name(first)} has ${seen.size} of ${nodes.size} members; not ${lost.join(', ')}`,
    )
  } else if (wraps > 1) fail(`the cycle goes ${wraps} times round the ring`)
}

function difference(what: string, wanted: readonly Guid[], found: readonly NodeRef[]): string {
  const ids = found.map((ref) => ref.id)
  if (wanted.join() === ids.join()) return ''
  return `${what}: ${differences(wanted, ids) || 'in the wrong order'}`
}
