import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, ReplyHandle } from '@plaxton/kbr'
import { emit } from './command.ts'
import { maxDetailBytes } from './codec.ts'
import type { DeliveryOutcome, DeliveryState, DolrReply, SendCall } from './messages.ts'
import { respond } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { Shares } from './shares.ts'

/**
 * The messages to objects hosted here: from their arrival to the handler's answer, and for a while after, so that one that comes again is not handled
 * again.
 */
export class Deliveries {
  private readonly parts: DolrParts
  /** By the sender's number of the message. Open ones: at most `deliveriesMax`, more are not taken. Over: `answersMax`, `answersMs`; the oldest goes. */
  private readonly byMessage = new Map<number, Delivery>()
  private readonly byNumber = new Map<number, Delivery>()
  /** The open ones. */
  private readonly bySender = new Shares<Delivery>()
  private lastNumber = 0
  /** Messages not taken because too many were open. */
  refused = 0

  constructor(parts: DolrParts) {
    this.parts = parts
  }

  /** Messages the handlers have yet to answer. */
  get open(): number {
    return this.byNumber.size
  }

  stateOf(message: number): DeliveryState {
    const delivery = this.byMessage.get(message)
    if (delivery === undefined) return 'unknown'
    return delivery.answer === undefined ? 'open' : 'over'
  }

  /** A message for the handler of `guid`, which there is. */
  take({ guid, id: message, payload }: Arrival, sender: Guid, reply: ReplyHandle, fx: AppEffects): void {
    const known = this.byMessage.get(message)
    if (known !== undefined) return this.repeat(known, reply, fx)
    const { config, errands } = this.parts
    const share = Math.max(1, config.deliveriesMax / config.workShares)
    if (this.open >= config.deliveriesMax || this.bySender.count(sender) >= share) {
      this.refused++
      return respond(reply, declined('busy', `${this.open} messages wait for an answer here already`), fx)
    }
    const delivery: Delivery = { number: ++this.lastNumber, message, sender, replies: [reply], answer: undefined, alarm: 0 }
    this.byMessage.set(message, delivery)
    this.byNumber.set(delivery.number, delivery)
    this.bySender.add(sender, delivery)
    delivery.alarm = errands.later(config.handlerMs, fx, (_, now, effects) =>
      this.conclude(delivery, 'refused', new Uint8Array(0), `the handler did not answer within ${config.handlerMs} ms`, now, effects),
    )
    emit(fx, { type: 'dolr:message', delivery: delivery.number, guid, message: payload })
  }

  /** The handler's answer. Nothing happens when there was one before, or its time was up. */
  answer(number: number, outcome: 'answered' | 'refused', payload: Uint8Array, detail: string, now: Millis, fx: AppEffects): void {
    const delivery = this.byNumber.get(number)
    if (delivery !== undefined) this.conclude(delivery, outcome, payload, detail, now, fx)
  }

  /** The handler does not take the message: the sender asks another host, or this one later. */
  decline(number: number, detail: string, fx: AppEffects): void {
    const delivery = this.byNumber.get(number)
    if (delivery === undefined) return
    this.close(delivery)
    this.byMessage.delete(delivery.message)
    for (const reply of delivery.replies) respond(reply, declined('busy', shortened(detail)), fx)
  }

  private conclude(delivery: Delivery, outcome: DeliveryOutcome, payload: Uint8Array, detail: string, _now: Millis, fx: AppEffects): void {
    const { config, errands } = this.parts
    const answer = { type: 'answer', outcome, detail: shortened(detail), payload } as const
    for (const reply of delivery.replies) respond(reply, answer, fx)
    this.close(delivery)
    delivery.replies = []
    delivery.answer = payload.length <= config.keptAnswerBytesMax ? answer : tooLong
    this.forgetOldest()
    errands.later(config.answersMs, fx, () => {
      if (this.byMessage.get(delivery.message) === delivery) this.byMessage.delete(delivery.message)
    })
  }

  /** It is no longer for the handler to answer. */
  private close(delivery: Delivery): void {
    this.byNumber.delete(delivery.number)
    this.bySender.delete(delivery.sender, delivery)
    this.parts.errands.forget(delivery.alarm)
  }

  private repeat(delivery: Delivery, reply: ReplyHandle, fx: AppEffects): void {
    if (delivery.answer !== undefined) return respond(reply, delivery.answer, fx)
    if (delivery.replies.length === repliesMax) delivery.replies.shift()
    delivery.replies.push(reply)
  }

  private forgetOldest(): void {
    if (this.byMessage.size - this.byNumber.size <= this.parts.config.answersMax) return
    for (const [message, { answer }] of this.byMessage) {
      if (answer === undefined) continue
      this.byMessage.delete(message)
      return
    }
  }
}

/** The answer to a message that no handler gets. */
export function declined(outcome: Exclude<DeliveryOutcome, 'answered' | 'refused'>, detail: string): DolrReply {
  return { type: 'answer', outcome, detail, payload: new Uint8Array(0) }
}

/** Of the two calls that bring a message, what they have in common. */
type Arrival = Pick<SendCall, 'guid' | 'id' | 'payload'>

interface Delivery {
  /** This node's own, for the handler. */
  readonly number: number
  readonly message: number
  readonly sender: Guid
  /** Everyone who waits. Bound: {@link repliesMax}; full: the oldest goes. */
  replies: ReplyHandle[]
  answer: DolrReply | undefined
  alarm: number
}

/** Times one message may come while it is handled. Our guess. */
const repliesMax = 8

const tooLong: DolrReply = {
  type: 'answer',
  outcome: 'refused',
  detail: 'the message was answered before, and the answer was too long to be kept',
  payload: new Uint8Array(0),
}

/** A sentence that fits the wire, where a character takes at most four bytes; half of a pair of surrogates cannot travel. */
function shortened(detail: string): string {
  const characters = Array.from(detail.slice(0, maxDetailBytes / 4), (character) =>
    /^[\ud800-\udfff]$/.test(character) ? '\ufffd' : character,
  )
  return characters.join('')
}
