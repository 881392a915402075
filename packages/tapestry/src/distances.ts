import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { MeasuringConfig, MeasuringHost } from '@plaxton/upkeep'
import type { TapestryState } from './state.ts'

/** Whose distance matters for the neighbour map. A joiner, who has much to measure, is content with one ping each. */
export class Distances implements MeasuringHost {
  readonly config: MeasuringConfig
  private readonly state: TapestryState

  constructor(state: TapestryState) {
    this.state = state
    this.config = state.config
  }

  nextSeq(): number {
    return this.state.nextSeq()
  }

  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return this.state.credible(refs, now)
  }

  couldImprove(ref: NodeRef): boolean {
    const { map, proximity } = this.state
    const distance = proximity.of(ref.id)
    if (map.get(ref.id) !== undefined) return distance === undefined
    return map.hasRoomFor(ref.id) || distance === undefined || distance < map.furthestFor(ref.id)
  }

  challenges(ref: NodeRef, distance: Millis): boolean {
    const { map, standing } = this.state
    if (standing !== 'member' || map.get(ref.id) !== undefined || map.hasRoomFor(ref.id)) return false
    return distance < map.furthestFor(ref.id)
  }

  ping(to: NodeRef, seq: number, fx: OverlayEffects): void {
    this.state.ping(to, seq, fx)
  }

  measured(from: NodeRef, distance: Millis, _fx: OverlayEffects): void {
    this.state.proximity.set(from.id, distance)
  }
}
