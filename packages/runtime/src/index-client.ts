import type { CentralIndexEvent, FetchedFile, FoundFile, IndexClient, OfferedFile } from '@plaxton/central-index'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dolr, KbrEvent, LocateOptions, NodeRef, ObjectHandler, Replies } from '@plaxton/kbr'
import { InvalidValueError, NotFoundError, NotReadyError } from '@plaxton/kbr'
import { CallQueue } from './call-queue.ts'
import type { Command } from './call.ts'
import type { ClientHost } from './client-host.ts'
import { Hosting } from './dolr-client.ts'
import { ReplyList } from './reply-list.ts'

/** A file to offer, with the way to its bytes. */
export interface SharedFile extends OfferedFile {
  /** The bytes from `offset` on, exactly `length` of them. Throwing refuses the piece, and the peer asks another. */
  readonly read: (offset: number, length: number) => Uint8Array | Promise<Uint8Array>
}

export interface SearchOptions extends CallOptions {
  /** Most files wanted, 1 to 100. Default 50. */
  readonly max?: number
}

export interface FetchOptions extends CallOptions {
  /** Offer the file here from now on, out of memory until it is shared from elsewhere or withdrawn. Default true, as with Napster. */
  readonly offer?: boolean
}

/**
 * A central index with promises: the calls of `Dolr` on the `IndexClient` of one host, and files. Every call may take `ClientConfig.commandMs` (10 s by default)
 * unless it says otherwise, a fetch `fetchMs` (10 minutes), its wait for a turn included.
 *
 * At most 128 commands run at once and 10,000 calls wait for their turn. An aborted call rejects at once. What an aborted `publish` or `host` has made known is
 * withdrawn; an aborted fetch keeps nothing; the message of an aborted `sendToObj` may have been handled.
 */
export class CentralIndexClient implements Dolr {
  private readonly node: ClientHost
  private readonly index: IndexClient
  private readonly calls: CallQueue
  /** Whoever answers for the objects hosted here. Bound, as that of the files: the core's `listingsMax`. */
  private readonly handlers = new Map<Guid, ObjectHandler>()
  private readonly files = new Map<Guid, SharedFile['read']>()
  /** Fetches whose file is offered when it has come. Bound: the commands that run. */
  private readonly offering = new Set<number>()

  /** `index` is the application that `host` was told to `use`. */
  constructor(host: ClientHost, index: IndexClient) {
    this.node = host
    this.index = index
    this.calls = new CallQueue(host, index, index.config.commandMs)
    host.observe((event) => this.onEvent(event))
  }

  /** The server that has this client's list; undefined while none is known to have it. */
  get server(): NodeRef | undefined {
    return this.index.server
  }

  /** Offers these files from now on; resolves when a server, and those in step with it, know. What was offered under the same guid is replaced. */
  async share(files: readonly SharedFile[], options: CallOptions = {}): Promise<void> {
    requireFiles(files)
    const before = files.map(({ guid }) => [guid, this.files.get(guid)] as const)
    for (const { guid, read } of files) this.files.set(guid, read)
    try {
      await this.run(options, (timeoutMs, now, fx) => this.index.share({ files, timeoutMs }, now, fx))
    } catch (error) {
      // A server may have been told all the same; peers who ask then are refused.
      for (const [guid, read] of before) {
        if (read !== undefined) this.files.set(guid, read)
        else if (!this.index.offers(guid)) this.files.delete(guid)
      }
      throw error
    }
  }

  /** No longer offers these files. Rejects with `NotFoundError` when one of them was not offered. */
  async withdraw(guids: readonly Guid[], options: CallOptions = {}): Promise<void> {
    for (const guid of guids) this.files.delete(guid)
    for (const guid of guids) this.handlers.delete(guid)
    await this.run(options, (timeoutMs, now, fx) => this.index.withdraw({ guids, timeoutMs }, now, fx))
  }

  /** Files whose name has all of the words of `text` (the first 8 of them), those with the most hosts first. */
  search(text: string, options: SearchOptions = {}): Promise<readonly FoundFile[]> {
    const { max } = options
    const wish = max === undefined ? { text } : { text, max }
    return this.run(options, (timeoutMs, now, fx) => this.index.search({ ...wish, timeoutMs }, now, fx))
  }

  /**
   * The file with this guid, from the nearest peer that has it and then from others, verified. Rejects with `NotFoundError` when nobody sends all of it, and with
   * `RouteError` when what was sent is something else.
   */
  fetch(guid: Guid, options: FetchOptions = {}): Promise<FetchedFile> {
    const { offer = true } = options
    return this.run({ timeoutMs: this.index.config.fetchMs, ...options }, (timeoutMs, now, fx) => {
      const command = this.index.fetch({ guid, offer, timeoutMs }, now, fx)
      if (offer) this.offering.add(command)
      return command
    })
  }

  async publish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await this.announce(guid, options)
  }

  async unpublish(guid: Guid, options: CallOptions = {}): Promise<void> {
    await this.withdraw([guid], options)
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
    this.run(
      options,
      (timeoutMs, now, fx) => this.index.send({ guid, message, n, timeoutMs }, now, fx),
      (reply) => replies.add(reply),
    ).then(
      () => replies.end(),
      (error: unknown) => replies.fail(error),
    )
    return replies
  }

  locate(guid: Guid, n = 1, options: LocateOptions = {}): Promise<readonly NodeRef[]> {
    const { checked } = options
    return this.run(options, (timeoutMs, now, fx) => this.index.locate({ guid, n, checked, timeoutMs }, now, fx))
  }

  private announce(guid: Guid, options: CallOptions): Promise<void> {
    const answers = this.handlers.has(guid)
    return this.run(options, (timeoutMs, now, fx) => this.index.publish({ guid, answers, timeoutMs }, now, fx))
  }

  /** A call whose command ends with it: when the signal ends the call, the core is told. */
  private async run<T>(options: CallOptions, command: Command, onPart?: (part: Uint8Array) => void): Promise<T> {
    let id = 0
    const abandon = (): void => this.tell((now, fx) => this.index.abandon(id, now, fx))
    options.signal?.addEventListener('abort', abandon)
    try {
      return await this.calls.call<T>(options, (timeoutMs, now, fx) => (id = command(timeoutMs, now, fx)), onPart)
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
    else this.onIndexEvent(event as CentralIndexEvent)
  }

  private onIndexEvent(event: CentralIndexEvent): void {
    switch (event.type) {
      case 'central-index:progress':
        return this.calls.progress(event.command, `central-index:${event.step}`, event.detail)
      case 'central-index:reply':
        return this.calls.part(event.command, event.payload)
      case 'central-index:done':
        return this.onDone(event)
      case 'central-index:message':
        return void this.handle(event)
      case 'central-index:read':
        return void this.serve(event)
    }
  }

  private onDone({ command, outcome }: Extract<CentralIndexEvent, { type: 'central-index:done' }>): void {
    if (this.offering.delete(command) && outcome.ok) {
      const { guid, bytes } = outcome.value as FetchedFile
      // Before any peer can ask for it: the servers are only just being told.
      if (!this.files.has(guid) && this.index.offers(guid))
        this.files.set(guid, (offset, length) => bytes.subarray(offset, offset + length))
    }
    this.calls.done(command, outcome)
  }

  private async handle({ delivery, guid, message }: Extract<CentralIndexEvent, { type: 'central-index:message' }>): Promise<void> {
    const handler = this.handlers.get(guid)
    try {
      if (handler === undefined) throw new NotReadyError('the object is no longer hosted here')
      const reply = await handler(message, guid)
      if (!(reply instanceof Uint8Array)) throw new InvalidValueError('the answer of the handler', reply, 'a Uint8Array')
      this.tell((now, fx) => this.index.answer(delivery, true, reply, now, fx))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (error instanceof NotReadyError) this.tell((now, fx) => this.index.decline(delivery, reason, now, fx))
      else this.tell((now, fx) => this.index.answer(delivery, false, reason, now, fx))
    }
  }

  private async serve({ read, guid, offset, length }: Extract<CentralIndexEvent, { type: 'central-index:read' }>): Promise<void> {
    try {
      const source = this.files.get(guid)
      if (source === undefined) throw new NotReadyError('the file is not here any more')
      const bytes = await source(offset, length)
      if (!(bytes instanceof Uint8Array) || bytes.length !== length)
        throw new InvalidValueError('the bytes of a file', bytes, `${length} bytes`)
      this.tell((_now, fx) => this.index.supply(read, bytes, fx))
    } catch (error) {
      this.tell((_now, fx) => this.index.deny(read, error instanceof Error ? error.message : String(error), fx))
    }
  }

  /** A host that was stopped meanwhile is told nothing. */
  private tell(run: Parameters<ClientHost['command']>[1]): void {
    try {
      this.node.command(this.index, run)
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
    }
  }
}

/** The rest of a file is the core's to judge. */
function requireFiles(files: readonly SharedFile[]): void {
  if (!Array.isArray(files)) throw new InvalidValueError('files', files, 'a list of files')
  for (const { read } of files) if (typeof read !== 'function') throw new InvalidValueError('read', read, 'a function')
}
