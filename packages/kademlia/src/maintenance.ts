import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import type { Guardians } from './guardians.ts'
import type { Inquiries } from './inquiries.ts'
import { send } from './messages.ts'
import type { KademliaState } from './state.ts'

/**
 * What a member does now and then, each task on a jittered timer of its own, so that nodes that started together drift apart. All of it together is bounded by
 * a few messages a period, whatever happens in the network (Bamboo: recovery must not feed on itself).
 */
export class Maintenance {
  private readonly state: KademliaState
  private readonly probing: Probing
  private readonly inquiries: Inquiries
  private readonly guardians: Guardians
  /** From the moment this node first became a member. */
  started = false

  constructor(state: KademliaState, probing: Probing, inquiries: Inquiries, guardians: Guardians) {
    this.state = state
    this.probing = probing
    this.inquiries = inquiries
    this.guardians = guardians
  }

  start(fx: OverlayEffects): void {
    if (this.started) return
    this.started = true
    const { config, prng } = this.state
    for (const task of tasks) fx.startTimer(task, 0, prng.nextInt(config[`${task}Ms`]))
    fx.startTimer('vacancies', 0, prng.nextInt(config.vacantMs))
    // Parts of the network that began apart, after a restart of everybody, find each other soon.
    fx.startTimer('firstSeek', 0, prng.nextInt(Math.min(config.seekMs, firstLookMs)))
  }

  /** Returns the levels to be searched. */
  onTimer(kind: string, contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): number[] {
    const { state } = this
    const { config, prng } = state
    const again = (delayMs: Millis): void => fx.startTimer(kind, 0, prng.jitter(delayMs, jitterShare))
    switch (kind) {
      case 'heartbeat':
        state.failed.expire(now)
        this.guardians.onTimer(now, fx)
        again(config.heartbeatMs)
        return []
      case 'contact':
        this.pingStalest(now, fx)
        again(config.contactMs)
        return []
      case 'exchange':
        again(this.inquiries.broughtNews ? config.exchangeSoonMs : config.exchangeMs)
        this.exchange(fx)
        return []
      case 'seek':
        this.seek(contacts, now, fx)
        again(config.seekMs)
        return []
      case 'firstSeek':
        this.seek(contacts, now, fx)
        return []
      case 'refresh':
        again(config.refreshMs)
        return this.idleLevels(now)
      case 'vacancies':
        again(config.vacantMs)
        return [...state.vacant]
      default:
        return []
    }
  }

  /** Asks a peer for nodes near this one: in this node's own network it learns nothing new, elsewhere it finds its place. */
  askThrough(contact: NodeRef, fx: OverlayEffects): void {
    this.inquiries.ask(contact, fx)
  }

  private pingStalest(now: Millis, fx: OverlayEffects): void {
    const stalest = this.state.buckets.stalest()
    if (stalest !== undefined) this.probing.start(stalest.ref, false, now, fx)
  }

  private exchange(fx: OverlayEffects): void {
    this.inquiries.broughtNews = false
    const partner = this.state.prng.pick(this.state.siblings.members)
    if (partner !== undefined) this.inquiries.ask(partner, fx)
  }

  /** Looks for nodes this one has lost sight of: some that it takes to be dead, and one it knew once. */
  private seek(contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { history, failed, prng } = state
    for (const missed of failed.due(now)) send(missed, { type: 'ping', seq: state.nextSeq(), ...state.status }, fx)
    const strangers = [...contacts, ...history.all()].filter((ref) => state.find(ref.id) === undefined && !failed.has(ref.id))
    const contact = prng.pick(strangers)
    if (contact !== undefined) this.askThrough(contact, fx)
  }

  /** Beyond the siblings' reach: ranges in which nobody has been seen for too long. Half the period is left to chance by the timer. */
  private idleLevels(now: Millis): number[] {
    const { buckets, siblings, config } = this.state
    const levels = Array.from({ length: siblings.sureLevel }, (_, level) => level)
    return levels.filter((level) => now - (buckets.at(level)?.usedAt ?? -Infinity) >= config.refreshMs / 2)
  }
}

const tasks = ['heartbeat', 'contact', 'exchange', 'refresh', 'seek'] as const

/** Of each period. Our guess. */
const jitterShare = 0.1

/** Our guess. */
const firstLookMs = 10_000
