import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { JoinRounds } from '@plaxton/upkeep'
import type { Measuring, Probing } from '@plaxton/upkeep'
import { MapBuilding } from './map-building.ts'
import { send } from './messages.ts'
import type { Inserted, InsertRefusal, LevelReply, Surrogate } from './messages.ts'
import type { TapestryState } from './state.ts'

/**
 * How a node becomes a member (JSAC 2004, §III-C). Several attempts, each by another bootstrap node, each in these phases:
 *
 *     asking ──surrogate's map──▶ building ──map built──▶ inserting ──everybody told──▶ member
 *       ▲                            │                        │
 *       └───────── pausing ◀─────────┴────────────────────────┘
 *
 * - *asking*: the bootstrap node routes a message towards this node's id. Its root, the surrogate, answers with its map and its siblings.
 * - *building*: the neighbour map, level by level ({@link MapBuilding}). Nobody knows this node yet: if it dies now, nothing has happened.
 * - *inserting*: the surrogate tells everybody who needs to know, by acknowledged multicast. From then on they send this node the keys that are its own; it holds
 *   them until everybody has been told and it knows all who have. So at no time do two nodes deliver for one key.
 *
 * When everybody is joining, somebody has to begin: {@link JoinRounds}.
 */
export class Join {
  readonly startedAt: Millis
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly measuring: Measuring
  private readonly rounds: JoinRounds
  private phase: 'pausing' | 'asking' | 'building' | 'inserting' = 'pausing'
  /** Counts from 1; names the attempt in messages and timers. */
  private attempt = 0
  /** Names the wait that counts. */
  private wait = 0
  /** Whom this attempt was asked of, then the surrogate. */
  private contact: NodeRef
  /** The member that has answered last, unless it has failed since. */
  private member: NodeRef | undefined = undefined
  /** How often another node turned out to be the surrogate. */
  private detours = 0
  private building: MapBuilding | undefined = undefined
  private insertSentAt: Millis = 0
  /** Those told of this node whom it does not know yet; undefined until all have been told. */
  private unmet: Set<Guid> | undefined = undefined

  constructor(state: TapestryState, probing: Probing, measuring: Measuring, bootstraps: readonly NodeRef[], now: Millis) {
    this.state = state
    this.probing = probing
    this.measuring = measuring
    this.rounds = new JoinRounds(state.self, bootstraps, state.config, state.prng)
    this.contact = bootstraps[0]!
    this.startedAt = now
  }

  /** Starts the next attempt. */
  start(fx: OverlayEffects): void {
    this.contact = this.rounds.next()
    this.detours = 0
    this.ask(fx)
  }

  /** The bootstrap node is no member, or the surrogate no longer the right one. A fellow joiner may name a member: that one is asked next. */
  onRefusal(from: NodeRef, refusal: InsertRefusal, now: Millis, fx: OverlayEffects): void {
    if (from.id !== this.contact.id || refusal.attempt !== this.attempt || this.phase === 'pausing') return
    if (refusal.member) {
      this.noteMember(from)
      return this.detours++ < detoursMax ? this.ask(fx) : this.pause(fx)
    }
    this.rounds.refusedBy(from)
    const [member] = this.phase === 'asking' ? this.state.credible(refusal.refs, now) : []
    if (member !== undefined && this.detours++ < detoursMax) {
      this.contact = member
      this.ask(fx)
    } else if (this.phase !== 'building') {
      this.pause(fx)
    }
  }

  /** A peer leaves. An insertion that it has begun it ends before; anything else has to be asked of another. */
  onLeave(peer: NodeRef, fx: OverlayEffects): void {
    this.unmet?.delete(peer.id)
    if ((this.phase === 'asking' || this.phase === 'building') && peer.id === this.contact.id) this.pause(fx)
  }

  /** The surrogate says that these are gone: they need not be known. */
  onGone(ids: readonly Guid[]): void {
    for (const id of ids) this.unmet?.delete(id)
  }

  /** A peer cannot be reached. */
  onUnreachable(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.phase === 'building' && this.building!.onUnreachable(peer, now, fx)) this.insert(now, fx)
    else if ((this.phase === 'asking' || this.phase === 'inserting') && peer.id === this.contact.id) this.pause(fx)
  }

  /** A member it has heard, for others that ask. */
  get members(): readonly NodeRef[] {
    return this.member === undefined ? [] : [this.member]
  }

  /** A fellow joiner: a possible bootstrap node for later. */
  meet(fellow: NodeRef): void {
    this.rounds.meet(fellow)
  }

  /** The surrogate answers. Should it name a node that shares more digits with this one, that is the surrogate. */
  onSurrogate(from: NodeRef, message: Surrogate, now: Millis, fx: OverlayEffects): void {
    if (message.attempt !== this.attempt || this.phase !== 'asking') return
    const { state } = this
    this.noteMember(from)
    this.contact = from
    if (state.failed.refuses(from)) return this.pause(fx)
    const shared = state.map.levelOf(from.id)
    const refs = state.credible(message.refs, now)
    const closer = refs.find((ref) => state.map.levelOf(ref.id) > shared)
    if (closer !== undefined) {
      if (this.detours++ >= detoursMax) return this.pause(fx)
      this.contact = closer
      return this.ask(fx)
    }
    this.phase = 'building'
    if (state.standing === 'outside') state.enterGroup(Math.min(shared, message.group), fx)
    state.admit(from, fx)
    // On the levels of the surrogate's group it knows everybody.
    this.building = new MapBuilding(state, this.measuring, [from, ...refs], Math.min(shared, message.group))
    if (this.building.start(now, fx)) this.insert(now, fx)
  }

  onLevelReply(from: NodeRef, reply: LevelReply, now: Millis, fx: OverlayEffects): void {
    if (this.phase === 'building' && this.building!.onLevelReply(from, reply, now, fx)) this.insert(now, fx)
  }

  /** A measurement ended. */
  onMeasured(now: Millis, fx: OverlayEffects): void {
    if (this.phase === 'building' && this.building!.onMeasured(now, fx)) this.insert(now, fx)
  }

  onBuildTimer(step: number, now: Millis, fx: OverlayEffects): void {
    if (this.phase === 'building' && this.building!.onTimer(step, now, fx)) this.insert(now, fx)
  }

  /** Everybody has been told; {@link settled} says when this node knows them all. */
  onInserted(from: NodeRef, message: Inserted, fx: OverlayEffects): void {
    if (this.phase !== 'inserting' || message.attempt !== this.attempt || from.id !== this.contact.id || this.unmet !== undefined) return
    const { state } = this
    const { siblings, self } = state
    // The surrogate's group has grown since: so has this node's.
    if (message.level < siblings.floor) state.enterGroup(message.level, fx)
    this.unmet = new Set(message.ids.filter((id) => id !== self.id))
    const strangers = [...this.unmet].filter((id) => this.isUnmet(id))
    if (strangers.length > 0) send(from, { type: 'fetch', ids: strangers }, fx)
  }

  /** Whether this node may become a member. */
  get settled(): boolean {
    if (this.phase !== 'inserting' || this.unmet === undefined) return false
    for (const id of this.unmet) {
      if (this.isUnmet(id)) return false
      this.unmet.delete(id)
    }
    return true
  }

  /** What becomes of the join: it goes on, its time is up, or this node has to begin a network. */
  onTimer(wait: number, now: Millis, fx: OverlayEffects): 'joining' | 'failed' | 'founder' {
    if (wait !== this.wait || this.phase === 'building') return 'joining'
    if (this.phase === 'inserting') {
      const isInTime = now - this.insertSentAt < this.state.config.insertMs
      if (isInTime && !this.state.failed.refuses(this.contact)) this.remind(fx)
      else this.pause(fx)
      return 'joining'
    }
    if (this.phase === 'asking') {
      this.pause(fx)
      return 'joining'
    }
    if (now - this.startedAt >= this.state.config.joinMs) return 'failed'
    if (this.rounds.mustFound) return 'founder'
    this.start(fx)
    return 'joining'
  }

  private noteMember(member: NodeRef): void {
    this.rounds.noteMember()
    this.member = member
  }

  private ask(fx: OverlayEffects): void {
    this.phase = 'asking'
    this.building = undefined
    this.unmet = undefined
    this.attempt++
    send(this.contact, { type: 'insert-request', purpose: 'join', attempt: this.attempt }, fx)
    this.waitFor(this.state.config.joinReplyMs, fx)
  }

  private insert(now: Millis, fx: OverlayEffects): void {
    this.phase = 'inserting'
    this.building = undefined
    this.state.standing = 'inserting'
    this.insertSentAt = now
    this.remind(fx)
  }

  /** Sent until it is answered; the surrogate knows what it has heard before. */
  private remind(fx: OverlayEffects): void {
    const { map, config } = this.state
    const holes = map.holes(Math.min(map.digits, map.levelOf(this.contact.id) + 1))
    if (this.unmet === undefined) send(this.contact, { type: 'insert', attempt: this.attempt, holes }, fx)
    else send(this.contact, { type: 'fetch', ids: [...this.unmet].filter((id) => this.isUnmet(id)) }, fx)
    this.waitFor(config.probeTimeoutMs, fx)
  }

  /** One who is dead, or neither a sibling nor needed for a slot, need not be known. */
  private isUnmet(id: Guid): boolean {
    return this.state.needs(id) && !this.state.failed.has(id)
  }

  /** This attempt has failed. The next follows at once, or after a pause when all bootstrap nodes have been tried. */
  private pause(fx: OverlayEffects): void {
    this.phase = 'pausing'
    if (this.member?.id === this.contact.id) this.member = undefined
    this.building = undefined
    this.unmet = undefined
    this.state.standing = 'outside'
    this.probing.clear()
    this.measuring.clear()
    this.waitFor(this.rounds.pauseMs(), fx)
  }

  private waitFor(ms: Millis, fx: OverlayEffects): void {
    this.wait = this.state.nextSeq()
    fx.startTimer('join', this.wait, ms)
  }
}

/** Our guess: each brings a digit at least. */
const detoursMax = 8
