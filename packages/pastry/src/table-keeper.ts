import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Measuring } from '@plaxton/upkeep'
import { Distances } from './distances.ts'
import { askNeighborhood, considerSome, Locality } from './locality.ts'
import type { Announcement, SlotReply, StateReply } from './messages.ts'
import { SlotRepair } from './slot-repair.ts'
import type { PastryState } from './state.ts'

/** Fills, improves and repairs the tables that follow proximity: the routing table and the neighbourhood set. */
export class TableKeeper {
  readonly measuring: Measuring
  private readonly state: PastryState
  /** Undefined until an entry has failed. */
  private slotRepair: SlotRepair | undefined = undefined
  /** Undefined except while settling in. */
  private locality: Locality | undefined = undefined

  constructor(state: PastryState) {
    this.state = state
    this.measuring = new Measuring(new Distances(state))
  }

  /** This node has become a member; `candidates` are those it heard of while joining. In a small ring the leaf set has filled the tables. */
  settleIn(candidates: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    if (this.state.leafSet.wholeRing) return
    this.measuring.consider(candidates, now, fx)
    this.locality = new Locality(this.state)
    this.startPause(fx)
  }

  onLocalityTimer(fx: OverlayEffects): void {
    if (this.locality === undefined) return
    if (!this.measuring.idle || this.locality.proceed(fx)) return this.startPause(fx)
    this.locality = undefined
    // The hundreds that were measured and found too far would be half of what an idle node weighs.
    this.state.proximity.retain(this.state.everybody().map((ref) => ref.id))
  }

  onSlotTimer(arg: number, fx: OverlayEffects): void {
    this.slotRepair?.onTimer(arg, fx)
  }

  onStateReply(reply: StateReply, now: Millis, fx: OverlayEffects): void {
    const refs = [...reply.refs, ...reply.neighborhood]
    if (this.locality !== undefined) this.measuring.consider(refs, now, fx)
    else considerSome(this.state, this.measuring, refs, now, fx)
  }

  onAnnouncement(announcement: Announcement, now: Millis, fx: OverlayEffects): void {
    const { routingTable } = this.state
    const forEmptySlots = this.state.credible(announcement.refs, now).filter((ref) => routingTable.towards(ref.id) === undefined)
    considerSome(this.state, this.measuring, forEmptySlots, now, fx)
  }

  onSlotReply(reply: SlotReply, now: Millis, fx: OverlayEffects): void {
    this.measuring.consider(this.slotRepair?.onReply(reply, fx) ?? [], now, fx)
  }

  /** Takes a node that is gone out of all tables and sees to a replacement. */
  remove(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { routingTable, neighborhoodSet } = state
    const hadSlot = routingTable.get(ref.id) !== undefined
    const wasNear = neighborhoodSet.get(ref.id) !== undefined
    this.measuring.drop(ref.id, now, fx)
    state.drop(ref, fx)
    if (hadSlot && state.counts) {
      this.slotRepair ??= new SlotRepair(state)
      this.slotRepair.start(routingTable.rowOf(ref.id), routingTable.columnOf(ref.id), fx)
    }
    if (wasNear) askNeighborhood(state, fx)
  }

  /** The node has left. */
  stop(): void {
    this.locality = undefined
  }

  private startPause(fx: OverlayEffects): void {
    fx.startTimer('locality', 0, this.state.prng.jitter(this.state.config.localityPauseMs, 0.5))
  }
}
