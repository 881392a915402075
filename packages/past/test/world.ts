import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { compareOnRing, guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng, assert } from '@plaxton/kbr'
import type {
  Answer,
  AppEffects,
  KbrEvent,
  KeyRange,
  Millis,
  NodeRef,
  Question,
  Reply,
  ReplyHandle,
  RequestOptions,
  RouteFailureReason,
  RouteOptions,
  RoutedMessage,
  StoreEntry,
} from '@plaxton/kbr'
import { PastNode } from '../src/index.ts'
import type { PastConfig, PastEvent, PastOutcome } from '../src/index.ts'

/** How the network of a {@link World} behaves. */
export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  readonly config?: Partial<PastConfig>
  /** One way, in milliseconds: evenly between the two. */
  readonly latencyMs?: readonly [number, number]
  /** Of direct messages; routed ones are acknowledged hop by hop and only delayed. */
  readonly loss?: number
  /** From a crash until the overlay of every other node has noticed. */
  readonly detectMs?: Millis
  readonly diskMs?: Millis
  /** Nodes a node knows on either side of itself on the ring; beyond, it cannot say who is closest to a key. Default: everybody. */
  readonly reach?: number
}

/**
 * Many PAST nodes on a perfect overlay in virtual time: every node knows all members, a crash is noticed everywhere after `detectMs`,
 * and until then messages to the dead are lost. Signatures are real.
 */
export class World {
  now: Millis = 0
  /** Direct requests made so far, and their bytes. */
  requests = 0
  requestBytes = 0
  readonly nodes: TestNode[] = []
  /** The nodes that every routed message passes before the root. Undefined: up to two drawn at random. */
  way: readonly TestNode[] | undefined = undefined
  readonly prng: Prng
  readonly options: Required<WorldOptions>
  private readonly queue: Array<{ at: Millis; order: number; run: () => void }> = []
  private order = 0

  constructor(options: WorldOptions) {
    this.options = { config: {}, latencyMs: [1, 10], loss: 0, detectMs: 500, diskMs: 2, reach: Infinity, ...options }
    this.prng = Prng.fromSeed(options.seed)
    for (let i = 0; i < options.nodes; i++) this.add()
    for (const node of this.nodes) node.boot()
    this.advance(50)
  }

  /** A further node with an empty disk, not yet running. */
  add(): TestNode {
    const node = new TestNode(this, this.nodes.length)
    this.nodes.push(node)
    return node
  }

  node(i: number): TestNode {
    const node = this.nodes[i]
    assert(node !== undefined, `there is a node ${i}`)
    return node
  }

  get live(): TestNode[] {
    return this.nodes.filter((node) => node.up)
  }

  /** A random live node. */
  anyNode(): TestNode {
    const node = this.prng.pick(this.live.filter((each) => !each.leaving))
    assert(node !== undefined, 'a node lives')
    return node
  }

  /** The nodes every overlay believes in, closest to `key` first. */
  closest(key: Guid): TestNode[] {
    return this.nodes.filter((node) => node.member).sort((a, b) => compareOnRing(a.ref.id, b.ref.id, key))
  }

  at(delayMs: Millis, run: () => void): void {
    const entry = { at: this.now + Math.max(0, Math.round(delayMs)), order: this.order++, run }
    let low = 0
    let high = this.queue.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.queue[middle]
      if (other !== undefined && (other.at < entry.at || (other.at === entry.at && other.order < entry.order))) low = middle + 1
      else high = middle
    }
    this.queue.splice(low, 0, entry)
  }

  latency(): Millis {
    const [min, max] = this.options.latencyMs
    return min + this.prng.nextInt(max - min + 1)
  }

  /** Lets `ms` pass. */
  advance(ms: Millis): void {
    const until = this.now + ms
    while (this.queue[0] !== undefined && this.queue[0].at <= until) this.step()
    this.now = until
  }

  step(): void {
    const next = this.queue.shift()
    assert(next !== undefined, 'something is still to happen')
    this.now = next.at
    next.run()
  }

  /** Runs a command to its end and says what came of it and how long it took. */
  run(node: TestNode, command: (past: PastNode, now: Millis, fx: AppEffects) => number): { outcome: PastOutcome; elapsedMs: Millis } {
    const start = this.now
    const id = node.command(command)
    let outcome = node.outcomes.get(id)
    while (outcome === undefined) {
      assert(node.up || node.outcomes.has(id), 'a node ends its commands before it goes')
      this.step()
      outcome = node.outcomes.get(id)
    }
    return { outcome, elapsedMs: this.now - start }
  }

  put(node: TestNode, text: string, more: { replicas?: number; quorum?: 'majority' | 'all'; expires?: number } = {}): Guid {
    const data = bytesOf(text)
    const guid = guidOf(data)
    succeeded(this.run(node, (past, now, fx) => past.put({ guid, data, ...more }, now, fx)).outcome)
    return guid
  }

  get(node: TestNode, guid: Guid): PastOutcome {
    return this.run(node, (past, now, fx) => past.get({ guid }, now, fx)).outcome
  }

  remove(node: TestNode, guid: Guid): PastOutcome {
    return this.run(node, (past, now, fx) => past.remove({ guid }, now, fx)).outcome
  }

  /** Live nodes that would answer a `get` from their own disk. */
  holders(guid: Guid): TestNode[] {
    return this.live.filter((node) => node.disk.has(`d/${guid}`) && node.disk.has(`r/${guid}`))
  }

  /** Throws when a node contradicts itself or a command ended more than once. */
  check(): void {
    for (const node of this.live) node.past.assertInvariants()
  }
}

/** One node of a {@link World}: a disk that outlives crashes, a key, and the incarnation that runs now. */
export class TestNode {
  ref: NodeRef
  past: PastNode
  readonly disk = new Map<string, Uint8Array>()
  readonly events: PastEvent[] = []
  readonly outcomes = new Map<number, PastOutcome>()
  readonly publicKey: Uint8Array
  /** Running. */
  up = false
  /** In everybody's view. */
  member = false
  /** In everybody's view already, and no member by itself. */
  joining = false
  leaving = false
  /** Takes messages and does nothing with them. */
  mute = false
  private readonly world: World
  private readonly privateKey: KeyObject
  private incarnation = 0
  private nextRequest = 1
  private nextReply = 1
  private readonly requests = new Map<number, Millis>()
  private readonly replies = new Map<ReplyHandle, (reply: Reply) => void>()
  private unfinished: Array<{ entries: readonly StoreEntry[] }> = []

  constructor(world: World, index: number) {
    this.world = world
    const seed = createHash('sha256').update(`node ${index} of ${world.options.seed}`).digest()
    this.privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
    this.publicKey = new Uint8Array(createPublicKey(this.privateKey).export({ format: 'der', type: 'spki' }).subarray(-32))
    this.ref = { id: guidOf(this.publicKey), address: `node-${index}`, epoch: 0 }
    this.past = new PastNode(world.options.config, world.prng.fork())
  }

  /** Starts on what is on its disk, and joins. */
  boot(): void {
    this.incarnation++
    this.up = true
    this.leaving = false
    this.ref = { ...this.ref, epoch: this.incarnation }
    this.requests.clear()
    this.replies.clear()
    this.outcomes.clear()
    this.past = new PastNode(this.world.options.config, this.world.prng.fork())
    this.enter((now, fx) => this.past.onStart(now, fx))
    this.member = true
    this.announce(true)
  }

  /** Stops without a word. Writes under way are cut off somewhere. */
  crash(keepDisk = true): void {
    this.up = false
    if (keepDisk) for (const { entries } of this.unfinished) this.apply(entries.slice(0, this.world.prng.nextInt(entries.length + 1)))
    else this.disk.clear()
    this.unfinished = []
    const { incarnation } = this
    this.world.at(this.world.options.detectMs, () => {
      if (this.incarnation !== incarnation || this.up) return
      this.member = false
      this.announce(false)
    })
  }

  /** Hands over and goes. */
  leave(): void {
    this.leaving = true
    this.enter((now, fx) => this.past.onLeave(now, fx))
  }

  command(run: (past: PastNode, now: Millis, fx: AppEffects) => number): number {
    let id = 0
    this.enter((now, fx) => {
      id = run(this.past, now, fx)
    })
    return id
  }

  /** One step of this node. */
  enter(step: (now: Millis, fx: AppEffects) => void): void {
    if (this.up) step(this.world.now, new TestEffects(this))
  }

  /** Later, unless the node is gone by then or has started anew. */
  after(delayMs: Millis, step: (now: Millis, fx: AppEffects) => void): void {
    const { incarnation } = this
    this.world.at(delayMs, () => {
      if (this.incarnation === incarnation) this.enter(step)
    })
  }

  announce(joined: boolean): void {
    for (const other of this.world.nodes) {
      if (other === this) continue
      other.after(0, (now, fx) => other.past.update(this.ref, joined, now, fx))
      if (joined && other.member) this.after(0, (now, fx) => this.past.update(other.ref, true, now, fx))
    }
  }

  gone(): void {
    this.member = false
    this.up = false
    this.announce(false)
  }

  // --- What TestEffects does ----------------------------------------------------------------------------------------

  /** An Ed25519 signature by this node's key. */
  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.privateKey))
  }

  view(): TestNode[] {
    return this.world.nodes.filter((node) => node.member || node === this)
  }

  replicaSet(key: Guid, max: number): NodeRef[] {
    const known = new Set(
      this.neighbors(this.world.options.reach)
        .map((ref) => ref.id)
        .concat(this.ref.id),
    )
    const closest = this.view()
      .map((node) => node.ref)
      .sort((a, b) => compareOnRing(a.id, b.id, key))
      .slice(0, max)
    const unknown = closest.findIndex((ref) => !known.has(ref.id))
    return unknown < 0 ? closest : closest.slice(0, unknown)
  }

  /** Up to `perSide` nodes on either side on the ring. */
  neighbors(perSide: number): NodeRef[] {
    const ring = this.view()
      .map((node) => node.ref)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    const at = ring.findIndex((ref) => ref.id === this.ref.id)
    const turned = [...ring.slice(at + 1), ...ring.slice(0, at)]
    return turned.length <= 2 * perSide ? turned : [...turned.slice(0, perSide), ...turned.slice(-perSide)]
  }

  newRequest(withinMs: Millis): number {
    const id = this.nextRequest++
    this.requests.set(id, this.world.now)
    this.after(withinMs, () => this.fail(id, 'timed out', `no answer within ${withinMs} ms`))
    return id
  }

  answer(id: number, reply: (elapsedMs: Millis) => Reply): void {
    const since = this.requests.get(id)
    if (since === undefined) return
    this.requests.delete(id)
    this.after(0, (now, fx) => this.past.onReply(id, reply(now - since), now, fx))
  }

  fail(id: number, reason: RouteFailureReason, detail: string): void {
    this.answer(id, (elapsedMs) => ({ ok: false, failure: { reason, detail, at: this.ref }, elapsedMs, path: [] }))
  }

  /** A place for an answer on this node, which travels to `asker`'s request. */
  newReply(asker: TestNode, id: number, hops: number): ReplyHandle {
    const handle = this.nextReply++
    const { incarnation } = asker
    this.replies.set(handle, (reply) => {
      if (this.world.prng.chance(this.world.options.loss)) return
      this.world.at(this.world.latency() * Math.max(1, hops), () => {
        if (asker.up && asker.incarnation === incarnation) asker.answer(id, (elapsedMs) => ({ ...reply, elapsedMs }))
      })
    })
    return handle
  }

  resolve(handle: ReplyHandle, reply: Reply): void {
    this.replies.get(handle)?.(reply)
    this.replies.delete(handle)
  }

  request(to: NodeRef, payload: Uint8Array, withinMs: Millis): number {
    this.world.requests++
    this.world.requestBytes += payload.length
    const id = this.newRequest(withinMs)
    const target = this.world.nodes.find((node) => node.ref.id === to.id)
    assert(to.id !== this.ref.id, 'no node asks itself')
    if (target === undefined || this.world.prng.chance(this.world.options.loss)) return id
    this.world.at(this.world.latency(), () => {
      if (!target.mute) target.enter((now, fx) => target.past.onRequest(this.ref, payload, target.newReply(this, id, 1), now, fx))
    })
    return id
  }

  tell(to: NodeRef, payload: Uint8Array): void {
    const target = this.world.nodes.find((node) => node.ref.id === to.id)
    this.world.at(this.world.latency(), () => target?.enter((now, fx) => target.past.onRequest(this.ref, payload, 0, now, fx)))
  }

  route(key: Guid, payload: Uint8Array, options: RouteOptions): number {
    const id = options.replyWithinMs === undefined ? 0 : this.newRequest(options.replyWithinMs)
    // Up to two nodes on the way, as in a small Pastry network.
    const way = [...(this.world.way ?? this.world.prng.shuffle(this.view()).slice(0, this.world.prng.nextInt(3)))]
    if (options.firstHop !== undefined) way.unshift(...this.world.nodes.filter((node) => node.ref.id === options.firstHop?.id))
    const passage = { key, payload, source: this, id, way: way.filter((node) => node !== this), avoid: new Set<TestNode>() }
    this.after(0, () => this.handle(passage, 0, this))
    return id
  }

  private handle(passage: Passage, hops: number, previous: TestNode): void {
    if (this.mute && this !== passage.source) return
    this.enter((now, fx) => {
      const { key, payload, source, id } = passage
      const next = this.nextHop(passage)
      const message: RoutedMessage = { key, payload, hops, previousHop: previous.ref, reply: this.newReply(source, id, hops) }
      const decision = this.past.forward(message, next?.ref, now, fx)
      if (decision.action === 'stop') return
      if (decision.action === 'reject')
        return this.resolve(message.reply, {
          ok: false,
          failure: { reason: 'rejected by application', detail: decision.reason, at: this.ref },
          elapsedMs: 0,
          path: [],
        })
      assert(decision.action === 'continue', 'PAST stops messages or lets them pass')
      if (next === undefined) this.past.deliver(message, now, fx)
      else this.hop(passage, hops, next)
    })
  }

  /** Where a message goes from here: along its way, then to the closest that has not failed it. Undefined: this node is the root. */
  private nextHop({ key, way, avoid }: Passage): TestNode | undefined {
    const onWay = way.find((node) => !avoid.has(node))
    if (onWay !== undefined && this.world.closest(key)[0] !== this) return onWay
    const closest = this.world.closest(key)
    const best = closest.find((node) => !avoid.has(node))
    // A closer node that does not answer is not known to be dead yet: this node must not act as the root, and tries it again.
    return best === this ? (closest[0] === this ? undefined : closest[0]) : best
  }

  /** A hop to a dead node is noticed after a while, and the message goes elsewhere. */
  private hop(passage: Passage, hops: number, next: TestNode): void {
    if (next.up) {
      const way = passage.way.filter((node) => node !== next)
      return this.world.at(this.world.latency(), () => next.handle({ ...passage, way }, hops + 1, this))
    }
    this.after(100, () => {
      passage.avoid.add(next)
      const other = this.nextHop(passage)
      if (other === undefined) this.handle(passage, hops, this)
      else this.hop(passage, hops, other)
    })
  }

  ask(token: number, question: Question): void {
    const pending = question.kind === 'write' ? { entries: question.entries } : undefined
    if (pending !== undefined) this.unfinished.push(pending)
    const slow = question.kind === 'sign' || question.kind === 'verify' ? 0 : this.world.options.diskMs
    this.after(slow === 0 ? 0 : this.world.prng.nextInt(slow + 1), (now, fx) => {
      this.unfinished = this.unfinished.filter((other) => other !== pending)
      this.past.onAnswer(token, this.answerTo(question), now, fx)
    })
  }

  private answerTo(question: Question): Answer {
    switch (question.kind) {
      case 'read':
        return { kind: 'read', bytes: this.disk.get(question.key) }
      case 'write':
        this.apply(question.entries)
        return { kind: 'written' }
      case 'list':
        return {
          kind: 'listed',
          entries: [...this.disk].filter(([key]) => key.startsWith(question.prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
        }
      case 'sign':
        return { kind: 'signed', signature: this.sign(question.message), publicKey: this.publicKey }
      case 'verify':
        return { kind: 'verified', valid: verify(null, question.message, publicKeyOf(question.publicKey), question.signature) }
      default:
        throw new Error('PAST speaks for owners, never for the node')
    }
  }

  private apply(entries: readonly StoreEntry[]): void {
    for (const [key, bytes] of entries) {
      if (bytes === undefined) this.disk.delete(key)
      else this.disk.set(key, bytes.slice())
    }
  }

  onEvent(event: PastEvent): void {
    this.events.push(event)
    if (event.type !== 'past:done') return
    assert(!this.outcomes.has(event.command), `command ${event.command} ends once`)
    this.outcomes.set(event.command, event.outcome)
  }

  localLookup(key: Guid, num: number): NodeRef[] {
    const root = this.world.closest(key)[0]
    if (root === this) return []
    return this.world
      .closest(key)
      .filter((node) => node !== this)
      .slice(0, num)
      .map((node) => node.ref)
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.after(delayMs, (now, fx) => this.past.onTimer(kind, arg, now, fx))
  }
}

/** A routed message on its way. */
interface Passage {
  readonly key: Guid
  readonly payload: Uint8Array
  readonly source: TestNode
  /** The source's request. */
  readonly id: number
  /** Nodes to pass before the root. */
  readonly way: readonly TestNode[]
  /** Nodes that did not take it. */
  readonly avoid: Set<TestNode>
}

class TestEffects implements AppEffects {
  readonly self: NodeRef
  readonly ready: boolean
  private readonly node: TestNode

  constructor(node: TestNode) {
    this.node = node
    this.self = node.ref
    this.ready = node.member && !node.joining
  }

  localLookup(key: Guid, num: number, _safe: boolean): NodeRef[] {
    return this.node.localLookup(key, num)
  }
  neighborSet(num: number): NodeRef[] {
    return this.node.neighbors(Math.ceil(num / 2)).slice(0, num)
  }
  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return this.node.replicaSet(key, maxRank)
  }
  range(): KeyRange | undefined {
    return undefined
  }
  route(key: Guid, payload: Uint8Array, options: RouteOptions = {}): number {
    return this.node.route(key, payload, options)
  }
  request(to: NodeRef, payload: Uint8Array, options: RequestOptions): number {
    return this.node.request(to, payload, options.withinMs)
  }
  tell(to: NodeRef, payload: Uint8Array): void {
    this.node.tell(to, payload)
  }
  reply(handle: ReplyHandle, payload: Uint8Array): void {
    this.node.resolve(handle, { ok: true, payload, hops: 1, elapsedMs: 0, path: [] })
  }
  refuse(handle: ReplyHandle, reason: string): void {
    this.node.resolve(handle, {
      ok: false,
      failure: { reason: 'rejected by application', detail: reason, at: this.self },
      elapsedMs: 0,
      path: [],
    })
  }
  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.node.startTimer(kind, arg, delayMs)
  }
  ask(token: number, question: Question): void {
    this.node.ask(token, question)
  }
  emit(event: KbrEvent): void {
    this.node.onEvent(event as PastEvent)
  }
  handedOver(): void {
    if (this.node.leaving) this.node.gone()
  }
  roundTripMs(): Millis | undefined {
    return undefined
  }
  readRef(id: Guid, address: string, epoch: number): NodeRef {
    return { id, address, epoch }
  }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The value of an outcome that must be a success. */
export function succeeded(outcome: PastOutcome): unknown {
  if (!outcome.ok) throw outcome.error
  return outcome.value
}

/** The name of the error of an outcome that must be a failure. */
export function failure(outcome: PastOutcome): string {
  return outcome.ok ? 'no failure' : outcome.error.name
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
}

/** What stands before 32 raw bytes of an Ed25519 key in DER (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
