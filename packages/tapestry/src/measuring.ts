import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { TapestryState } from './state.ts'

/**
 * How far is a candidate for the neighbour map? One ping tells whether it lives and whether it could be nearer than a node in its slot; only then, and only
 * in a member, two more are sent, and the median of the three decides (MSPastry).
 */
export class Measuring {
  private readonly state: TapestryState
  /** Bound: `measurementsMax`. Undefined until the first. */
  private running: Map<Guid, Measurement> | undefined = undefined
  /** Candidates waiting for their turn. Bound: `candidatesMax`. Full: a new one is left out; the next exchange brings it again. */
  private waiting: Map<Guid, NodeRef> | undefined = undefined

  constructor(state: TapestryState) {
    this.state = state
  }

  get idle(): boolean {
    return (this.running === undefined || this.running.size === 0) && (this.waiting === undefined || this.waiting.size === 0)
  }

  /** Measures those candidates that could improve the map and have not been measured. */
  consider(candidates: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { state } = this
    for (const ref of state.credible(candidates, now)) {
      if (this.running?.has(ref.id) === true || !this.couldImprove(ref)) continue
      const waiting = (this.waiting ??= new Map())
      if (waiting.size >= state.config.candidatesMax) break
      waiting.set(ref.id, ref)
    }
    this.startWaiting(now, fx)
  }

  /** Measures a few of the nodes that an exchange brought, chosen at random, so that no message causes many. */
  considerSome(candidates: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const unknown = this.state.credible(candidates, now).filter((ref) => this.state.proximity.of(ref.id) === undefined)
    this.consider(this.state.prng.shuffle(unknown).slice(0, this.state.config.optimizeCandidates), now, fx)
  }

  /** A pong came. Returns the distance when it was the last one needed. */
  answered(from: NodeRef, seq: number, now: Millis, fx: OverlayEffects): Millis | undefined {
    const measurement = this.running?.get(from.id)
    if (measurement === undefined || measurement.seq !== seq) return undefined
    measurement.roundTrips.push(now - measurement.sentAt)
    const distance = median(measurement.roundTrips)
    if (this.challenges(from, distance) && measurement.roundTrips.length < this.state.config.distanceProbes) {
      this.ping(measurement, now, fx)
      return undefined
    }
    this.running?.delete(from.id)
    this.startWaiting(now, fx)
    return distance
  }

  /** A ping was not answered: that candidate is out. */
  expired(seq: number, now: Millis, fx: OverlayEffects): void {
    if (this.running === undefined) return
    for (const [id, measurement] of this.running) if (measurement.seq === seq) this.running.delete(id)
    this.startWaiting(now, fx)
  }

  /** The peer is gone. */
  drop(id: Guid, now: Millis, fx: OverlayEffects): void {
    this.waiting?.delete(id)
    if (this.running?.delete(id) === true) this.startWaiting(now, fx)
  }

  clear(): void {
    this.running = undefined
    this.waiting = undefined
  }

  /** Whether `ref` may get a place in the map, as far as that is known. */
  private couldImprove(ref: NodeRef): boolean {
    const { map, proximity } = this.state
    const distance = proximity.of(ref.id)
    if (map.get(ref.id) !== undefined) return distance === undefined
    return map.hasRoomFor(ref.id) || distance === undefined || distance < this.furthest(ref)
  }

  /** Whether `ref` would drive a node out of its slot, or the primary from its place. */
  private challenges(ref: NodeRef, distance: Millis): boolean {
    const { map, standing } = this.state
    if (standing !== 'member' || map.get(ref.id) !== undefined || map.hasRoomFor(ref.id)) return false
    return distance < this.furthest(ref)
  }

  private furthest(ref: NodeRef): Millis {
    return Math.max(...this.state.map.slotFor(ref.id).map(({ id }) => this.state.proximity.orFar(id)))
  }

  private startWaiting(now: Millis, fx: OverlayEffects): void {
    const { waiting, state } = this
    if (waiting === undefined) return
    for (const [id, ref] of waiting) {
      const running = (this.running ??= new Map())
      if (running.size >= state.config.measurementsMax) return
      waiting.delete(id)
      // Its slot may have been taken by nearer nodes since it began to wait.
      if (!this.couldImprove(ref) || state.failed.distrusts(ref, now)) continue
      const measurement = { ref, seq: 0, sentAt: 0, roundTrips: [] }
      running.set(id, measurement)
      this.ping(measurement, now, fx)
    }
  }

  private ping(measurement: Measurement, now: Millis, fx: OverlayEffects): void {
    measurement.seq = this.state.nextSeq()
    measurement.sentAt = now
    send(measurement.ref, { type: 'ping', seq: measurement.seq, ...this.state.statusFor(measurement.ref) }, fx)
    fx.startTimer('measure', measurement.seq, this.state.config.probeTimeoutMs)
  }
}

interface Measurement {
  readonly ref: NodeRef
  seq: number
  sentAt: Millis
  readonly roundTrips: Millis[]
}

/** Of two: the lesser. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]!
}
