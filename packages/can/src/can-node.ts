import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import { Joining } from '@plaxton/upkeep'
import type { Probing } from '@plaxton/upkeep'
import { canCodec, decodeJoinPayload } from './codec.ts'
import type { Claim } from './claim.ts'
import { Departures } from './departures.ts'
import { Doubts } from './doubts.ts'
import { Grants } from './grants.ts'
import { Join, onJoinRequest, onSplit, serveJoin } from './join.ts'
import { heirOf, onLeave } from './leave.ts'
import { Maintenance } from './maintenance.ts'
import { send } from './messages.ts'
import type { CanMessage, Grant, JoinPayload, Pong, Report } from './messages.ts'
import { nextHop, routeCandidates } from './next-hop.ts'
import { keyRange, replicaSet } from './questions.ts'
import type { Common } from './realities-common.ts'
import { Reassignment } from './reassignment.ts'
import { Reports } from './reports.ts'
import type { CanState } from './state.ts'
import { Takeover } from './takeover.ts'
import { isSettled } from './territory.ts'
import { everything } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * One node of a content-addressable network (Ratnasamy, Francis, Handley, Karp and Shenker, SIGCOMM 2001). What it does, in the order in which it happens:
 *
 * 1. **Join** ({@link Join}, {@link Grants}). It has a join routed to its own id, and the owner of that point gives it half of its zone. The first node of a network owns
 *    everything.
 * 2. **Report** ({@link Reports}). It exchanges reports with the owners of the zones around it: what I own, whom I know. Where claims overlap, one outranks the other, and whoever is
 *    outranked yields.
 * 3. **Route** ({@link nextHop}). Greedily through the space to the owner of a key's point.
 * 4. **Watch** ({@link Maintenance}). It beats to its contacts and expects to hear from them. Who is silent is probed three times and then taken to be dead.
 * 5. **Take over** ({@link Takeover}). A gap that borders on its zones gets a new owner: the neighbour with the least to its name, as a rule.
 * 6. **Reassign** ({@link Reassignment}). With several zones it merges them, or gives them away, until it has one.
 * 7. **Leave** ({@link heirOf}). It tells its contacts who is to have its zones.
 *
 * This class takes the inputs apart and hands them on; each exchange is in a file of its own, and {@link CanState} holds what is known.
 */
export class CanNode implements Overlay {
  readonly name = 'can'
  readonly codec = canCodec
  private readonly state: CanState
  private readonly common: Common
  private readonly probing: Probing
  private readonly grants: Grants
  private readonly reports: Reports
  private readonly takeover: Takeover
  private readonly doubts: Doubts
  private readonly departures: Departures
  private readonly reassignment: Reassignment
  private readonly maintenance: Maintenance
  private readonly joins: Joining<Join>
  /** When it is next to be looked at what follows from what has changed. */
  private settleAt: Millis = Infinity
  /** When a joiner answers for its zone although some of those around it have not answered. */
  private memberBy: Millis = Infinity
  /** When news of contacts is told, several changes at once; undefined while there is none. */
  private announceAt: Millis | undefined = undefined

  constructor(state: CanState, common: Common) {
    this.state = state
    this.common = common
    this.probing = common.probing
    this.grants = new Grants(state)
    this.reports = new Reports(state, this.probing, this.grants)
    this.takeover = new Takeover(state, this.reports)
    this.doubts = new Doubts(state, this.probing)
    this.departures = new Departures(state, this.probing, this.doubts, this.takeover, (settles, now, fx) =>
      settles ? this.onSettled(now, fx) : this.changed(now, fx),
    )
    this.reassignment = new Reassignment(state, this.grants)
    this.maintenance = new Maintenance(state, this.probing, this.reports)
    this.joins = new Joining(this.state, {
      begin: (contacts, now, fx) => {
        const join = new Join(this.state, this.reports, contacts, now)
        join.start(fx)
        return join
      },
      found: (since, now, fx) => this.found(since, now, fx),
      seek: (contact, fx) => this.maintenance.seek(contact, fx),
      wasMember: () => this.maintenance.started,
    })
  }

  // Questions

  get self(): NodeRef {
    return this.state.self
  }

  get ready(): boolean {
    return this.state.standing === 'member'
  }

  /** The zones for which this node answers. */
  get zones(): readonly Zone[] {
    return this.state.territory.holdings.filter(isSettled).map(({ zone }) => zone)
  }

  /** The zones that it shares with peers, where zones are overloaded; else none. */
  get sharedZones(): readonly Zone[] {
    return this.state.surroundings.shared
  }

  /** The zones it claims, those for which it does not answer yet included. */
  get claims(): readonly Claim[] {
    return this.state.territory.holdings
  }

  nextHop(key: Guid, _cursor: number, avoid: Avoid): NextHop {
    return nextHop(this.state, this.probing.suspects, key, avoid)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return routeCandidates(this.state, this.probing.suspects, key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.state.nearest.slice(0, num).map(({ ref }) => ref)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return replicaSet(this.state, key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return keyRange(this.state, node, rank, lkey)
  }

  // Commands

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joins.command(bootstrap, now, fx)
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.counts) {
      const { claims } = state.surroundings
      const heirs = claims.map((claim) => heirOf(state, claim) ?? this.self.id)
      for (const { ref } of state.contacts.values()) send(ref, { type: 'leave', claims, heirs }, fx)
    }
    state.standing = 'gone'
    state.territory.clear()
    state.territoryChanged(fx)
    this.joins.end()
    this.takeover.clear()
    this.probing.clear()
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.standing === 'gone') return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    const received = message as CanMessage
    switch (received.type) {
      case 'report':
        return this.onReport(from, received, now, fx)
      case 'heard': {
        const contact = this.reports.onHeard(from, received)
        if (contact !== undefined && this.takeover.onConfirmed(contact)) this.onSettled(now, fx)
        return
      }
      case 'doubt':
        if (this.doubts.onDoubt(from, received, now, fx)) this.changed(now, fx)
        return
      case 'beat':
        return this.reports.onBeat(from, received, now, fx)
      case 'ping':
        return send(from, { type: 'pong', seq: received.seq }, fx)
      case 'pong':
        return this.onPong(from, received, now, fx)
      case 'join-request':
        this.joining?.meet(from)
        return onJoinRequest(state, from, received, fx)
      case 'join-refusal':
        return this.joining?.onRefused(from, received, fx)
      case 'split':
        return onSplit(state, this.grants, from, received, now, fx)
      case 'grant':
        return this.onGrant(from, received, now, fx)
      case 'adopt':
        return this.reassignment.onAdopt(from, received, now, fx)
      case 'search':
        return this.takeover.onSearch(from, received, fx)
      case 'search-reply':
        return this.takeover.onFound(received, now, fx)
      case 'leave':
        if (state.contacts.get(from.id)?.ref.epoch !== from.epoch) return
        return this.onHeir(from, onLeave(state, from, received, now), now, fx)
      default:
        return unreachable(received)
    }
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.standing === 'gone') return
    switch (kind) {
      case 'probe': {
        const silent = this.probing.expired(arg, now, fx)
        return silent === undefined ? undefined : this.onDead(silent, now, fx)
      }
      case 'settle':
        return this.onSettleTimer(now, fx)
      case 'contest':
        if (state.territory.settle(now)) this.onSettled(now, fx)
        return
      case 'join':
        return this.joins.onTimer(arg, now, fx)
      case 'claim': {
        const giver = this.joining?.onClaimTimer(arg, now, fx)
        return giver === undefined ? undefined : this.probing.start(giver, false, now, fx)
      }
      case 'reassign':
        if (this.ready && this.reassignment.run(now, fx)) this.announce(now, fx)
        return fx.startTimer('reassign', 0, state.prng.jitter(state.config.reassignMs, 0.2))
      case 'watch':
        this.doubts.repeat(now, fx)
        return this.maintenance.onTimer(kind, this.joins.bootstraps, now, fx)
      default:
        this.maintenance.onTimer(kind, this.joins.bootstraps, now, fx)
        if (kind === 'history' && state.standing === 'outside' && this.joining === undefined) this.rejoin(now, fx)
    }
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    if (cause === 'disconnected' && !this.state.contacts.has(peer.id)) return
    if (cause === 'unreachable') {
      this.onUnreachable(peer, fx)
      // It did not answer a probe either, because there is nobody to connect to.
      if (this.probing.has(peer.id)) return this.onDead(peer, now, fx)
    }
    this.suspect(peer, now, fx)
  }

  /** There is nobody to connect to; a join goes on through another. */
  onUnreachable(peer: NodeRef, fx: OverlayEffects): void {
    this.joining?.onUnreachable(peer, fx)
  }

  /** It answered none of the probes. */
  onDead(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.departures.fail(peer, now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (this.probing.size > 0) this.probing.heard(from, now, fx)
    const contact = state.contacts.get(from.id)
    if (contact !== undefined && contact.ref.epoch === from.epoch) contact.heardAt = now
    // It has started again, and owns nothing of what it did.
    else this.departures.noteIncarnation(from, now, fx)
    if (state.failed.size > 0 && state.failed.has(from.id) && !state.failed.refuses(from)) {
      // It was cut off, not dead; or it has started again.
      state.failed.forget(from.id)
      if (state.ghosts.forget(from)) {
        state.redraw()
        this.changed(now, fx)
      }
      if (state.counts) this.reports.greet(from, now, fx)
    }
  }

  onRoundTrip(peer: NodeRef, rttMs: Millis, _now: Millis, _fx: OverlayEffects): void {
    this.state.proximity.sample(peer.id, rttMs)
  }

  measuredMs(peer: NodeRef): Millis | undefined {
    return this.state.proximity.ownOf(peer.id)
  }

  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.state.failed.has(peer.id)) return fx.peerFailed(peer)
    const known = this.state.find(peer.id)
    if (known !== undefined) this.probing.start(known, true, now, fx)
  }

  forwardOwn(key: Guid, payload: Uint8Array, _hops: number, next: NodeRef | undefined, now: Millis, fx: OverlayEffects): boolean {
    let join: JoinPayload
    try {
      join = decodeJoinPayload(payload, fx.readRef)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'a join that cannot be read' })
      return false
    }
    if (join.joiner.id.length !== this.self.id.length) return false
    if (next === undefined) serveJoin(this.state, this.grants, this.reports, join, key, now, fx)
    else if (next.id !== join.joiner.id) return true
    // The joiner itself, before it crashed or from an attempt before.
    else if (next.epoch < join.joiner.epoch) {
      this.departures.noteIncarnation(join.joiner, now, fx)
      send(join.joiner, { type: 'join-refusal', attempt: join.attempt, member: true }, fx)
    }
    return false
  }

  assertInvariants(): void {
    this.state.assertInvariants()
    assert(!this.ready || this.joining === undefined, 'a member is not joining')
    assert(!this.ready || !this.state.territory.isEmpty, 'a member has a zone')
  }

  // Joining

  /** Undefined except while joining. */
  private get joining(): Join | undefined {
    return this.joins.current
  }

  /** Everything is this node's, as far as it knows. */
  private found(since: Millis, now: Millis, fx: OverlayEffects): void {
    this.state.territory.add({ zone: everything, version: 0, caretaker: false }, { now })
    this.becomeMember(since, now, fx)
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    this.joins.end()
    this.state.standing = 'member'
    this.state.territoryChanged(fx)
    if (!this.maintenance.started) fx.startTimer('reassign', 0, this.state.prng.jitter(this.state.config.reassignMs, 0.2))
    this.maintenance.start(fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
    this.changed(now, fx)
  }

  /** A zone may be claimed: by a joiner, or by a member to whom one is handed over. */
  private onGrant(from: NodeRef, grant: Grant, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (this.joining !== undefined) {
      if (this.joining.onGrant(from, grant, now, fx)) this.changed(now, fx)
      return
    }
    const { zone } = grant.zone
    const fits = state.standing === 'member' && grant.attempt === 0 && zone.length <= state.space.maxDepth
    if (!fits || state.territory.overlapping(zone).length > 0 || !this.reassignment.accepts(from, zone)) return
    state.territory.add(grant.zone, { now, waitsFor: from.id })
    state.territoryChanged(fx)
    this.announce(now, fx)
    this.reports.greet(from, now, fx)
  }

  // Reports

  private onReport(from: NodeRef, report: Report, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.failed.refuses(from)) return
    const contact = state.contacts.get(from.id)
    if (contact !== undefined && contact.ref.epoch > from.epoch) return
    if (!report.member) this.departures.retract(from, now, fx)
    const outcome = this.reports.onReport(from, report, now, fx)
    this.takeover.onDispute(from, report.claims, now, fx)
    if (outcome === undefined) return
    if (state.ghosts.forget(from)) state.redraw()
    if (outcome.released) this.onSettled(now, fx)
    if (outcome.yielded && state.territory.isEmpty) return this.dispossessed(from, now, fx)
    if (outcome.yielded) this.announce(now, fx)
    this.changed(now, fx)
  }

  /** A zone has become this node's for good; it answers for it from now on. A joiner does when it has met its neighbours and its group. */
  private onSettled(now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'claiming') {
      this.memberBy = now + this.state.config.joinReplyMs
      return this.changed(now, fx)
    }
    this.state.territoryChanged(fx)
    fx.becameReady()
    this.changed(now, fx)
  }

  /** Everything this node owned is somebody else's: it joins again, through that node and those it knows. */
  private dispossessed(owner: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state, joining } = this
    this.reports.announce(now, fx)
    const contacts = [...state.contacts.values()].map(({ ref }) => ref)
    for (const { id } of contacts) state.drop(id, fx)
    for (const ref of contacts) state.history.note(ref, state.prng)
    state.standing = 'outside'
    state.ghosts.clear()
    state.territoryChanged(fx)
    this.takeover.clear()
    if (joining !== undefined) return joining.onDispossessed(fx)
    const others = contacts.filter(({ id }) => id !== owner.id)
    this.joins.begin([owner, ...state.prng.shuffle(others).slice(0, rejoinContacts)], now, fx)
  }

  /** Nobody to join through was left: it tries those it once knew. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const contacts = this.joins.contacts()
    if (contacts.length > 0) this.joins.begin(contacts, now, fx)
  }

  private onPong(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): void {
    const rttMs = this.probing.roundTrip(pong.seq, now) ?? this.maintenance.roundTrip(from, pong.seq, now)
    if (rttMs !== undefined) this.state.proximity.sample(from.id, rttMs)
    if (this.state.counts && !this.state.contacts.has(from.id)) this.changed(now, fx)
  }

  // Coming and going

  /** A contact leaves, and some of its zones may be for this node. */
  private onHeir(from: NodeRef, inherited: readonly Claim[], now: Millis, fx: OverlayEffects): void {
    const { state } = this
    this.departures.leave(from, now, fx)
    if (inherited.length === 0 || !this.ready) return
    for (const claim of inherited) state.territory.add(claim, { now })
    state.territoryChanged(fx)
    fx.becameReady()
    this.announce(now, fx)
  }

  // What follows from a change

  /** Own zones are others than before: everybody who knows this node hears it now. */
  private announce(now: Millis, fx: OverlayEffects): void {
    this.reports.announce(now, fx)
    this.changed(now, fx)
  }

  private changed(now: Millis, fx: OverlayEffects): void {
    this.settleBy(now + this.state.config.settleMs, now, fx)
  }

  private settleBy(at: Millis, now: Millis, fx: OverlayEffects): void {
    if (at >= this.settleAt) return
    this.settleAt = at
    fx.startTimer('settle', 0, Math.max(0, Math.ceil(at - now)))
  }

  /** Meets who is needed, takes over what nobody owns, tells what is new, and forgets who is of no interest. */
  private onSettleTimer(now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (now < this.settleAt) return
    this.settleAt = Infinity
    if (!state.counts) return
    const strangers = state.strangers(now)
    for (const { node } of strangers) this.reports.greet(node, now, fx)
    const mayBeMember = state.standing === 'claiming' && this.zones.length > 0 && (strangers.length === 0 || now >= this.memberBy)
    if (mayBeMember) this.becomeMember(this.joining?.startedAt ?? now, now, fx)
    if (this.takeover.review(now, fx)) {
      fx.becameReady()
      this.announce(now, fx)
    }
    this.announceAt ??= now + state.config.announceMs
    if (now >= this.announceAt) {
      this.announceAt = undefined
      this.reports.announceNews(now, fx)
      this.prune(fx)
    } else this.settleBy(this.announceAt, now, fx)
    if (strangers.length > 0) this.settleBy(now + strangersMs, now, fx)
    const next = this.takeover.nextAt()
    if (next !== undefined) this.settleBy(Math.max(next, now + 1), now, fx)
  }

  /** Those whose zones are no longer near, and who have been told so. */
  private prune(fx: OverlayEffects): void {
    for (const { ref } of this.state.strayContacts()) {
      this.state.history.note(ref, this.state.prng)
      this.state.drop(ref.id, fx)
      if (this.common.find(ref.id) === undefined) this.probing.drop(ref.id)
    }
    this.state.layGhosts()
  }
}

/** Former contacts through which a node that lost its zones joins again. */
const rejoinContacts = 8
/** Pause before a stranger who has not answered is greeted again. */
const strangersMs = 1_500
