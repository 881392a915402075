import { isGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { InvalidValueError, NotFoundError, NotReadyError } from '@plaxton/kbr'
import type {
  AppEffects,
  Application,
  ForwardDecision,
  Millis,
  NodeRef,
  PlaxtonError,
  Prng,
  Reply,
  ReplyHandle,
  RoutedMessage,
} from '@plaxton/kbr'
import { overloaded, rejected } from './command.ts'
import type { Command, CommandInit } from './command.ts'
import { clientConfig } from './config.ts'
import type { ClientConfig } from './config.ts'
import { Errands } from './errands.ts'
import { emit } from './events.ts'
import type { FetchedFile } from './events.ts'
import { FetchCommand } from './fetch-command.ts'
import { Hosting, outcome } from './hosting.ts'
import { ListCommand } from './list-command.ts'
import { LocateCommand } from './locate-command.ts'
import { decodeCall, maxFound, maxHosts, maxPayloadBytes } from './messages.ts'
import type { IndexCall, Listing } from './messages.ts'
import type { ClientParts } from './parts.ts'
import { Registration } from './registration.ts'
import { SearchCommand } from './search-command.ts'
import { SendCommand } from './send-command.ts'
import { Servers } from './servers.ts'
import { isName, queryWords } from './words.ts'

/** What every command takes: how long it may last (default `ClientConfig.commandMs`). */
export interface IndexRequest {
  readonly timeoutMs?: Millis | undefined
}

/** A file to offer. */
export interface OfferedFile {
  /** SHA-256 of its bytes. */
  readonly guid: Guid
  /** By whose words it is found; at most 255 bytes of UTF-8. */
  readonly name: string
  /** Bytes. */
  readonly size: number
}

/** What a client can say of itself at any moment. */
export interface ClientStats {
  /** Files and objects offered. */
  readonly listings: number
  readonly commands: number
  /** Messages and pieces that peers wait for. */
  readonly serving: number
  readonly bytesServed: number
  /** Calls to others without an answer yet. */
  readonly inFlight: number
  /** Messages that were none, or for a server. */
  readonly garbage: number
  /** Commands, messages and pieces turned away because too much was going on. */
  readonly overloads: number
}

/**
 * One client of a central index: offers files and objects, finds those of others by name or guid, and serves and fetches them from peer to peer.
 *
 * Its list is kept by one server at a time ({@link Registration}); whatever it asks, it asks the nearest server that answers ({@link Servers}). Peers are asked
 * directly and ordered by the round trips measured here. Runs on a `star({ hub: false })` that knows the servers.
 */
export class IndexClient implements Application {
  readonly name = 'central-index'
  readonly config: ClientConfig
  private readonly parts: ClientParts
  private readonly hosting: Hosting
  /** At most `commandsMax`; further ones end at once. */
  private readonly commands = new Map<number, Command>()
  private nextCommand = 1
  private leaving = false
  private garbage = 0
  private overloads = 0

  /** Throws `InvalidValueError` for a value out of its range. */
  constructor(config: Partial<ClientConfig>, prng: Prng) {
    this.config = clientConfig(config)
    const errands = new Errands()
    const servers = new Servers(this.config, errands)
    const registration = new Registration(this.config, errands, servers)
    this.parts = { config: this.config, prng, errands, servers, registration }
    this.hosting = new Hosting(this.config, errands, registration)
  }

  // --- Commands: each returns its id and ends in one `central-index:done` ------------------------------------------------

  /** Offers these files from now on; peers ask for their pieces by `central-index:read`. */
  share(request: IndexRequest & { readonly files: readonly OfferedFile[] }, now: Millis, fx: AppEffects): number {
    for (const { guid, name, size } of request.files) {
      requireGuid(guid)
      if (!isName(name)) throw new InvalidValueError('name', name, 'at most 255 bytes of UTF-8')
      requireWhole('size', size, 0, Number.MAX_SAFE_INTEGER)
    }
    const listed = request.files.map((file) => this.listing(file.guid, { name: file.name, size: file.size }))
    return this.offer(request, listed, now, fx)
  }

  /** Hosts the object `guid`. `answers`: messages to it come as `central-index:message`; otherwise it can be located, no more. */
  publish(request: IndexRequest & { readonly guid: Guid; readonly answers?: boolean }, now: Millis, fx: AppEffects): number {
    const { guid, answers = false } = request
    requireGuid(guid)
    return this.offer(request, [this.listing(guid, { answers })], now, fx)
  }

  /** No longer offers these. Ends with `NotFoundError` when one of them was not offered. */
  withdraw(request: IndexRequest & { readonly guids: readonly Guid[] }, now: Millis, fx: AppEffects): number {
    request.guids.forEach(requireGuid)
    const missing = request.guids.some((guid) => !this.offers(guid))
    const problem = missing ? new NotFoundError('this node does not offer that') : undefined
    return this.begin(request, (init) => new ListCommand(this.parts, init, { withdrawn: request.guids }), now, fx, problem)
  }

  /**
   * Whoever gave this command no longer wants it: it ends as failed. What it was to offer, if that is one thing and nobody else has offered it, is withdrawn.
   * Nothing happens when the command has ended.
   */
  abandon(id: number, now: Millis, fx: AppEffects): void {
    const command = this.commands.get(id)
    if (command === undefined) return
    command.fail(rejected('the command was abandoned'), fx)
    const guid = command instanceof ListCommand ? command.onlyListed : undefined
    const others = [...this.commands.values()].some((other) => other instanceof ListCommand && other.onlyListed === guid)
    if (guid !== undefined && !others && this.offers(guid)) this.parts.registration.withdraw([guid], now, fx, () => {})
  }

  /** Files by words in their names: those that have all of the first 8 words of `text`, at most `max` (default 50, at most 100), most hosts first. */
  search(request: IndexRequest & { readonly text: string; readonly max?: number }, now: Millis, fx: AppEffects): number {
    const { text, max = 50 } = request
    requireWhole('max', max, 1, maxFound)
    const words = typeof text === 'string' ? queryWords(text) : []
    if (words.length === 0) throw new InvalidValueError('text', text, 'a text with a word in it: letters or digits')
    return this.begin(request, (init) => new SearchCommand(this.parts, init, words, max), now, fx)
  }

  /** The `n` nearest hosts (default 1, at most 16); unless `checked`, as the index names them. */
  locate(
    request: IndexRequest & { readonly guid: Guid; readonly n?: number; readonly checked?: boolean | undefined },
    now: Millis,
    fx: AppEffects,
  ): number {
    const { guid, n = 1, checked = false } = request
    requireGuid(guid)
    requireWhole('n', n, 1, maxHosts)
    return this.begin(request, (init) => new LocateCommand(this.parts, init, guid, n, checked), now, fx)
  }

  /** Sends `message`, at most 1 MiB, to the `n` nearest hosts (default 1, at most 16); each answer is a `central-index:reply`. */
  send(
    request: IndexRequest & { readonly guid: Guid; readonly message: Uint8Array; readonly n?: number },
    now: Millis,
    fx: AppEffects,
  ): number {
    const { guid, message, n = 1 } = request
    requireGuid(guid)
    if (!(message instanceof Uint8Array)) throw new InvalidValueError('message', message, 'a Uint8Array')
    if (message.length > maxPayloadBytes) throw new InvalidValueError('message', message, `at most ${maxPayloadBytes} bytes`)
    requireWhole('n', n, 1, maxHosts)
    return this.begin(request, (init) => new SendCommand(this.parts, init, guid, message, n), now, fx)
  }

  /** Fetches a file from its hosts, verified; by default within `fetchMs`. With `offer` it is offered here as soon as it has come. */
  fetch(request: IndexRequest & { readonly guid: Guid; readonly offer?: boolean }, now: Millis, fx: AppEffects): number {
    const { guid, offer = false, timeoutMs = this.config.fetchMs } = request
    requireGuid(guid)
    const onFile = offer ? this.offerFetched : () => {}
    return this.begin({ timeoutMs }, (init) => new FetchCommand(this.parts, init, guid, onFile), now, fx)
  }

  // --- Answers to events ------------------------------------------------------------------------------------------------

  /** Answers the message of a `central-index:message`, with `bytes` or, unless `ok`, with the reason why not. The first answer counts. */
  answer(delivery: number, ok: true, bytes: Uint8Array, now: Millis, fx: AppEffects): void
  answer(delivery: number, ok: false, reason: string, now: Millis, fx: AppEffects): void
  answer(delivery: number, ok: boolean, content: Uint8Array | string, now: Millis, fx: AppEffects): void {
    const isTooLong = content.length > maxPayloadBytes
    const problem = typeof content === 'string' ? content : isTooLong ? `the answer is longer than ${maxPayloadBytes} bytes` : undefined
    if (ok && problem === undefined) this.hosting.answer(delivery, outcome('answered', '', content as Uint8Array), now, fx)
    else this.hosting.answer(delivery, outcome('refused', problem ?? ''), now, fx)
  }

  /** The message of a `central-index:message` was not handled and will not be: its sender asks another host. */
  decline(delivery: number, reason: string, now: Millis, fx: AppEffects): void {
    this.hosting.answer(delivery, outcome('declined', reason), now, fx)
  }

  /** The bytes that a `central-index:read` asked for. */
  supply(read: number, bytes: Uint8Array, fx: AppEffects): void {
    this.hosting.supply(read, bytes, fx)
  }

  /** They could not be read. */
  deny(read: number, reason: string, fx: AppEffects): void {
    this.hosting.deny(read, reason, fx)
  }

  // --- Observation ------------------------------------------------------------------------------------------------------

  /** The server that has this client's list; undefined while none is known to have it. */
  get server(): NodeRef | undefined {
    return this.parts.registration.server
  }

  /** Whether this node offers `guid`, as a file or as an object. */
  offers(guid: Guid): boolean {
    return this.parts.registration.get(guid) !== undefined
  }

  /** All that it offers. */
  offered(): Listing[] {
    return this.parts.registration.all()
  }

  stats(): ClientStats {
    const { registration, errands } = this.parts
    return {
      listings: registration.size,
      commands: this.commands.size,
      serving: this.hosting.open,
      bytesServed: this.hosting.bytesServed,
      inFlight: errands.open,
      garbage: this.garbage + errands.garbage,
      overloads: this.overloads + this.hosting.refused,
    }
  }

  // --- Inputs -----------------------------------------------------------------------------------------------------------

  onStart(now: Millis): void {
    this.parts.registration.start(now)
  }

  update(node: NodeRef, joined: boolean, _now: Millis, fx: AppEffects): void {
    if (joined) this.parts.registration.onServer(node, fx)
  }

  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const call = this.read(from, payload, fx)
    switch (call?.type) {
      case 'check':
        return this.hosting.onCheck(from, call, reply, fx)
      case 'deliver':
        return this.hosting.onDeliver(from, call, reply, now, fx)
      case 'piece':
        return this.hosting.onPiece(from, call, reply, fx)
      default:
        if (call !== undefined) this.onGarbage(from, `${call.type} is for a server`, fx)
        fx.refuse(reply, 'this is a client of an index, which does not answer that')
    }
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    this.parts.errands.onReply(requestId, reply, now, fx)
  }

  onTimer(_kind: string, arg: number, now: Millis, fx: AppEffects): void {
    this.parts.errands.onTimer(arg, now, fx)
  }

  /** The server is told that nothing is offered here any more. */
  onLeave(_now: Millis, fx: AppEffects): void {
    this.leaving = true
    this.parts.registration.end(fx, (_, __, effects) => effects.handedOver())
  }

  deliver({ reply }: RoutedMessage, _now: Millis, fx: AppEffects): void {
    fx.refuse(reply, 'nothing is routed in a central index')
  }

  forward(): ForwardDecision {
    return { action: 'continue' }
  }

  onAnswer(): void {}

  // --- Details ----------------------------------------------------------------------------------------------------------

  private offer(request: IndexRequest, listed: readonly Listing[], now: Millis, fx: AppEffects): number {
    const { registration } = this.parts
    const problem = registration.hasRoomFor(listed.map(({ guid }) => guid))
      ? undefined
      : overloaded(`this node may offer ${this.config.listingsMax} files and objects, and offers ${registration.size} already`)
    return this.begin(request, (init) => new ListCommand(this.parts, init, { listed }), now, fx, problem)
  }

  /** Step (5): whoever has fetched a file offers it too. When there is no room it is kept for itself. */
  private readonly offerFetched = ({ guid, name, bytes }: FetchedFile, now: Millis, fx: AppEffects): void => {
    const { registration } = this.parts
    if (registration.hasRoomFor([guid])) registration.list([this.listing(guid, { name, size: bytes.length })], now, fx, () => {})
  }

  /** What is offered under `guid` from now on: one thing may be a file and an object. */
  private listing(guid: Guid, change: Partial<Listing>): Listing {
    const before = this.parts.registration.get(guid)
    return { name: '', size: 0, answers: false, ...before, ...change, guid }
  }

  /** Ends at once with `problem`, if there is one. */
  private begin(
    request: IndexRequest,
    create: (init: CommandInit) => Command,
    now: Millis,
    fx: AppEffects,
    problem?: PlaxtonError,
  ): number {
    const { timeoutMs = this.config.commandMs } = request
    requireWhole('timeoutMs', timeoutMs, 1, Number.MAX_SAFE_INTEGER)
    const id = this.nextCommand++
    const error = this.obstacle(fx) ?? problem
    if (error !== undefined) {
      emit(fx, { type: 'central-index:done', command: id, outcome: { ok: false, error } })
      return id
    }
    const command = create({ id, timeoutMs, onEnd: () => this.commands.delete(id) })
    this.commands.set(id, command)
    command.begin(now, fx)
    return id
  }

  private obstacle(fx: AppEffects): PlaxtonError | undefined {
    if (this.leaving) return new NotReadyError('this node is leaving')
    if (!fx.ready) return new NotReadyError('this node has not been told of any server yet')
    if (this.commands.size < this.config.commandsMax) return undefined
    this.overloads++
    return overloaded(`${this.commands.size} commands are under way`)
  }

  private read(from: NodeRef, payload: Uint8Array, fx: AppEffects): IndexCall | undefined {
    try {
      return decodeCall(payload, fx.readRef)
    } catch (error) {
      this.onGarbage(from, (error as Error).message, fx)
      return undefined
    }
  }

  private onGarbage(from: NodeRef, reason: string, fx: AppEffects): void {
    this.garbage++
    emit(fx, { type: 'central-index:garbage', from, reason })
  }
}

function requireGuid(guid: unknown): void {
  if (typeof guid !== 'string' || !isGuid(guid, 256)) throw new InvalidValueError('guid', guid, '64 lower-case hex characters')
}

function requireWhole(field: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw new InvalidValueError(field, value, `a whole number from ${min} to ${max}`)
}
