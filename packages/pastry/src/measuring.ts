import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { PastryState } from './state.ts'

/**
 * Distance probes: how far is a candidate for the routing table? One ping tells whether it lives and whether it could be nearer than the node
 * in its slot; only then two more are sent, and the median of the three decides (MSPastry). The other end is told the result, so that it
 * need not measure the same distance (MSPastry's symmetric probes).
 */
export class Measuring {
  private readonly state: PastryState
  /** Bound: `measurementsMax`. Undefined until the first. */
  private running: Map<Guid, Measurement> | undefined = undefined
  /** Candidates waiting for their turn. Bound: `candidatesMax`. Full: a new one is left out; the next exchange brings it again. */
  private waiting: Map<Guid, NodeRef> | undefined = undefined

  constructor(state: PastryState) {
    this.state = state
  }

  get idle(): boolean {
    return this.running === undefined || this.running.size === 0
  }

  /** Measures those candidates that could improve a table and have not been measured. */
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

  /** A pong came. Returns the measured distance when it was the last one needed. */
  answered(from: NodeRef, seq: number, now: Millis, fx: OverlayEffects): void {
    const measurement = this.running?.get(from.id)
    if (measurement === undefined || measurement.seq !== seq) return
    measurement.roundTrips.push(now - measurement.sentAt)
    const distance = median(measurement.roundTrips)
    const incumbent = this.state.routingTable.towards(from.id)
    const isChallenge = incumbent !== undefined && incumbent.id !== from.id && distance < this.state.proximity.orFar(incumbent.id)
    if (isChallenge && measurement.roundTrips.length < this.state.config.distanceProbes) return this.ping(measurement, now, fx)
    this.running?.delete(from.id)
    this.state.proximity.set(from.id, distance)
    send(from, { type: 'distance', rttMs: distance, member: this.state.counts }, fx)
    this.startWaiting(now, fx)
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

  /** Whether `ref` may fill an empty slot, or be nearer than the node in its slot as far as that is known. */
  private couldImprove(ref: NodeRef): boolean {
    const { routingTable, proximity, config, neighborhoodSet } = this.state
    const incumbent = routingTable.towards(ref.id)
    if (incumbent === undefined) return true
    if (incumbent.id === ref.id) return proximity.of(ref.id) === undefined
    const distance = proximity.of(ref.id)
    if (distance === undefined) return true
    return distance < proximity.orFar(incumbent.id) || (config.neighborhoodSetSize > 0 && neighborhoodSet.admits(ref.id))
  }

  private startWaiting(now: Millis, fx: OverlayEffects): void {
    const { waiting, state } = this
    if (waiting === undefined) return
    for (const [id, ref] of waiting) {
      const running = (this.running ??= new Map())
      if (running.size >= state.config.measurementsMax) return
      waiting.delete(id)
      // Its slot may have been taken by a nearer node since it began to wait.
      if (!this.couldImprove(ref) || state.failed.distrusts(ref, now)) continue
      const measurement = { ref, seq: 0, sentAt: 0, roundTrips: [] }
      running.set(id, measurement)
      this.ping(measurement, now, fx)
    }
  }

  private ping(measurement: Measurement, now: Millis, fx: OverlayEffects): void {
    measurement.seq = this.state.nextSeq()
    measurement.sentAt = now
    send(measurement.ref, { type: 'ping', seq: measurement.seq }, fx)
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
