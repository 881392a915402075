import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { StateReply } from './messages.ts'
import type { PastryState } from './state.ts'

/**
 * A joiner looks for a bootstrap node in its own neighbourhood, because the routing table it starts with is as local as that of the node it
 * starts from (Castro et al., "Exploiting network proximity in peer-to-peer overlay networks", FuDiCo 2002):
 *
 * 1. Ask the given node for its leaf set, measure everybody in it, move to the nearest.
 * 2. Ask the nearest for its deepest row, measure, move to the nearest; then for the row above, up to row 0.
 * 3. Ask for row 0 again, as long as that brings something nearer.
 *
 * One ping per node. Each round waits for its answers, but not beyond its time; after `seekRounds` rounds the nearest so far will do. In a
 * ring so small that a leaf set holds everybody it makes no difference who the bootstrap node is, and the search ends at once.
 */
export class NearestBootstrap {
  /** Where the search stands, and in the end its result. */
  nearest: NodeRef
  private nearestMs = Infinity
  private readonly state: PastryState
  /** The row asked for; `Infinity` in the first round. */
  private row = Infinity
  private rounds = 0
  /** Names the round in its timer. */
  private round = 0
  private askedAt: Millis = 0
  /** Pings under way in this round. Bound: what one reply names. */
  private readonly pings = new Map<Guid, { readonly ref: NodeRef; readonly seq: number; readonly sentAt: Millis }>()
  private waitsForReply = false
  private improved = false

  constructor(state: PastryState, seed: NodeRef) {
    this.state = state
    this.nearest = seed
  }

  /** Whether the given node has answered. */
  get answeredAtAll(): boolean {
    return this.row < Infinity
  }

  start(now: Millis, fx: OverlayEffects): void {
    this.ask(deepest, now, fx)
  }

  /** The current node's surroundings. Returns true when the search is over. */
  onReply(from: NodeRef, reply: StateReply, now: Millis, fx: OverlayEffects): boolean {
    if (!this.waitsForReply || from.id !== this.nearest.id) return false
    this.waitsForReply = false
    const isFirst = this.row === Infinity
    if (isFirst) {
      this.nearestMs = now - this.askedAt
      if (reply.leafSet.length < this.state.config.leafSetSize) return true
    }
    this.row = isFirst ? reply.row + 1 : reply.row
    this.improved = false
    for (const ref of this.state.credible(isFirst ? reply.leafSet : reply.refs, now)) {
      if (ref.id === this.nearest.id || this.state.proximity.of(ref.id) !== undefined) continue
      const seq = this.state.nextSeq()
      this.pings.set(ref.id, { ref, seq, sentAt: now })
      send(ref, { type: 'ping', seq }, fx)
    }
    return this.pings.size === 0 && this.nextRound(now, fx)
  }

  /** Returns true when the search is over. */
  onPong(from: NodeRef, seq: number, member: boolean, now: Millis, fx: OverlayEffects): boolean {
    const ping = this.pings.get(from.id)
    if (ping === undefined || ping.seq !== seq) return false
    this.pings.delete(from.id)
    const distance = now - ping.sentAt
    this.state.proximity.set(from.id, distance)
    if (member && distance < this.nearestMs) {
      this.nearest = ping.ref
      this.nearestMs = distance
      this.improved = true
    }
    return this.pings.size === 0 && !this.waitsForReply && this.nextRound(now, fx)
  }

  /** The time of round `round` is up: goes on with what there is. Returns true when the search is over. */
  onTimer(round: number, now: Millis, fx: OverlayEffects): boolean {
    if (round !== this.round) return false
    if (this.waitsForReply) return true
    this.pings.clear()
    return this.nextRound(now, fx)
  }

  private nextRound(now: Millis, fx: OverlayEffects): boolean {
    if (this.rounds >= this.state.config.seekRounds || (this.row === 0 && !this.improved)) return true
    this.ask(Math.max(0, this.row - 1), now, fx)
    return false
  }

  private ask(row: number, now: Millis, fx: OverlayEffects): void {
    this.rounds++
    this.round = this.state.nextSeq()
    this.waitsForReply = true
    this.askedAt = now
    send(this.nearest, { type: 'state-request', row, leafSet: this.row === Infinity, refs: [] }, fx)
    fx.startTimer('seek', this.round, this.state.config.seekRoundMs)
  }
}

/** A row number that no table reaches: the deepest there is. */
const deepest = 255
