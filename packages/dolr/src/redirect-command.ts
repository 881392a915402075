import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, NotFoundError, RouteFailure } from '@plaxton/kbr'
import { emit, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import { Delivery } from './delivery.ts'
import type { Candidate, DolrCall, DolrMessage, Traced } from './messages.ts'
import { namesOf, pingWaitMs } from './parts.ts'
import type { DolrParts } from './parts.ts'
import type { Redirecting } from './redirecting.ts'
import { SearchCommand } from './search.ts'

/**
 * Sends a message to one host, which the first node with a pointer chooses; see `Redirecting`. It is sent again only when it is certain that it has not come
 * to a host, or a node that had it cannot be asked.
 */
export class RedirectCommand extends SearchCommand {
  protected readonly verb = 'send'
  protected readonly isServed = false
  private readonly redirecting: Redirecting
  private readonly payload: Uint8Array
  /** Names the message, so that no host handles it twice. */
  private readonly message: number
  /** How often. */
  private sent = 0

  constructor(parts: DolrParts, init: CommandInit, redirecting: Redirecting, payload: Uint8Array) {
    super(parts, init)
    this.redirecting = redirecting
    this.payload = payload
    this.message = 1 + Math.floor(parts.prng.nextFloat() * (Number.MAX_SAFE_INTEGER - 1))
  }

  protected run(now: Millis, fx: AppEffects): void {
    this.search(1, now, fx)
  }

  protected override callFor(salt: number, _wanted: number, excluded: readonly Guid[]): DolrCall {
    return { type: 'send', guid: this.guid, salt, id: this.message, attempt: ++this.sent, excluded, payload: this.payload }
  }

  /** It is this command that tries again, under a new number, when it knows what became of the last. */
  protected override readonly routeOptions = { attempts: 1 }
  protected override readonly hedges = false

  /** The handler's time counts too, so it may have come to a host. */
  protected override takesUp({ reason }: RouteFailure, now: Millis, fx: AppEffects): boolean {
    if (reason === 'rejected by application') return false
    const traced = this.redirecting.trace(this.guid, this.message, this.sent, now)
    // It has not left this node.
    if (traced.state === 'unknown' && reason !== 'timed out') return false
    if (traced.state === 'unknown') this.search(1, now, fx)
    else this.onTraced(traced, fx.self, 0, now, fx)
    return true
  }

  protected override onOther(message: DolrMessage, now: Millis, fx: AppEffects): boolean {
    if (message.type === 'late') this.trace(message.hop, 0, now, fx)
    if (message.type !== 'answer') return message.type === 'late'
    const { outcome, payload, detail } = message
    if (outcome === 'answered') this.onAnswer(undefined, payload, fx)
    else if (outcome === 'refused') this.onRefused(detail, fx)
    else this.retryLater(rejected(detail), fx, (time, effects) => this.search(1, time, effects))
    return true
  }

  /** A host has not acknowledged the message in time. */
  protected onFound([found]: readonly Candidate[], _all: boolean, now: Millis, fx: AppEffects): void {
    this.deliverTo(found!.node, 0, now, fx)
  }

  /** Asks a node that may have the message; `steps` were asked before. One that cannot be asked is taken to be dead. */
  private trace(node: NodeRef, steps: number, now: Millis, fx: AppEffects): void {
    if (steps === stepsMax) return this.sendAgain(node, fx)
    const { errands, config } = this.parts
    this.progress('retrying', `asking ${namesOf([node])} what has become of the message`, fx)
    const call = { type: 'trace', guid: this.guid, id: this.message, attempt: this.sent } as const
    errands.request(node, call, pingWaitMs(node, config, fx), fx, (answered, time, effects) => {
      if (this.ended) return
      if (answered.ok && answered.message.type === 'traced') this.onTraced(answered.message, node, steps + 1, time, effects)
      else this.sendAgain(node, effects)
    })
  }

  private onTraced({ state, to: [next] }: Traced, node: NodeRef, steps: number, now: Millis, fx: AppEffects): void {
    if (state === 'here') this.deliverTo(node, steps, now, fx)
    else if (state === 'host' && next !== undefined) this.deliverTo(next, steps, now, fx)
    else if (state === 'onward' && next !== undefined) this.trace(next, steps, now, fx)
    else this.sendAgain(node, fx)
  }

  /** The message has got lost on the way to `node`, or with it. */
  private sendAgain(node: NodeRef, fx: AppEffects): void {
    this.retryLater(rejected(`the message was lost on its way, at ${namesOf([node])}`), fx, (now, effects) => this.search(1, now, effects))
  }

  /** If it has the message already, it knows it by its number. If it is no host, it may have sent it on. */
  private deliverTo(host: NodeRef, steps: number, now: Millis, fx: AppEffects): void {
    this.progress('sending', `sending ${this.payload.length} bytes to ${namesOf([host])}, which may have them`, fx)
    new Delivery(this.parts, this.guid, this.message, host, this.payload, this.leftMs(now), (end, time, effects) => {
      if (this.ended) return
      if (end.type === 'answered') return this.onAnswer(host, end.payload, effects)
      if (end.type === 'refused') return this.onRefused(end.detail, effects)
      if (end.type === 'no handler') this.ruleOut(host.id)
      else this.passOver(host.id)
      // Alive, it may have sent the message on, or it may come there yet.
      const isAlive = end.type === 'no handler' || end.failure.reason === 'overloaded'
      if (isAlive) this.trace(host, steps, time, effects)
      else this.search(1, time, effects)
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

/** Most nodes asked on one way; longer than any way. */
const stepsMax = 32
