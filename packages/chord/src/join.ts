import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { JoinRounds } from '@plaxton/upkeep'
import type { Asking } from './asking.ts'
import { encodeWalkPayload } from './codec.ts'
import { listMax, send } from './messages.ts'
import type { JoinRefusal, JoinRequest, JoinState, Neighbors, WalkPayload } from './messages.ts'
import type { ChordState } from './state.ts'

/**
 * How a node becomes a member. Zave's correction of the paper: it knows its successor *and* that one's list before it is one. Several attempts, each by another
 * bootstrap node, each in these phases:
 *
 *     asking ──successor's lists──▶ confirming ──all have answered──▶ claiming ──all count it──▶ member
 *        ▲                              │ nobody answered
 *        └────────── pausing ◀──────────┘
 *
 * - *asking*: the bootstrap node routes the question to the successor of this node's id, which sends both its lists.
 * - *confirming*: the joiner asks everybody who may belong into its lists, and whoever their answers name, until nobody new comes up. So far nobody counts it: if it
 *   dies now, no key is without an owner for a moment.
 * - *claiming*: it asks all of them once more, now as one that counts. From its answer on, its successor sends it the keys that are its own from now on; it holds
 *   them until everybody in its lists counts it, and its predecessor has said that it is its successor. So at no time do two nodes deliver for one key.
 *
 * When everybody is joining, somebody has to begin: {@link JoinRounds}.
 */
export class Join {
  readonly startedAt: Millis
  private readonly state: ChordState
  private readonly asking: Asking
  private readonly rounds: JoinRounds
  private phase: 'pausing' | 'asking' | 'confirming' | 'claiming' = 'pausing'
  /** Names the attempt in messages and timers; nobody can tell it who was not asked. */
  private attempt = 0
  private contact: NodeRef
  /** Who counts this node. Bound: those that answered questions, some three times the lists. */
  private readonly counted = new Set<Guid>()

  constructor(state: ChordState, asking: Asking, bootstraps: readonly NodeRef[], now: Millis) {
    this.state = state
    this.asking = asking
    this.rounds = new JoinRounds(state.self, bootstraps, state.config, state.prng)
    this.contact = bootstraps[0]!
    this.startedAt = now
  }

  /** Whether it is already time to look into what peers say about others. */
  get confirms(): boolean {
    return this.phase === 'confirming' || this.phase === 'claiming'
  }

  /** Starts the next attempt. */
  start(fx: OverlayEffects): void {
    this.attempt = this.state.nextSeq()
    this.contact = this.rounds.next()
    this.phase = 'asking'
    send(this.contact, { type: 'join-request', purpose: 'join', attempt: this.attempt }, fx)
    this.wait(fx)
  }

  /** The successor's lists. Returns whom to look at; {@link onSettled} follows. */
  onState(from: NodeRef, message: JoinState): readonly NodeRef[] {
    if (message.attempt !== this.attempt || this.phase !== 'asking') return []
    this.rounds.noteMember()
    this.phase = 'confirming'
    return [from, ...message.predecessors, ...message.successors]
  }

  /** The bootstrap node is no member. */
  onRefused(from: NodeRef, { attempt }: JoinRefusal, fx: OverlayEffects): void {
    if (from.id !== this.contact.id || attempt !== this.attempt) return
    this.rounds.refusedBy(from)
    this.onUnreachable(from, fx)
  }

  /** The bootstrap node cannot be reached. */
  onUnreachable(peer: NodeRef, fx: OverlayEffects): void {
    if (this.phase === 'asking' && peer.id === this.contact.id) this.pause(fx)
  }

  /** A fellow joiner: a possible bootstrap node for later. */
  meet(fellow: NodeRef): void {
    this.rounds.meet(fellow)
  }

  /** A member answered. */
  onNeighbors(from: NodeRef, message: Neighbors): void {
    if (this.phase === 'claiming' && message.counted) this.counted.add(from.id)
  }

  /** No answer is outstanding and no list is wounded. True when this node is a member now. */
  onSettled(now: Millis, fx: OverlayEffects): boolean {
    const { lists } = this.state
    if (!this.confirms) return false
    if (lists.size === 0) {
      this.pause(fx)
      return false
    }
    if (this.phase === 'confirming') {
      this.phase = 'claiming'
      this.state.standing = 'claiming'
      lists.forgetKeys()
      this.claim(now, fx)
    }
    // Who came up since has been asked by a node that counts, for it became a neighbour by its answer; the timer repeats what was lost.
    return lists.confirmed && lists.members.every(({ id }) => this.counted.has(id))
  }

  /** What becomes of the join: it goes on, its time is up, or this node has to begin a ring. */
  onTimer(attempt: number, now: Millis, fx: OverlayEffects): 'joining' | 'failed' | 'founder' {
    if (attempt !== this.attempt) return 'joining'
    const timeIsUp = now - this.startedAt >= this.state.config.joinMs
    if (this.phase === 'asking' || (this.confirms && timeIsUp)) {
      this.pause(fx)
      return 'joining'
    }
    if (this.confirms) {
      this.claim(now, fx)
      this.wait(fx)
      return 'joining'
    }
    if (timeIsUp) return 'failed'
    if (this.rounds.mustFound) return 'founder'
    this.start(fx)
    return 'joining'
  }

  /** Asks those that do not count this node yet, and the predecessor until it confirms. */
  private claim(now: Millis, fx: OverlayEffects): void {
    const { lists } = this.state
    for (const ref of lists.members) if (!this.counted.has(ref.id)) this.asking.ask(ref, now, fx)
    const { predecessor } = lists
    if (predecessor !== undefined && this.counted.has(predecessor.id) && !lists.confirmed) this.asking.ask(predecessor, now, fx)
  }

  private wait(fx: OverlayEffects): void {
    fx.startTimer('join', this.attempt, this.state.config.joinReplyMs)
  }

  /** This attempt has failed. The next follows at once, or after a pause when all bootstrap nodes have been tried. */
  private pause(fx: OverlayEffects): void {
    this.phase = 'pausing'
    this.state.standing = 'outside'
    this.asking.clear()
    this.counted.clear()
    fx.startTimer('join', this.attempt, this.rounds.pauseMs())
  }
}

/** A joiner asks this node to be its bootstrap node, or a member to look into its ring. */
export function onJoinRequest(state: ChordState, from: NodeRef, request: JoinRequest, fx: OverlayEffects): void {
  const { purpose, attempt } = request
  if (state.counts) fx.route(from.id, encodeWalkPayload({ purpose, asker: from, number: attempt }))
  else if (purpose === 'join') send(from, { type: 'join-refusal', attempt }, fx)
}

/**
 * A question passes this node on its way to the successor of a key, which answers the asker. When the next hop of a joiner's question is the joiner itself, from
 * an attempt or a life before, this node stands in. Returns whether the question goes on.
 */
export function passWalk(state: ChordState, payload: WalkPayload, nextHop: NodeRef | undefined, fx: OverlayEffects): boolean {
  const { asker, number, purpose } = payload
  const { predecessors, successors } = state.lists
  if (purpose === 'finger') {
    if (nextHop !== undefined) return true
    // The owner of the start may be the asker itself: then no node is in the finger, and nobody needs to say so.
    if (asker.id !== state.self.id) send(asker, { type: 'finger-reply', number, refs: successors.members.slice(0, listMax) }, fx)
    return false
  }
  if (asker.id === state.self.id) return false
  if (nextHop !== undefined && nextHop.id !== asker.id) return true
  const others = (refs: readonly NodeRef[]): NodeRef[] => refs.filter((ref) => ref.id !== asker.id).slice(0, listMax)
  const answer: JoinState = {
    type: 'join-state',
    attempt: number,
    predecessors: others(predecessors.members),
    successors: others(successors.members),
  }
  send(asker, answer, fx)
  return false
}
