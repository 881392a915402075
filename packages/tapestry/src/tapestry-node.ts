import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause, Prng } from '@plaxton/kbr'
import { Joining, tellRanks } from '@plaxton/upkeep'
import { Acquaintances } from './acquaintances.ts'
import { decodeInsertPayload, tapestryCodec } from './codec.ts'
import type { TapestryConfig } from './config.ts'
import { Departures } from './departures.ts'
import { Gathering, onGroupRequest } from './gathering.ts'
import { Join } from './join.ts'
import { considerSome, onLevelRequest } from './levels.ts'
import { Maintenance } from './maintenance.ts'
import { send } from './messages.ts'
import type { Contacts, ExchangeReply, InsertPayload, InsertRequest, Surrogate, TapestryMessage } from './messages.ts'
import { nextHop } from './next-hop.ts'
import { Parts } from './parts.ts'
import { replicaSet, routeCandidates } from './questions.ts'
import { keyRange } from './range.ts'
import { Retirement, sayGoodbye } from './retirement.ts'
import { onSlotRequest } from './slot-repair.ts'
import { TapestryState } from './state.ts'
import { onInsertRequest } from './surrogate.ts'

/**
 * One node of a Tapestry overlay (Zhao et al., JSAC 2004; Hildrum et al., SPAA 2002). What it does, in the order in which it happens:
 *
 * 1. **Join** ({@link Join}). It finds its surrogate, builds its neighbour map level by level (`MapBuilding`), has everybody told who needs to know
 *    (`Insertions`, `Multicasts`), and is a member when all have been. The first node of a network is one at once.
 * 2. **Route** ({@link nextHop}). Digit by digit; past empty slots to the next digit; never past a slot that is not known to be empty.
 * 3. **Watch** (`Guardians`, `Probing`). Its two guardians expect to hear from it; the entries of its map are pinged in turn. A peer that does not answer is
 *    suspected, probed three times, and then taken to be dead: out of all tables, and its group is told.
 * 4. **Repair** (`SlotRepair`, {@link Gathering}). Backups take over at once. A slot that has lost its last pointer is doubtful until others have been
 *    asked; a sibling group that has become too small is collected anew.
 * 5. **Keep in tune** ({@link Maintenance}, `Exchanges`). Now and then it compares siblings and holes with a random sibling, and a level with a random node of that
 *    level, and looks for a lost part of the network.
 * 6. **Leave** ({@link Retirement}). It tells everybody who has it in a table, with replacements, and goes when they have confirmed.
 *
 * This class takes the inputs apart and hands them on; each exchange is in a file of its own, and {@link TapestryState} holds what is known.
 */
export class TapestryNode implements Overlay {
  readonly name = 'tapestry'
  readonly codec = tapestryCodec
  private readonly state: TapestryState
  private readonly parts: Parts
  private readonly departures: Departures
  private readonly acquaintances: Acquaintances
  private readonly maintenance: Maintenance
  private readonly joins: Joining<Join>
  /** Undefined except while the sibling group is being collected. */
  private gathering: Gathering | undefined = undefined
  /** Undefined except while leaving. */
  private retirement: Retirement | undefined = undefined

  constructor(self: NodeRef, config: TapestryConfig, prng: Prng) {
    this.state = new TapestryState(self, config, prng)
    this.parts = new Parts(this.state)
    this.departures = new Departures(this.parts)
    this.acquaintances = new Acquaintances(this.parts, this.departures)
    this.maintenance = new Maintenance(this.parts)
    this.joins = new Joining(this.state, {
      begin: (contacts, now, fx) => {
        const join = new Join(this.state, this.parts.probing, this.parts.measuring, contacts, now)
        join.start(fx)
        return join
      },
      found: (since, now, fx) => this.becomeMember(since, now, fx),
      seek: (contact, fx) => this.maintenance.askThrough(contact, fx),
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

  nextHop(key: Guid, cursor: number, avoid: Avoid): NextHop {
    return nextHop(this.state, this.parts.probing.suspects, key, cursor, avoid)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return routeCandidates(this.state, key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.state.neighbors().slice(0, num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return replicaSet(this.state, key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return keyRange(this.state, node, rank, lkey)
  }

  /** The pointers of one slot of the neighbour map, the primary first. For those who look at networks from outside. */
  slot(level: number, digit: number): readonly NodeRef[] {
    return this.state.map.slot(level, digit)
  }

  // Commands

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joins.command(bootstrap, now, fx)
  }

  retire(now: Millis, fx: OverlayEffects): void {
    if (!this.ready) return
    this.gathering = undefined
    this.retirement = new Retirement(this.parts, now)
    this.retirement.start(fx)
  }

  get retired(): boolean {
    return this.retirement === undefined || this.retirement.isOver
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    if (this.state.counts) sayGoodbye(this.parts, fx)
    this.state.standing = 'gone'
    this.joins.end()
    this.gathering = undefined
    this.parts.clear()
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    const received = message as TapestryMessage
    if ('group' in received) this.acquaintances.meet(from, received, now, fx)
    this.retirement?.onHeard(from, 'group' in received && received.member, fx)
    this.take(from, received, now, fx)
    this.settle(now, fx)
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    this.due(kind, arg, now, fx)
    this.settle(now, fx)
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    this.retirement?.onPeerDown(peer, cause, fx)
    // Connections to nodes outside the group are closed when idle; probing would only open them again.
    if (cause === 'disconnected' && !this.state.siblings.has(peer.id)) return
    if (cause === 'unreachable') {
      this.parts.measuring.drop(peer.id, now, fx)
      this.joining?.onUnreachable(peer, now, fx)
      // It did not answer a probe either, because there is nobody to connect to.
      if (this.parts.probing.has(peer.id)) this.noAnswer(peer, now, fx)
      else this.suspect(peer, now, fx)
      return this.settle(now, fx)
    }
    this.suspect(peer, now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    this.parts.guardians.heard(from, now)
    if (this.parts.probing.size > 0 && state.find(from.id) !== undefined) this.parts.probing.heard(from, now, fx)
    if (state.failed.size > 0 && state.failed.has(from.id) && !state.failed.refuses(from)) {
      // It was cut off, not dead; and those around it perhaps with it.
      state.failed.forget(from.id)
      if (!state.counts) return
      this.parts.probing.start(from, false, now, fx)
      this.parts.exchanges.restless = true
      if (this.ready) this.maintenance.askThrough(from, fx)
    }
  }

  onRoundTrip(peer: NodeRef, rttMs: Millis, _now: Millis, _fx: OverlayEffects): void {
    this.state.proximity.sample(peer.id, rttMs)
  }

  measuredMs(peer: NodeRef): Millis | undefined {
    return this.state.proximity.ownOf(peer.id)
  }

  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.failed.has(peer.id)) return fx.peerFailed(peer)
    const known = state.find(peer.id)
    if (known !== undefined) this.parts.probing.start(known, true, now, fx)
  }

  forwardOwn(key: Guid, payload: Uint8Array, _hops: number, next: NodeRef | undefined, now: Millis, fx: OverlayEffects): boolean {
    let insert: InsertPayload
    try {
      insert = decodeInsertPayload(payload, fx.readRef)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'an insertion that cannot be read' })
      return false
    }
    if (insert.joiner.id === key) return this.parts.insertions.pass(insert, next, now, fx)
    fx.emit({ type: 'dropped', from: undefined, reason: 'an insertion of another id' })
    return false
  }

  assertInvariants(): void {
    this.state.assertInvariants()
    assert(!this.ready || this.joining === undefined, 'a member is not joining')
    assert(
      !this.ready || this.state.siblings.floor === this.state.siblings.level || this.gathering !== undefined,
      'a group in doubt is being collected',
    )
  }

  // Taking messages apart

  private take(from: NodeRef, message: TapestryMessage, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    switch (message.type) {
      case 'ping':
        return send(from, { type: 'pong', seq: message.seq, ...state.statusFor(from) }, fx)
      case 'pong':
        if (this.acquaintances.onPong(from, message, now, fx)) this.joining?.onMeasured(now, fx)
        return
      case 'heartbeat':
        return this.parts.guardians.onHeartbeat(from, now)
      case 'pointer':
        return this.acquaintances.onPointer(from, message, now, fx)
      case 'contacts':
        return this.onContacts(message, now, fx)
      case 'fetch':
        return this.parts.exchanges.onFetch(from, message, fx)
      case 'exchange':
        return this.parts.exchanges.onExchange(from, message, now, fx)
      case 'exchange-reply':
        return this.onExchangeReply(from, message, now, fx)
      case 'level-request':
        return onLevelRequest(state, this.parts.measuring, from, message, now, fx)
      case 'level-reply':
        if (this.joining !== undefined) return this.joining.onLevelReply(from, message, now, fx)
        return considerSome(state, this.parts.measuring, message.refs, now, fx)
      case 'slot-request':
        return onSlotRequest(state, from, message, fx)
      case 'slot-reply':
        this.parts.repair.onReply(from, message, now, fx)
        return considerSome(state, this.parts.measuring, message.refs, now, fx)
      case 'group-request':
        return onGroupRequest(state, from, message, fx)
      case 'group-reply':
        return this.gathering?.onReply(from, message, now, fx)
      case 'insert-request':
        return this.onInsertRequest(from, message, fx)
      case 'insert-refusal':
        return this.joining?.onRefusal(from, message, now, fx)
      case 'surrogate':
        return this.onSurrogate(from, message, now, fx)
      case 'insert':
        return this.parts.insertions.onInsert(from, message, now, fx)
      case 'inserted':
        return this.joining?.onInserted(from, message, fx)
      case 'multicast':
        return this.parts.onMulticast(from, message, now, fx)
      case 'multicast-ack':
        return this.parts.conclude(this.parts.multicasts.onAck(from, message, now, fx), now, fx)
      case 'leave':
        this.joining?.onLeave(from, fx)
        return this.acquaintances.learn(this.departures.onLeave(from, message.refs, now, fx), now, fx)
      case 'leave-ack':
        return this.retirement?.onAck(from, fx)
      default:
        return unreachable(message)
    }
  }

  private due(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    switch (kind) {
      case 'probe': {
        const silent = this.parts.probing.expired(arg, now, fx)
        if (silent !== undefined) this.noAnswer(silent, now, fx)
        return
      }
      case 'measure':
        this.parts.measuring.expired(arg, now, fx)
        return this.joining?.onMeasured(now, fx)
      case 'build':
        return this.joining?.onBuildTimer(arg, now, fx)
      case 'join':
        return this.joins.onTimer(arg, now, fx)
      case 'multicast': {
        const { silent, completed } = this.parts.multicasts.onTimer(arg, now, fx)
        for (const ref of silent) this.suspect(ref, now, fx)
        return this.parts.conclude(completed, now, fx)
      }
      case 'slot':
        return this.parts.repair.onTimer(arg, now, fx)
      case 'gather':
        return this.gathering?.onTimer(now, fx)
      case 'silence':
        return void this.parts.guardians.watch(now, fx)
      case 'obituary':
        return this.parts.guardians.onObituaryTimer(arg, now, fx)
      case 'leave':
        return this.retirement?.onTimer(now, fx)
      default:
        if (this.retirement !== undefined) return
        this.maintenance.onTimer(kind, this.joins.bootstraps, now, fx)
        if (kind === 'seek' && this.state.standing === 'outside' && this.joining === undefined) this.rejoin(now, fx)
    }
  }

  /** Hearsay. Who is needed is greeted until it answers; who could be near is measured. */
  private onContacts(contacts: Contacts, now: Millis, fx: OverlayEffects): void {
    this.joining?.onGone(contacts.gone)
    for (const id of contacts.gone) this.parts.guardians.onObituary(id, now, fx)
    this.acquaintances.learn(contacts.refs, now, fx)
  }

  private onExchangeReply(from: NodeRef, reply: ExchangeReply, now: Millis, fx: OverlayEffects): void {
    if (!this.parts.exchanges.takesReplyOf(from)) return fx.emit({ type: 'dropped', from, reason: 'a comparison that nobody asked for' })
    for (const ref of this.parts.exchanges.onReply(from, reply, fx)) this.parts.probing.verify(ref, now, fx)
    if (reply.refs.some((ref) => this.state.needs(ref.id))) this.parts.exchanges.restless = true
    this.acquaintances.learn(reply.refs, now, fx)
    if (this.parts.exchanges.restless) fx.startTimer('firstExchange', 0, this.state.prng.jitter(this.state.config.exchangeSoonMs, 0.5))
  }

  // Joining

  /** Undefined except while joining. */
  private get joining(): Join | undefined {
    return this.joins.current
  }

  private onInsertRequest(from: NodeRef, request: InsertRequest, fx: OverlayEffects): void {
    this.joining?.meet(from)
    onInsertRequest(this.state, this.joining, from, request, fx)
  }

  private onSurrogate(from: NodeRef, message: Surrogate, now: Millis, fx: OverlayEffects): void {
    if (this.joining !== undefined) return this.joining.onSurrogate(from, message, now, fx)
    // The answer to a search for other parts of the network.
    this.acquaintances.learn([from, ...message.refs], now, fx)
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const isFounder = state.standing === 'outside'
    this.joins.end()
    if (isFounder) state.enterGroup(0, fx)
    state.standing = 'member'
    state.announcePointers()
    this.maintenance.start(fx)
    this.parts.guardians.onTimer(now, fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
    fx.routesChanged()
  }

  // Failures

  /** A peer has been asked three times, or cannot be connected to. */
  private noAnswer(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (!this.parts.insertions.giveUp(peer, fx)) this.departures.fail(peer, now, fx)
  }

  /** After every input: whatever has become due by it. */
  private settle(now: Millis, fx: OverlayEffects): void {
    const { state, joining } = this
    this.parts.insertions.proceed(fx)
    if (joining?.settled === true) this.becomeMember(joining.startedAt, now, fx)
    if (this.ready && this.departures.isCutOff(now)) return this.rejoin(now, fx)
    if (state.doubtful.size > 0 && state.routes) this.parts.repair.proceed(now, fx)
    if (this.gathering === undefined ? state.siblings.tooSmall : this.gathering.complete) this.gather(now, fx)
    state.tellPointers(fx)
  }

  /** The sibling group is too small, or has been collected. */
  private gather(now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (!this.ready) return
    if (this.gathering !== undefined) {
      this.gathering = undefined
      state.settleGroup(fx)
      tellRanks(fx)
      if (!state.siblings.tooSmall) return
    }
    this.gathering = new Gathering(state, this.parts.probing, state.siblings.floor - 1)
    this.gathering.start(now, fx)
  }

  /** It starts over, through whoever it has known. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const contacts = this.joins.contacts()
    if (contacts.length === 0) return
    const { state } = this
    state.standing = 'outside'
    state.failed.clear()
    state.enterGroup(0, fx)
    state.doubtful.clear()
    this.gathering = undefined
    this.joins.begin(contacts, now, fx)
  }
}
