import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NotFoundError, RouteFailure } from '@plaxton/kbr'
import { emit, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import type { DolrCall, DolrMessage } from './messages.ts'
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

  /** The handler's time counts too. By the same way the message comes to the same host, which knows it. */
  protected override asksAgain({ reason }: RouteFailure): boolean {
    return reason === 'timed out'
  }

  protected override onOther(message: DolrMessage, _now: Millis, fx: AppEffects): boolean {
    if (message.type !== 'answer') return false
    const { outcome, payload, detail } = message
    if (outcome === 'answered') {
      this.progress('answered', `a host answered with ${payload.length} bytes`, fx)
      emit(fx, { type: 'dolr:reply', command: this.id, host: undefined, payload })
      this.succeed([], fx)
    } else if (outcome === 'refused') this.fail(rejected(`a host refused the message to ${shortGuid(this.guid)}: ${detail}`), fx)
    else this.retryLater(rejected(detail), fx, (time, effects) => this.search(1, time, effects))
    return true
  }

  /** Nobody is asked for hosts. */
  protected onFound(): void {}

  protected onNotFound(error: NotFoundError, _now: Millis, fx: AppEffects): void {
    this.fail(error, fx)
  }
}
