import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause, Prng } from '@plaxton/kbr'
import { Joining, tellRanks } from '@plaxton/upkeep'
import { decodeJoinPayload, pastryCodec } from './codec.ts'
import type { PastryConfig } from './config.ts'
import { Join, onJoinRequest, passJoin } from './join.ts'
import { LeafSetRepair } from './leaf-set-repair.ts'
import { onStateRequest } from './locality.ts'
import { Maintenance } from './maintenance.ts'
import { send } from './messages.ts'
import type {
  JoinPayload,
  JoinRequest,
  JoinState,
  LeafProbe,
  LeafReply,
  LeafReport,
  Leave,
  PastryMessage,
  Pong,
  StateReply,
} from './messages.ts'
import { forNearestOf, nextHop } from './next-hop.ts'
import { Probing } from './probing.ts'
import { keyRange, replicaSet, routeCandidates } from './questions.ts'
import { onSlotRequest } from './slot-repair.ts'
import { PastryState } from './state.ts'
import { TableKeeper } from './table-keeper.ts'
import { TableProbing } from './table-probing.ts'

/**
 * One node of a Pastry overlay (Rowstron and Druschel, Middleware 2001), made dependable as in MSPastry (Castro, Costa and Rowstron, DSN
 * 2004) and Bamboo (Rhea et al., USENIX 2004). What it does, in the order in which it happens:
 *
 * 1. **Join** ({@link Join}). It looks for a near bootstrap node, has a join routed to its own id, collects rows from the nodes on the way and the
 *    leaf set from its root, probes everybody who may belong into its own leaf set, claims its place from them, and is a member when
 *    all have agreed. The first node of a network is one at once.
 * 2. **Settle in** ({@link Locality}). It measures the candidates for its routing table, announces itself to those it took, and asks the nearest
 *    of them for more.
 * 3. **Route** ({@link nextHop}). Within the leaf set's reach to the numerically closest member; otherwise by prefix. It delivers only what nobody it
 *    knows of is closer to, and holds back what a suspect may be closer to.
 * 4. **Watch** ({@link Maintenance}, {@link Probing}). It tells its left neighbour that it lives and expects to hear from the right one. A peer that
 *    does not answer is suspected, probed three times, and then taken to be dead: out of all tables, and not back on hearsay.
 * 5. **Repair** ({@link LeafSetRepair}, {@link SlotRepair}). Gaps in the leaf set are closed by asking outwards; a slot of the routing table by asking
 *    its row. Nobody enters the leaf set or the routing table without having spoken to this node directly.
 * 6. **Keep in tune** ({@link Maintenance}, {@link TableProbing}). Now and then it exchanges leaf sets with a random member and rows with a random
 *    entry, and looks for a lost part of the network through a past contact. The more its neighbours fail, the more often it probes its table.
 * 7. **Leave**. It tells everybody it knows, with its leaf set, so that the gap closes at once.
 *
 * This class takes the inputs apart and hands them on; each exchange is in a file of its own, and {@link PastryState} holds what is known.
 */
export class PastryNode implements Overlay {
  readonly name = 'pastry'
  readonly codec = pastryCodec
  private readonly state: PastryState
  private readonly probing: Probing
  private readonly repair: LeafSetRepair
  private readonly tables: TableKeeper
  private readonly maintenance: Maintenance
  private readonly tableProbing: TableProbing
  private readonly joins: Joining<Join>
  /** Failures this node found by itself and has not told yet. Bound: `failedMax`. Full: further ones are left to the others. Undefined when none. */
  private news: Set<Guid> | undefined = undefined

  constructor(self: NodeRef, config: PastryConfig, prng: Prng) {
    this.state = new PastryState(self, config, prng)
    this.probing = new Probing(this.state)
    this.repair = new LeafSetRepair(this.state)
    this.tables = new TableKeeper(this.state)
    this.maintenance = new Maintenance(this.state, this.probing)
    this.tableProbing = new TableProbing(this.state, this.probing)
    this.joins = new Joining(this.state, {
      begin: (contacts, now, fx) => {
        const join = new Join(this.state, this.probing, contacts, now)
        join.start(now, fx)
        return join
      },
      found: (since, now, fx) => this.becomeMember(since, now, fx),
      seek: (contact, fx) => send(contact, { type: 'join-request', purpose: 'seek', attempt: 0 }, fx),
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
    return nextHop(this.state, this.probing.suspects, key, cursor, avoid)
  }

  nearestOf(count: number): number {
    return forNearestOf(count)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return routeCandidates(this.state, key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.state.leafSet.members.slice(0, num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return replicaSet(this.state, key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return keyRange(this.state, node, rank, lkey)
  }

  /** The entry of one slot of the routing table. For those who look at networks from outside. */
  slot(row: number, column: number): NodeRef | undefined {
    return this.state.routingTable.slot(row, column)
  }

  // Commands

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joins.command(bootstrap, now, fx)
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.counts) for (const ref of state.everybody()) send(ref, { type: 'leave', leafSet: state.leafSet.members }, fx)
    state.standing = 'gone'
    this.joins.end()
    this.tables.stop()
    this.probing.clear()
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    const received = message as PastryMessage
    switch (received.type) {
      case 'leaf-probe':
        return this.onLeafProbe(from, received, now, fx)
      case 'leaf-reply':
        return this.onLeafReply(from, received, now, fx)
      case 'heartbeat':
        return this.onHeartbeat(from, now, fx)
      case 'ping':
        return send(from, { type: 'pong', seq: received.seq, member: this.state.counts }, fx)
      case 'pong':
        return this.onPong(from, received, now, fx)
      case 'distance':
        this.state.proximity.reported(from.id, received.rttMs)
        return this.meet(from, received.member, now, fx)
      case 'state-request':
        return onStateRequest(this.state, this.tables.measuring, from, received, now, fx)
      case 'state-reply':
        return this.onStateReply(from, received, now, fx)
      case 'announcement':
        this.state.proximity.reported(from.id, received.rttMs)
        this.meet(from, true, now, fx)
        return this.tables.onAnnouncement(received, now, fx)
      case 'slot-request':
        return onSlotRequest(this.state, from, received, fx)
      case 'slot-reply':
        return this.tables.onSlotReply(received, now, fx)
      case 'join-request':
        return this.onJoinRequest(from, received, fx)
      case 'join-refusal':
        return this.joining?.onRefused(from, fx)
      case 'join-state':
        return this.onJoinState(from, received, now, fx)
      case 'leave':
        return this.onLeave(from, received, now, fx)
      default:
        return unreachable(received)
    }
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    switch (kind) {
      case 'probe': {
        const silent = this.probing.expired(arg, now, fx)
        return silent === undefined ? this.settle(now, fx) : this.fail(silent, now, fx)
      }
      case 'tableProbe':
        return this.tableProbing.onTimer(now, fx)
      case 'measure':
        return this.tables.measuring.expired(arg, now, fx)
      case 'slot':
        return this.tables.onSlotTimer(arg, fx)
      case 'locality':
        return this.tables.onLocalityTimer(fx)
      case 'join':
        return this.joins.onTimer(arg, now, fx)
      case 'seek':
        return this.joining?.onSeekTimer(arg, now, fx)
      case 'failure-notice':
        return this.noticeFailures(now, fx)
      default:
        this.maintenance.onTimer(kind, this.joins.bootstraps, now, fx)
        if (kind === 'history' && this.state.standing === 'outside' && this.joining === undefined) this.rejoin(now, fx)
    }
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    // Connections to nodes outside the leaf set are closed when idle; probing would only open them again.
    if (cause === 'disconnected' && !this.state.leafSet.has(peer.id)) return
    if (cause === 'unreachable') {
      this.joining?.onUnreachable(peer, fx)
      this.tables.measuring.drop(peer.id, now, fx)
      // It did not answer a probe either, because there is nobody to connect to.
      if (this.probing.has(peer.id)) return this.fail(peer, now, fx)
    }
    this.suspect(peer, now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { rightNeighbor } = state.leafSet
    if (rightNeighbor !== undefined && rightNeighbor.id === from.id) this.maintenance.heardRight(now)
    if (this.probing.size > 0) this.probing.heard(from, fx)
    if (state.failed.size > 0 && state.failed.has(from.id) && !state.failed.refuses(from)) {
      // It was cut off, not dead. Where it belongs its own leaf set tells.
      state.failed.forget(from.id)
      if (state.counts) this.probing.start(from, { report: true }, now, fx)
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
    if (known !== undefined) this.probing.start(known, { suspect: true, report: state.leafSet.has(peer.id) }, now, fx)
  }

  forwardOwn(key: Guid, payload: Uint8Array, hops: number, next: NodeRef | undefined, _now: Millis, fx: OverlayEffects): boolean {
    let join: JoinPayload
    try {
      join = decodeJoinPayload(payload, fx.readRef)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'a join that cannot be read' })
      return false
    }
    if (join.joiner.id === key) return passJoin(this.state, join, hops, next, fx)
    fx.emit({ type: 'dropped', from: undefined, reason: 'a join for another id' })
    return false
  }

  assertInvariants(): void {
    this.state.assertInvariants()
    assert(!this.ready || this.joining === undefined, 'a member is not joining')
  }

  // Joining

  /** Undefined except while joining. */
  private get joining(): Join | undefined {
    return this.joins.current
  }

  private onJoinRequest(from: NodeRef, request: JoinRequest, fx: OverlayEffects): void {
    this.joining?.meet(from)
    onJoinRequest(this.state, from, request, fx)
  }

  private onJoinState(from: NodeRef, message: JoinState, now: Millis, fx: OverlayEffects): void {
    if (this.joining !== undefined) {
      this.joining.onState(from, message, now, fx)
      this.settle(now, fx)
    } else if (message.root) {
      // The answer to a search for other rings.
      this.learn([from, ...message.leafSet], now, fx)
    }
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    const candidates = this.joining?.candidates ?? []
    this.joins.end()
    this.state.standing = 'member'
    if (!this.maintenance.started) this.tableProbing.start(now, fx)
    this.maintenance.start(fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
    this.tables.settleIn(candidates, now, fx)
  }

  private onPong(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): void {
    this.joining?.onPong(from, pong.seq, pong.member, now, fx)
    this.tables.measuring.answered(from, pong.seq, now, fx)
    this.meet(from, pong.member, now, fx)
  }

  private onStateReply(from: NodeRef, reply: StateReply, now: Millis, fx: OverlayEffects): void {
    this.meet(from, reply.member, now, fx)
    if (this.joining !== undefined) this.joining.onStateReply(from, reply, now, fx)
    else this.tables.onStateReply(reply, now, fx)
  }

  // Leaf set

  private onLeafProbe(from: NodeRef, probe: LeafProbe, now: Millis, fx: OverlayEffects): void {
    // Only for a new neighbour: two claimants that are none would otherwise ask each other anew for ever, every question voiding the last answer.
    if (probe.member && this.state.leafSet.admits(from.id)) this.probing.askAnew(from, now, fx)
    this.takeReport(from, probe, false, now, fx)
    this.learnDistance(from, probe, now, fx)
    const reply: LeafReply = {
      type: 'leaf-reply',
      seq: probe.seq,
      hints: this.state.nearestTo(from, probe.lost),
      ...this.state.report(now),
    }
    send(from, reply, fx)
    this.settle(now, fx)
  }

  private onLeafReply(from: NodeRef, reply: LeafReply, now: Millis, fx: OverlayEffects): void {
    const ended = this.probing.answered(from, reply, now, fx)
    if (ended?.rttMs !== undefined) this.state.proximity.sample(from.id, ended.rttMs)
    this.takeReport(from, reply, ended !== undefined, now, fx)
    if (ended?.claimed === true && reply.member) this.joining?.onClaimed(from)
    this.learn(reply.hints, now, fx)
    this.settle(now, fx)
  }

  /** How long to wait for a neighbour that falls silent. Its word is good enough; if it does not know either, as of the node through which it has joined, it is asked back. */
  private learnDistance(from: NodeRef, { member, rttMs }: LeafProbe, now: Millis, fx: OverlayEffects): void {
    const { counts, leafSet, proximity } = this.state
    if (!member || !leafSet.has(from.id)) return
    if (rttMs > 0) proximity.reported(from.id, rttMs)
    else if (counts && proximity.of(from.id) === undefined) this.probing.start(from, { report: true }, now, fx)
  }

  /** What a peer says about itself counts; what it says about others is looked into. */
  private takeReport(from: NodeRef, report: LeafReport, isAnswer: boolean, now: Millis, fx: OverlayEffects): void {
    if (report.member) this.state.admit(from, fx)
    else this.dismiss(from, isAnswer, now, fx)
    for (const id of report.failed) {
      this.news?.delete(id)
      const ref = this.state.leafSet.get(id)
      if (ref !== undefined && id !== from.id) this.probing.verify(ref, now, fx)
    }
    if (report.member) {
      for (const ref of this.state.leafSet.missingFrom(from.id, report.leafSet)) this.probing.verify(ref, now, fx)
    }
    this.learn(report.leafSet, now, fx)
    if (this.state.leafSet.extend(from.id, report.leafSet)) tellRanks(fx)
  }

  /** Hearsay: those who may belong into the leaf set are probed. */
  private learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    if (refs.length === 0 || !(this.state.counts || this.joining?.confirms === true)) return
    const { leafSet } = this.state
    const strangers = this.state.credible(leafSet.strangersIn(refs), now)
    for (const ref of leafSet.wanted(strangers)) this.probing.start(ref, { report: true }, now, fx)
  }

  /** A peer says that it is no member. It may have said so before it became one, so only an answer or a new incarnation settles it. */
  private dismiss(ref: NodeRef, isAnswer: boolean, now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(ref.id)
    if (known === undefined || ref.epoch < known.epoch) return
    if (isAnswer || ref.epoch > known.epoch) this.lose(known, now, fx)
    else this.probing.start(known, { report: true }, now, fx)
  }

  private onHeartbeat(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.meet(from, true, now, fx)
    // It takes this node for its left neighbour. If there is somebody in between, it should know.
    const { rightNeighbor } = this.state.leafSet
    if (this.state.counts && rightNeighbor !== undefined && rightNeighbor.id !== from.id) {
      this.probing.start(from, { report: true }, now, fx)
    }
  }

  /** A member spoke, without saying whom it knows. A new neighbour is asked. */
  private meet(from: NodeRef, isMember: boolean, now: Millis, fx: OverlayEffects): void {
    if (isMember && this.state.admit(from, fx) && this.state.counts) this.probing.start(from, { report: true }, now, fx)
  }

  private onLeave(from: NodeRef, message: Leave, now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(from.id)
    if (known === undefined || from.epoch < known.epoch) return
    this.state.failed.add(from, true, now)
    this.lose(known, now, fx)
    this.learn(message.leafSet, now, fx)
  }

  /** A peer did not answer three times, or cannot be connected to: it is taken to be dead. */
  private fail(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const known = state.find(ref.id)
    state.failed.add(known ?? ref, false, now)
    if (known !== undefined) {
      state.history.note(known, state.prng)
      fx.emit({ type: 'peer-failed', peer: known })
      if (state.leafSet.has(ref.id)) this.noteNeighborFailure(ref.id, now, fx)
    }
    this.lose(known ?? ref, now, fx)
  }

  /** Out of all tables, and on with closing the gaps. */
  private lose(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.probing.drop(ref.id)
    this.tables.remove(ref, now, fx)
    fx.peerFailed(ref)
    this.repair.restart()
    this.settle(now, fx)
  }

  /** To be told by who found it, usually the left neighbour of the dead node; and by its right neighbour, whose leaf set reaches further. */
  private noteNeighborFailure(failed: Guid, now: Millis, fx: OverlayEffects): void {
    const { config, prng, leafSet } = this.state
    this.tableProbing.noteFailure(now)
    if (this.probing.isDoubted(failed) && leafSet.leftNeighbor?.id !== failed) return
    if (this.news === undefined) fx.startTimer('failure-notice', 0, prng.jitter(config.failureNoticeMs, 0.5))
    const news = (this.news ??= new Set())
    if (news.size < config.failedMax) news.add(failed)
  }

  /** MSPastry: the leaf set hears of failures by probes that name them, and everybody looks for themselves. Unless somebody else was faster. */
  private noticeFailures(now: Millis, fx: OverlayEffects): void {
    const stillNews = this.news !== undefined && this.news.size > 0
    this.news = undefined
    if (!stillNews || !this.state.counts) return
    for (const ref of this.state.leafSet.members) this.probing.start(ref, { report: true }, now, fx)
  }

  /** When all leaf sets that were asked for have come, repairs go on and a join takes its next step. */
  private settle(now: Millis, fx: OverlayEffects): void {
    const { state, probing, joining } = this
    if (!probing.settled || !(state.counts || joining?.confirms === true)) return
    if (state.leafSet.wounded) {
      const hasHope = this.repair.proceed(probing, now, fx)
      if (!hasHope && state.leafSet.size === 0 && joining === undefined) return this.rejoin(now, fx)
      if (!probing.settled || (state.leafSet.wounded && joining === undefined)) return
    }
    if (joining?.onSettled(now, fx) === true) this.becomeMember(joining.startedAt, now, fx)
  }

  /** Both sides of the leaf set are gone and nobody in any table answers: it starts over. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const contacts = this.joins.contacts()
    if (contacts.length === 0) return
    const { state } = this
    state.standing = 'outside'
    // More likely this node was cut off than everybody else died.
    state.failed.clear()
    state.leafSet.heal(state.leafSet.right)
    state.leafSet.heal(state.leafSet.left)
    this.joins.begin(contacts, now, fx)
  }
}
