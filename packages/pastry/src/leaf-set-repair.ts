import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { tellRanks } from '@plaxton/upkeep'
import type { RingSide } from '@plaxton/upkeep'
import type { Probing } from './probing.ts'
import type { PastryState } from './state.ts'

/**
 * Closes the gaps that failures leave in the leaf set (Middleware 2001, §2.4; MSPastry for lost sides). For each wounded side, whenever no
 * probe is outstanding:
 *
 * 1. A side that was lost: probe the nearest node on that side that any table knows. Its answer names nodes that are nearer still, so the
 *    distance shrinks by a digit each round. When the nearest has answered and knows nobody nearer, the neighbour is found.
 * 2. A side with room: probe its furthest member, whose own leaf set reaches further out. When the furthest has answered and the side
 *    still has room, the side is healed. Unless the ring is known to be whole, the furthest is asked once more: for nodes of the far half
 *    of a small ring, of which a wounded side takes nobody.
 *
 * Every round asks a node that was not asked before, so it ends. Candidates enter only through probes of their own.
 */
export class LeafSetRepair {
  private readonly state: PastryState
  /** Whom each side asked last and has an answer from. */
  private askedRight: Guid | undefined = undefined
  private askedLeft: Guid | undefined = undefined

  constructor(state: PastryState) {
    this.state = state
  }

  /** Takes the next step on every wounded side. Returns false when there is nobody left to ask although a side is lost. */
  proceed(probing: Probing, now: Millis, fx: OverlayEffects): boolean {
    const { right, left } = this.state.leafSet
    const canRight = this.proceedOn(right, probing, now, fx)
    const canLeft = this.proceedOn(left, probing, now, fx)
    return canRight && canLeft
  }

  /** A failure changed the sides: whoever was asked before may know more now. */
  restart(): void {
    this.askedRight = undefined
    this.askedLeft = undefined
  }

  private proceedOn(side: RingSide, probing: Probing, now: Millis, fx: OverlayEffects): boolean {
    const wasLost = side.wound === 'lost'
    if (wasLost) {
      const nearest = side.nearest ?? this.nearestKnown(side, now)
      if (nearest === undefined) return false
      if (this.asked(side) !== nearest.id) {
        this.ask(side, nearest, probing, now, fx)
        return true
      }
      // It has answered and knows nobody in between: the neighbour, be it from the far half of a small ring.
      side.wound = 'none'
      side.add(nearest)
      side.wound = 'thinned'
      tellRanks(fx)
    }
    if (side.wound === 'none') return true
    const { furthest } = side
    const { leafSet } = this.state
    if (furthest === undefined || side.full) {
      this.heal(side, fx)
    } else if (this.asked(side) !== furthest.id) {
      this.ask(side, furthest, probing, now, fx)
    } else {
      this.heal(side, fx)
      // Whom it named in the far half of the ring had no place while the side was wounded.
      if (wasLost || !leafSet.wholeRing) probing.start(furthest, { report: true }, now, fx)
    }
    return true
  }

  private heal(side: RingSide, fx: OverlayEffects): void {
    this.state.leafSet.heal(side)
    tellRanks(fx)
  }

  /** Of the tables and the past contacts. A past contact that answered without getting a place in a table is not asked again. */
  private nearestKnown(side: RingSide, now: Millis): NodeRef | undefined {
    const { state } = this
    const inVain = state.history.all().find((ref) => ref.id === this.asked(side))
    if (inVain !== undefined && state.find(inVain.id) === undefined) state.history.forget(inVain)
    let nearest: NodeRef | undefined
    for (const ref of state.credible([...state.everybody(), ...state.history.all()], now)) {
      if (nearest === undefined || side.isNearer(ref.id, nearest.id)) nearest = ref
    }
    return nearest
  }

  private ask(side: RingSide, ref: NodeRef, probing: Probing, now: Millis, fx: OverlayEffects): void {
    probing.start(ref, { report: true, lost: side.wound !== 'lost' ? 'none' : side.clockwise ? 'right' : 'left' }, now, fx)
    if (!probing.has(ref.id)) return
    if (side.clockwise) this.askedRight = ref.id
    else this.askedLeft = ref.id
  }

  private asked(side: RingSide): Guid | undefined {
    return side.clockwise ? this.askedRight : this.askedLeft
  }
}
