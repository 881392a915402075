import type { Guid } from '@plaxton/guid'
import { assert, Prng, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import { Joining } from '@plaxton/upkeep'
import { chordCodec, decodeWalkPayload } from './codec.ts'
import type { ChordConfig } from './config.ts'
import { Join, onJoinRequest, passWalk } from './join.ts'
import { Maintenance } from './maintenance.ts'
import { send } from './messages.ts'
import type { ChordMessage, FingerReply, JoinRequest, JoinState, Neighbors, WalkPayload } from './messages.ts'
import { Neighborhood } from './neighborhood.ts'
import { nextHop } from './next-hop.ts'
import { keyRange, replicaSet, routeCandidates } from './questions.ts'
import { ChordState } from './state.ts'

/**
 * One node of a Chord overlay (Stoica et al., SIGCOMM 2001 and IEEE/ACM Transactions on Networking 2003), with the maintenance that Zave has shown to be
 * correct. What it does, in the order in which it happens:
 *
 * 1. **Join** ({@link Join}). It has the successor of its own id looked up, takes over that one's lists, asks everybody in them, claims its place from them, and is
 *    a member when all count it. The first node of a network is one at once.
 * 2. **Fill the fingers** (`FingerKeeper`). It looks up its fingers and measures the nodes they name.
 * 3. **Route** ({@link nextHop}). Within reach of the lists to the owner of the key; otherwise to the nearest node of the furthest finger that precedes it. It
 *    delivers only what lies after the predecessor that has confirmed it.
 * 4. **Stabilise and rectify** ({@link Neighborhood}, {@link Maintenance}). Now and then it asks its successor who is around it; a nearer one is asked before it is
 *    adopted; a dead one gives way to the next of the list. A peer is asked three times before it is taken to be dead, and does not come back on hearsay.
 * 5. **Repair** (`ListRepair`). Lists that failures have made short are filled from their far ends.
 * 6. **Merge**. It looks for other rings through past contacts and through nodes that it takes to be dead. Two rings in contact close up like a zip.
 * 7. **Leave**. It tells everybody it knows, with its lists, so that the gap closes at once.
 *
 * This class takes the inputs apart and hands them on; each exchange is in a file of its own, and {@link ChordState} holds what is known.
 */
export class ChordNode implements Overlay {
  readonly name = 'chord'
  readonly codec = chordCodec
  private readonly state: ChordState
  private readonly neighborhood: Neighborhood
  private readonly maintenance: Maintenance
  private readonly joins: Joining<Join>

  constructor(self: NodeRef, config: ChordConfig, prng: Prng) {
    this.state = new ChordState(self, config, prng)
    this.neighborhood = new Neighborhood(this.state)
    this.maintenance = new Maintenance(this.state, this.neighborhood)
    this.joins = new Joining(this.state, {
      begin: (contacts, now, fx) => {
        const join = new Join(this.state, this.neighborhood.asking, contacts, now)
        join.start(fx)
        return join
      },
      found: (since, now, fx) => this.becomeMember(since, now, fx),
      seek: (contact, fx) => this.maintenance.askThrough(contact, fx),
      wasMember: () => this.maintenance.started,
    })
  }

  /**
   * A member in its place, as if it had joined: for experiments on rings that are too large to grow. `neighbors` are taken into the lists as far as they have room;
   * `from(start, count)` names the first nodes at or after a point of the ring.
   */
  static placed(
    self: NodeRef,
    config: ChordConfig,
    neighbors: readonly NodeRef[],
    from: (start: Guid, count: number) => readonly NodeRef[],
  ): ChordNode {
    const node = new ChordNode(self, config, Prng.fromSeed(self.id))
    const { lists, fingers } = node.state
    for (const ref of neighbors) lists.add(ref)
    if (lists.predecessor !== undefined) lists.confirm(lists.predecessor.id, self.id)
    const { furthest } = lists.successors
    const least = furthest === undefined || lists.whole ? fingers.highest + 1 : fingers.leastBeyond(furthest)
    for (let index = fingers.highest; index >= least; index--) {
      const refs = from(fingers.start(index), config.fingerSuccessors + 1)
      fingers.place(index, refs)
      for (const ref of refs) fingers.admit(ref)
    }
    node.state.standing = 'member'
    return node
  }

  // Questions

  get self(): NodeRef {
    return this.state.self
  }

  get ready(): boolean {
    return this.state.standing === 'member'
  }

  nextHop(key: Guid, cursor: number, avoid: Avoid): NextHop {
    return nextHop(this.state, this.neighborhood.asking.suspects, key, cursor, avoid)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return routeCandidates(this.state, key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.state.lists.members.slice(0, num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return replicaSet(this.state, key, maxRank)
  }

  range(node: NodeRef, rank: number, _lkey: Guid): KeyRange | undefined {
    return keyRange(this.state, node, rank)
  }

  /** The successor list, nearest first. For those who look at networks from outside. */
  get successors(): readonly NodeRef[] {
    return this.state.lists.successors.members
  }

  /** Nearest first. */
  get predecessors(): readonly NodeRef[] {
    return this.state.lists.predecessors.members
  }

  // Commands

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.joins.command(bootstrap, now, fx)
  }

  leave(_now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { predecessors, successors } = state.lists
    if (state.counts) {
      for (const ref of state.everybody()) {
        send(ref, { type: 'leave', predecessors: [...predecessors.members], successors: [...successors.members] }, fx)
      }
    }
    state.standing = 'gone'
    this.joins.end()
    this.neighborhood.clear()
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    this.take(from, message as ChordMessage, now, fx)
    this.settle(now, fx)
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    if (this.state.standing === 'gone') return
    this.due(kind, arg, now, fx)
    this.settle(now, fx)
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    const { state, neighborhood } = this
    if (state.standing === 'gone') return
    // Connections to nodes outside the lists are closed when idle; asking would only open them again.
    if (cause === 'disconnected' && !state.lists.has(peer.id)) return
    if (cause === 'unreachable') {
      this.joining?.onUnreachable(peer, fx)
      neighborhood.fingers.measuring.drop(peer.id, now, fx)
      // It did not answer a question either, because there is nobody to connect to.
      if (neighborhood.asking.has(peer.id)) {
        neighborhood.fail(peer, now, fx)
        return this.settle(now, fx)
      }
    }
    this.suspect(peer, now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state, neighborhood } = this
    this.maintenance.heard(from, now)
    if (neighborhood.asking.probing.size > 0 && state.find(from.id) !== undefined) neighborhood.asking.heard(from, now, fx)
    if (state.failed.size === 0 || !state.failed.has(from.id) || state.failed.refuses(from)) return
    // It was cut off, not dead; and perhaps those around it too.
    state.failed.forget(from.id)
    if (!state.counts) return
    neighborhood.asking.ask(from, now, fx)
    if (this.ready) this.maintenance.askThrough(from, fx)
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
    if (known !== undefined) this.neighborhood.asking.suspect(known, now, fx)
  }

  forwardOwn(key: Guid, payload: Uint8Array, _hops: number, next: NodeRef | undefined, _now: Millis, fx: OverlayEffects): boolean {
    let walk: WalkPayload
    try {
      walk = decodeWalkPayload(payload, fx.readRef)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'a question that cannot be read' })
      return false
    }
    if (walk.purpose === 'finger' || walk.asker.id === key) return passWalk(this.state, walk, next, fx)
    fx.emit({ type: 'dropped', from: undefined, reason: 'a join for another id' })
    return false
  }

  assertInvariants(): void {
    this.state.assertInvariants()
    assert(!this.ready || this.joining === undefined, 'a member is not joining')
  }

  // Taking inputs apart

  private take(from: NodeRef, message: ChordMessage, now: Millis, fx: OverlayEffects): void {
    const { neighborhood } = this
    switch (message.type) {
      case 'stabilize':
        return neighborhood.onStabilize(from, message, this.looksInto, now, fx)
      case 'neighbors':
        return this.onNeighbors(from, message, now, fx)
      case 'ping':
        return send(from, { type: 'pong', seq: message.seq, member: this.state.counts }, fx)
      case 'pong':
        return neighborhood.onPong(from, message, now, fx)
      case 'finger-reply':
        return this.onFingerReply(from, message, now, fx)
      case 'join-request':
        return this.onJoinRequest(from, message, fx)
      case 'join-refusal':
        return this.joining?.onRefused(from, message, fx)
      case 'join-state':
        return this.onJoinState(from, message, now, fx)
      case 'leave':
        return neighborhood.onLeave(from, message, now, fx)
      default:
        return unreachable(message)
    }
  }

  private due(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    const { neighborhood } = this
    switch (kind) {
      case 'probe': {
        const silent = neighborhood.asking.expired(arg, now, fx)
        return silent === undefined ? undefined : neighborhood.fail(silent, now, fx)
      }
      case 'measure':
        return neighborhood.fingers.measuring.expired(arg, now, fx)
      case 'fill':
        return neighborhood.fingers.onFillTimer(fx)
      case 'confirm':
        return neighborhood.onConfirmTimer(now, fx)
      case 'failure-notice':
        return neighborhood.onNoticeTimer(now, fx)
      case 'join':
        return this.joins.onTimer(arg, now, fx)
      default:
        this.maintenance.onTimer(kind, this.joins.bootstraps, now, fx)
        if (kind === 'history' && this.state.standing === 'outside' && this.joining === undefined) this.rejoin(now, fx)
    }
  }

  /** Whether it is time to look into what peers say about others. */
  private get looksInto(): boolean {
    return this.state.counts || this.joining?.confirms === true
  }

  private onNeighbors(from: NodeRef, message: Neighbors, now: Millis, fx: OverlayEffects): void {
    const isAnswer = this.neighborhood.onNeighbors(from, message, this.looksInto, now, fx)
    if (isAnswer && message.member) this.joining?.onNeighbors(from, message)
  }

  private onFingerReply(from: NodeRef, reply: FingerReply, now: Millis, fx: OverlayEffects): void {
    this.neighborhood.fingers.onReply(from, reply, now, fx)
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
    const { joining, neighborhood } = this
    if (joining !== undefined) return neighborhood.learn(joining.onState(from, message), now, fx)
    // The answer to a search for other rings.
    if (this.maintenance.sought(message.attempt) && this.state.counts)
      neighborhood.learn([from, ...message.predecessors, ...message.successors], now, fx)
  }

  private becomeMember(since: Millis, now: Millis, fx: OverlayEffects): void {
    this.joins.end()
    this.state.standing = 'member'
    this.maintenance.start(fx)
    fx.emit({ type: 'ready', elapsedMs: now - since })
    fx.becameReady()
    fx.routesChanged()
    this.neighborhood.fingers.start(fx)
  }

  /** After every input: gaps are closed, and a join takes its next step. */
  private settle(now: Millis, fx: OverlayEffects): void {
    const { state, neighborhood, joining } = this
    if (!this.looksInto) return
    if (!neighborhood.settle(now, fx) && joining === undefined) return this.rejoin(now, fx)
    if (joining === undefined || neighborhood.asking.busy) return
    if (joining.onSettled(now, fx) && !state.lists.wounded) this.becomeMember(joining.startedAt, now, fx)
  }

  /** Both lists are lost and nobody in any table answers: it starts over. */
  private rejoin(now: Millis, fx: OverlayEffects): void {
    const contacts = this.joins.contacts()
    if (contacts.length === 0) return
    const { state } = this
    state.standing = 'outside'
    // More likely this node was cut off than everybody else died.
    state.failed.clear()
    state.lists.heal(state.lists.successors)
    state.lists.heal(state.lists.predecessors)
    this.joins.begin(contacts, now, fx)
  }
}
