import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { differences, membersOf, name } from './overlay-checks.ts'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/** What can be seen of a node's k-buckets: those that share exactly `level` bits with it. */
export interface BucketsView {
  bucket(level: number): { readonly contacts: ReadonlyArray<{ readonly ref: NodeRef }> } | undefined
}

/**
 * Kademlia's geometry. After quiet, a neighbour set holds exactly the nodes with the least XOR distances: as many as the list has places, and all of the smallest subtree around the
 * node that has at least `least` members, itself included. And no bucket is without a member while there is one in its range.
 */
export function checkSiblingLists(
  simulation: Simulation,
  violations: Violations,
  options: { readonly least: number; readonly places: number; readonly bucketsOf: (node: SimNode) => BucketsView },
): void {
  const { members } = simulation
  const numbers = new Map(members.sorted.map((id) => [id, BigInt(`0x${id}`)]))
  const isMember = (ref: NodeRef) => members.of(ref.id)?.self.epoch === ref.epoch
  for (const node of membersOf(simulation)) {
    const own = numbers.get(node.id)!
    const distances = new Map(members.sorted.map((id) => [id, numbers.get(id)! ^ own]))
    const order = members.sorted.filter((id) => id !== node.id).sort((a, b) => (distances.get(a)! < distances.get(b)! ? -1 : 1))
    const bits = (id: Guid) => distances.get(id)!.toString(2).length
    // The subtree that holds this node and the least - 1 next: all whose distances have no more bits than that of the last of these.
    const last = order[options.least - 2]
    const group = last === undefined ? order.length : order.filter((id) => bits(id) <= bits(last)).length
    const wanted = order.slice(0, Math.min(2 * options.places, Math.max(options.places, group)))
    const found = node.kbr.overlay.neighborSet(members.size).map((ref) => ref.id)
    const difference = differences(wanted, found) || (wanted.join() === found.join() ? '' : 'has them in the wrong order')
    if (difference !== '') violations.add('sibling lists exact', simulation.now, `${name(node)} ${difference}`)
    const width = 4 * node.id.length
    for (const level of new Set(order.map((id) => width - bits(id)))) {
      const contacts = options.bucketsOf(node).bucket(level)?.contacts ?? []
      if (contacts.some(({ ref }) => isMember(ref))) continue
      violations.add('no empty bucket', simulation.now, `${name(node)} has no contact that shares ${level} bits with it, and there is one`)
    }
  }
}
