import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Measuring } from '@plaxton/upkeep'
import type { MeasuringConfig, MeasuringHost } from '@plaxton/upkeep'
import { encodeWalkPayload } from './codec.ts'
import { send } from './messages.ts'
import type { FingerReply } from './messages.ts'
import type { ChordState } from './state.ts'

/**
 * The paper's `fix_fingers`, lazily: a new member looks up each of its fingers once, later one at every stabilisation; a finger that has lost all its nodes comes first.
 * The nodes that are named for a finger are pinged; they are used once they have answered, the nearest first.
 */
export class FingerKeeper implements MeasuringHost {
  readonly config: MeasuringConfig
  readonly measuring: Measuring
  private readonly state: ChordState
  /** Fingers to be looked up soon. Bound: the bits of an id. */
  private readonly missing = new Set<number>()
  private filling = false
  /** Fingers whose lookups are under way, or were lost, and their numbers. Bound: the bits of an id. */
  private readonly awaited = new Map<number, number>()
  /** The finger looked up last. */
  private last = 0

  constructor(state: ChordState) {
    this.state = state
    // Which of a finger's nodes is the nearest matters little, so one ping tells.
    this.config = { ...state.config, distanceProbes: 1 }
    this.measuring = new Measuring(this)
  }

  /** This node has become a member. */
  start(fx: OverlayEffects): void {
    for (let index = this.state.fingers.highest; index >= this.least(); index--) this.missing.add(index)
    this.fillSoon(fx)
  }

  /** Looks up the next of those that are missing. */
  onFillTimer(fx: OverlayEffects): void {
    this.filling = false
    const least = this.least()
    for (const index of this.missing) {
      this.missing.delete(index)
      if (index < least) continue
      this.lookUp(index, fx)
      break
    }
    this.fillSoon(fx)
  }

  /** Looks up the next finger, round and round. */
  fixNext(fx: OverlayEffects): void {
    const { fingers } = this.state
    const least = this.least()
    fingers.dropBelow(least)
    if (least > fingers.highest) return
    this.last = this.last <= least || this.last > fingers.highest ? fingers.highest : this.last - 1
    this.lookUp(this.last, fx)
  }

  /** The successor of a finger's start says who it is and who follows it. */
  onReply(from: NodeRef, reply: FingerReply, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const index = this.take(reply.number)
    if (index === undefined) return fx.emit({ type: 'dropped', from, reason: 'a finger that was not asked for' })
    const refs = state.credible([from, ...reply.refs], now)
    state.fingers.place(index, refs)
    // Who is in another table has answered before.
    let changed = false
    for (const ref of refs) {
      const known = ref === from ? from : state.find(ref.id)
      if (known !== undefined && state.fingers.admit(known)) changed = true
    }
    if (changed) fx.routesChanged()
    this.measuring.consider(refs, now, fx)
  }

  /** A node is out of all tables. */
  onGone(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.measuring.drop(ref.id, now, fx)
    for (const index of this.state.fingers.emptied()) if (!this.awaited.has(index)) this.missing.add(index)
    this.fillSoon(fx)
  }

  clear(): void {
    this.missing.clear()
    this.awaited.clear()
    this.measuring.clear()
  }

  // What measuring asks

  nextSeq(): number {
    return this.state.nextSeq()
  }

  credible(refs: readonly NodeRef[], now: Millis): NodeRef[] {
    return this.state.credible(refs, now)
  }

  couldImprove({ id }: NodeRef): boolean {
    const { fingers, proximity } = this.state
    return fingers.awaits(id) || (fingers.get(id) !== undefined && proximity.of(id) === undefined)
  }

  challenges(): boolean {
    return false
  }

  ping(to: NodeRef, seq: number, fx: OverlayEffects): void {
    send(to, { type: 'ping', seq }, fx)
  }

  measured(from: NodeRef, distance: Millis): void {
    this.state.proximity.set(from.id, distance)
  }

  /** The least finger that begins beyond the successor list; beyond the last when the lists hold the whole ring. */
  private least(): number {
    const { lists, fingers } = this.state
    const { furthest } = lists.successors
    return lists.whole || furthest === undefined ? fingers.highest + 1 : fingers.leastBeyond(furthest)
  }

  private fillSoon(fx: OverlayEffects): void {
    if (this.filling || this.missing.size === 0 || this.state.standing !== 'member') return
    this.filling = true
    fx.startTimer('fill', 0, this.state.prng.jitter(this.state.config.fillFingersMs, 0.5))
  }

  private lookUp(index: number, fx: OverlayEffects): void {
    const { state } = this
    const number = state.nextSeq()
    this.awaited.set(index, number)
    fx.route(state.fingers.start(index), encodeWalkPayload({ purpose: 'finger', asker: state.self, number }))
  }

  /** The finger whose lookup has this number, which is over. */
  private take(number: number): number | undefined {
    for (const [index, awaited] of this.awaited) {
      if (awaited !== number) continue
      this.awaited.delete(index)
      return index
    }
    return undefined
  }
}
