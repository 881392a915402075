import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { AppEffects, KbrEvent, NodeRef, Question, RequestOptions, RouteOptions } from '@plaxton/kbr'
import { certificateBytes, removalBytes } from '../src/claims.ts'
import type { Claim } from '../src/claims.ts'
import { decodeMessage, encodeMessage } from '../src/codec.ts'
import { PastNode } from '../src/index.ts'
import type { PastMessage } from '../src/messages.ts'
import { bytesOf } from './world.ts'

const nodes: NodeRef[] = Array.from({ length: 5 }, (_, i) => ({ id: guidOf(Uint8Array.of(i)), address: `node-${i}`, epoch: 1 }))
const [self, ...others] = nodes as [NodeRef, ...NodeRef[]]

/** Turns effects into values. Every replica set is all five nodes, this one first. */
class Recorder implements Partial<AppEffects> {
  readonly self = self
  readonly ready = true
  private log: string[] = []
  private readonly questions: Array<{ token: number; question: Question }> = []
  private readonly requests: Array<{ id: number; to: NodeRef; withinMs: number }> = []
  private nextId = 1

  localLookup = () => others
  neighborSet = () => others
  replicaSet = (_key: Guid, count: number) => nodes.slice(0, count)
  /** Timers and routes in the order in which they were started. */
  readonly timers: Array<{ kind: string; arg: number; delayMs: number }> = []
  readonly routes: Array<{ id: number; withinMs: number | undefined }> = []

  startTimer(kind: string, arg: number, delayMs: number): void {
    this.timers.push({ kind, arg, delayMs })
  }
  ask(token: number, question: Question): void {
    this.questions.push({ token, question })
    const entries =
      question.kind === 'write'
        ? question.entries.map(([key, bytes]) => ` ${key.slice(0, 2)}${bytes === undefined ? 'erased' : ''}`).join('')
        : ''
    this.log.push(`ask ${question.kind}${entries}`)
  }
  request(to: NodeRef, payload: Uint8Array, { withinMs }: RequestOptions): number {
    this.requests.push({ id: this.nextId, to, withinMs })
    this.log.push(`${decodeMessage(payload).type} to ${to.address}`)
    return this.nextId++
  }
  route(_key: Guid, payload: Uint8Array, { replyWithinMs }: RouteOptions): number {
    this.log.push(`route ${decodeMessage(payload).type}`)
    this.routes.push({ id: this.nextId, withinMs: replyWithinMs })
    return this.nextId++
  }
  reply(handle: number, payload: Uint8Array): void {
    const message = decodeMessage(payload)
    const holders = message.type === 'receipt' ? ` from ${message.holders.map((node) => node.address).join(' ')}` : ''
    this.log.push(`reply ${handle} ${message.type}${holders}`)
  }
  emit(event: KbrEvent): void {
    if (event.type === 'past:stored' || event.type === 'past:erased') this.log.push(event.type)
  }

  /** What was done since the last call. */
  take(): string[] {
    const taken = this.log
    this.log = []
    return taken
  }
  question(kind: Question['kind']): number {
    const found = this.questions.findIndex(({ question }) => question.kind === kind)
    assert.ok(found >= 0, `something was asked: ${kind}`)
    return this.questions.splice(found, 1)[0]?.token ?? 0
  }
  requestTo(address: string): number {
    return this.requests.findLast(({ to }) => to.address === address)?.id ?? 0
  }
  /** How long the last answer is waited for. */
  get waitMs(): number {
    return this.requests.at(-1)?.withinMs ?? 0
  }
}

/** A node whose disk was empty, and the claim of somebody on `hello`. */
function stage(replicas = 5) {
  const recorder = new Recorder()
  const fx = recorder as Partial<AppEffects> as AppEffects
  const past = new PastNode({}, Prng.fromSeed(1))
  past.onStart(0, fx)
  past.onAnswer(recorder.question('list'), { kind: 'listed', entries: [] }, 0, fx)
  recorder.take()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const ownerKey = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  const data = bytesOf('hello')
  const guid = guidOf(data)
  const certificate = {
    guid,
    kind: 'content',
    name: '',
    salt: new Uint8Array(0),
    ownerKey,
    contentDigest: guid,
    size: 5,
    replicas,
    created: 1,
    expires: 0,
  } as const
  const claim: Claim = { certificate, signature: new Uint8Array(sign(null, certificateBytes(certificate), privateKey)) }
  const removal = {
    type: 'remove',
    ownerKey,
    removed: 2,
    signature: new Uint8Array(sign(null, removalBytes(guid, ownerKey, 2), privateKey)),
  } as const
  const deliver = (message: PastMessage, handle: number) =>
    past.deliver({ key: guid, payload: encodeMessage(message), hops: 1, previousHop: self, reply: handle }, 10, fx)
  const stored = (address: string, claims: readonly Claim[]) => {
    const payload = encodeMessage({ type: 'stored', outcome: 'kept', detail: '', claims })
    past.onReply(recorder.requestTo(address), { ok: true, payload, hops: 1, elapsedMs: 1, path: [] }, 20, fx)
  }
  const verified = () => past.onAnswer(recorder.question('verify'), { kind: 'verified', valid: true }, 15, fx)
  const written = () => past.onAnswer(recorder.question('write'), { kind: 'written' }, 30, fx)
  return { recorder, past, fx, guid, data, claim, removal, deliver, stored, verified, written }
}

describe('a root, step by step', () => {
  it('checks the signature first, then stores everywhere at once, data before record, and answers when a majority is durable', () => {
    const { recorder, deliver, claim, data, verified, stored, written } = stage()
    deliver({ type: 'put', claim, data, quorum: 'majority' }, 7)
    assert.deepEqual(recorder.take(), ['ask verify'])
    verified()
    assert.deepEqual(recorder.take(), ['ask write d/ r/', 'store to node-1', 'store to node-2', 'store to node-3', 'store to node-4'])
    stored('node-3', [claim])
    stored('node-1', [claim])
    assert.deepEqual(recorder.take(), [])
    written()
    assert.deepEqual(recorder.take(), ['past:stored', 'reply 7 receipt from node-0 node-1 node-3'])
    stored('node-2', [claim])
    stored('node-4', [claim])
    assert.deepEqual(recorder.take(), [])
  })

  it('waits for the last of the replica set when all are asked for', () => {
    const { recorder, deliver, claim, data, verified, stored, written } = stage()
    deliver({ type: 'put', claim, data, quorum: 'all' }, 7)
    verified()
    written()
    for (const { address } of others.slice(1)) stored(address, [claim])
    recorder.take()
    stored('node-1', [claim])
    assert.deepEqual(recorder.take(), ['reply 7 receipt from node-0 node-1 node-2 node-3 node-4'])
  })

  it('stores nothing when the signature is false', () => {
    const { recorder, past, fx, deliver, claim, data } = stage()
    deliver({ type: 'put', claim, data, quorum: 'majority' }, 7)
    past.onAnswer(recorder.question('verify'), { kind: 'verified', valid: false }, 15, fx)
    assert.deepEqual(recorder.take(), ['ask verify', 'reply 7 refusal'])
  })

  it('records a removal before it erases the data, and waits for all who have them', () => {
    const { recorder, deliver, claim, data, removal, verified, stored, written } = stage()
    deliver({ type: 'put', claim, data, quorum: 'majority' }, 7)
    verified()
    written()
    for (const { address } of others) stored(address, [claim])
    recorder.take()

    deliver(removal, 8)
    verified()
    verified()
    assert.deepEqual(recorder.take(), [
      'ask verify',
      'ask verify',
      'ask write r/ d/erased',
      'store to node-1',
      'store to node-2',
      'store to node-3',
      'store to node-4',
    ])
    const withdrawn: Claim = { ...claim, withdrawal: { removed: 2, signature: removal.signature } }
    written()
    for (const { address } of others.slice(0, 3)) stored(address, [withdrawn])
    assert.deepEqual(recorder.take(), ['past:erased'])
    stored('node-4', [withdrawn])
    assert.deepEqual(recorder.take(), ['reply 8 receipt from node-0 node-1 node-2 node-3 node-4'])
  })

  it('says that a removal is done when those beyond the replica set know of it too, for they may have copies from before others joined', () => {
    const { recorder, deliver, claim, data, removal, verified, stored, written } = stage(3)
    deliver({ type: 'put', claim, data, quorum: 'majority' }, 7)
    verified()
    written()
    for (const address of ['node-1', 'node-2']) stored(address, [claim])
    recorder.take()

    deliver(removal, 8)
    verified()
    verified()
    assert.deepEqual(recorder.take().slice(-4), ['store to node-1', 'store to node-2', 'store to node-3', 'store to node-4'])
    const withdrawn: Claim = { ...claim, withdrawal: { removed: 2, signature: removal.signature } }
    written()
    for (const address of ['node-1', 'node-2', 'node-4']) stored(address, [withdrawn])
    assert.deepEqual(recorder.take(), ['past:erased'])
    stored('node-3', [withdrawn])
    assert.deepEqual(recorder.take(), ['reply 8 receipt from node-0 node-1 node-2'])
  })
})

describe('a root that holds nothing', () => {
  it('waits for the data of a holder as long as they can take, however long those of other objects could', () => {
    const { recorder, past, fx, claim, deliver, verified } = stage()
    deliver({ type: 'get', want: 'data', excluded: [], hurry: false }, 7)
    assert.deepEqual(recorder.take(), ['fetch to node-1', 'fetch to node-2', 'fetch to node-3', 'fetch to node-4'])
    const payload = encodeMessage({ type: 'object', holder: others[1]!, claims: [claim], settled: true })
    past.onReply(recorder.requestTo('node-2'), { ok: true, payload, hops: 1, elapsedMs: 1, path: [] }, 20, fx)
    verified()
    assert.deepEqual(recorder.take().at(-1), 'fetch to node-2')
    // A replica's second, and five bytes at the pace of the slowest link.
    assert.equal(recorder.waitMs, 1_001)
  })
})

describe('a node on the way', () => {
  it('lets a read pass that it cannot answer, and answers one that it can from its disk', () => {
    const { recorder, past, fx, guid, data, claim, deliver, verified, written } = stage()
    const message = {
      key: guid,
      payload: encodeMessage({ type: 'get', want: 'data', excluded: [], hurry: false }),
      hops: 1,
      previousHop: self,
      reply: 9,
    }
    assert.deepEqual(past.forward(message, others[0], 10, fx), { action: 'continue' })
    deliver({ type: 'put', claim, data, quorum: 'majority' }, 7)
    verified()
    written()
    recorder.take()
    assert.deepEqual(past.forward(message, others[0], 10, fx), { action: 'stop' })
    assert.deepEqual(recorder.take(), ['ask read'])
    past.onAnswer(recorder.question('read'), { kind: 'read', bytes: data }, 12, fx)
    assert.deepEqual(recorder.take(), ['reply 9 object'])
    const excluding = { ...message, payload: encodeMessage({ type: 'get', want: 'data', excluded: [self.id], hurry: false }) }
    assert.deepEqual(past.forward(excluding, others[0], 10, fx), { action: 'continue' })
  })

  it('asks on when its disk fails', () => {
    const { recorder, past, fx, guid, data, claim, deliver, verified, written } = stage()
    deliver({ type: 'put', claim, data, quorum: 'majority' }, 7)
    verified()
    written()
    const message = {
      key: guid,
      payload: encodeMessage({ type: 'get', want: 'data', excluded: [], hurry: false }),
      hops: 1,
      previousHop: self,
      reply: 9,
    }
    past.forward(message, others[0], 10, fx)
    recorder.take()
    past.onAnswer(recorder.question('read'), { kind: 'failed', reason: 'the disk is gone' }, 12, fx)
    assert.deepEqual(recorder.take(), ['route get'])
  })
})

describe('a command, step by step', () => {
  it('gives an attempt three seconds, and one after which there would be no time for another all that is left', () => {
    const { recorder, past, fx, guid } = stage()
    const { routes, timers } = recorder
    past.get({ guid }, 0, fx)
    const failed = (now: number): void => {
      for (const { id } of routes.splice(0)) {
        past.onReply(
          id,
          { ok: false, failure: { reason: 'timed out', detail: 'too late', at: undefined }, elapsedMs: 3_000, path: [] },
          now,
          fx,
        )
      }
      // The pause before the next attempt.
      past.onTimer('alarm', timers.at(-1)!.arg, now + 500, fx)
    }
    assert.deepEqual(
      routes.map(({ withinMs }) => withinMs),
      [3_000],
    )
    failed(3_000)
    assert.deepEqual(
      routes.map(({ withinMs }) => withinMs),
      [3_000],
    )
    failed(6_000)
    assert.deepEqual(
      routes.map(({ withinMs }) => withinMs),
      [3_500],
    )
  })
})
