import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { tellRanks } from '@plaxton/upkeep'
import type { RingSide } from '@plaxton/upkeep'
import type { Asking } from './asking.ts'
import type { ChordState } from './state.ts'

/**
 * Closes the gaps that failures leave in the lists. For each wounded list, whenever no answer is outstanding:
 *
 * 1. A list that was lost: ask the nearest node in that direction that any table knows. Its answer names nodes that are nearer still. When the nearest has
 *    answered and knows nobody nearer, the neighbour is found.
 * 2. A list with room: ask its last node, whose own list reaches further. When the last has answered and there is still room, the ring is no larger than
 *    what is known.
 *
 * Every round asks a node that was not asked before, so it ends.
 */
export class ListRepair {
  private readonly state: ChordState
  private readonly asking: Asking
  /** Whom each list asked last. */
  private readonly asked: { after: Guid | undefined; before: Guid | undefined } = { after: undefined, before: undefined }

  constructor(state: ChordState, asking: Asking) {
    this.state = state
    this.asking = asking
  }

  /** Takes the next step on every wounded list. Returns false when there is nobody left to ask although a list is lost. */
  proceed(now: Millis, fx: OverlayEffects): boolean {
    const { successors, predecessors } = this.state.lists
    const canGoOn = [this.proceedOn(successors, now, fx), this.proceedOn(predecessors, now, fx)]
    return !canGoOn.includes(false)
  }

  /** A failure changed the lists: whoever was asked before may know more now. */
  restart(): void {
    this.asked.after = undefined
    this.asked.before = undefined
  }

  private proceedOn(side: RingSide, now: Millis, fx: OverlayEffects): boolean {
    const which = side.clockwise ? 'after' : 'before'
    if (side.wound === 'lost') {
      const nearest = side.nearest ?? this.nearestKnown(side, this.asked[which], now)
      if (nearest === undefined) return false
      if (this.asked[which] !== nearest.id) {
        this.ask(which, nearest, now, fx)
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
    if (furthest === undefined || side.full) {
      this.heal(side, fx)
    } else if (this.asked[which] !== furthest.id) {
      this.ask(which, furthest, now, fx)
    } else {
      this.heal(side, fx)
      // Whom it named in the far half of the ring had no place while the list was wounded.
      if (!this.state.lists.whole) this.asking.court(furthest, now, fx)
    }
    return true
  }

  private heal(side: RingSide, fx: OverlayEffects): void {
    this.state.lists.heal(side)
    tellRanks(fx)
  }

  /** Of the tables and the past contacts. A past contact that answered without getting a place in a table is not asked again. */
  private nearestKnown(side: RingSide, asked: Guid | undefined, now: Millis): NodeRef | undefined {
    const { state } = this
    const inVain = state.history.all().find((ref) => ref.id === asked)
    if (inVain !== undefined && state.find(inVain.id) === undefined) state.history.forget(inVain)
    let nearest: NodeRef | undefined
    for (const ref of state.credible([...state.everybody(), ...state.history.all()], now)) {
      if (nearest === undefined || side.isNearer(ref.id, nearest.id)) nearest = ref
    }
    return nearest
  }

  private ask(which: 'after' | 'before', ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.asking.court(ref, now, fx)
    if (this.asking.has(ref.id)) this.asked[which] = ref.id
  }
}
