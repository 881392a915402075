import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, NotFoundError, RouteFailure } from '@plaxton/kbr'
import { emit, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import { Delivery } from './delivery.ts'
import type { Candidate, DolrCall, DolrMessage } from './messages.ts'
import { namesOf } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { SearchCommand } from './search.ts'

/** Sends a message to one host, which the first node with a pointer chooses; see `Redirecting`. */
export class RedirectCommand extends SearchCommand {
  protected readonly verb = 'send'
  protected readonly isServed = false
  private readonly payload: Uint8Array
  /** Names the message, so that no host handles it twice. */
  private readonly message: number
  /** How often. */
  private sent = 0

  constructor(parts: DolrParts, init: CommandInit, payload: Uint8Array) {
    super(parts, init)
    this.payload = payload
    this.message = 1 + Math.floor(parts.prng.nextFloat() * (Number.MAX_SAFE_INTEGER - 1))
  }

  protected run(now: Millis, fx: AppEffects): void {
    this.search(1, now, fx)
  }

  protected override callFor(salt: number, _wanted: number, excluded: readonly Guid[]): DolrCall {
    return { type: 'send', guid: this.guid, salt, id: this.message, attempt: ++this.sent, excluded, payload: this.payload }
  }

  /** It is this command that tries again, under a new number, so that the holder can tell that from a host that did not take it. */
  protected override readonly routeOptions = { attempts: 1 }
  protected override readonly hedges = false

  /** The handler's time counts too. By the same way the message comes to the same host, which knows it. */
  protected override asksAgain({ reason }: RouteFailure): boolean {
    return reason === 'timed out'
  }

  protected override onOther(message: DolrMessage, _now: Millis, fx: AppEffects): boolean {
    if (message.type !== 'answer') return false
    const { outcome, payload, detail } = message
    if (outcome === 'answered') this.onAnswer(undefined, payload, fx)
    else if (outcome === 'refused') this.onRefused(detail, fx)
    else this.retryLater(rejected(detail), fx, (time, effects) => this.search(1, time, effects))
    return true
  }

  /** A host has not acknowledged the message in time. If it has it all the same, it knows it by its number. */
  protected onFound([found]: readonly Candidate[], _all: boolean, now: Millis, fx: AppEffects): void {
    const host = found!.node
    this.progress('sending', `sending ${this.payload.length} bytes to ${namesOf([host])}, which may have them`, fx)
    new Delivery(this.parts, this.guid, this.message, host, this.payload, this.leftMs(now), (end, time, effects) => {
      if (this.ended) return
      if (end.type === 'answered') return this.onAnswer(host, end.payload, effects)
      if (end.type === 'refused') return this.onRefused(end.detail, effects)
      if (end.type === 'no handler') this.ruleOut(host.id)
      else this.passOver(host.id)
      this.search(1, time, effects)
    }).begin(fx)
  }

  protected onNotFound(error: NotFoundError, _now: Millis, fx: AppEffects): void {
    this.fail(error, fx)
  }

  private onAnswer(host: NodeRef | undefined, payload: Uint8Array, fx: AppEffects): void {
    this.progress('answered', `${host === undefined ? 'a host' : namesOf([host])} answered with ${payload.length} bytes`, fx)
    emit(fx, { type: 'dolr:reply', command: this.id, host, payload })
    this.succeed(host === undefined ? [] : [host], fx)
  }

  private onRefused(detail: string, fx: AppEffects): void {
    this.fail(rejected(`a host refused the message to ${shortGuid(this.guid)}: ${detail}`), fx)
  }
}
