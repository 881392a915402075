import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Acquittals, Suspects, probeWaitMs } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { LeafReply, LostSide } from './messages.ts'
import type { PastryState } from './state.ts'

/** Why a peer is probed. Reasons add up when a probe is already under way. */
export interface ProbeReason {
  /** It did not answer somebody: until it does, messages avoid it. */
  readonly suspect?: boolean
  /** Its leaf set is wanted, not only a sign of life. */
  readonly report?: boolean
  /** This side of the own leaf set is lost. */
  readonly lost?: LostSide
}

/**
 * MSPastry's probing: ask, wait, ask again twice, and only then take the peer to be dead. A peer that is only suspected is acquitted by
 * any message it sends.
 */
export class Probing {
  private readonly state: PastryState
  /** Probes under way. Bound: `probesMax` and the nodes in the tables. Full: another stranger is left out. Undefined while there are none. */
  private running: Map<Guid, Probe> | undefined = undefined
  private readonly suspected = new Suspects()
  private readonly acquittals: Acquittals

  constructor(state: PastryState) {
    this.state = state
    this.acquittals = new Acquittals(state.config.probesMax)
  }

  get size(): number {
    return this.running === undefined ? 0 : this.running.size
  }

  /** No leaf set that was asked for is outstanding. */
  get settled(): boolean {
    if (this.running === undefined) return true
    for (const probe of this.running.values()) if (probe.report) return false
    return true
  }

  /** Peers that did not answer and are being probed. */
  get suspects(): ReadonlySet<Guid> {
    return this.suspected.ids
  }

  has(id: Guid): boolean {
    return this.running !== undefined && this.running.has(id)
  }

  start(ref: NodeRef, reason: ProbeReason, now: Millis, fx: OverlayEffects): void {
    const { suspect = false, report = false, lost = 'none' } = reason
    const running = (this.running ??= new Map())
    let probe = running.get(ref.id)
    if (probe === undefined) {
      if (running.size >= this.state.config.probesMax && this.state.find(ref.id) === undefined) return
      probe = { ref, seq: 0, firstSeq: 0, attempts: 0, sentAt: 0, claims: false, report, lost, heard: false, doubted: false }
      running.set(ref.id, probe)
    } else if (probe.ref.epoch >= ref.epoch && (probe.report || !report) && (probe.lost !== 'none' || lost === 'none')) {
      if (suspect) this.suspected.add(probe.ref, fx)
      return
    }
    probe.ref = ref
    probe.report ||= report
    if (lost !== 'none') probe.lost = lost
    if (suspect) this.suspected.add(ref, fx)
    this.send(probe, now, fx)
  }

  /**
   * Somebody says that `ref` is dead. This node looks for itself, but not again shortly after an answer: while a partition heals, many say
   * so of many, and each answer may bring the next claim.
   */
  verify(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.has(ref.id) || this.acquittals.has(ref.id, this.state.config.heartbeatMs, now)) return
    this.start(ref, { report: true }, now, fx)
    const probe = this.running?.get(ref.id)
    if (probe !== undefined) probe.doubted = true
  }

  /** Whether it is being probed because others say that it is dead. */
  isDoubted(id: Guid): boolean {
    return this.running?.get(id)?.doubted === true
  }

  /** A leaf set came: the probe that it answers, if it answers one. */
  answered(from: NodeRef, reply: LeafReply, now: Millis, fx: OverlayEffects): EndedProbe | undefined {
    const probe = this.running?.get(from.id)
    if (probe === undefined || reply.seq < probe.firstSeq || reply.seq > probe.seq) return undefined
    this.end(probe, fx)
    if (probe.doubted) this.acquittals.note(from.id, now)
    return { claimed: probe.claims, rttMs: reply.seq === probe.seq ? now - probe.sentAt : undefined }
  }

  /** The peer's standing has changed since it was asked: an answer that is already on its way does not count. */
  askAnew(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const probe = this.running?.get(ref.id)
    if (probe === undefined || !probe.report) return
    probe.attempts = 0
    this.send(probe, now, fx)
  }

  /** Anything arrived from `from`: no longer a suspect, and if that was the only question, answered. */
  heard(from: NodeRef, fx: OverlayEffects): void {
    const probe = this.running?.get(from.id)
    if (probe === undefined || from.epoch < probe.ref.epoch) return
    probe.heard = true
    if (!probe.report) this.end(probe, fx)
    else this.suspected.acquit(probe.ref, fx)
  }

  /** A wait is over: asks again, or gives up. Returns the peer when it is to be taken for dead. */
  expired(seq: number, now: Millis, fx: OverlayEffects): NodeRef | undefined {
    const probe = this.bySeq(seq)
    if (probe === undefined) return undefined
    if (probe.attempts <= this.state.config.probeRetries) {
      this.send(probe, now, fx)
      return undefined
    }
    if (!probe.heard) return probe.ref
    // It lives, although its answers are lost or it does not give any.
    this.end(probe, fx)
    return undefined
  }

  /** The peer is in no need of probing any more: dead, gone, or of no interest. */
  drop(id: Guid): void {
    this.remove(id)
    this.suspected.drop(id)
  }

  clear(): void {
    this.running = undefined
    this.suspected.clear()
  }

  private send(probe: Probe, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    probe.seq = state.nextSeq()
    if (probe.attempts === 0) probe.firstSeq = probe.seq
    probe.attempts++
    probe.sentAt = now
    probe.claims = state.counts
    const ownMs = state.proximity.ownOf(probe.ref.id)
    const rttMs = ownMs === undefined ? 0 : Math.max(1, ownMs)
    if (probe.report) send(probe.ref, { type: 'leaf-probe', seq: probe.seq, lost: probe.lost, rttMs, ...state.report(now) }, fx)
    else send(probe.ref, { type: 'ping', seq: probe.seq }, fx)
    fx.startTimer('probe', probe.seq, probeWaitMs(state.proximity.of(probe.ref.id), state.config))
  }

  private bySeq(seq: number): Probe | undefined {
    if (this.running === undefined) return undefined
    for (const probe of this.running.values()) if (probe.seq === seq) return probe
    return undefined
  }

  private end(probe: Probe, fx: OverlayEffects): void {
    this.remove(probe.ref.id)
    this.suspected.acquit(probe.ref, fx)
  }

  private remove(id: Guid): void {
    if (this.running?.delete(id) === true && this.running.size === 0) this.running = undefined
  }
}

export interface EndedProbe {
  /** The answer came from a node that had been told that this one counts. */
  readonly claimed: boolean
  readonly rttMs: Millis | undefined
}

interface Probe {
  ref: NodeRef
  /** Of the last transmission. */
  seq: number
  /** Of the first one whose answer still counts. */
  firstSeq: number
  attempts: number
  sentAt: Millis
  /** The last transmission said that this node counts. */
  claims: boolean
  report: boolean
  lost: LostSide
  /** Something else arrived from the peer since. */
  heard: boolean
  /** Somebody says that it is dead. */
  doubted: boolean
}
