import { compareByXor } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Metric, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause, Prng } from '@plaxton/kbr'
import { Joining, Probing } from '@plaxton/upkeep'
import { Acquaintances } from './acquaintances.ts'
import type { Bucket } from './buckets.ts'
import { kademliaCodec } from './codec.ts'
import type { KademliaConfig } from './config.ts'
import { Guardians } from './guardians.ts'
import { Inquiries } from './inquiries.ts'
import { Join } from './join.ts'
import { Maintenance } from './maintenance.ts'
import { refsMax, send } from './messages.ts'
import type { FindNode, KademliaMessage, Nodes } from './messages.ts'
import { nextHop, routeCandidates } from './next-hop.ts'
import { replicaSet } from './questions.ts'
import { keyRange } from './range.ts'
import { Searches } from './searches.ts'
import type { EndedSearch } from './searches.ts'
import { SiblingRepair } from './sibling-repair.ts'
import { KademliaState } from './state.ts'

/**
 * One node of a Kademlia overlay (Maymounkov and Mazières, IPTPS 2002) with the sibling lists of S/Kademlia (Baumgart and Mies, ICPADS 2007). What it does, in the order in
 * which it happens:
 *
 * 1. **Join** ({@link Join}). It searches for its own id, asks everybody who may be its sibling, claims its place from them, and is a member when all have agreed. The
 *    first node of a network is one at once.
 * 2. **Fill the buckets** ({@link Searches}). It searches every distance range beyond its siblings once, and again when nobody of it has been seen for an hour.
 * 3. **Route** ({@link nextHop}). To a closer node, until nobody is; it delivers only what nobody it knows of is closer to, and holds back what somebody may be closer to.
 * 4. **Watch** ({@link Guardians}, `Probing`). Its two guardians expect to hear from it; contacts are pinged in turn. A peer that does not answer is suspected, probed three
 *    times, and then taken to be dead: out of all tables, and its siblings are told.
 * 5. **Repair** ({@link SiblingRepair}). When there are too few siblings the next ones are found. A distance range that has lost its last contact is searched.
 * 6. **Keep in tune** ({@link Maintenance}). Now and then it compares siblings with a random one, and looks for a lost part of the network.
 * 7. **Leave**. It tells everybody it knows, with its siblings.
 *
 * This class takes the inputs apart and hands them on; each exchange is in a file of its own, and {@link KademliaState} holds what is known.
 */
export class KademliaNode implements Overlay {
  readonly name = 'kademlia'
  readonly codec = kademliaCodec
  readonly metric: Metric
  private readonly state: KademliaState
  private readonly probing: Probing
  private readonly inquiries: Inquiries
  private readonly searches: Searches
  private readonly acquaintances: Acquaintances
  private readonly guardians: Guardians
  private readonly repair: SiblingRepair
  private readonly maintenance: Maintenance
  private readonly joins: Joining<Join>
  constructor(self: NodeRef, config: KademliaConfig, prng: Prng) {
    const state = new KademliaState(self, config, prng)
    this.state = state
    this.probing = new Probing({
      config,
      proximity: state.proximity,
      nextSeq: () => state.nextSeq(),
      find: (id) => state.find(id),
      ping: (to, seq, fx) => send(to, { type: 'ping', seq, ...state.status }, fx),
    })
    this.metric = { compare: compareByXor, closest: (key, count) => state.closest(key, count), width: config.bucketSize }
    this.inquiries = new Inquiries(state)
    this.searches = new Searches(state)
    this.acquaintances = new Acquaintances(state, this.probing, this.inquiries, (ref, now, fx) => this.lose(ref, now, fx))
    this.guardians = new Guardians(state, this.probing)
    this.repair = new SiblingRepair(state)
    this.maintenance = new Maintenance(state, this.probing, this.inquiries, this.guardians)
    this.joins = new Joining(this.state, {
      begin: (contacts, now, fx) => {
        const join = new Join(this.state, this.inquiries, this.searches, contacts, now)
        join.start(now, fx)
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

  nextHop(key: Guid, _cursor: number, avoid: Avoid): NextHop {
    return nextHop(this.state, this.probing.suspects, key, avoid)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return routeCandidates(this.state, this.probing.suspects, key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.state.siblings.members.slice(0, num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return replicaSet(this.state, key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return keyRange(this.state, node, rank, lkey)
  }

  /** The bucket of those that share exactly `level` bits with this node; undefined while nobody has been put in. For those who look at networks from outside. */
  bucket(level: number): Bucket | undefined {
    return this.state.buckets.at(level)
  }

  // Commands

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joins.command(bootstrap, now, fx)
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.counts) {
      for (const ref of state.everybody()) send(ref, { type: 'leave', refs: state.siblings.members.slice(0, refsMax) }, fx)
    }
    state.standing = 'gone'
    this.joins.end()
    this.probing.clear()
    this.inquiries.clear()
    this.searches.clear()
    this.guardians.clear()
    this.acquaintances.clear()
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    this.acquaintances.spoke()
    this.take(from, message as KademliaMessage, now, fx)
    this.settle(now, fx)
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    this.due(kind, arg, now, fx)
    this.settle(now, fx)
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.standing === 'gone') return
    // Connections to nodes outside the sibling list are closed when idle; probing would only open them again.
    if (cause === 'disconnected' && !state.siblings.has(peer.id)) return
    if (cause === 'unreachable') {
      this.onEnded(this.searches.drop(peer.id, now, fx), fx)
      // It did not answer a probe either, because there is nobody to connect to.
      if (this.probing.has(peer.id) || this.inquiries.has(peer.id)) this.fail(peer, now, fx)
      else this.suspect(peer, now, fx)
    } else {
      this.suspect(peer, now, fx)
    }
    this.settle(now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.guardians.heard(from, now)
    this.inquiries.heard(from)
    if (from.id.length === this.self.id.length) this.acquaintances.heard(from, now, fx)
  }

  onRoundTrip(peer: NodeRef, rttMs: Millis, _now: Millis, fx: OverlayEffects): void {
    this.state.noteRoundTrip(peer.id, rttMs, fx)
  }

  measuredMs(peer: NodeRef): Millis | undefined {
    return this.state.proximity.ownOf(peer.id)
  }

  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (state.failed.has(peer.id)) return fx.peerFailed(peer)
    const known = state.find(peer.id)
    if (known !== undefined) this.probing.start(known, true, now, fx)
  }

  /** Kademlia routes no messages of its own. */
  forwardOwn(_key: Guid, _payload: Uint8Array, _hops: number, _next: NodeRef | undefined, _now: Millis, fx: OverlayEffects): boolean {
    fx.emit({ type: 'dropped', from: undefined, reason: 'a routed message for the overlay itself' })
    return false
  }

  assertInvariants(): void {
    this.state.assertInvariants()
    assert(!this.ready || this.joining === undefined, 'a member is not joining')
  }

  // Taking messages apart

  private take(from: NodeRef, message: KademliaMessage, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    switch (message.type) {
      case 'ping':
        this.acquaintances.meet(from, message.member, now, fx)
        return send(from, { type: 'pong', seq: message.seq, ...state.status }, fx)
      case 'pong':
        return this.acquaintances.onPong(from, message, now, fx)
      case 'heartbeat':
        this.acquaintances.meet(from, message.member, now, fx)
        return this.guardians.onHeartbeat(from, now)
      case 'find-node':
        return this.onFindNode(from, message, now, fx)
      case 'nodes':
        return this.onNodes(from, message, now, fx)
      case 'obituary':
        this.acquaintances.meet(from, message.member, now, fx)
        for (const id of message.gone) this.guardians.onObituary(id, now, fx)
        return
      case 'leave':
        return this.onLeave(from, message.refs, now, fx)
      default:
        return unreachable(message)
    }
  }

  private due(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    switch (kind) {
      case 'probe': {
        const silent = this.probing.expired(arg, now, fx)
        return silent === undefined ? undefined : this.fail(silent, now, fx)
      }
      case 'inquiry': {
        const silent = this.inquiries.expired(arg, fx)
        return silent === undefined ? undefined : this.fail(silent, now, fx)
      }
      case 'query': {
        const { ended, silent } = this.searches.expired(arg, now, fx)
        if (silent !== undefined && this.state.find(silent.id) !== undefined) this.probing.start(silent, false, now, fx)
        return this.onEnded(ended, fx)
      }
      case 'join':
        return this.joins.onTimer(arg, now, fx)
      case 'silence':
        return void this.guardians.watch(now, fx)
      case 'obituary':
        return this.guardians.onObituaryTimer(arg, fx)
      default:
        this.refresh(this.maintenance.onTimer(kind, this.joins.bootstraps, now, fx), now, fx)
        if (kind === 'seek' && this.state.standing === 'outside' && this.joining === undefined) this.rejoin(now, fx)
    }
  }

  private onFindNode(from: NodeRef, question: FindNode, now: Millis, fx: OverlayEffects): void {
    if (question.key.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'a key of another width' })
    if (!question.member) this.joining?.meet(from)
    this.acquaintances.onFindNode(from, question, now, fx)
  }

  private onNodes(from: NodeRef, nodes: Nodes, now: Millis, fx: OverlayEffects): void {
    const inquiry = this.inquiries.answered(from, nodes)
    if (inquiry !== undefined) return this.onInquired(from, nodes, inquiry.claimed, now, fx)
    const ended = this.searches.answered(from, nodes, now, fx)
    if (ended === undefined) return void this.acquaintances.meet(from, nodes.member, now, fx)
    if (nodes.member) this.acquaintances.meetAnswer(from, true, now, fx)
    else {
      this.acquaintances.meet(from, false, now, fx)
      this.joining?.onRefused(from, this.state.credible(nodes.refs, now))
    }
    this.onEnded(ended, fx)
  }

  private onInquired(from: NodeRef, nodes: Nodes, claimed: boolean, now: Millis, fx: OverlayEffects): void {
    if (!this.acquaintances.meetAnswer(from, nodes.member, now, fx)) return
    if (claimed && nodes.member) this.joining?.onClaimed(from)
    for (const id of nodes.gone) {
      const ref = this.state.siblings.get(id)
      if (ref !== undefined && id !== from.id) this.probing.verify(ref, now, fx)
    }
    this.learn(nodes.refs, now, fx)
  }

  /** Before a joiner knows its place, it matters to nobody who is near it. */
  private learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    if (this.state.counts || this.joining?.confirms === true) this.acquaintances.learn(refs, now, fx)
  }

  private onLeave(from: NodeRef, refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(from.id)
    if (known === undefined || from.epoch < known.epoch) return
    this.state.failed.add(from, true, now)
    this.lose(known, now, fx)
    this.learn(refs, now, fx)
  }

  // Joining

  /** Undefined except while joining. */
  private get joining(): Join | undefined {
    return this.joins.current
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    this.joins.end()
    state.standing = 'member'
    state.siblings.settle(state.buckets.refs().filter(({ id }) => !state.siblings.has(id)))
    this.maintenance.start(fx)
    this.guardians.onTimer(now, fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
    fx.routesChanged()
    this.refresh(
      Array.from({ length: state.siblings.sureLevel }, (_, level) => level),
      now,
      fx,
    )
  }

  // Searches

  private refresh(levels: readonly number[], now: Millis, fx: OverlayEffects): void {
    for (const level of levels) this.onEnded(this.searches.refresh(level, now, fx), fx)
  }

  private onEnded(ended: readonly EndedSearch[], fx: OverlayEffects): void {
    const { state } = this
    for (const search of ended) {
      const { purpose, closest } = search
      if (purpose.type === 'join') this.joining?.onSearched(search, fx)
      else if (state.isDoubtful(purpose.level) && closest.length >= Math.min(vouchers, state.siblings.size)) {
        state.vacant.add(purpose.level)
        fx.routesChanged()
      }
    }
  }

  // Failures

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
    this.probing.drop(ref.id)
    this.inquiries.drop(ref.id)
    this.guardians.forget(ref.id)
    this.acquaintances.forget(ref.id)
    const heir = this.state.drop(ref, fx)
    fx.peerFailed(ref)
    this.repair.restart()
    if (heir !== undefined && this.state.counts) this.probing.start(heir, false, now, fx)
    this.onEnded(this.searches.drop(ref.id, now, fx), fx)
  }

  /** After every input: whatever has become due by it. */
  private settle(now: Millis, fx: OverlayEffects): void {
    const { state, joining, inquiries } = this
    if (joining?.confirms === true && inquiries.settled && joining.onSettled(fx)) this.becomeMember(joining.startedAt, now, fx)
    if (!this.ready) return
    if (!state.siblings.complete && !this.repair.proceed(inquiries, fx)) return this.rejoin(now, fx)
    for (let level = 0; level < state.siblings.sureLevel; level++) if (state.isDoubtful(level)) this.refresh([level], now, fx)
  }

  /** Nobody in any table answers, and there were more: it starts over, through whoever it has known. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const contacts = this.joins.contacts()
    if (contacts.length === 0) return
    state.standing = 'outside'
    // More likely this node was cut off than everybody else died.
    state.failed.clear()
    state.siblings.settle([])
    this.joins.begin(contacts, now, fx)
  }
}

/** Who must have answered a search that found nobody before a distance range is taken to be empty: a few, so that one alone cannot hide it. Our guess. */
const vouchers = 3
