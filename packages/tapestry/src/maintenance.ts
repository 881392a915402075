import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { compareLevel } from './levels.ts'
import { send } from './messages.ts'
import type { Parts } from './parts.ts'

/**
 * What a member does now and then, each task on a jittered timer of its own, so that nodes that started together drift apart. All of it
 * together is bounded by a few messages a period, whatever happens in the network (Bamboo: recovery must not feed on itself).
 */
export class Maintenance {
  private readonly parts: Parts
  /** From the moment this node first became a member. */
  started = false
  /** The entry of the map that was looked at last. */
  private last: Guid | undefined = undefined

  constructor(parts: Parts) {
    this.parts = parts
  }

  start(fx: OverlayEffects): void {
    if (this.started) return
    this.started = true
    const { config, prng } = this.parts.state
    for (const task of tasks) fx.startTimer(task, 0, prng.nextInt(config[`${task}Ms`]))
    // What simultaneous insertions missed, and parts of the network that began apart, are found soon.
    fx.startTimer('firstExchange', 0, prng.jitter(config.exchangeSoonMs, 0.5))
  }

  /** Whether `kind` is one of the tasks here. */
  onTimer(kind: string, contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): boolean {
    const { config, prng } = this.parts.state
    switch (kind) {
      case 'heartbeat':
        this.parts.guardians.onTimer(now, fx)
        this.parts.state.failed.expire(now)
        break
      case 'beacon':
        this.beacon(now, fx)
        break
      case 'exchange': {
        const soon = this.parts.exchanges.restless
        this.parts.exchanges.start(fx)
        fx.startTimer('exchange', 0, prng.jitter(soon ? config.exchangeSoonMs : config.exchangeMs, jitterShare))
        return true
      }
      case 'firstExchange':
        this.parts.exchanges.start(fx)
        return true
      case 'optimize':
        compareLevel(this.parts.state, fx)
        break
      case 'seek':
        this.seek(contacts, now, fx)
        break
      default:
        return false
    }
    fx.startTimer(kind, 0, prng.jitter(config[`${kind}Ms`], jitterShare))
    return true
  }

  /** A past contact routes a message towards this node's id. In this node's own network it ends here; the surrogate in another part answers. */
  askThrough(contact: NodeRef, fx: OverlayEffects): void {
    send(contact, { type: 'insert-request', purpose: 'seek', attempt: 0 }, fx)
  }

  /** The paper's beacons: the next entry of the map. Siblings have guardians. */
  private beacon(now: Millis, fx: OverlayEffects): void {
    const entries = this.parts.state.map.entries().filter((ref) => !this.parts.state.siblings.has(ref.id))
    const at = entries.findIndex((ref) => ref.id === this.last)
    const next = entries[(at + 1) % entries.length]
    if (next === undefined) return
    this.last = next.id
    this.parts.probing.start(next, false, now, fx)
  }

  /** Looks for nodes this one has lost sight of: some that it takes to be dead, and one it knew once. */
  private seek(contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { history, failed, prng } = this.parts.state
    for (const missed of failed.due(now)) this.parts.state.ping(missed, this.parts.state.nextSeq(), fx)
    if (prng.chance(0.5)) return
    const strangers = [...contacts, ...history.all()].filter((ref) => this.parts.state.find(ref.id) === undefined && !failed.has(ref.id))
    const contact = prng.pick(strangers)
    if (contact !== undefined) this.askThrough(contact, fx)
  }
}

const tasks = ['heartbeat', 'beacon', 'exchange', 'optimize', 'seek'] as const

/** Of each period. Our guess. */
const jitterShare = 0.1
