import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause, Prng } from '@plaxton/kbr'
import { decodeInsertPayload, tapestryCodec } from './codec.ts'
import type { TapestryConfig } from './config.ts'
import { Exchanges, fillersFor } from './exchange.ts'
import { Gathering, onGroupRequest } from './gathering.ts'
import { Guardians } from './guardians.ts'
import { Join } from './join.ts'
import { onLevelRequest } from './levels.ts'
import { Maintenance } from './maintenance.ts'
import { Measuring } from './measuring.ts'
import { farAway, foundMax, refsMax, send } from './messages.ts'
import type {
  Contacts,
  ExchangeReply,
  InsertPayload,
  InsertRequest,
  Leave,
  Multicast,
  Pointer,
  Pong,
  Status,
  Surrogate,
  TapestryMessage,
} from './messages.ts'
import { Multicasts } from './multicast.ts'
import type { Completed } from './multicast.ts'
import { nextHop } from './next-hop.ts'
import { Probing } from './probing.ts'
import { replicaSet, routeCandidates } from './questions.ts'
import { keyRange } from './range.ts'
import { onSlotRequest, SlotRepair } from './slot-repair.ts'
import { slotNumber, TapestryState } from './state.ts'
import { Insertions, onInsertRequest } from './surrogate.ts'

/**
 * One node of a Tapestry overlay (Zhao et al., JSAC 2004; Hildrum et al., SPAA 2002). What it does, in the order in which it happens:
 *
 * 1. **Join** ({@link Join}). It finds its surrogate, builds its neighbour map level by level ({@link MapBuilding}), has everybody told who needs to know
 *    ({@link Insertions}, {@link Multicasts}), and is a member when all have been. The first node of a network is one at once.
 * 2. **Route** ({@link nextHop}). Digit by digit; past empty slots to the next digit; never past a slot that is not known to be empty.
 * 3. **Watch** ({@link Guardians}, {@link Probing}). Its two guardians expect to hear from it; the entries of its map are pinged in turn. A peer that does not answer is
 *    suspected, probed three times, and then taken to be dead: out of all tables, and its group is told.
 * 4. **Repair** ({@link SlotRepair}, {@link Gathering}). Backups take over at once. A slot that has lost its last pointer is doubtful until others have been
 *    asked; a sibling group that has become too small is collected anew.
 * 5. **Keep in tune** ({@link Maintenance}, {@link Exchanges}). Now and then it compares siblings and holes with a random sibling, and a level with a random node of that
 *    level, and looks for a lost part of the network.
 * 6. **Leave**. It tells everybody who has it in a table, with replacements.
 *
 * This class takes the inputs apart and hands them on; each exchange is in a file of its own, and {@link TapestryState} holds what is known.
 */
export class TapestryNode implements Overlay {
  readonly name = 'tapestry'
  readonly codec = tapestryCodec
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly measuring: Measuring
  private readonly multicasts: Multicasts
  private readonly insertions: Insertions
  private readonly guardians: Guardians
  private readonly exchanges: Exchanges
  private readonly repair: SlotRepair
  private readonly maintenance: Maintenance
  /** Undefined except while joining. */
  private joining: Join | undefined = undefined
  /** Undefined except while the sibling group is being collected. */
  private gathering: Gathering | undefined = undefined
  private bootstraps: readonly NodeRef[] = []
  /** Pings to nodes that say they are no members, by node: the answer settles it. Bound: `probesMax`. Full: the next message asks again. Undefined until the first. */
  private doubts: Map<Guid, number> | undefined = undefined

  constructor(self: NodeRef, config: TapestryConfig, prng: Prng) {
    this.state = new TapestryState(self, config, prng)
    this.probing = new Probing(this.state)
    this.measuring = new Measuring(this.state)
    this.multicasts = new Multicasts(this.state)
    this.insertions = new Insertions(this.state, this.probing, this.multicasts)
    this.guardians = new Guardians(this.state, this.probing, this.multicasts)
    this.exchanges = new Exchanges(this.state)
    this.repair = new SlotRepair(this.state, this.probing, this.multicasts)
    this.maintenance = new Maintenance(this.state, this.probing, this.guardians, this.exchanges)
  }

  // Questions

  get self(): NodeRef {
    return this.state.self
  }

  get ready(): boolean {
    return this.state.standing === 'member'
  }

  nextHop(key: Guid, cursor: number, avoid: Avoid): NextHop {
    return nextHop(this.state, this.probing.suspects, key, cursor, avoid)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return routeCandidates(this.state, key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.state.siblings.nearestFirst().slice(0, num)
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
    const others = bootstrap.filter((ref) => ref.id !== this.self.id)
    // A member was told of another network: it looks for its own place there, as it does through past contacts.
    if (this.ready) for (const ref of others) this.maintenance.askThrough(ref, fx)
    if (this.state.standing !== 'outside' || this.joining !== undefined) return
    this.bootstraps = others
    if (others.length === 0) this.becomeMember(now, now, fx)
    else this.startJoining(others, now, fx)
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.counts) {
      const told = new Map<Guid, NodeRef>()
      for (const ref of [...state.everybody(), ...state.backpointers.refs(), ...state.backpointers.observers()]) told.set(ref.id, ref)
      const refs = this.replacements()
      for (const ref of told.values()) send(ref, { type: 'leave', refs }, fx)
    }
    state.standing = 'gone'
    this.joining = undefined
    this.gathering = undefined
    this.probing.clear()
    this.measuring.clear()
    this.multicasts.clear()
    this.insertions.clear()
    this.guardians.clear()
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    const received = message as TapestryMessage
    if ('group' in received) this.meet(from, received, now, fx)
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
    // Connections to nodes outside the group are closed when idle; probing would only open them again.
    if (cause === 'disconnected' && !this.state.siblings.has(peer.id)) return
    if (cause === 'unreachable') {
      this.joining?.onUnreachable(peer, fx)
      this.measuring.drop(peer.id, now, fx)
      // It did not answer a probe either, because there is nobody to connect to.
      if (this.probing.has(peer.id)) this.fail(peer, now, fx)
      else this.suspect(peer, now, fx)
      return this.settle(now, fx)
    }
    this.suspect(peer, now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    this.guardians.heard(from, now)
    if (this.probing.size > 0 && state.find(from.id) !== undefined) this.probing.heard(from, now, fx)
    if (state.failed.size > 0 && state.failed.has(from.id) && !state.failed.refuses(from)) {
      // It was cut off, not dead; and those around it perhaps with it.
      state.failed.forget(from.id)
      if (!state.counts) return
      this.probing.start(from, false, now, fx)
      this.exchanges.restless = true
      if (this.ready) this.maintenance.askThrough(from, fx)
    }
  }

  onRoundTrip(peer: NodeRef, rttMs: Millis, _now: Millis, _fx: OverlayEffects): void {
    this.state.proximity.sample(peer.id, rttMs)
  }

  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.failed.has(peer.id)) return fx.peerFailed(peer)
    const known = state.find(peer.id)
    if (known !== undefined) this.probing.start(known, true, now, fx)
  }

  forwardOwn(key: Guid, payload: Uint8Array, _hops: number, next: NodeRef | undefined, now: Millis, fx: OverlayEffects): boolean {
    let insert: InsertPayload
    try {
      insert = decodeInsertPayload(payload, fx.readRef)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'an insertion that cannot be read' })
      return false
    }
    if (insert.joiner.id === key) return this.insertions.pass(insert, next, now, fx)
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
        return this.onPong(from, message, now, fx)
      case 'heartbeat':
        return this.guardians.onHeartbeat(from, now)
      case 'pointer':
        return this.onPointer(from, message, now, fx)
      case 'contacts':
        return this.onContacts(message, now, fx)
      case 'fetch':
        return this.exchanges.onFetch(from, message, fx)
      case 'exchange':
        return this.exchanges.onExchange(from, message, now, fx)
      case 'exchange-reply':
        return this.onExchangeReply(from, message, now, fx)
      case 'level-request':
        return onLevelRequest(state, this.measuring, from, message, now, fx)
      case 'level-reply':
        if (this.joining !== undefined) return this.joining.onLevelReply(from, message, now, fx)
        return this.measuring.considerSome(message.refs, now, fx)
      case 'slot-request':
        return onSlotRequest(state, from, message, fx)
      case 'slot-reply':
        this.repair.onReply(from, message, now, fx)
        return this.measuring.considerSome(message.refs, now, fx)
      case 'group-request':
        return onGroupRequest(state, from, message, fx)
      case 'group-reply':
        return this.gathering?.onReply(from, message, now, fx)
      case 'insert-request':
        return this.onInsertRequest(from, message, fx)
      case 'insert-refusal':
        return this.joining?.onRefusal(from, message.attempt, message.member, fx)
      case 'surrogate':
        return this.onSurrogate(from, message, now, fx)
      case 'insert':
        return this.insertions.onInsert(from, message, now, fx)
      case 'inserted':
        return this.joining?.onInserted(from, message, fx)
      case 'multicast':
        return this.onMulticast(from, message, now, fx)
      case 'multicast-ack':
        return this.conclude(this.multicasts.onAck(from, message, now, fx), now, fx)
      case 'leave':
        return this.onLeave(from, message, now, fx)
      default:
        return unreachable(message)
    }
  }

  private due(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    switch (kind) {
      case 'probe': {
        const silent = this.probing.expired(arg, now, fx)
        if (silent !== undefined) this.fail(silent, now, fx)
        return
      }
      case 'measure':
        this.measuring.expired(arg, now, fx)
        return this.joining?.onMeasured(now, fx)
      case 'build':
        return this.joining?.onBuildTimer(arg, now, fx)
      case 'join':
        return this.onJoinTimer(arg, now, fx)
      case 'multicast': {
        const { silent, completed } = this.multicasts.onTimer(arg, now, fx)
        for (const ref of silent) this.suspect(ref, now, fx)
        return this.conclude(completed, now, fx)
      }
      case 'slot':
        return this.repair.onTimer(arg, now, fx)
      case 'gather':
        return this.gathering?.onTimer(now, fx)
      case 'silence':
        return void this.guardians.watch(now, fx)
      case 'obituary':
        return this.guardians.onObituaryTimer(arg, now, fx)
      default:
        this.maintenance.onTimer(kind, this.bootstraps, now, fx)
        if (kind === 'seek' && this.state.standing === 'outside' && this.joining === undefined) this.rejoin(now, fx)
    }
  }

  /** What a peer says of itself. A member is taken in; that one is none, when it had been, is asked again, for it may have said so before it became one. */
  private meet(from: NodeRef, status: Status, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (status.member) {
      state.admit(from, fx)
      state.siblings.noteLevel(from.id, status.group)
      const observes = !state.siblings.has(from.id) && state.siblings.shared(from.id) >= status.group
      if (observes) state.backpointers.observe(from)
      else state.backpointers.unobserve(from.id)
      if (status.points) state.backpointers.note(from)
      else state.backpointers.unnote(from.id)
      if (this.probing.size > 0) this.probing.heard(from, now, fx)
      return
    }
    const known = state.find(from.id)
    if (known === undefined || from.epoch < known.epoch) return
    if (from.epoch > known.epoch) return this.lose(known, now, fx)
    const doubts = (this.doubts ??= new Map())
    if (doubts.has(from.id) || doubts.size >= state.config.probesMax) return
    const seq = state.nextSeq()
    doubts.set(from.id, seq)
    send(from, { type: 'ping', seq, ...state.statusFor(from) }, fx)
  }

  private onPong(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const doubt = this.doubts?.get(from.id)
    if (doubt !== undefined && pong.seq >= doubt) {
      this.doubts!.delete(from.id)
      const known = state.find(from.id)
      if (!pong.member && known !== undefined && known.epoch === from.epoch) this.lose(known, now, fx)
    }
    const probed = this.probing.roundTrip(pong.seq, now)
    if (probed !== undefined) state.proximity.sample(from.id, probed)
    const measured = this.measuring.answered(from, pong.seq, now, fx)
    if (measured !== undefined) state.proximity.set(from.id, measured)
    if (pong.member && (probed !== undefined || measured !== undefined) && state.find(from.id) !== undefined) state.place(from, fx)
    else if (pong.member && measured !== undefined && !state.failed.refuses(from)) state.place(from, fx)
    if (measured !== undefined) this.joining?.onMeasured(now, fx)
  }

  private onPointer(from: NodeRef, pointer: Pointer, now: Millis, fx: OverlayEffects): void {
    const { map } = this.state
    if (!pointer.points) return
    // It may be near enough for a place in this node's own map (obligation (d) of the paper).
    const furthest = Math.max(...map.slotFor(from.id).map(({ id }) => this.state.proximity.orFar(id)))
    if (pointer.rttMs !== farAway && pointer.rttMs < furthest) this.measuring.consider([from], now, fx)
  }

  /** Hearsay. Who is needed is greeted until it answers; who could be near is measured. */
  private onContacts(contacts: Contacts, now: Millis, fx: OverlayEffects): void {
    for (const id of contacts.gone) this.guardians.onObituary(id, now, fx)
    this.learn(contacts.refs, now, fx)
  }

  private learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (!state.counts) return
    const others: NodeRef[] = []
    for (const ref of state.credible(refs, now)) {
      const known = state.find(ref.id)
      if (state.needs(ref.id) || (known !== undefined && known.epoch < ref.epoch)) this.probing.start(ref, false, now, fx)
      else if (known === undefined) others.push(ref)
    }
    this.measuring.considerSome(others, now, fx)
  }

  private onExchangeReply(from: NodeRef, reply: ExchangeReply, now: Millis, fx: OverlayEffects): void {
    for (const ref of this.exchanges.onReply(from, reply, fx)) this.probing.verify(ref, now, fx)
    if (reply.refs.some((ref) => this.state.needs(ref.id))) this.exchanges.restless = true
    this.learn(reply.refs, now, fx)
    if (this.exchanges.restless) fx.startTimer('firstExchange', 0, this.state.prng.jitter(this.state.config.exchangeSoonMs, 0.5))
  }

  // Multicasts

  private onMulticast(from: NodeRef, message: Multicast, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (message.subject.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    if (!state.counts) return send(from, { type: 'pong', seq: 0, ...state.statusFor(from) }, fx)
    if (!this.multicasts.isNew(from, message, fx)) return
    this.multicasts.pass(from, message, this.act(message, now, fx), now, fx)
  }

  /** This node's own part in a multicast. Returns whom it has for the slots asked for. */
  private act({ purpose, subject, slots }: Multicast, now: Millis, fx: OverlayEffects): NodeRef[] {
    switch (purpose) {
      case 'insert':
        this.insertions.welcome(subject, slots, now, fx)
        return []
      case 'obituary':
        this.guardians.onObituary(subject, now, fx)
        return []
      case 'check':
        return fillersFor(this.state, this.state.map.levelOf(subject.id), slots, foundMax)
    }
  }

  /** A multicast that began here has reached everybody. */
  private conclude(completed: Completed | undefined, now: Millis, fx: OverlayEffects): void {
    if (completed?.purpose === 'insert') this.insertions.onCompleted(completed, fx)
    if (completed?.purpose === 'check') this.repair.onChecked(completed, now, fx)
  }

  // Joining

  private startJoining(bootstraps: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joining = new Join(this.state, this.probing, this.measuring, bootstraps, now)
    this.joining.start(fx)
  }

  private onInsertRequest(from: NodeRef, request: InsertRequest, fx: OverlayEffects): void {
    this.joining?.meet(from)
    onInsertRequest(this.state, from, request, fx)
  }

  private onSurrogate(from: NodeRef, message: Surrogate, now: Millis, fx: OverlayEffects): void {
    if (this.joining !== undefined) return this.joining.onSurrogate(from, message, now, fx)
    // The answer to a search for other parts of the network.
    this.learn([from, ...message.refs], now, fx)
  }

  private onJoinTimer(wait: number, now: Millis, fx: OverlayEffects): void {
    const { joining } = this
    if (joining === undefined) return
    const outcome = joining.onTimer(wait, now, fx)
    if (outcome === 'founder') return this.becomeMember(joining.startedAt, now, fx)
    if (outcome === 'joining') return
    this.joining = undefined
    // A former member tries again at its next look for others.
    if (this.maintenance.started) return
    const reason = `None of ${this.bootstraps.length} bootstrap nodes could be joined through within ${this.state.config.joinMs} ms.`
    fx.emit({ type: 'join-failed', reason })
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const isFounder = state.standing === 'outside'
    this.joining = undefined
    if (isFounder) state.enterGroup(0, fx)
    state.standing = 'member'
    state.announcePointers()
    this.maintenance.start(fx)
    this.guardians.onTimer(now, fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
    fx.routesChanged()
  }

  // Failures

  /** Nodes that share most with this one, some of each level, the deepest first. */
  private replacements(): NodeRef[] {
    const { map } = this.state
    const refs: NodeRef[] = []
    for (let level = map.depth - 1; level >= 0; level--) refs.push(...map.primaries(level).slice(0, 4))
    return refs.slice(0, refsMax)
  }

  private onLeave(from: NodeRef, message: Leave, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const known = state.find(from.id)
    if (known === undefined) state.backpointers.delete(from.id)
    if (known === undefined || from.epoch < known.epoch) return
    const level = state.map.levelOf(from.id)
    const digit = state.map.digitOf(from.id, level)
    state.failed.add(from, true, now)
    this.lose(known, now, fx)
    // It knew everybody who shares more with it than this node does. If there is nobody, the slot is empty.
    const isInSlot = (ref: NodeRef): boolean => state.map.levelOf(ref.id) === level && state.map.digitOf(ref.id, level) === digit
    const heirs = message.refs.filter((ref) => ref.id !== this.self.id && isInSlot(ref))
    if (heirs.length === 0) this.repair.conclude(slotNumber(level, digit), fx)
    this.learn(message.refs, now, fx)
  }

  /** A peer did not answer three times, or cannot be connected to: it is taken to be dead. */
  private fail(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const known = state.find(ref.id)
    if (known !== undefined) {
      this.guardians.noteDeath(known, fx)
      state.history.note(known, state.prng)
      fx.emit({ type: 'peer-failed', peer: known })
    }
    state.failed.add(known ?? ref, false, now)
    this.lose(known ?? ref, now, fx)
  }

  /** Out of all tables, and on with closing the gaps. */
  private lose(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const wasPointer = state.map.get(ref.id) !== undefined
    this.probing.drop(ref.id)
    this.doubts?.delete(ref.id)
    this.measuring.drop(ref.id, now, fx)
    this.guardians.forget(ref.id)
    state.drop(ref, fx)
    fx.peerFailed(ref)
    for (const completed of this.multicasts.onGone(ref, now, fx)) this.conclude(completed, now, fx)
    if (wasPointer && this.ready) this.seekBackup(ref, fx)
  }

  /** A slot that has lost a backup: another node's pointers there may do. */
  private seekBackup(lost: NodeRef, fx: OverlayEffects): void {
    const { state } = this
    const level = state.map.levelOf(lost.id)
    const slot = state.map.slotFor(lost.id)
    if (slot.length === 0 || level >= state.siblings.level) return
    const helper = state.prng.pick(state.sharing(level).filter((ref) => !slot.includes(ref)))
    if (helper === undefined) return
    send(helper, { type: 'slot-request', slot: slotNumber(level, state.map.digitOf(lost.id, level)), ...state.statusFor(helper) }, fx)
  }

  /** After every input: whatever has become due by it. */
  private settle(now: Millis, fx: OverlayEffects): void {
    const { state, joining } = this
    if (joining?.settled === true) this.becomeMember(joining.startedAt, now, fx)
    if (this.ready && this.isCutOff(now)) return this.rejoin(now, fx)
    if (state.doubtful.size > 0 && this.ready) this.repair.proceed(now, fx)
    if (this.gathering === undefined ? state.siblings.tooSmall : this.gathering.complete) this.gather(now, fx)
    state.tellPointers(fx)
  }

  /** The sibling group is too small, or has been collected. */
  private gather(now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (!this.ready) return
    if (this.gathering !== undefined) {
      this.gathering = undefined
      state.siblings.settle()
      state.narrow(fx)
      fx.routesChanged()
      if (!state.siblings.tooSmall) return
    }
    this.gathering = new Gathering(state, this.probing, state.siblings.floor - 1)
    this.gathering.start(now, fx)
  }

  /** Nobody is left of so many that it is more likely that this node was cut off than that all the others have died. */
  private isCutOff(now: Millis): boolean {
    const { siblings, map, failed, config } = this.state
    return siblings.size === 0 && map.depth === 0 && failed.size > 0 && failed.missed(config.failedMs, now).length >= config.siblingsMin
  }

  /** It starts over, through whoever it has known. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const contacts = [...this.bootstraps, ...this.state.history.all()]
    if (contacts.length === 0) return
    const { state } = this
    state.standing = 'outside'
    state.failed.clear()
    state.enterGroup(0, fx)
    state.doubtful.clear()
    this.gathering = undefined
    this.startJoining(contacts, now, fx)
  }
}
