import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, ReplyHandle } from '@plaxton/kbr'
import type { ClientConfig } from './config.ts'
import type { Errands } from './errands.ts'
import { emit } from './events.ts'
import { encodeAnswer, maxDetailBytes } from './messages.ts'
import type { AnswerOf, CallOf, IndexAnswer } from './messages.ts'
import type { Registration } from './registration.ts'

/** What other peers ask of this one: whether it has an object, messages to objects it hosts, pieces of files it offers. */
export class Hosting {
  private readonly config: ClientConfig
  private readonly errands: Errands
  private readonly registration: Registration
  /** Messages that the handlers have yet to answer, by this node's numbers. Bounds: `deliveriesMax`, `deliveriesPerPeer`; full: declined. */
  private readonly deliveries = new Map<number, Delivery>()
  /** Those messages, and the answers to earlier ones, by sender and number, the oldest first. Bound: `answersMax` and `answersMs`; full: the oldest goes. */
  private readonly known = new Map<string, Delivery | Answered>()
  /** Pieces being read. Bounds: `readsMax`, `readsPerPeer`; full: refused. */
  private readonly reads = new Map<number, Read>()
  private readonly readsOf = new Map<Guid, number>()
  private readonly deliveriesOf = new Map<Guid, number>()
  private lastNumber = 0
  /** Bytes of files sent to others so far. */
  bytesServed = 0
  /** Messages and pieces turned away because too much was going on. */
  refused = 0

  constructor(config: ClientConfig, errands: Errands, registration: Registration) {
    this.config = config
    this.errands = errands
    this.registration = registration
  }

  get open(): number {
    return this.deliveries.size + this.reads.size
  }

  onCheck(from: NodeRef, { guid, id }: CallOf<'check'>, reply: ReplyHandle, fx: AppEffects): void {
    const listing = this.registration.get(guid)
    const known = this.known.get(nameOf(from, id))
    const pending = id !== 0 && known !== undefined
    respond(reply, { type: 'held', held: listing !== undefined, answers: listing?.answers === true, size: listing?.size ?? 0, pending }, fx)
  }

  onDeliver(from: NodeRef, { guid, id, payload }: CallOf<'deliver'>, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const name = nameOf(from, id)
    const known = this.known.get(name)
    if (known !== undefined && 'answer' in known) return respond(reply, known.answer, fx)
    if (known !== undefined) return this.waitToo(known, reply, fx)
    const listing = this.registration.get(guid)
    if (listing?.answers !== true)
      return respond(
        reply,
        outcome('declined', listing === undefined ? 'the object is not here' : 'nobody answers for the object here'),
        fx,
      )
    const mine = this.deliveriesOf.get(from.id) ?? 0
    if (this.deliveries.size >= this.config.deliveriesMax || mine >= this.config.deliveriesPerPeer) {
      this.refused++
      return respond(reply, outcome('declined', 'too many messages wait for an answer here already'), fx)
    }
    const number = ++this.lastNumber
    const alarm = this.errands.later(this.config.handlerMs, fx, (_, time, effects) =>
      this.answer(number, outcome('refused', `the handler did not answer within ${this.config.handlerMs} ms`), time, effects),
    )
    const delivery: Delivery = { name, sender: from.id, replies: [reply], alarm }
    this.deliveriesOf.set(from.id, mine + 1)
    this.deliveries.set(number, delivery)
    this.known.set(name, delivery)
    this.forgetOld(now)
    emit(fx, { type: 'central-index:message', delivery: number, guid, message: payload })
  }

  /** The handler's answer; the first counts. One that was declined was not handled and may come again. */
  answer(number: number, answer: AnswerOf<'outcome'>, now: Millis, fx: AppEffects): void {
    const delivery = this.deliveries.get(number)
    if (delivery === undefined) return
    this.deliveries.delete(number)
    this.errands.forget(delivery.alarm)
    this.known.delete(delivery.name)
    countDown(this.deliveriesOf, delivery.sender)
    for (const reply of delivery.replies) respond(reply, answer, fx)
    if (answer.outcome === 'declined') return
    const isKept = answer.payload.length <= this.config.keptAnswerBytesMax
    this.known.set(delivery.name, { answer: isKept ? answer : tooLong, at: now })
    this.forgetOld(now)
  }

  onPiece(from: NodeRef, { guid, offset, length }: CallOf<'piece'>, reply: ReplyHandle, fx: AppEffects): void {
    const listing = this.registration.get(guid)
    if (listing === undefined) return fx.refuse(reply, 'the file is not here')
    if (offset > listing.size || length < 1) return fx.refuse(reply, `the file has ${listing.size} bytes`)
    const mine = this.readsOf.get(from.id) ?? 0
    if (this.reads.size >= this.config.readsMax || mine >= this.config.readsPerPeer) {
      this.refused++
      return fx.refuse(reply, 'too many pieces are being read here already')
    }
    const read = ++this.lastNumber
    const alarm = this.errands.later(this.config.handlerMs, fx, (_, __, effects) =>
      this.deny(read, 'the file was not read in time', effects),
    )
    this.reads.set(read, { reply, peer: from.id, size: listing.size, alarm })
    this.readsOf.set(from.id, mine + 1)
    emit(fx, { type: 'central-index:read', read, guid, offset, length: Math.min(length, this.config.pieceBytes, listing.size - offset) })
  }

  /** The piece that was to be read; the first answer counts. */
  supply(number: number, bytes: Uint8Array, fx: AppEffects): void {
    const read = this.takeRead(number)
    if (read === undefined) return
    this.bytesServed += bytes.length
    respond(read.reply, { type: 'data', size: read.size, bytes }, fx)
  }

  deny(number: number, reason: string, fx: AppEffects): void {
    const read = this.takeRead(number)
    if (read !== undefined) fx.refuse(read.reply, shortened(reason))
  }

  /** The message came again while it is handled, for the same answer. */
  private waitToo({ replies }: Delivery, reply: ReplyHandle, fx: AppEffects): void {
    if (replies.length < repliesMax) return void replies.push(reply)
    this.refused++
    respond(reply, outcome('declined', 'the message has come too often'), fx)
  }

  private takeRead(number: number): Read | undefined {
    const read = this.reads.get(number)
    if (read === undefined) return undefined
    this.reads.delete(number)
    this.errands.forget(read.alarm)
    countDown(this.readsOf, read.peer)
    return read
  }

  /** Those that wait for their handler stay: they are bounded by themselves. */
  private forgetOld(now: Millis): void {
    const { answersMax, answersMs } = this.config
    for (const [name, each] of this.known) {
      if ('replies' in each) continue
      if (this.known.size <= answersMax && each.at + answersMs > now) return
      this.known.delete(name)
    }
  }
}

interface Delivery {
  readonly name: string
  readonly sender: Guid
  /** Everyone who waits: a message that comes again waits for the same answer. Bound: {@link repliesMax}; full: declined. */
  readonly replies: ReplyHandle[]
  readonly alarm: number
}

/** Times one message may come while it is handled; the walking knows repeats, so there are few. As in DOLR. */
const repliesMax = 8

interface Answered {
  readonly answer: AnswerOf<'outcome'>
  readonly at: Millis
}

interface Read {
  readonly reply: ReplyHandle
  readonly peer: Guid
  readonly size: number
  readonly alarm: number
}

export function outcome(word: AnswerOf<'outcome'>['outcome'], detail: string, payload: Uint8Array = nothing): AnswerOf<'outcome'> {
  return { type: 'outcome', outcome: word, detail: shortened(detail), payload }
}

const nothing = new Uint8Array(0)

const tooLong = outcome('refused', 'the message was answered before, and the answer was too long to be kept')

function countDown(counts: Map<Guid, number>, peer: Guid): void {
  const left = counts.get(peer)! - 1
  if (left > 0) counts.set(peer, left)
  else counts.delete(peer)
}

/** The sender's number of a message, with the sender. */
function nameOf({ id }: NodeRef, number: number): string {
  return `${id} ${number}`
}

function respond(reply: ReplyHandle, answer: IndexAnswer, fx: AppEffects): void {
  fx.reply(reply, encodeAnswer(answer))
}

/** A sentence that fits the wire, where a character takes at most four bytes. */
function shortened(detail: string): string {
  return Array.from(detail.slice(0, maxDetailBytes / 4), wholeCharacter).join('')
}

/** Half of a pair of surrogates, which is left where a text was cut, cannot travel. */
function wholeCharacter(character: string): string {
  return /^\p{Surrogate}$/u.test(character) ? '\ufffd' : character
}
