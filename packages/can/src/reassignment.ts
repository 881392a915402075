import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Mark } from './atlas.ts'
import type { Grants } from './grants.ts'
import { send } from './messages.ts'
import type { Adopt } from './messages.ts'
import type { CanState, Contact } from './state.ts'
import { isSettled } from './territory.ts'
import type { Holding } from './territory.ts'
import { siblingOf } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * Background reassignment (SIGCOMM 2001, appendix A): who has taken over zones gets back to one. Two siblings merge. A zone whose sibling has one owner goes to that owner. Else,
 * somewhere within the sibling, there are two halves with an owner each: one of them gives its zone to the other, who merges the two, and takes over the odd one. An {@link Adopt} goes there
 * from node to node, each in a smaller zone than the one before.
 */
export class Reassignment {
  private readonly state: CanState
  private readonly grants: Grants
  /** Whose odd zone this node has offered to take. */
  private adopting: Guid | undefined = undefined

  constructor(state: CanState, grants: Grants) {
    this.state = state
    this.grants = grants
  }

  /** True when own zones have changed. */
  run(now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    const before = now - state.config.caretakeMs
    const merged = state.territory.merge(before, now)
    if (merged) state.territoryChanged(fx)
    const odd = state.territory.holdings.at(-1)
    // What it takes care of may go back to its owner; until then this node needs what was its own.
    const isPatient = state.territory.holdings.some(({ caretaker, since }) => caretaker && since > before)
    if (odd !== undefined && !isPatient && state.territory.holdings.length > 1 && state.territory.isSettled) this.giveAway(odd, now, fx)
    return merged
  }

  private giveAway(odd: Holding, now: Millis, fx: OverlayEffects): void {
    if (this.grants.isPromised(odd.zone, now)) return
    const sibling = siblingOf(odd.zone)
    const owner = this.state.atlas.leaf(sibling)
    if (owner !== undefined) {
      const contact = owner.source === 'contact' && owner.claim.zone === sibling ? this.state.contacts.get(owner.node.id) : undefined
      if (contact !== undefined) this.grants.handOver(contact.ref, odd, now, fx)
      return
    }
    const heir = this.deepestIn(sibling)
    if (heir === undefined) return
    const zone = { zone: odd.zone, version: odd.version, caretaker: odd.caretaker }
    send(heir.ref, { type: 'adopt', giver: this.state.self, zone, ttl: adoptHopsMax }, fx)
  }

  /** This node is asked to take the odd zone, or to pass that on. Whoever takes it tells the giver, who then grants it. */
  onAdopt(from: NodeRef, { giver, zone, ttl }: Adopt, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (giver.id === state.self.id) return this.onAdopted(from, zone.zone, now, fx)
    const own = state.territory.holdings[0]
    if (state.standing !== 'member' || own === undefined || state.territory.holdings.length !== 1 || !isSettled(own)) return
    if (own.zone === '' || ttl === 0 || this.grants.isPromised(own.zone, now)) return
    const sibling = siblingOf(own.zone)
    const owner = state.atlas.leaf(sibling)
    if (owner === undefined) {
      const deeper = this.deepestIn(sibling)
      if (deeper !== undefined && deeper.ref.id !== from.id)
        send(deeper.ref, { type: 'adopt', giver, zone, ttl: Math.min(ttl, adoptHopsMax) - 1 }, fx)
      return
    }
    const partner = this.soleOwner(owner, sibling)
    if (partner === undefined || partner.ref.id === giver.id) return
    // Once it has the odd zone, its own is the smaller of the two, and goes to the partner.
    this.adopting = giver.id
    send(giver, { type: 'adopt', giver, zone, ttl: 0 }, fx)
  }

  /** Whether a zone that this node gives may be taken. */
  accepts(from: NodeRef, zone: Zone): boolean {
    if (this.adopting === from.id) {
      this.adopting = undefined
      return true
    }
    return this.state.contacts.get(from.id)?.claims.some((claim) => zone.startsWith(claim.zone)) === true
  }

  /** Somebody takes the odd zone. */
  private onAdopted(from: NodeRef, zone: Zone, now: Millis, fx: OverlayEffects): void {
    const { territory } = this.state
    const odd = territory.holdings.find((holding) => holding.zone === zone)
    if (odd !== undefined && territory.holdings.length > 1 && !this.grants.isPromised(zone, now)) this.grants.handOver(from, odd, now, fx)
  }

  /** The contact that owns exactly this zone and nothing else. */
  private soleOwner(mark: Mark, zone: Zone): Contact | undefined {
    const contact = mark.source === 'contact' ? this.state.contacts.get(mark.node.id) : undefined
    return contact?.claims.length === 1 && contact.claims[0]!.zone === zone ? contact : undefined
  }

  /** Of the contacts with a single zone, within this one, the one with the smallest. */
  private deepestIn(zone: Zone): Contact | undefined {
    let best: Contact | undefined
    for (const contact of this.state.contacts.values()) {
      const [claim] = contact.claims
      if (contact.claims.length !== 1 || !claim!.zone.startsWith(zone)) continue
      if (best === undefined || claim!.zone.length > best.claims[0]!.zone.length) best = contact
    }
    return best
  }
}

/** More than any zone has halvings in a network of millions. */
const adoptHopsMax = 32
