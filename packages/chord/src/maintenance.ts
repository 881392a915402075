import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { BoundedMap } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { Neighborhood } from './neighborhood.ts'
import type { ChordState } from './state.ts'

/**
 * What a member does now and then. All of it together is bounded by a few messages a period, whatever happens in the network.
 */
export class Maintenance {
  private readonly state: ChordState
  private readonly neighborhood: Neighborhood
  /** From the moment this node first became a member. */
  started = false
  /** When the predecessor was last heard from, or became the predecessor. */
  private heardAt: Millis = 0
  private predecessor: NodeRef | undefined = undefined
  /** Searches for other rings that have not been answered. Most never are. */
  private readonly searches = new BoundedMap<number, true>(searchesMax)

  constructor(state: ChordState, neighborhood: Neighborhood) {
    this.state = state
    this.neighborhood = neighborhood
  }

  start(fx: OverlayEffects): void {
    if (this.started) return
    this.started = true
    const { config, prng } = this.state
    fx.startTimer('stabilize', 0, prng.nextInt(config.stabilizeMs))
    fx.startTimer('history', 0, prng.nextInt(config.historyMs))
    // Rings that began apart, after a restart of everybody, find each other soon.
    fx.startTimer('seekRings', 0, prng.nextInt(Math.min(config.historyMs, firstLookMs)))
  }

  onTimer(kind: string, contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { config, prng } = this.state
    switch (kind) {
      case 'stabilize':
        this.stabilize(now, fx)
        return fx.startTimer('stabilize', 0, prng.jitter(config.stabilizeMs, stabilizeShare))
      case 'history':
        this.seekRings(contacts, fx)
        return fx.startTimer('history', 0, prng.jitter(config.historyMs, historyShare))
      case 'seekRings':
        return this.seekRings(contacts, fx)
    }
  }

  /** Anything arrived from `from`. */
  heard(from: NodeRef, now: Millis): void {
    if (this.state.lists.predecessor?.id === from.id) this.heardAt = now
  }

  /** Asks `contact` to look for this node's place in its ring. In this node's own ring nothing comes of it. */
  askThrough(contact: NodeRef, fx: OverlayEffects): void {
    const attempt = this.state.nextSeq()
    this.searches.set(attempt, true)
    send(contact, { type: 'join-request', purpose: 'seek', attempt }, fx)
  }

  /** Whether the answer `attempt` is that to such a question. */
  sought(attempt: number): boolean {
    return this.searches.delete(attempt)
  }

  /**
   * ToN 2003: each round the successor and one other entry, which here is one neighbour and one finger. Then a look at nodes taken to be dead, which may only have
   * been cut off.
   */
  private stabilize(now: Millis, fx: OverlayEffects): void {
    const { state, neighborhood } = this
    const { lists, failed, prng } = state
    failed.expire(now)
    if (!state.counts) return
    this.watch(now, fx)
    const other = prng.pick(lists.members)
    for (const ref of new Set([lists.successor, other])) if (ref !== undefined) neighborhood.asking.court(ref, now, fx)
    neighborhood.fingers.fixNext(fx)
    for (const missed of failed.due(now)) neighborhood.asking.greet(missed, fx)
  }

  /** The paper's `check_predecessor`: it stabilises with this node at least every one and a half periods. */
  private watch(now: Millis, fx: OverlayEffects): void {
    const { lists, config } = this.state
    const { predecessor } = lists
    if (predecessor !== this.predecessor) {
      this.predecessor = predecessor
      this.heardAt = now
    }
    const longestMs = config.stabilizeMs * (1 + stabilizeShare) + config.probeTimeoutMs
    if (predecessor !== undefined && now - this.heardAt > longestMs) this.neighborhood.asking.court(predecessor, now, fx)
  }

  /** A past contact routes a question towards this node's id. In this node's own ring it ends here; the successor in another ring answers. */
  private seekRings(contacts: readonly NodeRef[], fx: OverlayEffects): void {
    const { history, lists, failed, prng } = this.state
    const strangers = [...contacts, ...history.all()].filter((ref) => !lists.has(ref.id) && !failed.has(ref.id))
    const contact = prng.pick(strangers)
    if (contact !== undefined) this.askThrough(contact, fx)
  }
}

/** Either way, of each period. ToN 2003: uniform in 15 to 45 s. */
const stabilizeShare = 0.5
/** Our guess: an hour's. */
const searchesMax = 32
/** Our guess. */
const historyShare = 0.1
/** Our guess. */
const firstLookMs = 10_000
