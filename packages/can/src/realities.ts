import type { Guid } from '@plaxton/guid'
import { assert, unreachable } from '@plaxton/kbr'
import type { Avoid, KeyRange, Message, Millis, NextHop, NodeRef, Overlay, OverlayEffects, PeerDownCause, Prng } from '@plaxton/kbr'
import { CanNode } from './can-node.ts'
import type { Claim } from './claim.ts'
import type { CanConfig } from './config.ts'
import { decodeRealitiesPayload, realitiesCodec } from './realities-codec.ts'
import { Common } from './realities-common.ts'
import { RealityEffects } from './realities-effects.ts'
import type { RealitiesMessage, RealitiesPayload, Within } from './realities-messages.ts'
import { realitiesNextHop } from './realities-next-hop.ts'
import { Twins } from './realities-twins.ts'
import { CanState } from './state.ts'
import type { Zone } from './zone.ts'

/**
 * A node of a CAN with several realities (SIGCOMM 2001, §3.2): independent coordinate spaces, in each of which it owns another zone and has other neighbours. It is a {@link CanNode} in each.
 *
 * - **Reality 0 is where the roots are.** A key has one root, the owner of its point there, and its further ranks are those of reality 0. As soon as this node is a member there it is ready; through
 *   its neighbours there it then joins the other realities, which exist wherever reality 0 does.
 * - **The others are ways.** A message goes to whichever neighbour in any reality is nearest to its point ({@link realitiesNextHop}), and from the owner of the point in another reality to that owner's
 *   twin, the root ({@link Twins}).
 * - **One node, one life.** A peer is suspected, probed and given up once, for all realities ({@link Common}).
 */
export class RealitiesNode implements Overlay {
  readonly name = 'can'
  readonly codec = realitiesCodec
  /** What it is in each reality. */
  readonly realities: readonly CanNode[]
  readonly twins: Twins
  private readonly config: CanConfig
  private readonly prng: Prng
  private readonly common: Common
  private readonly states: readonly [CanState, ...CanState[]]
  private readonly sinks: readonly RealityEffects[]
  private bootstraps: readonly NodeRef[] = []
  /** Since it has been a member of reality 0 for the first time. */
  private spreading = false
  private gone = false
  /** What is known of some reality is other than at the last look at the twins; and when that is next. */
  private hasChanged = false
  private lookAt: Millis = Infinity

  constructor(self: NodeRef, config: CanConfig, prng: Prng) {
    const common = new Common(config)
    const numbers = Array.from({ length: config.realities }, (_, reality) => reality)
    const state = (reality: number): CanState => new CanState(self, config, prng.fork(), common, reality)
    this.states = [state(0), ...numbers.slice(1).map(state)]
    this.realities = this.states.map((each) => new CanNode(each, common))
    this.sinks = numbers.map((reality) => new RealityEffects(reality, config.realities, () => (this.hasChanged = true)))
    this.twins = new Twins(this.states)
    common.add(this.twins)
    this.config = config
    this.common = common
    this.prng = prng.fork()
  }

  // Questions

  get self(): NodeRef {
    return this.roots.self
  }

  get ready(): boolean {
    return this.roots.ready
  }

  /** The zones for which this node answers: those of reality 0. */
  get zones(): readonly Zone[] {
    return this.roots.zones
  }

  /** The zones it claims in reality 0, those for which it does not answer yet included. */
  get claims(): readonly Claim[] {
    return this.roots.claims
  }

  nextHop(key: Guid, cursor: number, avoid: Avoid): NextHop {
    const { states, twins, common } = this
    return realitiesNextHop({ states, twins, suspects: common.probing.suspects }, key, cursor, avoid)
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    const first = safe ? undefined : this.nextHop(key, 0, nobody)
    const found = new Map<Guid, NodeRef>()
    if (first?.action === 'forward') found.set(first.to.id, first.to)
    for (const node of this.realities) for (const ref of node.localLookup(key, num, safe)) if (!found.has(ref.id)) found.set(ref.id, ref)
    return [...found.values()].slice(0, num)
  }

  neighborSet(num: number): NodeRef[] {
    return this.roots.neighborSet(num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return this.roots.replicaSet(key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return this.roots.range(node, rank, lkey)
  }

  measuredMs(peer: NodeRef): Millis | undefined {
    return this.roots.measuredMs(peer)
  }

  // Commands

  join(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.bootstraps = bootstrap
    this.realities.forEach((node, reality) => {
      if (reality === 0 || node.ready) node.join(bootstrap, now, this.within(reality, fx))
    })
    this.settle(now, fx)
  }

  leave(now: Millis, fx: OverlayEffects): void {
    this.gone = true
    this.twins.leave(fx)
    this.realities.forEach((node, reality) => node.leave(now, this.within(reality, fx)))
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: OverlayEffects): void {
    if (this.gone) return
    if (from.id.length !== this.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    const received = message as RealitiesMessage
    switch (received.type) {
      case 'within':
        this.onWithin(from, received, now, fx)
        break
      case 'twin-ask':
        this.twins.onAsk(from, received, now, fx)
        break
      case 'twin-tell':
        if (this.twins.onTell(from, received, now, fx)) this.hasChanged = true
        break
      default:
        return unreachable(received)
    }
    this.settle(now, fx)
  }

  onTimer(kind: string, arg: number, now: Millis, fx: OverlayEffects): void {
    if (this.gone) return
    const [task, reality] = kind.split(' ') as [string, string?]
    if (reality !== undefined) this.realities[Number(reality)]!.onTimer(task, arg, now, this.within(Number(reality), fx))
    else if (task === 'probe') {
      const silent = this.common.probing.expired(arg, now, this.within(0, fx))
      if (silent !== undefined) this.onDead(silent, now, fx)
    } else if (task === 'spread') this.onSpreadTimer(now, fx)
    else if (task === 'twins') this.onTwinsTimer(now, fx)
    this.settle(now, fx)
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: OverlayEffects): void {
    if (this.gone || (cause === 'disconnected' && this.common.find(peer.id) === undefined)) return
    const isDead = cause === 'unreachable' && this.common.probing.has(peer.id)
    if (cause === 'unreachable') this.realities.forEach((node, reality) => node.onUnreachable(peer, this.within(reality, fx)))
    // It did not answer a probe either, because there is nobody to connect to.
    if (isDead) this.onDead(peer, now, fx)
    else this.suspect(peer, now, fx)
    this.settle(now, fx)
  }

  onContact(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    if (this.gone) return
    this.realities.forEach((node, reality) => node.onContact(from, now, this.within(reality, fx)))
    if (this.twins.noteIncarnation(from, fx)) this.hasChanged = true
    this.settle(now, fx)
  }

  onRoundTrip(peer: NodeRef, rttMs: Millis): void {
    this.common.proximity.sample(peer.id, rttMs)
  }

  suspect(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.realities.forEach((node, reality) => node.suspect(peer, now, this.within(reality, fx)))
    const twin = this.twins.find(peer.id)
    if (twin !== undefined) this.common.probing.start(twin, true, now, this.within(0, fx))
  }

  forwardOwn(key: Guid, payload: Uint8Array, hops: number, next: NodeRef | undefined, now: Millis, fx: OverlayEffects): boolean {
    let walking: RealitiesPayload
    try {
      walking = decodeRealitiesPayload(payload, fx.readRef)
    } catch {
      fx.emit({ type: 'dropped', from: undefined, reason: 'a payload that cannot be read' })
      return false
    }
    if (walking.type === 'twin-seek') {
      if (next === undefined) this.twins.serve(walking.asker, walking.token, fx)
      return next !== undefined
    }
    const node = this.realities[walking.reality]
    const goesOn = node?.forwardOwn(key, walking.payload, hops, next, now, this.within(walking.reality, fx)) ?? false
    this.settle(now, fx)
    return goesOn
  }

  assertInvariants(): void {
    for (const node of this.realities) node.assertInvariants()
    const { known, listeners } = this.twins.size
    assert(Math.max(known, listeners) <= this.config.contactsMax, 'twins and those whose twin a node is are bounded')
    assert(!this.ready || this.spreading, 'a member of reality 0 joins the others')
  }

  // Parts

  private get roots(): CanNode {
    return this.realities[0]!
  }

  private within(reality: number, fx: OverlayEffects): OverlayEffects {
    return this.sinks[reality]!.on(fx)
  }

  private onWithin(from: NodeRef, { reality, message }: Within, now: Millis, fx: OverlayEffects): void {
    const node = this.realities[reality]
    if (node === undefined) return fx.emit({ type: 'dropped', from, reason: 'a reality that there is not' })
    // Who leaves one leaves all.
    if (message.type === 'leave' && this.twins.onGone(from.id, fx)) this.hasChanged = true
    node.onMessage(from, message, now, this.within(reality, fx))
  }

  /** It answered none of the probes: it is dead in every reality. */
  private onDead(peer: NodeRef, now: Millis, fx: OverlayEffects): void {
    const known = this.common.find(peer.id)
    if (known !== undefined) fx.emit({ type: 'peer-failed', peer: known })
    this.realities.forEach((node, reality) => node.onDead(peer, now, this.within(reality, fx)))
    if (this.twins.onGone(peer.id, fx)) this.hasChanged = true
  }

  /** What follows from an input in one part for the others. */
  private settle(now: Millis, fx: OverlayEffects): void {
    if (this.ready && !this.spreading) {
      this.spreading = true
      this.onSpreadTimer(now, fx)
    }
    if (!this.hasChanged) return
    this.hasChanged = false
    this.lookBy(now + this.config.settleMs, now, fx)
  }

  /** Joins the realities in which this node is not yet; in the others it has a neighbour look whether there is but one of them. */
  private onSpreadTimer(now: Millis, fx: OverlayEffects): void {
    const neighbors = this.roots.neighborSet(bootstrapsMax)
    const contacts = neighbors.length === 0 ? [] : [...this.bootstraps, ...neighbors]
    this.realities.forEach((node, reality) => {
      if (reality === 0) return
      const through = node.ready ? this.prng.shuffle(neighbors).slice(0, 1) : contacts
      node.join(through, now, this.within(reality, fx))
    })
    fx.startTimer('spread', 0, this.prng.jitter(this.config.historyMs, jitterShare))
  }

  private onTwinsTimer(now: Millis, fx: OverlayEffects): void {
    if (now < this.lookAt) return
    this.lookAt = Infinity
    for (const twin of this.twins.silent(now)) this.common.probing.start(twin, false, now, this.within(0, fx))
    this.lookBy(this.twins.look(now, fx), now, fx)
  }

  private lookBy(at: Millis, now: Millis, fx: OverlayEffects): void {
    if (at >= this.lookAt) return
    this.lookAt = at
    fx.startTimer('twins', 0, Math.max(0, Math.ceil(at - now)))
  }
}

const nobody: Avoid = new Set()
/** Our guess: of so many neighbours one is a member of every reality. */
const bootstrapsMax = 8
/** Of the period. Our guess. */
const jitterShare = 0.1
