import { digitAt, sharedPrefixDigits } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { Place } from './ideal-tables.ts'
import type { Topology } from './topology.ts'

/** What no insertion into a Tapestry can do without, even if somebody knew everything. */
export interface LeastInsertion {
  /** Nodes that share the most digits with the newcomer: it fills a hole of each, and may be the root of nothing before all of them know it. */
  readonly mustKnow: number
  /** Nodes whose perfect map the newcomer enters, those above among them. */
  readonly told: number
  /** Pointers in the newcomer's own perfect map. */
  readonly entries: number
  /** The newcomer's question, the answer with its map, one message to each node whose map it enters, one back from each that must know. */
  readonly messages: number
  /** Of the references in these messages, each counted with nothing but its id: the newcomer's in the question and in each message to others, and those of its map. */
  readonly bytes: number
  /** The longest of the round trips between the newcomer and those who must know. All can be made at once, and none is left out. */
  readonly longestMs: Millis
}

export interface MapShape {
  readonly digitBits: number
  /** Pointers in a slot: the nearest so many. */
  readonly redundancy: number
}

/**
 * The least that it takes `newcomer` to enter a network of `members` with perfect maps (JSAC 2004, §III-B: obligations (a), (c) and (d)). It is a lower bound, which nothing can
 * reach: finding out who is nearest costs nothing here, nor do sibling groups and headers. Throws for a network without members.
 */
export function leastInsertion(
  topology: Topology,
  members: readonly Place[],
  newcomer: Place,
  { digitBits, redundancy }: MapShape,
): LeastInsertion {
  const shared = members.map(({ id }) => sharedPrefixDigits(id, newcomer.id, digitBits))
  const most = Math.max(...shared)
  const nearestOnes = members.filter((_, i) => shared[i] === most)
  const told = members.filter((member, i) => {
    const distance = topology.distance(member.host, newcomer.host)
    // Those who fit into the same slot of this member's map.
    const rivals = members.filter((_, j) => shared[j]! > shared[i]!)
    return rivals.filter(({ host }) => topology.distance(member.host, host) <= distance).length < redundancy
  }).length
  const slots = new Map<string, number>()
  for (const [i, { id }] of members.entries()) {
    const slot = `${shared[i]}/${digitAt(id, shared[i]!, digitBits)}`
    slots.set(slot, Math.min(redundancy, (slots.get(slot) ?? 0) + 1))
  }
  const entries = [...slots.values()].reduce((sum, count) => sum + count, 0)
  return {
    mustKnow: nearestOnes.length,
    told,
    entries,
    messages: 2 + told + nearestOnes.length,
    bytes: (1 + entries + told) * (newcomer.id.length / 2),
    longestMs: Math.max(...nearestOnes.map(({ host }) => 2 * topology.latencyMs(host, newcomer.host))),
  }
}
