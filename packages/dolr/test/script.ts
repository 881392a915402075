import { createHash } from 'node:crypto'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type {
  Answer,
  AppEffects,
  ForwardDecision,
  KbrEvent,
  KeyRange,
  Millis,
  NodeRef,
  Question,
  Reply,
  ReplyHandle,
  RequestOptions,
  RouteOptions,
  RoutedMessage,
} from '@plaxton/kbr'
import { decodeMessage, encodeMessage } from '../src/codec.ts'
import type { DolrConfig } from '../src/config.ts'
import { DolrNode } from '../src/dolr-node.ts'
import type { DolrEvent } from '../src/events.ts'
import type { DolrMessage, PublishCall } from '../src/messages.ts'
import { encodeBody, rootKey } from '../src/records.ts'
import type { PublicationRecord, SignedRecord } from '../src/records.ts'

/** A node of this name; its id is a digest, as everywhere. */
export function nodeOf(name: string): NodeRef {
  return { id: guidOf(bytesOf(name)), address: `test:${name}`, epoch: 1 }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** What stands for an Ed25519 signature here: the digest of the signer's id and the message, twice. Good enough to tell true from false. */
export function signatureOf(node: NodeRef, message: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(node.id).update(message).digest()
  return new Uint8Array([...digest, ...digest])
}

/** A record as `host` would sign it. */
export function recordOf(guid: Guid, host: NodeRef, signedAt: Millis, changes: Partial<PublicationRecord> = {}): SignedRecord {
  const record = { guid, host, signedAt, ttlMs: 200_000, withdrawn: false, ...changes }
  const body = encodeBody(record)
  return { ...record, body, publicKey: new Uint8Array(Buffer.from(record.host.id, 'hex')), signature: signatureOf(record.host, body) }
}

export interface Sent<T> {
  readonly to: T
  readonly message: DolrMessage
  readonly id: number
  /** Of what is routed: the way it has to take. */
  readonly firstHop?: NodeRef | undefined
}

/** One `DolrNode` in a world that is written down: what it asks for is recorded, what happens to it is said by the test. */
export class Script implements AppEffects {
  readonly self: NodeRef
  readonly node: DolrNode
  now: Millis = 1_000_000
  ready = true
  readonly routed: Array<Sent<Guid>> = []
  readonly requested: Array<Sent<NodeRef>> = []
  readonly told: Array<Sent<NodeRef>> = []
  readonly replies = new Map<ReplyHandle, DolrMessage>()
  readonly refusals = new Map<ReplyHandle, string>()
  readonly events: DolrEvent[] = []
  readonly roundTrips = new Map<Guid, Millis>()
  /** Next hops by key; a key that is not in it has its root here. */
  readonly nextHops = new Map<Guid, NodeRef>()
  handedOverAt: Millis | undefined = undefined
  /** What is asked of keys waits here until {@link settle}. */
  private questions: Array<{ readonly token: number; readonly question: Question }> = []
  private timers: Array<{ readonly at: Millis; readonly kind: string; readonly arg: number }> = []
  private lastId = 0
  private lastHandle = 0

  constructor(name: string, config: Partial<DolrConfig> = {}) {
    this.self = nodeOf(name)
    this.node = new DolrNode(config, Prng.fromSeed(name))
    this.node.onStart(this.now, this)
  }

  /** A message passes on its way to the root of its key. */
  passes(
    payload: Uint8Array,
    key: Guid,
    from: NodeRef,
    nextHop: NodeRef | undefined,
    hops = 2,
  ): { decision: ForwardDecision; handle: number } {
    const handle = ++this.lastHandle
    const message: RoutedMessage = { key, payload, hops, previousHop: from, reply: handle }
    const decision = this.node.forward(message, nextHop, this.now, this)
    if (nextHop === undefined && (decision.action === 'continue' || decision.action === 'replace'))
      this.node.deliver(decision.action === 'replace' ? { ...message, payload: decision.payload } : message, this.now, this)
    return { decision, handle }
  }

  /** A record passes. */
  publishes(
    record: SignedRecord,
    from: NodeRef,
    nextHop: NodeRef | undefined,
    changes: Partial<PublishCall> = {},
  ): ReturnType<Script['passes']> {
    const call: PublishCall = { type: 'publish', record, salt: 0, distanceMs: 20, stepMs: 20, step: 2, push: false, ...changes }
    const result = this.passes(encodeMessage(call), rootKey(record.guid, call.salt), from, nextHop, changes.step ?? 2)
    this.settle()
    return result
  }

  /** A message to this node itself. */
  receives(message: DolrMessage | Uint8Array, from: NodeRef, wantsReply = true): ReplyHandle {
    const handle = wantsReply ? ++this.lastHandle : 0
    this.node.onRequest(from, message instanceof Uint8Array ? message : encodeMessage(message), handle, this.now, this)
    return handle
  }

  /** A node answers what this one has sent. */
  answers(id: number, message: DolrMessage): void {
    this.onReply(id, { ok: true, payload: encodeMessage(message), hops: 1, elapsedMs: 10, path: [] })
  }

  /** Nobody answers what this node has sent. */
  fails(id: number, detail = 'no answer'): void {
    this.onReply(id, { ok: false, failure: { reason: 'timed out', detail, at: undefined }, elapsedMs: 10, path: [] })
  }

  /** The world answers all questions. */
  settle(): void {
    while (this.questions.length > 0) {
      const { token, question } = this.questions.shift()!
      this.node.onAnswer(token, this.answerTo(question), this.now, this)
    }
  }

  get openQuestions(): number {
    return this.questions.length
  }

  run(ms: Millis): void {
    const end = this.now + ms
    for (;;) {
      this.timers.sort((a, b) => a.at - b.at)
      const next = this.timers[0]
      if (next === undefined || next.at > end) break
      this.timers.shift()
      this.now = Math.max(this.now, next.at)
      this.node.onTimer(next.kind, next.arg, this.now, this)
      this.settle()
    }
    this.now = end
  }

  /** What has been told to others since the last look. */
  takeTold(): Array<Sent<NodeRef>> {
    return this.told.splice(0)
  }

  hostsOf(guid: Guid): NodeRef[] {
    return this.node.pointersTo(guid, this.now, this)
  }

  eventsOf<T extends DolrEvent['type']>(type: T): Array<Extract<DolrEvent, { type: T }>> {
    return this.events.filter((event): event is Extract<DolrEvent, { type: T }> => event.type === type)
  }

  // --- AppEffects -------------------------------------------------------------------------------------------------------

  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef | undefined =>
    address.startsWith('wrong:') ? undefined : { id, address, epoch }

  localLookup(key: Guid): NodeRef[] {
    const next = this.nextHops.get(key)
    return next === undefined ? [] : [next]
  }

  neighborSet(): NodeRef[] {
    return []
  }

  replicaSet(key: Guid): NodeRef[] {
    return [this.self, this.nextHops.get(key) ?? nodeOf('second')]
  }

  range(): KeyRange | undefined {
    return undefined
  }

  route(key: Guid, payload: Uint8Array, options: RouteOptions = {}): number {
    const id = options.replyWithinMs === undefined ? 0 : ++this.lastId
    this.routed.push({ to: key, message: decodeMessage(payload, this.readRef), id, firstHop: options.firstHop })
    return id
  }

  request(to: NodeRef, payload: Uint8Array, _options: RequestOptions): number {
    const id = ++this.lastId
    this.requested.push({ to, message: decodeMessage(payload, this.readRef), id })
    return id
  }

  tell(to: NodeRef, payload: Uint8Array): void {
    this.told.push({ to, message: decodeMessage(payload, this.readRef), id: 0 })
  }

  reply(handle: ReplyHandle, payload: Uint8Array): void {
    if (handle !== 0 && !this.replies.has(handle)) this.replies.set(handle, decodeMessage(payload, this.readRef))
  }

  refuse(handle: ReplyHandle, reason: string): void {
    this.refusals.set(handle, reason)
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.timers.push({ at: this.now + delayMs, kind, arg })
  }

  ask(token: number, question: Question): void {
    this.questions.push({ token, question })
  }

  emit(event: KbrEvent): void {
    this.events.push(event as DolrEvent)
  }

  handedOver(): void {
    this.handedOverAt = this.now
  }

  roundTripMs(peer: NodeRef): Millis | undefined {
    return this.roundTrips.get(peer.id)
  }

  private onReply(id: number, reply: Reply): void {
    this.node.onReply(id, reply, this.now, this)
    this.settle()
  }

  private answerTo(question: Question): Answer {
    switch (question.kind) {
      case 'sign-as-node':
        return {
          kind: 'signed',
          signature: signatureOf(this.self, question.message),
          publicKey: new Uint8Array(Buffer.from(this.self.id, 'hex')),
        }
      case 'verify-node': {
        const { node, publicKey, message, signature } = question
        const valid = Buffer.from(publicKey).toString('hex') === node.id && Buffer.compare(signature, signatureOf(node, message)) === 0
        return { kind: 'verified', valid }
      }
      default:
        throw new Error(`DOLR asks nothing of the disk, but asked for ${question.kind}`)
    }
  }
}
