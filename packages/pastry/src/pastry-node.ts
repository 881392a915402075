import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause, Prng } from '@plaxton/kbr'
import { decodeJoinPayload, pastryCodec } from './codec.ts'
import type { PastryConfig } from './config.ts'
import { Join, onJoinRequest, passJoin } from './join.ts'
import { LeafSetRepair } from './leaf-set-repair.ts'
import { leafRefsMax, send } from './messages.ts'
import type { JoinPayload, LeafProbe, LeafReply, LeafReport, PastryMessage } from './messages.ts'
import { nextHop } from './next-hop.ts'
import { Probing } from './probing.ts'
import { keyRange, replicaSet, routeCandidates } from './questions.ts'
import { PastryState } from './state.ts'

export class PastryNode implements Overlay {
  readonly name = 'pastry'
  readonly codec = pastryCodec
  private readonly state: PastryState
  private readonly probing: Probing
  private readonly repair: LeafSetRepair
  /** Undefined except while joining. */
  private joining: Join | undefined = undefined
  private bootstraps: readonly NodeRef[] = []
  /** When the right neighbour was last heard from. */
  private rightHeardAt: Millis = 0
  private noticePending = false
  /** When a leaf was last probed because another node reported its failure. Bound: `leafRefsMax`. Full: all are forgotten. */
  private readonly doubtedAt = new Map<Guid, Millis>()
  private ticking = false

  constructor(self: NodeRef, config: PastryConfig, prng: Prng) {
    this.state = new PastryState(self, config, prng)
    this.probing = new Probing(this.state)
    this.repair = new LeafSetRepair(this.state)
  }

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
    return this.state.leafSet.members.slice(0, num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return replicaSet(this.state, key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return keyRange(this.state, node, rank, lkey)
  }

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    // A member was told of another ring: these nodes, and whoever their leaf sets name, are asked until the two rings are one.
    if (this.ready) for (const ref of bootstrap) if (ref.id !== this.self.id) this.probing.start(ref, { report: true }, now, fx)
    if (this.state.standing !== 'outside' || this.joining !== undefined) return
    this.bootstraps = bootstrap.filter((ref) => ref.id !== this.self.id)
    if (this.bootstraps.length === 0) this.becomeMember(now, now, fx)
    else this.startJoining(this.bootstraps, now, fx)
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.counts) for (const ref of state.everybody()) send(ref, { type: 'leave', leafSet: state.leafSet.members }, fx)
    state.standing = 'gone'
    this.joining = undefined
    this.probing.clear()
  }

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone' || from.id === this.self.id) return
    const received = message as PastryMessage
    switch (received.type) {
      case 'leaf-probe':
        return this.onLeafProbe(from, received, now, fx)
      case 'leaf-reply':
        return this.onLeafReply(from, received, now, fx)
      case 'heartbeat':
        return this.onHeartbeat(from, now, fx)
      case 'ping':
        send(from, { type: 'pong', seq: received.seq, member: this.state.counts }, fx)
        return
      case 'pong': {
        const ended = this.probing.answered(from, received, now, fx)
        if (ended?.rttMs !== undefined) this.state.proximity.sample(from.id, ended.rttMs)
        if (received.member) this.admit(from, now, fx)
        return
      }
      case 'join-request':
        return onJoinRequest(this.state, from, received.attempt, fx)
      case 'join-refusal':
        return this.joining?.onRefused(from, fx)
      case 'join-state':
        if (this.joining !== undefined) {
          this.joining.onState(from, received, this.probing, now, fx)
          this.settle(now, fx)
        } else if (received.root && this.ready) this.learn([from, ...received.leafSet], now, fx)
        return
      case 'leave':
        this.state.failed.add(from, true, now)
        this.lose(from, now, fx)
        return this.learn(received.leafSet, now, fx)
      case 'announcement':
      case 'distance':
      case 'row-request':
      case 'row-reply':
      case 'slot-request':
      case 'slot-reply':
        return
      default:
        return unreachable(received)
    }
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    switch (kind) {
      case 'probe': {
        const silent = this.probing.expired(arg, now, fx)
        if (silent !== undefined) this.fail(silent, true, now, fx)
        return
      }
      case 'join':
        if (this.joining !== undefined && !this.joining.onTimer(arg, now, fx)) this.giveUpJoining(fx)
        return
      case 'heartbeat':
        return this.heartbeat(now, fx)
      case 'leaf-exchange':
        return this.exchangeLeafSets(now, fx)
      case 'failure-notice':
        return this.noticeFailures(now, fx)
    }
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    this.joining?.onRefused(peer, fx)
    if (cause === 'unreachable' && this.probing.has(peer.id)) this.fail(peer, true, now, fx)
    else this.suspect(peer, now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.leafSet.rightNeighbor?.id === from.id) this.rightHeardAt = now
    if (this.probing.size > 0) this.probing.heard(from, fx)
    if (state.failed.size > 0 && state.failed.has(from.id) && !state.failed.refuses(from)) {
      // It was cut off, not dead. Whether it belongs into a table its own answer tells.
      state.failed.forget(from.id)
      if (state.counts) this.probing.start(from, { report: true }, now, fx)
    }
  }

  onRoundTrip(peer: NodeRef, rttMs: Millis, _now: Millis, _fx: OverlayEffects): void {
    this.state.proximity.sample(peer.id, rttMs)
  }

  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.failed.has(peer.id)) return fx.peerFailed(peer)
    if (state.find(peer.id) === undefined) return
    this.probing.start(peer, { suspect: true, report: state.leafSet.has(peer.id) }, now, fx)
  }

  forwardOwn(_key: Guid, payload: Uint8Array, hops: number, next: NodeRef | undefined, _now: Millis, fx: OverlayEffects): boolean {
    let join: JoinPayload
    try {
      join = decodeJoinPayload(payload)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'join payload' })
      return false
    }
    return passJoin(this.state, join, hops, next, fx)
  }

  assertInvariants(): void {
    this.state.assertInvariants()
    assert(!this.ready || this.joining === undefined, 'a member is not joining')
  }

  // Joining.

  private startJoining(bootstraps: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joining = new Join(this.state, bootstraps, now)
    this.joining.start(now, fx)
  }

  private giveUpJoining(fx: OverlayEffects): void {
    this.joining = undefined
    this.state.standing = 'outside'
    fx.emit({ type: 'join-failed', reason: `No bootstrap node helped within ${this.state.config.joinMs} ms.` })
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    const candidates = this.joining?.candidates ?? []
    this.joining = undefined
    this.state.standing = 'member'
    for (const ref of this.state.credible(candidates)) {
      if (this.state.routingTable.towards(ref.id) === undefined) this.probing.start(ref, {}, now, fx)
    }
    this.startTicking(now, fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
  }

  // Leaf set.

  private onLeafProbe(from: NodeRef, probe: LeafProbe, now: Millis, fx: OverlayEffects): void {
    this.takeReport(from, probe, now, fx)
    const reply: LeafReply = { type: 'leaf-reply', seq: probe.seq, hints: this.state.nearestTo(from, probe.lost), ...this.state.report() }
    send(from, reply, fx)
    this.settle(now, fx)
  }

  private onLeafReply(from: NodeRef, reply: LeafReply, now: Millis, fx: OverlayEffects): void {
    const ended = this.probing.answered(from, reply, now, fx)
    if (ended?.rttMs !== undefined) this.state.proximity.sample(from.id, ended.rttMs)
    this.takeReport(from, reply, now, fx)
    if (ended?.claimed === true && reply.member) this.joining?.onClaimed(from)
    this.learn(reply.hints, now, fx)
    this.settle(now, fx)
  }

  /** What a peer says about itself counts; what it says about others is looked into. */
  private takeReport(from: NodeRef, report: LeafReport, now: Millis, fx: OverlayEffects): void {
    if (report.member) this.admit(from, now, fx)
    else this.dismiss(from, now, fx)
    for (const id of report.failed) {
      const ref = this.state.leafSet.get(id)
      if (ref !== undefined && id !== from.id && this.mayDoubt(id, now)) this.probing.start(ref, { report: true }, now, fx)
    }
    this.learn(report.leafSet, now, fx)
  }

  /**
   * Once in the time it takes to find a node dead, and no more often: answers bring reports of their own, and after a partition everybody
   * reports half of the ring. Without this limit the healing of 100 nodes took 28,000 messages a second for minutes.
   */
  private mayDoubt(id: Guid, now: Millis): boolean {
    const { probeTimeoutMs, probeRetries } = this.state.config
    const last = this.doubtedAt.get(id)
    if (last !== undefined && now - last < probeTimeoutMs * (probeRetries + 1)) return false
    if (this.doubtedAt.size >= leafRefsMax) this.doubtedAt.clear()
    this.doubtedAt.set(id, now)
    return true
  }

  /** Hearsay: those who may belong into the leaf set are probed. */
  private learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    if (refs.length === 0 || (this.state.standing === 'outside' && this.joining === undefined)) return
    for (const ref of this.state.leafSet.wanted(this.state.credible(refs))) this.probing.start(ref, { report: true }, now, fx)
  }

  private admit(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { leafSet } = this.state
    const right = leafSet.rightNeighbor
    this.state.admit(ref, fx)
    if (leafSet.rightNeighbor !== right) this.rightHeardAt = now
  }

  /** A node says it is no member, or no longer. Whoever took its place under its id is met on its own. */
  private dismiss(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(ref.id)
    if (known !== undefined && ref.epoch >= known.epoch) this.lose(known, now, fx)
  }

  /** A peer is taken to be dead. `firstHand`: this node found out and tells its leaf set. */
  private fail(ref: NodeRef, firstHand: boolean, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const wasNeighbor = state.leafSet.has(ref.id)
    this.probing.drop(ref.id)
    state.failed.add(ref, false, now)
    state.history.note(ref, state.prng)
    fx.emit({ type: 'peer-failed', peer: ref })
    if (firstHand && wasNeighbor && !this.noticePending) {
      this.noticePending = true
      fx.startTimer('failure-notice', 0, state.prng.jitter(state.config.failureNoticeMs, 0.5))
    }
    this.lose(ref, now, fx)
    fx.peerFailed(ref)
  }

  /** Out of all tables, and on with closing the gap. */
  private lose(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.probing.drop(ref.id)
    const right = this.state.leafSet.rightNeighbor
    this.state.drop(ref, fx)
    if (this.state.leafSet.rightNeighbor !== right) this.rightHeardAt = now
    this.repair.restart()
    this.settle(now, fx)
  }

  /** All leaf sets that were asked for have come: repairs go on, a join takes its next step. */
  private settle(now: Millis, fx: OverlayEffects): void {
    const { state, probing } = this
    if (!probing.settled || (state.standing === 'outside' && this.joining === undefined)) return
    if (state.leafSet.wounded) {
      const hope = this.repair.proceed(probing, now, fx)
      if (!hope && state.leafSet.size === 0 && this.joining === undefined) return this.rejoin(now, fx)
      if (!probing.settled) return
    }
    const { joining } = this
    if (joining === undefined || state.leafSet.wounded) return
    if (joining.onSettled(probing, now, fx)) this.becomeMember(joining.startedAt, now, fx)
  }

  /** Everybody this node knew is gone: it starts over. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const contacts = [...this.bootstraps, ...this.state.history.all()]
    if (contacts.length === 0) return
    this.state.standing = 'outside'
    this.startJoining(contacts, now, fx)
  }

  // Periodic work.

  private startTicking(now: Millis, fx: OverlayEffects): void {
    if (this.ticking) return
    this.ticking = true
    this.rightHeardAt = now
    const { config, prng } = this.state
    fx.startTimer('heartbeat', 0, prng.nextInt(config.heartbeatMs))
    fx.startTimer('leaf-exchange', 0, prng.nextInt(config.leafExchangeMs))
  }

  private heartbeat(now: Millis, fx: OverlayEffects): void {
    const { config, prng, leafSet } = this.state
    fx.startTimer('heartbeat', 0, prng.jitter(config.heartbeatMs, 0.1))
    const { leftNeighbor, rightNeighbor } = leafSet
    if (leftNeighbor !== undefined) send(leftNeighbor, { type: 'heartbeat' }, fx)
    if (rightNeighbor !== undefined && now - this.rightHeardAt > 1.2 * config.heartbeatMs + config.probeTimeoutMs) {
      this.probing.start(rightNeighbor, { report: true }, now, fx)
    }
  }

  private onHeartbeat(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.admit(from, now, fx)
    // It takes this node for its left neighbour. If there is somebody in between, it should know.
    const { leafSet } = this.state
    if (this.state.counts && leafSet.rightNeighbor !== undefined && leafSet.rightNeighbor.id !== from.id) {
      this.probing.start(from, { report: true }, now, fx)
    }
  }

  private exchangeLeafSets(now: Millis, fx: OverlayEffects): void {
    const { config, prng, leafSet, failed } = this.state
    fx.startTimer('leaf-exchange', 0, prng.jitter(config.leafExchangeMs, 0.25))
    failed.expire(now - config.failedMs)
    const partner = prng.pick(leafSet.members)
    if (partner !== undefined) this.probing.start(partner, { report: true }, now, fx)
    const missed = prng.pick(failed.missed())
    if (missed !== undefined) send(missed, { type: 'ping', seq: 0 }, fx)
  }

  private noticeFailures(now: Millis, fx: OverlayEffects): void {
    this.noticePending = false
    for (const ref of this.state.leafSet.members) this.probing.start(ref, { report: true }, now, fx)
  }
}
