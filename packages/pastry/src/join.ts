import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { encodeJoinPayload } from './codec.ts'
import { leafRefsMax, rowRefsMax, send } from './messages.ts'
import type { JoinPayload, JoinState } from './messages.ts'
import type { Probing } from './probing.ts'
import type { PastryState } from './state.ts'

/**
 * How a node becomes a member (Middleware 2001, §2.4, made consistent as in MSPastry). Several attempts, each by another bootstrap node,
 * each in these phases:
 *
 *     asking ──root's state──▶ confirming ──all answered──▶ claiming ──all agreed──▶ member
 *       ▲                          │ nobody answered            │
 *       └──── pause ◀──────────────┴────────────────────────────┘
 *
 * - *asking*: a bootstrap node routes the join towards this node's id. Every node on the way sends its share of the state to the joiner; the
 *   root sends its leaf set.
 * - *confirming*: the joiner probes everybody who may belong into its leaf set, and whoever their answers name, until nobody new
 *   comes up. So far nobody counts it as a member: if it dies now, no key is without a root for a moment.
 * - *claiming*: it probes all its leaf set once more, now as one that counts. Whoever has answered sends it the keys that are its own from now
 *   on; it holds them until all have answered. So at no time do two nodes deliver for one key. Two neighbours who join at the same time
 *   have neighbours in common, and the later claim learns of the earlier from them.
 */
export class Join {
  readonly startedAt: Millis
  /** Row entries from the path, to be measured once this node is a member. Bound: `rowRefsMax`; the rest is dropped. */
  readonly candidates: NodeRef[] = []
  private readonly state: PastryState
  private readonly bootstraps: readonly NodeRef[]
  private phase: 'pausing' | 'asking' | 'confirming' | 'claiming' = 'pausing'
  private attempt = 0
  private readonly claimed = new Set<Guid>()

  constructor(state: PastryState, bootstraps: readonly NodeRef[], now: Millis) {
    this.state = state
    this.bootstraps = bootstraps
    this.startedAt = now
  }

  /** Starts the next attempt. False when the time is up. */
  start(now: Millis, fx: OverlayEffects): boolean {
    const { config } = this.state
    if (now - this.startedAt >= config.joinMs) return false
    this.attempt++
    this.phase = 'asking'
    this.claimed.clear()
    this.state.standing = 'outside'
    send(this.bootstrap(), { type: 'join-request', attempt: this.attempt }, fx)
    fx.startTimer('join', this.attempt, config.joinReplyMs)
    return true
  }

  /** A node on the path contributes. The root's share starts the probing; those confirmed in an attempt before need none. */
  onState(from: NodeRef, message: JoinState, probing: Probing, now: Millis, fx: OverlayEffects): void {
    if (message.attempt !== this.attempt || this.phase === 'pausing') return
    const room = rowRefsMax - this.candidates.length
    this.candidates.push(...[from, ...message.rows, ...message.neighborhood].slice(0, room))
    if (!message.root || this.phase !== 'asking') return
    this.phase = 'confirming'
    for (const ref of this.state.leafSet.wanted(this.state.credible([from, ...message.leafSet]))) {
      probing.start(ref, { report: true }, now, fx)
    }
  }

  /** The bootstrap node cannot help, or cannot be reached. */
  onRefused(from: NodeRef, fx: OverlayEffects): void {
    if (this.phase === 'asking' && from.id === this.bootstrap().id) this.pause(fx)
  }

  /** A member answered a probe in which this node claimed to be one. */
  onClaimed(from: NodeRef): void {
    if (this.phase === 'claiming') this.claimed.add(from.id)
  }

  /** No probe is outstanding and no wound is open. True when this node is a member now. */
  onSettled(probing: Probing, now: Millis, fx: OverlayEffects): boolean {
    if (this.phase !== 'confirming' && this.phase !== 'claiming') return false
    const { leafSet } = this.state
    if (leafSet.size === 0) {
      this.pause(fx)
      return false
    }
    this.phase = 'claiming'
    this.state.standing = 'claiming'
    const missing = leafSet.members.filter((ref) => !this.claimed.has(ref.id))
    for (const ref of missing) probing.start(ref, { report: true }, now, fx)
    return missing.length === 0
  }

  /** Returns false when the time for joining is up. */
  onTimer(attempt: number, now: Millis, fx: OverlayEffects): boolean {
    if (attempt !== this.attempt) return true
    if (this.phase === 'pausing') return this.start(now, fx)
    if (this.phase === 'asking') this.pause(fx)
    return true
  }

  private pause(fx: OverlayEffects): void {
    const { config, prng } = this.state
    this.phase = 'pausing'
    this.state.standing = 'outside'
    const rounds = Math.floor(this.attempt / this.bootstraps.length)
    const pauseMs = this.attempt % this.bootstraps.length === 0 ? Math.min(config.joinRetryMs * 2 ** (rounds - 1), config.joinRetryMaxMs) : 0
    fx.startTimer('join', this.attempt, prng.jitter(pauseMs, 0.5))
  }

  private bootstrap(): NodeRef {
    return this.bootstraps[(this.attempt - 1) % this.bootstraps.length]!
  }
}

/** A joiner asks this node to be its bootstrap node. */
export function onJoinRequest(state: PastryState, from: NodeRef, attempt: number, fx: OverlayEffects): void {
  if (state.standing !== 'member') {
    send(from, { type: 'join-refusal', attempt }, fx)
    return
  }
  fx.route(from.id, encodeJoinPayload({ purpose: 'join', joiner: from, attempt }))
}

/**
 * A join passes this node: it sends its share to the joiner. When the next hop is the joiner itself, from an attempt before, this node stands in
 * for the root. Returns whether the message goes on.
 */
export function passJoin(state: PastryState, payload: JoinPayload, hops: number, nextHop: NodeRef | undefined, fx: OverlayEffects): boolean {
  const { joiner, attempt, purpose } = payload
  if (joiner.id === state.self.id) return false
  const root = nextHop === undefined || nextHop.id === joiner.id
  if (root || purpose === 'join') {
    const share: JoinState = {
      type: 'join-state',
      attempt,
      hops,
      root,
      leafSet: root ? state.leafSet.members.filter((ref) => ref.id !== joiner.id).slice(0, leafRefsMax) : [],
      rows: purpose === 'join' ? rowsFor(state, joiner, hops) : [],
      neighborhood: purpose === 'join' && hops === 0 ? state.neighborhoodSet.entries() : [],
    }
    send(joiner, share, fx)
  }
  return !root || nextHop === undefined
}

/** The rows that this node and the joiner share and that no earlier node of the path could send: from `hops` on. */
function rowsFor(state: PastryState, joiner: NodeRef, hops: number): NodeRef[] {
  const { routingTable } = state
  const shared = routingTable.rowOf(joiner.id)
  const rows: NodeRef[] = []
  for (let row = shared; row >= Math.min(hops, shared); row--) rows.push(...routingTable.row(row))
  return rows.filter((ref) => ref.id !== joiner.id).slice(0, rowRefsMax)
}
