import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { compareOnRing } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Answer, AppEffects, Effects, KbrEvent, Message, Millis, NodeRef, Question, Timer } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { KbrNode } from '@plaxton/routing'
import type { DolrConfig } from '../src/config.ts'
import { DolrNode } from '../src/dolr-node.ts'
import type { DolrEvent, DolrOutcome } from '../src/events.ts'
import type { DolrParts } from '../src/parts.ts'
import { rootKey } from '../src/records.ts'
import { bytesOf, nodeOf, signatureOf, textOf } from './script.ts'

/** Answers a message with text; undefined: never. */
export type Handler = (message: string) => string | undefined

/**
 * DOLR on Pastry in virtual time: nodes at random places of a plane 100 ms wide, every message through the codec. Crashes are silent unless
 * {@link tellsUnreachable}.
 */
export class Network {
  now: Millis = 0
  tellsUnreachable = false
  /** Probability that a message is lost. */
  loss = 0
  /** What a message takes beyond the distance. */
  delayMs: (message: Message) => Millis = () => 0
  readonly members: Member[] = []
  private readonly config: Partial<DolrConfig>
  private readonly prng: Prng
  private readonly queue: Array<{ readonly at: Millis; readonly order: number; readonly run: () => void }> = []
  private order = 0

  constructor(seed: number, config: Partial<DolrConfig> = {}) {
    this.config = config
    this.prng = Prng.fromSeed(seed)
  }

  /** Adds `count` members, one after the other. */
  grow(count: number): Member[] {
    for (let i = 0; i < count; i++) this.add(`node ${this.members.length}`)
    return this.members
  }

  /** Adds a member. The same name is the same node again, at another time. */
  add(name: string): Member {
    const epoch = 1 + this.members.filter((member) => member.name === name).length
    const member = new Member(this, name, { ...nodeOf(name), epoch }, this.config, this.prng.fork())
    const bootstrap = this.prng.pick(this.living())
    this.members.push(member)
    member.enter((fx) => member.kbr.start(this.now, fx))
    member.enter((fx) => member.kbr.join(bootstrap === undefined ? [] : [bootstrap.ref], this.now, fx))
    assert.ok(
      this.runUntil(() => member.kbr.ready, 60_000),
      `${name} joins`,
    )
    return member
  }

  living(): Member[] {
    return this.members.filter((member) => member.alive)
  }

  /** The living member that is the root of `guid` with this salt. */
  root(guid: Guid, salt = 0): Member {
    return this.living().sort((a, b) => compareOnRing(a.ref.id, b.ref.id, rootKey(guid, salt)))[0]!
  }

  run(ms: Millis): void {
    this.runUntil(() => false, ms)
  }

  runUntil(done: () => boolean, withinMs: Millis): boolean {
    const end = this.now + withinMs
    while (!done()) {
      let first = 0
      for (let i = 1; i < this.queue.length; i++) {
        const [a, b] = [this.queue[i]!, this.queue[first]!]
        if (a.at < b.at || (a.at === b.at && a.order < b.order)) first = i
      }
      const next = this.queue[first]
      if (next === undefined || next.at > end) {
        this.now = end
        return done()
      }
      this.queue[first] = this.queue.at(-1)!
      this.queue.pop()
      this.now = next.at
      next.run()
    }
    return true
  }

  at(delayMs: Millis, run: () => void): void {
    this.queue.push({ at: this.now + delayMs, order: this.order++, run })
  }

  transmit(from: Member, to: NodeRef, message: Message): void {
    const bytes = from.kbr.codec.encode(message)
    const target = this.members.findLast((member) => member.ref.id === to.id)
    if (target?.alive !== true) {
      if (this.tellsUnreachable) this.at(5, () => from.enter((fx) => from.kbr.onPeerDown(to, 'unreachable', this.now, fx)))
      return
    }
    if (this.prng.chance(this.loss)) return
    this.at(from.latencyTo(target) + this.delayMs(message), () =>
      target.enter((fx) => target.kbr.onMessage(from.ref, target.kbr.codec.decode(bytes, this.readRef), this.now, fx)),
    )
  }

  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef => ({ id, address, epoch })
}

/** One node: its stack, its place, what it has told. */
export class Member {
  readonly name: string
  readonly ref: NodeRef
  readonly kbr: KbrNode
  readonly dolr: DolrNode
  alive = true
  /** Messages its handlers had. */
  readonly handled: string[] = []
  readonly events: DolrEvent[] = []
  private readonly network: Network
  private readonly place: readonly [x: number, y: number]
  private readonly handlers = new Map<Guid, Handler>()
  private readonly outcomes = new Map<number, DolrOutcome>()

  constructor(network: Network, name: string, ref: NodeRef, config: Partial<DolrConfig>, prng: Prng) {
    this.network = network
    this.name = name
    this.ref = ref
    this.place = [70 * prng.nextFloat(), 70 * prng.nextFloat()]
    this.dolr = new DolrNode(config, prng.fork())
    this.kbr = new KbrNode({ self: ref, overlay: pastry({ leafSetSize: 8 }), applications: [this.dolr], prng })
  }

  latencyTo(other: Member): Millis {
    return 1 + Math.round(Math.hypot(this.place[0] - other.place[0], this.place[1] - other.place[1]))
  }

  // --- Commands, run to their end -----------------------------------------------------------------------------------------

  host(guid: Guid, handler: Handler = (message) => `${this.name}: ${message}`): DolrOutcome {
    this.handlers.set(guid, handler)
    return this.finish((now, fx) => this.dolr.publish({ guid, answers: true }, now, fx))
  }

  unpublish(guid: Guid): DolrOutcome {
    return this.finish((now, fx) => this.dolr.unpublish({ guid }, now, fx))
  }

  /** The replies, or the error's name and message. */
  send(guid: Guid, message = 'hello', options: { n?: number; timeoutMs?: Millis } = {}): string[] {
    let command = 0
    const outcome = this.finish((now, fx) => (command = this.dolr.send({ guid, message: bytesOf(message), ...options }, now, fx)))
    if (!outcome.ok) return [`${outcome.error.name}: ${outcome.error.message}`]
    return this.events.flatMap((event) => (event.type === 'dolr:reply' && event.command === command ? [textOf(event.payload)] : []))
  }

  /** The names of the hosts, or the error's name. */
  locate(guid: Guid, n = 16): string[] {
    const outcome = this.finish((now, fx) => this.dolr.locate({ guid, n }, now, fx))
    if (!outcome.ok) return [outcome.error.name]
    return (outcome.value as readonly NodeRef[]).map(({ address }) => address.slice('test:'.length))
  }

  /** Gives a command; its outcome is in {@link outcomeOf} later. */
  command(run: (now: Millis, fx: AppEffects) => number): number {
    let id = 0
    this.enter((fx) => {
      id = this.kbr.command(this.dolr, this.network.now, fx, (app) => run(this.network.now, app))
    })
    return id
  }

  outcomeOf(command: number): DolrOutcome | undefined {
    return this.outcomes.get(command)
  }

  private finish(run: (now: Millis, fx: AppEffects) => number): DolrOutcome {
    const id = this.command(run)
    assert.ok(
      this.network.runUntil(() => this.outcomes.has(id), 60_000),
      'every command ends',
    )
    return this.outcomes.get(id)!
  }

  /** Ends without a word. */
  crash(): void {
    this.alive = false
  }

  /** Hands over and ends. */
  leave(): void {
    this.enter((fx) => this.kbr.leave(this.network.now, fx))
    assert.ok(
      this.network.runUntil(() => !this.alive, 20_000),
      'leaving ends',
    )
  }

  pointers(guid: Guid): string[] {
    let hosts: readonly NodeRef[] = []
    this.command((now, fx) => ((hosts = this.dolr.pointersTo(guid, now, fx)), 0))
    return hosts.map(({ address }) => address.slice('test:'.length))
  }

  /** Loses the pointer to `host`, as nothing but a fault would. */
  forget(guid: Guid, host: Member): void {
    const { pointers } = (this.dolr as unknown as { parts: DolrParts }).parts
    const pointer = pointers.get(guid, host.ref.id)
    if (pointer !== undefined) pointers.delete(pointer)
  }

  // --- The driver -------------------------------------------------------------------------------------------------------

  enter(step: (fx: Effects) => void): void {
    if (this.alive) step(this.effects)
  }

  private readonly effects: Effects = {
    send: (to: NodeRef, message: Message) => this.network.transmit(this, to, message),
    startTimer: (timer: Timer, delayMs: Millis) =>
      this.network.at(delayMs, () => this.enter((fx) => this.kbr.onTimer(timer, this.network.now, fx))),
    emit: (event: KbrEvent) => this.hear(event),
    ask: (application: string, token: number, question: Question) =>
      this.network.at(1, () => this.enter((fx) => this.kbr.onAnswer(application, token, this.answerTo(question), this.network.now, fx))),
  }

  private hear(event: KbrEvent): void {
    if (event.type === 'left') this.network.at(0, () => this.crash())
    const told = event as DolrEvent
    this.events.push(told)
    if (told.type === 'dolr:done') {
      assert.ok(!this.outcomes.has(told.command), 'a command ends once')
      this.outcomes.set(told.command, told.outcome)
    }
    if (told.type === 'dolr:message') this.network.at(1, () => this.handle(told))
  }

  private handle({ delivery, guid, message }: Extract<DolrEvent, { type: 'dolr:message' }>): void {
    const text = textOf(message)
    this.handled.push(text)
    const answer = this.handlers.get(guid)?.(text)
    if (answer !== undefined && this.alive) this.command((now, fx) => (this.dolr.answer(delivery, true, bytesOf(answer), now, fx), 0))
  }

  private answerTo(question: Question): Answer {
    if (question.kind === 'sign-as-node')
      return {
        kind: 'signed',
        signature: signatureOf(this.ref, question.message),
        publicKey: new Uint8Array(Buffer.from(this.ref.id, 'hex')),
      }
    assert.equal(question.kind, 'verify-node')
    const { node, publicKey, message, signature } = question as Extract<Question, { kind: 'verify-node' }>
    const isGood = Buffer.compare(signature, signatureOf(node, message)) === 0
    return { kind: 'verified', valid: isGood && Buffer.from(publicKey).toString('hex') === node.id }
  }
}
