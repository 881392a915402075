import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { Doubt } from './messages.ts'
import type { CanState, Contact } from './state.ts'

/**
 * How all who know of a dead node come to agree on its death, before which nobody takes over. Whoever takes it to be dead says so to its other contacts. Each of these looks for itself, and takes the
 * sender's word for it that the sender does not name it any more. As long as somebody does it is asked again.
 */
export class Doubts {
  private readonly state: CanState
  private readonly probing: Probing

  constructor(state: CanState, probing: Probing) {
    this.state = state
    this.probing = probing
  }

  /** This contact is gone, without a word to the others. */
  spread(lost: Contact, fx: OverlayEffects): void {
    const { contacts, failed, self } = this.state
    const told = new Map<Guid, NodeRef>()
    for (const { node } of lost.others) told.set(node.id, node)
    for (const { ref, others } of contacts.values()) if (others.some(({ node }) => node.id === lost.ref.id)) told.set(ref.id, ref)
    for (const ref of told.values()) if (ref.id !== self.id && ref.id !== lost.ref.id && !failed.has(ref.id)) this.tell(ref, lost.ref, fx)
  }

  /** Asks those that still name a gone node. One that has said nothing for a while may be gone as well, and would be waited for in vain. */
  repeat(now: Millis, fx: OverlayEffects): void {
    const { contacts, ghosts, config } = this.state
    for (const node of ghosts.nodes()) {
      for (const { ref, others, heardAt } of contacts.values()) {
        if (!others.some((other) => other.node.id === node.id && other.node.epoch <= node.epoch)) continue
        this.tell(ref, node, fx)
        if (now - heardAt > config.probeTimeoutMs) this.probing.start(ref, false, now, fx)
      }
    }
  }

  /** True when the sender named the node until now. */
  onDoubt(from: NodeRef, { node, epoch }: Doubt, now: Millis, fx: OverlayEffects): boolean {
    const isNews = this.state.unname(from, node, epoch)
    const contact = this.state.contacts.get(node)
    if (contact === undefined || from.id === node || contact.ref.epoch > epoch) return isNews
    // Anybody else might keep this node busy with asking.
    const isConcerned = this.state.contacts.has(from.id) || contact.others.some((other) => other.node.id === from.id)
    if (isConcerned) this.probing.verify(contact.ref, now, fx)
    return isNews
  }

  private tell(to: NodeRef, { id, epoch }: NodeRef, fx: OverlayEffects): void {
    send(to, { type: 'doubt', node: id, epoch }, fx)
  }
}
