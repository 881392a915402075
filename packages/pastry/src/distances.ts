import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { MeasuringConfig, MeasuringHost } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { PastryState } from './state.ts'

/**
 * Whose distance matters for the routing table and the neighbourhood set. The other end is told the result, so that it need not measure the same distance
 * (MSPastry's symmetric probes).
 */
export class Distances implements MeasuringHost {
  readonly config: MeasuringConfig
  private readonly state: PastryState

  constructor(state: PastryState) {
    this.state = state
    this.config = state.config
  }

  nextSeq(): number {
    return this.state.nextSeq()
  }

  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return this.state.credible(refs, now)
  }

  /** Whether `ref` may fill an empty slot, or be nearer than the node in its slot as far as that is known. */
  couldImprove(ref: NodeRef): boolean {
    const { routingTable, proximity, config, neighborhoodSet } = this.state
    const incumbent = routingTable.towards(ref.id)
    if (incumbent === undefined) return true
    if (incumbent.id === ref.id) return proximity.of(ref.id) === undefined
    const distance = proximity.of(ref.id)
    if (distance === undefined) return true
    return distance < proximity.orFar(incumbent.id) || (config.neighborhoodSetSize > 0 && neighborhoodSet.admits(ref.id))
  }

  challenges(ref: NodeRef, distance: Millis): boolean {
    const incumbent = this.state.routingTable.towards(ref.id)
    return incumbent !== undefined && incumbent.id !== ref.id && distance < this.state.proximity.orFar(incumbent.id)
  }

  ping(to: NodeRef, seq: number, fx: OverlayEffects): void {
    send(to, { type: 'ping', seq }, fx)
  }

  measured(from: NodeRef, distance: Millis, fx: OverlayEffects): void {
    this.state.proximity.set(from.id, distance)
    send(from, { type: 'distance', rttMs: distance, member: this.state.counts }, fx)
  }
}
