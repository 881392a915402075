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
  /** Those the handlers have yet to answer, by their own numbers, in the order they came. Bound: `deliveriesMax`; full: not taken. */
  private readonly open = new Map<number, Delivery>()
  private readonly openByMessage = new ByMessage<Delivery>()
  private readonly openByHop = new Shares<Delivery>()
  /** Those answered, in the order they were. Bounds: `answersMax`, `answersMs`; full: the oldest is forgotten. */
  private readonly over = new Set<Answered>()
  private readonly overByMessage = new ByMessage<Answered>()
  private lastNumber = 0
  /** Whether a {@link sweep} is due. */
  private sweeping = false
  /** Messages not taken because too many were open. */
  refused = 0

  constructor(parts: DolrParts) {
    this.parts = parts
  }

  /** Messages the handlers have yet to answer. */
  get size(): number {
    return this.open.size
  }

  /** What has become of the message that `sender` has given this number. */
  stateOf(guid: Guid, id: number, sender: Guid): DeliveryState {
    const message = { guid, id, sender }
    if (this.openByMessage.get(message) !== undefined) return 'open'
    return this.overByMessage.get(message) === undefined ? 'unknown' : 'over'
  }

  /** A message for the handler of `guid`, which there is. `sender`: undefined when `previousHop` has sent it on for somebody who is not named. */
  take({ guid, id, payload }: Arrival, sender: Guid | undefined, previousHop: Guid, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const message = { guid, id, sender }
    const answered = this.overByMessage.get(message)
    if (answered !== undefined) return respond(reply, answered.answer, fx)
    const known = this.openByMessage.get(message)
    if (known !== undefined) return known.wait(reply)
    if (!this.hasRoomFor(previousHop)) {
      this.refused++
      return respond(reply, declined('busy', `${this.open.size} messages wait for an answer here already`), fx)
    }
    const delivery = new Delivery(++this.lastNumber, message, previousHop, now, reply)
    this.open.set(delivery.number, delivery)
    this.openByMessage.add(delivery)
    this.openByHop.add(previousHop, delivery)
    this.sweepLater(now, fx)
    emit(fx, { type: 'dolr:message', delivery: delivery.number, guid, message: payload })
  }

  /** The handler's answer. Nothing happens when there was one before, or its time was up. */
  answer(number: number, outcome: 'answered' | 'refused', payload: Uint8Array, detail: string, now: Millis, fx: AppEffects): void {
    const delivery = this.open.get(number)
    if (delivery === undefined) return
    const answer = { type: 'answer', outcome, detail: shortened(detail), payload } as const
    const { keptAnswerBytesMax, answersMax } = this.parts.config
    this.close(delivery, answer, fx)
    if (this.over.size === answersMax) this.forgetOldest()
    const answered = { message: delivery.message, answer: payload.length <= keptAnswerBytesMax ? answer : tooLong, at: now }
    this.over.add(answered)
    this.overByMessage.add(answered)
    this.sweepLater(now, fx)
  }

  /** The handler does not take the message: the sender asks another host, or this one later. */
  decline(number: number, detail: string, fx: AppEffects): void {
    const delivery = this.open.get(number)
    if (delivery !== undefined) this.close(delivery, declined('busy', shortened(detail)), fx)
  }

  private hasRoomFor(previousHop: Guid): boolean {
    const { deliveriesMax, workShares } = this.parts.config
    return this.open.size < deliveriesMax && this.openByHop.count(previousHop) < Math.max(1, deliveriesMax / workShares)
  }

  private close(delivery: Delivery, answer: DolrReply, fx: AppEffects): void {
    this.open.delete(delivery.number)
    this.openByMessage.delete(delivery)
    this.openByHop.delete(delivery.previousHop, delivery)
    for (const reply of delivery.replies) respond(reply, answer, fx)
  }

  /** One timer for all: when the oldest of either kind has had its time. */
  private sweepLater(now: Millis, fx: AppEffects): void {
    const { handlerMs, answersMs } = this.parts.config
    const due = Math.min(first(this.open) + handlerMs, first(this.over) + answersMs)
    if (this.sweeping || due === Infinity) return
    this.sweeping = true
    this.parts.errands.later(Math.max(0, due - now), fx, (_, time, effects) => {
      this.sweeping = false
      this.sweep(time, effects)
      this.sweepLater(time, effects)
    })
  }

  private sweep(now: Millis, fx: AppEffects): void {
    const { handlerMs, answersMs } = this.parts.config
    for (const [number, { at }] of this.open) {
      if (at + handlerMs > now) break
      this.answer(number, 'refused', new Uint8Array(0), `the handler did not answer within ${handlerMs} ms`, now, fx)
    }
    while (first(this.over) + answersMs <= now) this.forgetOldest()
  }

  private forgetOldest(): void {
    for (const oldest of this.over) {
      this.over.delete(oldest)
      this.overByMessage.delete(oldest)
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

/** What a message is known by. */
interface MessageName {
  readonly guid: Guid
  /** The sender's number for it: random, but a host that has seen some may guess the next, so it alone tells nobody's message from another's. */
  readonly id: number
  /** undefined: it was sent on here by another, and may be anybody's. */
  readonly sender: Guid | undefined
}

/** Messages by their names. One without a sender is the same as one with any, for a message may come first by a holder and then directly. */
class ByMessage<T extends { readonly message: MessageName }> {
  /** For each object and number mostly one. */
  private readonly lists = new Map<string, T[]>()

  get({ guid, id, sender }: MessageName): T | undefined {
    return this.lists
      .get(`${guid} ${id}`)
      ?.find(({ message }) => message.sender === sender || message.sender === undefined || sender === undefined)
  }

  add(item: T): void {
    const { guid, id } = item.message
    const name = `${guid} ${id}`
    this.lists.set(name, [...(this.lists.get(name) ?? []), item])
  }

  delete(item: T): void {
    const { guid, id } = item.message
    const name = `${guid} ${id}`
    const left = this.lists.get(name)?.filter((other) => other !== item) ?? []
    if (left.length > 0) this.lists.set(name, left)
    else this.lists.delete(name)
  }
}

/** A message that its handler has yet to answer. */
class Delivery {
  /** This node's own, for the handler. */
  readonly number: number
  readonly message: MessageName
  readonly previousHop: Guid
  readonly at: Millis
  /** Everyone who waits. Bound: {@link repliesMax}; full: the oldest goes. */
  readonly replies: ReplyHandle[]

  constructor(number: number, message: MessageName, previousHop: Guid, at: Millis, reply: ReplyHandle) {
    this.number = number
    this.message = message
    this.previousHop = previousHop
    this.at = at
    this.replies = [reply]
  }

  /** The message came again, for the same answer. */
  wait(reply: ReplyHandle): void {
    if (this.replies.length === repliesMax) this.replies.shift()
    this.replies.push(reply)
  }
}

interface Answered {
  readonly message: MessageName
  readonly answer: DolrReply
  readonly at: Millis
}

/** When the first of these was; never, when there is none. */
function first(entries: { values(): Iterable<{ readonly at: Millis }> }): Millis {
  for (const { at } of entries.values()) return at
  return Infinity
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
