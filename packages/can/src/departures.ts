import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import type { Doubts } from './doubts.ts'
import type { CanState } from './state.ts'
import type { Takeover } from './takeover.ts'

/** Told of every departure; `settles`: this node may now answer for zones for which it had to wait. */
type OnLost = (settles: boolean, now: Millis, fx: OverlayEffects) => void

/** How peers come to be gone: dead, started again, or leaving. Their zones have no owner until somebody takes them over. */
export class Departures {
  private readonly state: CanState
  private readonly probing: Probing
  private readonly doubts: Doubts
  private readonly takeover: Takeover
  private readonly onLost: OnLost

  constructor(state: CanState, probing: Probing, doubts: Doubts, takeover: Takeover, onLost: OnLost) {
    this.state = state
    this.probing = probing
    this.doubts = doubts
    this.takeover = takeover
    this.onLost = onLost
  }

  /** It did not answer three times, or cannot be connected to: it is taken to be dead. */
  fail(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const contact = state.contacts.get(ref.id)
    const known = contact?.ref ?? ref
    if (known.epoch > ref.epoch) return this.probing.drop(ref.id)
    state.failed.add(known, false, now)
    state.history.note(known, state.prng)
    if (contact !== undefined) {
      fx.emit({ type: 'peer-failed', peer: known })
      this.doubts.spread(contact, fx)
    }
    this.lose(known, false, now, fx)
  }

  /** Has it started again? What it was before is gone then. */
  noteIncarnation(of: NodeRef, now: Millis, fx: OverlayEffects): void {
    const contact = this.state.contacts.get(of.id)
    if (contact === undefined || contact.ref.epoch >= of.epoch) return
    this.doubts.spread(contact, fx)
    this.lose(contact.ref, false, now, fx)
  }

  /** It says that it owns nothing any more. */
  retract(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.state.contacts.has(ref.id)) this.lose(ref, false, now, fx)
  }

  /** It says good-bye. */
  leave(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.state.failed.add(ref, true, now)
    this.lose(ref, true, now, fx)
  }

  private lose(ref: NodeRef, left: boolean, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    this.probing.drop(ref.id)
    const { claims, others } = state.drop(ref.id, fx) ?? { claims: state.hearsayOf(ref.id), others: [] }
    for (const claim of claims) state.ghosts.add({ node: ref, claim, others, left, at: now })
    state.redraw()
    state.proximity.forget(ref.id)
    fx.peerFailed(ref)
    const isSure = this.takeover.onGone(ref.id)
    this.onLost(state.territory.release(ref.id) || isSure, now, fx)
  }
}
