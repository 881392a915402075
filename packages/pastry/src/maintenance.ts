import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { exchangeRow } from './locality.ts'
import { send } from './messages.ts'
import type { Probing } from './probing.ts'
import type { PastryState } from './state.ts'

/**
 * What a member does now and then, each task on a jittered timer of its own, so that nodes that started together drift apart. All of it
 * together is bounded by a few messages a period, whatever happens in the network (Bamboo: recovery must not feed on itself).
 */
export class Maintenance {
  private readonly state: PastryState
  private readonly probing: Probing
  /** From the moment this node first became a member. */
  started = false
  /** When the right neighbour was last heard from, or became the right neighbour. */
  private rightHeardAt: Millis = 0
  private right: NodeRef | undefined = undefined

  constructor(state: PastryState, probing: Probing) {
    this.state = state
    this.probing = probing
  }

  start(fx: OverlayEffects): void {
    if (this.started) return
    this.started = true
    const { config, prng } = this.state
    for (const task of tasks) fx.startTimer(task, 0, prng.nextInt(config[`${task}Ms`]))
    // Rings that began apart, after a restart of everybody, find each other soon.
    fx.startTimer('seekRings', 0, prng.nextInt(Math.min(config.historyMs, firstLookMs)))
  }

  /** Whether `kind` is one of the tasks here. */
  onTimer(kind: string, contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): boolean {
    const { config, prng } = this.state
    switch (kind) {
      case 'heartbeat':
        this.heartbeat(now, fx)
        break
      case 'silence':
        this.watch(now, fx)
        return true
      case 'leafExchange':
        this.exchangeLeafSets(now, fx)
        break
      case 'rowExchange':
        exchangeRow(this.state, fx)
        this.pingNeighborhood(now, fx)
        break
      case 'history':
        this.seekRings(contacts, fx)
        break
      case 'seekRings':
        this.seekRings(contacts, fx)
        return true
      default:
        return false
    }
    fx.startTimer(kind, 0, prng.jitter(config[`${kind}Ms`], jitterShare))
    return true
  }

  /** Anything arrived from the right neighbour. */
  heardRight(now: Millis): void {
    this.rightHeardAt = now
  }

  /** MSPastry: to the left neighbour only; from the right neighbour the same is expected, and any other message will do. */
  private heartbeat(now: Millis, fx: OverlayEffects): void {
    const { config, leafSet } = this.state
    const { leftNeighbor, rightNeighbor } = leafSet
    if (leftNeighbor !== undefined) send(leftNeighbor, { type: 'heartbeat' }, fx)
    if (rightNeighbor !== this.right) {
      this.right = rightNeighbor
      this.rightHeardAt = Math.max(this.rightHeardAt, now - config.heartbeatMs)
    }
    const leftMs = this.watch(now, fx)
    if (leftMs > 0 && leftMs < config.heartbeatMs) fx.startTimer('silence', 0, leftMs)
  }

  /** Probes the right neighbour when it has been silent for too long. Returns how long it may still be. */
  private watch(now: Millis, fx: OverlayEffects): Millis {
    const { config, leafSet } = this.state
    const leftMs = this.rightHeardAt + Math.ceil(config.heartbeatMs * (1 + jitterShare)) + config.probeTimeoutMs - now
    const { rightNeighbor } = leafSet
    if (rightNeighbor !== undefined && rightNeighbor === this.right && leftMs <= 0)
      this.probing.start(rightNeighbor, { report: true }, now, fx)
    return leftMs
  }

  /** Bamboo: with one random member. Then a look at nodes taken to be dead, which may only have been cut off. */
  private exchangeLeafSets(now: Millis, fx: OverlayEffects): void {
    const { prng, leafSet, failed } = this.state
    failed.expire(now)
    const partner = prng.pick(leafSet.members)
    if (partner !== undefined) this.probing.start(partner, { report: true }, now, fx)
    for (const missed of failed.due(now)) send(missed, { type: 'ping', seq: this.state.nextSeq() }, fx)
  }

  private pingNeighborhood(now: Millis, fx: OverlayEffects): void {
    const neighbor = this.state.prng.pick(this.state.neighborhoodSet.entries())
    if (neighbor !== undefined) this.probing.start(neighbor, {}, now, fx)
  }

  /** A past contact routes a message towards this node's id. In this node's own ring it ends here; the root in another ring answers. */
  private seekRings(contacts: readonly NodeRef[], fx: OverlayEffects): void {
    const { history, leafSet, failed, prng } = this.state
    const strangers = [...contacts, ...history.all()].filter((ref) => !leafSet.has(ref.id) && !failed.has(ref.id))
    const contact = prng.pick(strangers)
    if (contact !== undefined) send(contact, { type: 'join-request', purpose: 'seek', attempt: 0 }, fx)
  }
}

const tasks = ['heartbeat', 'leafExchange', 'rowExchange', 'history'] as const

/** Of each period. Our guess. */
const jitterShare = 0.1

/** Our guess. */
const firstLookMs = 10_000
