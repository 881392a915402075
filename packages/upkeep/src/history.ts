import type { NodeRef, Prng } from '@plaxton/kbr'

/**
 * Past contacts: nodes that were in a table once and are not any more, because they failed or made room. After a partition heals, they
 * are the way from one ring to the other.
 */
export class History {
  /** Bound: `max`. Full: a random one goes. Never pushed to, since that would reserve room for many more. */
  private contacts: NodeRef[] = []
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  note(ref: NodeRef, prng: Prng): void {
    const { contacts } = this
    const present = contacts.findIndex((contact) => contact.id === ref.id)
    if (present >= 0) contacts[present] = ref
    else if (contacts.length < this.max) this.contacts = contacts.concat(ref)
    else if (this.max > 0) contacts[prng.nextInt(this.max)] = ref
  }

  forget(ref: NodeRef): void {
    const at = this.contacts.findIndex((contact) => contact.id === ref.id)
    if (at >= 0) this.contacts.splice(at, 1)
  }

  all(): readonly NodeRef[] {
    return this.contacts
  }
}
