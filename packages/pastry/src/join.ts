import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { JoinRounds } from '@plaxton/upkeep'
import { encodeJoinPayload } from './codec.ts'
import { leafRefsMax, rowRefsMax, send } from './messages.ts'
import type { JoinPayload, JoinRequest, JoinState, StateReply } from './messages.ts'
import { NearestBootstrap } from './nearest-bootstrap.ts'
import type { Probing } from './probing.ts'
import type { PastryState } from './state.ts'

/**
 * How a node becomes a member (Middleware 2001, §2.4, made consistent as in MSPastry). Several attempts, each by another bootstrap node,
 * each in these phases:
 *
 *     seeking ──near node──▶ asking ──root's state──▶ confirming ──all answered──▶ claiming ──all agreed──▶ member
 *        ▲                     │                         │ nobody answered            │
 *        └─────── pausing ◀────┴─────────────────────────┴────────────────────────────┘
 *
 * - *seeking*: {@link NearestBootstrap}; in the first attempt with each bootstrap node.
 * - *asking*: the bootstrap node routes the join towards this node's id. Every node on the way sends its share of the state to the joiner; the
 *   root sends its leaf set.
 * - *confirming*: the joiner probes everybody who may belong into its leaf set, and whoever their answers name, until nobody new
 *   comes up. So far nobody counts it as a member: if it dies now, no key is without a root for a moment.
 * - *claiming*: it probes all its leaf set once more, now as one that counts. Whoever has answered sends it the keys that are its own from now
 *   on; it holds them until all have answered. So at no time do two nodes deliver for one key. Two neighbours who join at the same time
 *   have neighbours in common, and the later claim learns of the earlier from them.
 *
 * When everybody is joining, somebody has to begin: {@link JoinRounds}.
 */
export class Join {
  readonly startedAt: Millis
  /** Row entries from the path, to be measured once this node is a member. Bound: `rowRefsMax`; the rest is dropped. */
  readonly candidates: NodeRef[] = []
  private readonly state: PastryState
  private readonly probing: Probing
  private readonly rounds: JoinRounds
  private phase: 'pausing' | 'seeking' | 'asking' | 'confirming' | 'claiming' = 'pausing'
  /** Counts from 1; names the attempt in messages and timers. */
  private attempt = 0
  private contact: NodeRef
  private search: NearestBootstrap | undefined = undefined
  private readonly claimed = new Set<Guid>()

  constructor(state: PastryState, probing: Probing, bootstraps: readonly NodeRef[], now: Millis) {
    this.state = state
    this.probing = probing
    this.rounds = new JoinRounds(state.self, bootstraps, state.config, state.prng)
    this.contact = bootstraps[0]!
    this.startedAt = now
  }

  /** Whether it is already time to look into what peers say about others. */
  get confirms(): boolean {
    return this.phase === 'confirming' || this.phase === 'claiming'
  }

  /** Starts the next attempt. */
  start(now: Millis, fx: OverlayEffects): void {
    const { config } = this.state
    this.attempt++
    this.contact = this.rounds.next()
    if (config.seekRounds > 0 && this.rounds.isFirst) {
      this.phase = 'seeking'
      this.search = new NearestBootstrap(this.state, this.contact)
      this.search.start(now, fx)
    } else {
      this.ask(fx)
    }
  }

  onStateReply(from: NodeRef, reply: StateReply, now: Millis, fx: OverlayEffects): void {
    if (this.phase !== 'seeking' || this.search === undefined) return
    if (!reply.member) return this.onRefused(from, fx)
    this.rounds.noteMember()
    this.collect([...reply.leafSet, ...reply.refs])
    if (this.search.onReply(from, reply, now, fx)) this.endSearch(this.search.nearest, fx)
  }

  onPong(from: NodeRef, seq: number, member: boolean, now: Millis, fx: OverlayEffects): void {
    if (this.search?.onPong(from, seq, member, now, fx) === true) this.endSearch(this.search.nearest, fx)
  }

  onSeekTimer(round: number, now: Millis, fx: OverlayEffects): void {
    if (this.search?.onTimer(round, now, fx) !== true) return
    if (this.search.answeredAtAll) this.endSearch(this.search.nearest, fx)
    else this.pause(fx)
  }

  /** A node on the path contributes. The root's share starts the probing; {@link onSettled} follows. */
  onState(from: NodeRef, message: JoinState, now: Millis, fx: OverlayEffects): void {
    if (message.attempt !== this.attempt || (this.phase !== 'asking' && !this.confirms)) return
    this.rounds.noteMember()
    this.collect([from, ...message.rows, ...message.neighborhood])
    if (!message.root || this.phase !== 'asking') return
    this.phase = 'confirming'
    for (const ref of this.state.leafSet.wanted(this.state.credible([from, ...message.leafSet], now))) {
      this.probing.start(ref, { report: true }, now, fx)
    }
  }

  /** The bootstrap node is no member. */
  onRefused(from: NodeRef, fx: OverlayEffects): void {
    if (from.id !== this.contact.id) return
    this.rounds.refusedBy(from)
    this.onUnreachable(from, fx)
  }

  /** The bootstrap node cannot be reached. */
  onUnreachable(peer: NodeRef, fx: OverlayEffects): void {
    if ((this.phase === 'asking' || this.phase === 'seeking') && peer.id === this.contact.id) this.pause(fx)
  }

  /** A fellow joiner: a possible bootstrap node for later. */
  meet(fellow: NodeRef): void {
    this.rounds.meet(fellow)
  }

  /** A member answered a probe in which this node claimed to be one. */
  onClaimed(from: NodeRef): void {
    if (this.phase === 'claiming') this.claimed.add(from.id)
  }

  /** No probe is outstanding and no wound is open. True when this node is a member now. */
  onSettled(now: Millis, fx: OverlayEffects): boolean {
    if (!this.confirms) return false
    const { leafSet } = this.state
    if (leafSet.size === 0) {
      this.pause(fx)
      return false
    }
    this.phase = 'claiming'
    this.state.standing = 'claiming'
    const missing = leafSet.members.filter((ref) => !this.claimed.has(ref.id))
    for (const ref of missing) this.probing.start(ref, { report: true }, now, fx)
    return missing.length === 0
  }

  /** What becomes of the join: it goes on, its time is up, or this node has to begin a ring. */
  onTimer(attempt: number, now: Millis, fx: OverlayEffects): 'joining' | 'failed' | 'founder' {
    if (attempt !== this.attempt || this.confirms) return 'joining'
    if (this.phase !== 'pausing') {
      this.pause(fx)
      return 'joining'
    }
    if (now - this.startedAt >= this.state.config.joinMs) return 'failed'
    if (this.rounds.mustFound) return 'founder'
    this.start(now, fx)
    return 'joining'
  }

  private endSearch(nearest: NodeRef, fx: OverlayEffects): void {
    this.search = undefined
    this.contact = nearest
    this.ask(fx)
  }

  private ask(fx: OverlayEffects): void {
    this.phase = 'asking'
    send(this.contact, { type: 'join-request', purpose: 'join', attempt: this.attempt }, fx)
    fx.startTimer('join', this.attempt, this.state.config.joinReplyMs)
  }

  private collect(refs: readonly NodeRef[]): void {
    this.candidates.push(...refs.slice(0, rowRefsMax - this.candidates.length))
  }

  /** This attempt has failed. The next follows at once, or after a pause when all bootstrap nodes have been tried. */
  private pause(fx: OverlayEffects): void {
    this.phase = 'pausing'
    this.search = undefined
    this.state.standing = 'outside'
    this.probing.clear()
    this.claimed.clear()
    fx.startTimer('join', this.attempt, this.rounds.pauseMs())
  }
}

/** A joiner asks this node to be its bootstrap node, or a member to look into its ring. */
export function onJoinRequest(state: PastryState, from: NodeRef, request: JoinRequest, fx: OverlayEffects): void {
  const { purpose, attempt } = request
  if (state.counts) fx.route(from.id, encodeJoinPayload({ purpose, joiner: from, attempt }))
  else if (purpose === 'join') send(from, { type: 'join-refusal', attempt }, fx)
}

/**
 * A join passes this node: it sends its share to the joiner. When the next hop is the joiner itself, from an attempt before, this node stands in
 * for the root. Returns whether the message goes on.
 */
export function passJoin(
  state: PastryState,
  payload: JoinPayload,
  hops: number,
  nextHop: NodeRef | undefined,
  fx: OverlayEffects,
): boolean {
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
  return !root
}

/** The rows that this node and the joiner share and that no earlier node of the path could send: from `hops` on. */
function rowsFor(state: PastryState, joiner: NodeRef, hops: number): NodeRef[] {
  const { routingTable } = state
  const shared = routingTable.rowOf(joiner.id)
  const rows: NodeRef[] = []
  for (let row = shared; row >= Math.min(hops, shared); row--) rows.push(...routingTable.row(row))
  return rows.filter((ref) => ref.id !== joiner.id).slice(0, rowRefsMax)
}
