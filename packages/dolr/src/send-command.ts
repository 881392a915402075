import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, NotFoundError, PlaxtonError } from '@plaxton/kbr'
import { Choice } from './choice.ts'
import { emit, rejected, routeError } from './command.ts'
import type { CommandInit } from './command.ts'
import { Delivery } from './delivery.ts'
import type { Candidate } from './messages.ts'
import { namesOf } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { SearchCommand } from './search.ts'

/**
 * Sends a message to the nearest hosts of an object, at most `wanted` of them, and collects their answers.
 *
 * The search finds hosts, the {@link Choice} puts them in order, and each gets the message directly. One that is dead, has moved away or takes no message is
 * passed over for the next; when none is left, the search goes on without it. A handler that has had the message counts, whatever it made of it.
 */
export class SendCommand extends SearchCommand {
  protected readonly verb = 'send'
  private readonly payload: Uint8Array
  private readonly wanted: number
  /** Names the message, so that no host handles it twice. */
  private readonly message: number
  private readonly isHere: boolean
  /** Found and not asked yet, nearest first. */
  private candidates: NodeRef[] = []
  /** The roots know no others than those found. */
  private sawAll = false
  /** A search or a choice is under way. */
  private looking = false
  /** Hosts that have the message and have not answered. */
  private readonly open = new Set<Guid>()
  private readonly answered: NodeRef[] = []
  /** Hosts whose handler refused. */
  private readonly refusals: PlaxtonError[] = []
  /** Hosts whose handler has answered or refused. */
  private readonly had = new Set<Guid>()
  /** Why the last host that was to have the message did not, in a sentence. */
  private undelivered: string | undefined = undefined

  /** `isHere`: this node hosts the object itself, answers messages to it, and is nearest. */
  constructor(parts: DolrParts, init: CommandInit, payload: Uint8Array, wanted: number, isHere: boolean) {
    super(parts, init)
    this.payload = payload
    this.wanted = wanted
    this.isHere = isHere
    this.message = 1 + Math.floor(parts.prng.nextFloat() * (Number.MAX_SAFE_INTEGER - 1))
  }

  protected override get preface(): string {
    return this.undelivered === undefined ? '' : `${this.undelivered}; then `
  }

  protected get isServed(): boolean {
    return this.had.size + this.open.size > 0
  }

  protected run(now: Millis, fx: AppEffects): void {
    if (this.isHere) this.candidates.push(fx.self)
    this.proceed(now, fx)
  }

  protected onFound(hosts: readonly Candidate[], all: boolean, now: Millis, fx: AppEffects): void {
    this.sawAll = all
    const fresh = hosts.filter(({ node }) => !this.had.has(node.id) && !this.open.has(node.id))
    new Choice(this.parts, this.guid, fresh, this.missing, (nodes, time, effects) => {
      if (this.ended) return
      this.looking = false
      this.candidates = nodes
      this.proceed(time, effects)
    }).begin(now, fx, (detail) => this.progress('measuring', detail, fx))
  }

  protected onNotFound(error: NotFoundError, _now: Millis, fx: AppEffects): void {
    this.looking = false
    this.sawAll = true
    this.lastError = error
    this.endUnlessOpen(fx)
  }

  protected override onDeadline(now: Millis, fx: AppEffects): void {
    if (this.answered.length > 0) this.succeed(this.answered, fx)
    else super.onDeadline(now, fx)
  }

  /** Hosts that the message has still to go to. */
  private get missing(): number {
    return this.wanted - this.had.size - this.open.size
  }

  /** Sends to as many candidates as are missing, and looks for more when there are too few. */
  private proceed(now: Millis, fx: AppEffects): void {
    while (this.missing > 0 && this.candidates.length > 0) this.sendTo(this.candidates.shift()!, now, fx)
    if (this.missing > 0 && !this.looking && !(this.sawAll && this.had.size + this.open.size > 0)) {
      this.looking = true
      this.search(this.missing, now, fx)
    }
    this.endUnlessOpen(fx)
  }

  private endUnlessOpen(fx: AppEffects): void {
    if (this.ended || this.open.size > 0 || this.looking) return
    if (this.answered.length > 0) this.succeed(this.answered, fx)
    else this.fail(this.refusals[0] ?? this.lastError ?? rejected('no host had the message'), fx)
  }

  private sendTo(host: NodeRef, now: Millis, fx: AppEffects): void {
    this.open.add(host.id)
    this.ruleOut(host.id)
    this.progress('sending', `sending ${this.payload.length} bytes to ${namesOf([host])}`, fx)
    new Delivery(this.parts, this.guid, this.message, host, this.payload, this.leftMs(now), (end, time, effects) => {
      this.open.delete(host.id)
      if (this.ended) return
      switch (end.type) {
        case 'answered':
          this.onAnswer(host, end.payload, effects)
          break
        case 'refused':
          this.had.add(host.id)
          this.refusals.push(rejected(`${namesOf([host])} refused the message to ${shortGuid(this.guid)}: ${end.detail}`))
          break
        case 'not delivered':
          this.lastError = routeError(end.failure)
          this.passOver(host.id)
          this.onUndelivered(host, end.failure.detail, effects)
          break
        case 'no handler':
          this.onUndelivered(host, end.detail, effects)
          break
      }
      this.proceed(time, effects)
    }).begin(fx)
  }

  private onAnswer(host: NodeRef, payload: Uint8Array, fx: AppEffects): void {
    this.had.add(host.id)
    this.answered.push(host)
    this.progress('answered', `${namesOf([host])} answered with ${payload.length} bytes`, fx)
    emit(fx, { type: 'dolr:reply', command: this.id, host, payload })
  }

  private onUndelivered(host: NodeRef, why: string, fx: AppEffects): void {
    this.sawAll = false
    this.undelivered = `${namesOf([host])} did not take the message: ${why}`
    this.progress('retrying', this.undelivered, fx)
  }
}
