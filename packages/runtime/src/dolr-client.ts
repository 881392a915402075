import type { DolrEvent, DolrNode } from '@plaxton/dolr'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dolr, HostedObject, KbrEvent, LocateOptions, NodeRef, ObjectHandler, Replies } from '@plaxton/kbr'
import { InvalidValueError, NotFoundError, NotReadyError } from '@plaxton/kbr'
import { CallQueue } from './call-queue.ts'
import type { ClientHost } from './client-host.ts'
import { ReplyList } from './reply-list.ts'

/**
 * DOLR with promises: the calls of `Dolr` on the `DolrNode` of one host. Every call may take `DolrConfig.commandMs` (10 s by default) unless it says
 * otherwise, its wait for a turn included.
 *
 * At most 128 commands run at once and 10,000 calls wait for their turn. An aborted call rejects at once. What an aborted `publish` or `host` has made known is
 * withdrawn, unless another call has published the object too; the message of an aborted `sendToObj` may have been handled.
 */
export class DolrClient implements Dolr {
  private readonly node: ClientHost
  private readonly dolr: DolrNode
  private readonly calls: CallQueue
  /** Whoever answers for the objects hosted here. Bound: the core's `publicationsMax`. */
  private readonly handlers = new Map<Guid, ObjectHandler>()

  /** `dolr` is the application that `host` was told to `use`. */
  constructor(host: ClientHost, dolr: DolrNode) {
    this.node = host
    this.dolr = dolr
    this.calls = new CallQueue(host, dolr, dolr.config.commandMs)
    host.observe((event) => this.onEvent(event))
  }

  async publish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await this.announce(guid, options)
  }

  async unpublish(guid: Guid, options: CallOptions = {}): Promise<void> {
    this.handlers.delete(guid)
    await this.calls.call(options, (timeoutMs, now, fx) => this.dolr.unpublish({ guid, timeoutMs }, now, fx))
  }

  async host(guid: Guid, handler: ObjectHandler, options: CallOptions = {}): Promise<Hosting> {
    if (typeof handler !== 'function') throw new InvalidValueError('handler', handler, 'a function')
    if (this.handlers.has(guid)) throw new InvalidValueError('guid', guid, 'an object that nobody on this node answers for yet')
    this.handlers.set(guid, handler)
    try {
      await this.announce(guid, options)
    } catch (error) {
      if (this.handlers.get(guid) === handler) this.handlers.delete(guid)
      throw error
    }
    return new Hosting(guid, (stopOptions) => this.stopHosting(guid, handler, stopOptions))
  }

  sendToObj(message: Uint8Array, guid: Guid, n = 1, options: CallOptions = {}): Replies {
    const replies = new ReplyList()
    this.calls
      .call(
        options,
        (timeoutMs, now, fx) => this.dolr.send({ guid, message, n, timeoutMs }, now, fx),
        (reply) => replies.add(reply),
      )
      .then(
        () => replies.end(),
        (error: unknown) => replies.fail(error),
      )
    return replies
  }

  locate(guid: Guid, n = 1, options: LocateOptions = {}): Promise<readonly NodeRef[]> {
    const { checked } = options
    return this.calls.call(options, (timeoutMs, now, fx) => this.dolr.locate({ guid, n, checked, timeoutMs }, now, fx))
  }

  /** An aborted one is taken back: else the node would publish for ever what nobody here knows of. */
  private async announce(guid: Guid, options: CallOptions): Promise<void> {
    const answers = this.handlers.has(guid)
    let command = 0
    const abandon = (): void => this.tell((now, fx) => this.dolr.abandon(command, now, fx))
    options.signal?.addEventListener('abort', abandon)
    try {
      await this.calls.call(options, (timeoutMs, now, fx) => (command = this.dolr.publish({ guid, answers, timeoutMs }, now, fx)))
    } finally {
      options.signal?.removeEventListener('abort', abandon)
    }
  }

  private async stopHosting(guid: Guid, handler: ObjectHandler, options: CallOptions): Promise<void> {
    if (this.handlers.get(guid) !== handler) return
    try {
      await this.unpublish(guid, options)
    } catch (error) {
      // It was unpublished already, its publication never came about, or the node has gone.
      if (!(error instanceof NotFoundError || error instanceof NotReadyError)) throw error
    }
  }

  private onEvent(event: KbrEvent): void {
    if (event.type === 'host:stopped') this.calls.failAll(new NotReadyError('the node was stopped'))
    else this.onDolrEvent(event as DolrEvent)
  }

  private onDolrEvent(event: DolrEvent): void {
    switch (event.type) {
      case 'dolr:progress':
        return this.calls.progress(event.command, `dolr:${event.step}`, event.detail)
      case 'dolr:reply':
        return this.calls.part(event.command, event.payload)
      case 'dolr:done':
        return this.calls.done(event.command, event.outcome)
      case 'dolr:message':
        return void this.handle(event)
    }
  }

  private async handle({ delivery, guid, message }: Extract<DolrEvent, { type: 'dolr:message' }>): Promise<void> {
    const handler = this.handlers.get(guid)
    try {
      if (handler === undefined) throw new NotReadyError('the object is no longer hosted here')
      const reply = await handler(message, guid)
      if (!(reply instanceof Uint8Array)) throw new InvalidValueError('the answer of the handler', reply, 'a Uint8Array')
      this.tell((now, fx) => this.dolr.answer(delivery, true, reply, now, fx))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (error instanceof NotReadyError) this.tell((_, fx) => this.dolr.decline(delivery, reason, fx))
      else this.tell((now, fx) => this.dolr.answer(delivery, false, reason, now, fx))
    }
  }

  /** A host that was stopped meanwhile is told nothing. */
  private tell(run: Parameters<ClientHost['command']>[1]): void {
    try {
      this.node.command(this.dolr, run)
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
    }
  }
}

/** An object while this node answers for it; `await using` ends that. */
export class Hosting implements HostedObject, AsyncDisposable {
  readonly guid: Guid
  private readonly end: (options: CallOptions) => Promise<void>

  constructor(guid: Guid, end: (options: CallOptions) => Promise<void>) {
    this.guid = guid
    this.end = end
  }

  stop(options: CallOptions = {}): Promise<void> {
    return this.end(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
