import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'

/** The bounds of {@link Measuring}. */
export interface MeasuringConfig {
  /** Pings for a distance that challenges the node in a place; the median counts. */
  readonly distanceProbes: number
  /** Distances being measured at one time, and candidates that wait for it. Full: a new one is left out; the next exchange brings it again. */
  readonly measurementsMax: number
  readonly candidatesMax: number
  /** Wait for a pong. */
  readonly probeTimeoutMs: Millis
}

/** What {@link Measuring} asks of the overlay whose tables it measures for. */
export interface MeasuringHost {
  readonly config: MeasuringConfig
  /** A number no other ping of this node has. */
  nextSeq(): number
  /** The nodes of a message that are worth knowing. */
  credible(refs: readonly NodeRef[], now: Millis): NodeRef[]
  /** Whether `ref` may get a place, as far as its distance is known. */
  couldImprove(ref: NodeRef): boolean
  /** Whether at this distance it would take the place of another. */
  challenges(ref: NodeRef, distance: Millis): boolean
  ping(to: NodeRef, seq: number, fx: OverlayEffects): void
  measured(from: NodeRef, distance: Millis, fx: OverlayEffects): void
}

/**
 * Distance probes: how far is a candidate for a table that follows proximity? One ping tells whether it lives and whether it could be nearer than the node in
 * its place; only then more are sent, and the median decides (MSPastry, DSN 2004).
 */
export class Measuring {
  private readonly host: MeasuringHost
  /** Bound: `measurementsMax`. Undefined while there is none. */
  private running: Map<Guid, Measurement> | undefined = undefined
  /** Candidates waiting for their turn. Bound: `candidatesMax`. Full: a new one is left out. Undefined while there is none. */
  private waiting: Map<Guid, NodeRef> | undefined = undefined

  constructor(host: MeasuringHost) {
    this.host = host
  }

  get idle(): boolean {
    return this.running === undefined || this.running.size === 0
  }

  /** Measures those candidates that could improve a table and are not being measured. */
  consider(candidates: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { host } = this
    for (const ref of host.credible(candidates, now)) {
      if (this.running?.has(ref.id) === true || !host.couldImprove(ref)) continue
      const waiting = (this.waiting ??= new Map())
      if (waiting.size >= host.config.candidatesMax) break
      waiting.set(ref.id, ref)
    }
    this.startWaiting(now, fx)
  }

  /** A pong came. Whether a measurement has ended by it; the host has been told the distance. */
  answered(from: NodeRef, seq: number, now: Millis, fx: OverlayEffects): boolean {
    const measurement = this.running?.get(from.id)
    if (measurement === undefined || measurement.seq !== seq) return false
    measurement.roundTrips.push(now - measurement.sentAt)
    const distance = median(measurement.roundTrips)
    const isDecided = measurement.roundTrips.length >= this.host.config.distanceProbes || !this.host.challenges(from, distance)
    if (!isDecided) {
      this.ping(measurement, now, fx)
      return false
    }
    this.end(from.id)
    this.host.measured(from, distance, fx)
    this.startWaiting(now, fx)
    return true
  }

  /** A ping was not answered: that candidate is out. */
  expired(seq: number, now: Millis, fx: OverlayEffects): void {
    if (this.running === undefined) return
    for (const [id, measurement] of this.running) if (measurement.seq === seq) this.end(id)
    this.startWaiting(now, fx)
  }

  /** The peer is gone. */
  drop(id: Guid, now: Millis, fx: OverlayEffects): void {
    this.waiting?.delete(id)
    if (this.end(id)) this.startWaiting(now, fx)
  }

  clear(): void {
    this.running = undefined
    this.waiting = undefined
  }

  private startWaiting(now: Millis, fx: OverlayEffects): void {
    const { waiting, host } = this
    if (waiting === undefined) return
    for (const [id, ref] of waiting) {
      const running = (this.running ??= new Map())
      if (running.size >= host.config.measurementsMax) return
      waiting.delete(id)
      // Its place may have been taken by a nearer node since it began to wait.
      if (!host.couldImprove(ref) || host.credible([ref], now).length === 0) continue
      const measurement = { ref, seq: 0, sentAt: 0, roundTrips: [] }
      running.set(id, measurement)
      this.ping(measurement, now, fx)
    }
    this.waiting = undefined
  }

  private end(id: Guid): boolean {
    const removed = this.running?.delete(id) === true
    if (this.running?.size === 0) this.running = undefined
    return removed
  }

  private ping(measurement: Measurement, now: Millis, fx: OverlayEffects): void {
    measurement.seq = this.host.nextSeq()
    measurement.sentAt = now
    this.host.ping(measurement.ref, measurement.seq, fx)
    fx.startTimer('measure', measurement.seq, this.host.config.probeTimeoutMs)
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
