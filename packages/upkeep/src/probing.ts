import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Proximity } from './proximity.ts'
import { Acquittals, Suspects, probeWaitMs } from './suspects.ts'
import type { ProbeWait } from './suspects.ts'

/** The bounds of {@link Probing}. */
export interface ProbingConfig extends ProbeWait {
  /** Probes under way to nodes that are in no table. Full: another stranger is left out. */
  readonly probesMax: number
  /** Pings after the first before a silent peer is taken to be dead. */
  readonly probeRetries: number
  /** For so long after an answer, others' saying that a peer is dead is no reason to ask it again. */
  readonly heartbeatMs: Millis
}

/** What {@link Probing} asks of the overlay whose peers it probes. */
export interface ProbingHost {
  readonly config: ProbingConfig
  readonly proximity: Proximity
  /** A number no other ping of this node has. */
  nextSeq(): number
  /** The node of that id if it is in a table. */
  find(id: Guid): NodeRef | undefined
  ping(to: NodeRef, seq: number, fx: OverlayEffects): void
}

/**
 * Is a peer alive? Ask, wait, ask again twice, and only then take it to be dead (MSPastry's probing). Any message of the peer is an answer. Strangers who
 * are needed are greeted the same way; they come in by their answer.
 */
export class Probing {
  private readonly host: ProbingHost
  /** Probes under way. Bound: `probesMax` and the nodes in the tables. Full: another stranger is left out. Undefined until the first. */
  private running: Map<Guid, Probe> | undefined = undefined
  private readonly suspected = new Suspects()
  private readonly acquittals: Acquittals
  private lastEnded: Probe | undefined = undefined

  constructor(host: ProbingHost) {
    this.host = host
    this.acquittals = new Acquittals(host.config.probesMax)
  }

  get size(): number {
    return this.running === undefined ? 0 : this.running.size
  }

  /** Peers that did not answer and are being probed. */
  get suspects(): ReadonlySet<Guid> {
    return this.suspected.ids
  }

  has(id: Guid): boolean {
    return this.running !== undefined && this.running.has(id)
  }

  /** `suspect`: it did not answer somebody; until it does, messages avoid it. */
  start(ref: NodeRef, suspect: boolean, now: Millis, fx: OverlayEffects): void {
    const running = (this.running ??= new Map())
    const before = running.get(ref.id)
    if (before !== undefined && before.ref.epoch >= ref.epoch) {
      if (suspect) this.suspected.add(ref, fx)
      return
    }
    if (before === undefined && running.size >= this.host.config.probesMax && this.host.find(ref.id) === undefined) return
    const probe = { ref, seq: 0, attempts: 0, sentAt: 0, doubted: false }
    running.set(ref.id, probe)
    if (suspect) this.suspected.add(ref, fx)
    this.send(probe, now, fx)
  }

  /**
   * Somebody says that `ref` is dead. This node looks for itself, but not again shortly after an answer: while a partition heals, many say
   * so of many.
   */
  verify(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.has(ref.id) || this.acquittals.has(ref.id, this.host.config.heartbeatMs, now)) return
    this.start(ref, false, now, fx)
    const probe = this.running?.get(ref.id)
    if (probe !== undefined) probe.doubted = true
  }

  /** Whether it is being probed because others say that it is dead. */
  isDoubted(id: Guid): boolean {
    return this.running?.get(id)?.doubted === true
  }

  /** The round trip that ended when the pong `seq` came; undefined when it answers no probe. A message counts as contact before it is read. */
  roundTrip(seq: number, now: Millis): Millis | undefined {
    return this.lastEnded?.seq === seq ? now - this.lastEnded.sentAt : undefined
  }

  /** Something of it arrived: it lives. */
  heard(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const probe = this.running?.get(from.id)
    if (probe === undefined || from.epoch < probe.ref.epoch) return
    this.running?.delete(from.id)
    this.lastEnded = probe
    this.suspected.acquit(from, fx)
    if (probe.doubted) this.acquittals.note(from.id, now)
  }

  /** A wait is over: asks again, or gives up. Returns the peer when it is to be taken for dead. */
  expired(seq: number, now: Millis, fx: OverlayEffects): NodeRef | undefined {
    const probe = this.bySeq(seq)
    if (probe === undefined) return undefined
    if (probe.attempts > this.host.config.probeRetries) return probe.ref
    this.send(probe, now, fx)
    return undefined
  }

  /** The peer is in no need of probing any more: dead, gone, or of no interest. */
  drop(id: Guid): void {
    this.running?.delete(id)
    this.suspected.drop(id)
  }

  clear(): void {
    this.running = undefined
    this.suspected.clear()
  }

  private send(probe: Probe, now: Millis, fx: OverlayEffects): void {
    probe.seq = this.host.nextSeq()
    probe.attempts++
    probe.sentAt = now
    this.host.ping(probe.ref, probe.seq, fx)
    fx.startTimer('probe', probe.seq, probeWaitMs(this.host.proximity.of(probe.ref.id), this.host.config))
  }

  private bySeq(seq: number): Probe | undefined {
    if (this.running === undefined) return undefined
    for (const probe of this.running.values()) if (probe.seq === seq) return probe
    return undefined
  }
}

interface Probe {
  readonly ref: NodeRef
  /** Of the last transmission. */
  seq: number
  attempts: number
  sentAt: Millis
  /** Somebody says that it is dead. */
  doubted: boolean
}
