import { compareByXor } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, OverlayEffects } from '@plaxton/kbr'
import { tellRanks } from '@plaxton/upkeep'
import type { Inquiries } from './inquiries.ts'
import type { KademliaState } from './state.ts'

/**
 * Finds the next siblings when failures have left too few. Whenever nothing is being asked: contacts near enough to have a place are asked whether they live, and the
 * furthest siblings whom they know; whoever they name is asked in turn. When the furthest have all answered and nobody new has come up, the list is as long as the network allows.
 *
 * Meanwhile nothing that was certain becomes uncertain: nearer than the edge everybody is known.
 */
export class SiblingRepair {
  private readonly state: KademliaState
  /** Since the last failure. Bound: the nodes that have had a place since. */
  private readonly asked = new Set<Guid>()

  constructor(state: KademliaState) {
    this.state = state
  }

  /** A failure changed the list: whoever was asked before may know more now. */
  restart(): void {
    this.asked.clear()
  }

  /** Takes the next step of an incomplete list. False when nobody is known at all. */
  proceed(inquiries: Inquiries, fx: OverlayEffects): boolean {
    const { state } = this
    if (!inquiries.settled) return true
    const { siblings, buckets } = state
    if (siblings.size === 0 && buckets.refs().length === 0) return false
    const next = this.candidates().filter(({ id }) => !this.asked.has(id))
    for (const ref of next) {
      this.asked.add(ref.id)
      inquiries.ask(ref, fx)
    }
    if (next.length > 0) return true
    this.asked.clear()
    siblings.settle(buckets.refs())
    tellRanks(fx)
    return true
  }

  private candidates(): NodeRef[] {
    const { self, siblings, buckets, config } = this.state
    const room = Math.max(config.siblings - siblings.size, config.refillPeers)
    const wanted = buckets.refs().filter(({ id }) => siblings.wants(id))
    const nearest = wanted.sort((a, b) => compareByXor(a.id, b.id, self.id)).slice(0, room)
    return [...siblings.members.slice(-config.refillPeers), ...nearest]
  }
}
