import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { Reports } from './reports.ts'
import type { CanState } from './state.ts'
import { firstKey } from './zone.ts'

/** What a member does now and then, each task on a jittered timer of its own, so that nodes that started together drift apart. */
export class Maintenance {
  private readonly state: CanState
  private readonly probing: Probing
  private readonly reports: Reports
  /** From the moment this node first became a member. */
  started = false
  /** The contact whose distance is being measured. */
  private measured: { readonly id: Guid; readonly seq: number; readonly sentAt: Millis } | undefined = undefined

  constructor(state: CanState, probing: Probing, reports: Reports) {
    this.state = state
    this.probing = probing
    this.reports = reports
  }

  start(fx: OverlayEffects): void {
    if (this.started) return
    this.started = true
    const { config, prng } = this.state
    for (const task of tasks) fx.startTimer(task, 0, prng.nextInt(config[`${task}Ms`]))
    // Networks that began apart, after a restart of everybody, find each other soon.
    fx.startTimer('seek', 0, prng.nextInt(Math.min(config.historyMs, firstLookMs)))
  }

  onTimer(kind: string, bootstraps: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { config, prng } = this.state
    switch (kind) {
      case 'heartbeat':
        if (this.state.counts) this.reports.beat(now, fx)
        this.state.failed.expire(now)
        break
      case 'watch':
        this.watch(now, fx)
        break
      case 'history':
        this.lookFurther(bootstraps, now, fx)
        break
      case 'seek':
        return this.lookFurther(bootstraps, now, fx)
      default:
        return
    }
    fx.startTimer(kind, 0, prng.jitter(config[`${kind}Ms`], jitterShare))
  }

  /** Has somebody look for an owner of what this node owns. In its own network that is this node. */
  seek(contact: NodeRef, fx: OverlayEffects): void {
    const { territory, self, prng } = this.state
    const own = prng.pick(territory.holdings)
    if (own === undefined) return
    send(contact, { type: 'join-request', purpose: 'seek', attempt: 0, key: firstKey(own.zone, self.id.length) }, fx)
  }

  /** The round trip that ended when the pong `seq` came. */
  roundTrip(from: NodeRef, seq: number, now: Millis): Millis | undefined {
    return this.measured?.id === from.id && this.measured.seq === seq ? now - this.measured.sentAt : undefined
  }

  /** Probes contacts that have been silent for too long, and measures one whose distance is not known. Calls one whose zone somebody may still take care of. */
  private watch(now: Millis, fx: OverlayEffects): void {
    const { contacts, config, proximity, failed, prng } = this.state
    const missed = prng.pick(failed.missed(config.caretakeMs, now))
    if (missed !== undefined) send(missed, { type: 'ping', seq: this.state.nextSeq() }, fx)
    let unmeasured: NodeRef | undefined
    for (const contact of contacts.values()) {
      const { ref, heardAt } = contact
      const silenceMs = this.state.watches(contact) ? config.silenceMs : config.digestMs + config.silenceMs
      if (now - heardAt > silenceMs) this.probing.start(ref, false, now, fx)
      else if (proximity.of(ref.id) === undefined) unmeasured ??= ref
    }
    if (unmeasured === undefined) return
    this.measured = { id: unmeasured.id, seq: this.state.nextSeq(), sentAt: now }
    send(unmeasured, { type: 'ping', seq: this.measured.seq }, fx)
  }

  /** Nodes taken to be dead may only have been cut off; one that was a contact may be in another part of the network. */
  private lookFurther(bootstraps: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { history, contacts, failed, prng, self } = this.state
    for (const missed of failed.due(now)) send(missed, { type: 'ping', seq: this.state.nextSeq() }, fx)
    const strangers = [...bootstraps, ...history.all()].filter(({ id }) => id !== self.id && !contacts.has(id))
    const contact = prng.pick(strangers)
    if (contact !== undefined) this.seek(contact, fx)
  }
}

const tasks = ['heartbeat', 'watch', 'history'] as const

/** Of each period. Our guess. */
const jitterShare = 0.1
/** Our guess. */
const firstLookMs = 10_000
