import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { JoinRounds } from '@plaxton/upkeep'
import { encodeJoinPayload } from './codec.ts'
import type { Grants } from './grants.ts'
import { send } from './messages.ts'
import type { Grant, JoinPayload, JoinRefusal, JoinRequest, Split } from './messages.ts'
import type { Reports } from './reports.ts'
import type { CanState } from './state.ts'

/**
 * How a node comes by a zone (SIGCOMM 2001, §2.1). Several attempts, each through another bootstrap node:
 *
 *     asking ──grant──▶ claiming ──the giver has let go──▶ member
 *        ▲                 │
 *        └──── pausing ◀───┴── no answer, refused, or somebody else's after all
 *
 * The point it chooses is its own id, in another reality other bits of it first: random, and nobody's choice.
 */
export class Join {
  readonly startedAt: Millis
  private readonly state: CanState
  private readonly reports: Reports
  private readonly rounds: JoinRounds
  private phase: 'asking' | 'claiming' | 'pausing' = 'pausing'
  private contact: NodeRef
  private giver: NodeRef | undefined = undefined
  private attempt = 0

  constructor(state: CanState, reports: Reports, bootstraps: readonly NodeRef[], now: Millis) {
    this.state = state
    this.reports = reports
    this.startedAt = now
    this.rounds = new JoinRounds(state.self, bootstraps, state.config, state.prng)
    this.contact = bootstraps[0]!
  }

  start(fx: OverlayEffects): void {
    this.ask(fx)
  }

  /** The wait for a grant, or a pause, is over. `founder`: nobody but fellow joiners answers, and it is this one that has to begin. */
  onTimer(attempt: number, now: Millis, fx: OverlayEffects): 'joining' | 'founder' | 'failed' {
    if (attempt !== this.attempt || this.phase === 'claiming') return 'joining'
    if (now - this.startedAt > this.state.config.joinMs) return 'failed'
    if (this.phase === 'asking') this.pause(fx)
    else if (this.rounds.mustFound) return 'founder'
    else this.ask(fx)
    return 'joining'
  }

  /** True when it is this attempt's: the zone may be claimed. */
  onGrant(from: NodeRef, grant: Grant, now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    if (this.phase !== 'asking' || grant.attempt !== this.attempt || grant.zone.zone.length > state.space.maxDepth) return false
    this.rounds.noteMember()
    this.phase = 'claiming'
    this.giver = from
    state.standing = 'claiming'
    state.territory.add(grant.zone, { now, waitsFor: from.id })
    state.territoryChanged(fx)
    state.put(from, grant, now, fx)
    this.reports.greet(from, now, fx)
    fx.startTimer('claim', this.attempt, state.config.claimMs)
    return true
  }

  /** The giver has not said yet that it has let go. Returned: it may have died, and nobody else looks after that for this node. */
  onClaimTimer(attempt: number, now: Millis, fx: OverlayEffects): NodeRef | undefined {
    if (attempt !== this.attempt || this.phase !== 'claiming' || this.giver === undefined) return undefined
    this.reports.greet(this.giver, now, fx)
    fx.startTimer('claim', this.attempt, this.state.config.claimMs)
    return this.giver
  }

  /** What was granted is somebody else's after all. */
  onDispossessed(fx: OverlayEffects): void {
    if (this.phase === 'claiming') this.pause(fx)
  }

  /** By a fellow joiner, or by a member that has nothing to give at the moment. */
  onRefused(from: NodeRef, { attempt, member }: JoinRefusal, fx: OverlayEffects): void {
    if (attempt !== this.attempt || this.phase !== 'asking') return
    if (member) this.rounds.noteMember()
    else if (from.id === this.contact.id) this.rounds.refusedBy(from)
    this.pause(fx)
  }

  /** The bootstrap node cannot be reached. */
  onUnreachable(peer: NodeRef, fx: OverlayEffects): void {
    if (this.phase === 'asking' && peer.id === this.contact.id) this.pause(fx)
  }

  /** A fellow joiner: a possible bootstrap node for later. */
  meet(fellow: NodeRef): void {
    this.rounds.meet(fellow)
  }

  private ask(fx: OverlayEffects): void {
    const { state } = this
    this.phase = 'asking'
    this.attempt = state.nextSeq()
    this.contact = this.rounds.next()
    send(this.contact, { type: 'join-request', purpose: 'join', attempt: this.attempt, key: state.pointOf(state.self.id) }, fx)
    fx.startTimer('join', this.attempt, state.config.joinReplyMs)
  }

  private pause(fx: OverlayEffects): void {
    this.phase = 'pausing'
    this.giver = undefined
    this.attempt = this.state.nextSeq()
    fx.startTimer('join', this.attempt, this.rounds.pauseMs())
  }
}

/** A joiner asks this node to be its bootstrap node, or somebody to look for an owner here. */
export function onJoinRequest(state: CanState, from: NodeRef, request: JoinRequest, fx: OverlayEffects): void {
  const { purpose, attempt, key } = request
  const isKey = key.length === state.self.id.length && (purpose === 'seek' || key === state.pointOf(from.id))
  if (state.standing === 'member' && isKey) fx.route(key, encodeJoinPayload({ purpose, joiner: from, attempt }))
  else if (purpose === 'join') send(from, { type: 'join-refusal', attempt, member: false }, fx)
}

/** A join or a search has come to the owner of its point. */
export function serveJoin(
  state: CanState,
  grants: Grants,
  reports: Reports,
  payload: JoinPayload,
  key: Guid,
  now: Millis,
  fx: OverlayEffects,
): void {
  const { joiner, attempt, purpose } = payload
  if (joiner.id === state.self.id) return
  if (purpose === 'seek') return reports.greet(joiner, now, fx)
  const isServed = key === state.pointOf(joiner.id) && grants.serve(joiner, attempt, now, fx)
  if (!isServed) send(joiner, { type: 'join-refusal', attempt, member: true }, fx)
}

/** A neighbour with a smaller zone passes a joiner on. */
export function onSplit(state: CanState, grants: Grants, from: NodeRef, { joiner, attempt }: Split, now: Millis, fx: OverlayEffects): void {
  const isKnown = state.contacts.has(from.id) && joiner.id !== state.self.id
  if (state.standing !== 'member' || !isKnown || !grants.split(joiner, attempt, now, fx))
    send(joiner, { type: 'join-refusal', attempt, member: state.standing === 'member' }, fx)
}
