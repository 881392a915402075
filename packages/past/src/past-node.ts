import { guidOf, isGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { InvalidValueError, NotReadyError, sameNode } from '@plaxton/kbr'
import type {
  Answer,
  AppEffects,
  Application,
  ForwardDecision,
  Millis,
  NodeRef,
  Prng,
  Reply,
  ReplyHandle,
  RoutedMessage,
  WriteQuorum,
} from '@plaxton/kbr'
import { Cache } from './cache.ts'
import { maxNameBytes, maxSaltBytes } from './claims.ts'
import { decodeMessage } from './codec.ts'
import { emit, overloaded } from './command.ts'
import type { Command, CommandInit } from './command.ts'
import { pastConfig } from './config.ts'
import type { PastConfig } from './config.ts'
import { answerCompare, answerExchange, isOversized } from './comparison.ts'
import type { ComparisonParts } from './comparison.ts'
import { Errands } from './errands.ts'
import { GetCommand } from './get-command.ts'
import { Latencies } from './latencies.ts'
import { Lookup } from './lookup.ts'
import { replicaSet } from './hosts.ts'
import { Maintenance } from './maintenance.ts'
import type { PastMessage } from './messages.ts'
import { Notary } from './notary.ts'
import { Owner } from './owner.ts'
import { responder, unreliable, widened } from './parts.ts'
import { Placement } from './placement.ts'
import { PutCommand } from './put-command.ts'
import { Repair } from './repair.ts'
import { Replica } from './replica.ts'
import { InspectCommand, RemoveCommand } from './root-commands.ts'
import { Root } from './root.ts'
import { Shelf } from './shelf.ts'
import type { Held, ShelfChange } from './shelf.ts'

/** What every command takes: the object, and how long the command may last (default `PastConfig.commandMs`). */
export interface PastRequest {
  readonly guid: Guid
  readonly timeoutMs?: Millis | undefined
}

/** See `PutOptions` of `@plaxton/kbr` for what the options mean. */
export interface PutRequest extends PastRequest {
  readonly data: Uint8Array
  readonly replicas?: number | undefined
  readonly quorum?: WriteQuorum | undefined
  readonly expires?: Millis | undefined
  readonly name?: string | undefined
  readonly salt?: Uint8Array | undefined
  /** Signs with another of this node's keys, by name (`ApplicationPorts.signer` of `@plaxton/runtime`). Default: with its own. */
  readonly signer?: string | undefined
}

/** Whose claim `remove` is to withdraw. */
export interface RemoveRequest extends PastRequest {
  /** As in {@link PutRequest}. */
  readonly signer?: string | undefined
}

/** How many copies `ensure` is to see to. */
export interface EnsureRequest extends PastRequest {
  /** Live copies wanted; by default as many as the object's certificate asks for. */
  readonly replicas?: number | undefined
}

/** What a node can say of itself at any moment. */
export interface PastStats {
  /** Objects held, and their bytes. */
  readonly objects: number
  readonly bytes: number
  /** Objects of which only the removal is remembered. */
  readonly tombstones: number
  /** Commands of this node that have not ended. */
  readonly commands: number
  /** Questions and calls that have no answer yet. */
  readonly inFlight: number
  /** Copies kept for a while on the way to their holders; see `PastConfig.cacheMs`. */
  readonly cached: number
  /** Objects and removals copied here by maintenance. */
  readonly repairs: number
  /** Messages that were none, or broke a rule. */
  readonly garbage: number
  /** Requests turned away because too much was going on. */
  readonly overloads: number
}

/**
 * PAST: objects that never change, stored under a guid on the k nodes closest to it (Rowstron and Druschel, SOSP 2001).
 *
 * As an *owner's* node it runs commands: `put` signs a certificate and hands it with the data to the guid's root; `get` takes the
 * first answer that proves right; `remove` signs a removal. Each command ends in one `past:done` event.
 *
 * As a *root* it judges what is asked of an object and sees to the replicas ({@link Root}). As a *replica* it stores what the root
 * sends and says what it has ({@link Replica}). On the *way* of a `get` it answers from its own copy.
 */
export class PastNode implements Application {
  readonly name = 'past'
  readonly config: PastConfig
  private readonly errands: Errands
  private readonly shelf: Shelf
  private readonly owner: Owner
  private readonly latencies: Latencies
  private readonly parts: ComparisonParts
  private readonly cache: Cache
  private readonly lookup: Lookup
  private readonly root: Root
  private readonly replica: Replica
  private readonly maintenance: Maintenance
  /** At most `maxCommands`; further ones end at once. */
  private readonly commands = new Map<number, Command>()
  /** Commands that came before the disk was read, by number. Part of {@link commands}. */
  private readonly waiting = new Map<number, Command>()
  private nextCommand = 1
  private loaded = false
  private leaving = false
  private garbage = 0
  private overloads = 0

  constructor(config: Partial<PastConfig>, prng: Prng) {
    this.config = pastConfig(config)
    this.errands = new Errands((reason, fx) => this.onGarbage(undefined, reason, fx))
    this.shelf = new Shelf(this.config, this.errands, (before, after, why, fx) => this.onChange(before, after, why, fx))
    this.owner = new Owner(this.errands)
    this.latencies = new Latencies(this.config.hedgeFloorMs, this.config.hedgeCeilingMs)
    const parts = {
      config: this.config,
      prng,
      errands: this.errands,
      notary: new Notary(this.config, this.errands),
      shelf: this.shelf,
      onShortfall: (now: Millis, fx: AppEffects) => this.maintenance.hasten(now, fx),
      isLeaving: () => this.leaving,
    }
    const repair = new Repair(parts, (from, reason, fx) => this.onGarbage(from, reason, fx))
    this.parts = { ...parts, repair, placement: new Placement(this.shelf) }
    this.maintenance = new Maintenance(this.parts)
    this.cache = new Cache(this.config)
    this.lookup = new Lookup(this.parts, this.cache, () => this.maintenance.settled)
    this.root = new Root(this.parts)
    this.replica = new Replica(this.parts)
  }

  /** This node's public key, which owns what it puts: Ed25519, 32 bytes. Undefined until the node has started. */
  get ownerKey(): Uint8Array | undefined {
    return this.owner.publicKey
  }

  // --- Commands: each returns its id and ends in one `past:done` ---------------------------------------------------------

  /** Stores `data` under `guid`. Throws `InvalidValueError` for a value out of its range. */
  put(request: PutRequest, now: Millis, fx: AppEffects): number {
    const { guid, data, replicas = this.config.replicas, quorum = 'majority', expires = 0, name = '', salt = none } = request
    const { maxObjectBytes, maxReplicas } = this.config
    if (!(data instanceof Uint8Array)) throw new InvalidValueError('data', data, 'a Uint8Array')
    if (data.length > maxObjectBytes) throw new InvalidValueError('data', data, `at most ${maxObjectBytes} bytes`)
    requireWhole('replicas', replicas, 1, maxReplicas)
    if (quorum !== 'majority' && quorum !== 'all') throw new InvalidValueError('quorum', quorum, 'majority or all')
    if (request.expires !== undefined) requireWhole('expires', expires, now + 1, Number.MAX_SAFE_INTEGER)
    if (request.name !== undefined && (name === '' || utf8Length(name) > maxNameBytes))
      throw new InvalidValueError('name', name, `1 to ${maxNameBytes} bytes of UTF-8`)
    if (salt.length > maxSaltBytes) throw new InvalidValueError('salt', salt, `at most ${maxSaltBytes} bytes`)
    if (salt.length > 0 && name === '') throw new InvalidValueError('salt', salt, 'absent, for an object without a name')
    const contentDigest = guidOf(data)
    if (name === '' && guid !== contentDigest) throw new InvalidValueError('guid', guid, 'the SHA-256 of the data, or a name to be given')
    const order = { data, contentDigest, replicas, quorum, expires, name, salt, signer: request.signer }
    return this.begin(
      request,
      (init) =>
        new PutCommand(this.parts, init, order, this.owner, (put, respond, at, effects) => this.root.onPut(put, respond, at, effects)),
      now,
      fx,
    )
  }

  /** The object's bytes, verified. */
  get(request: PastRequest, now: Millis, fx: AppEffects): number {
    return this.begin(request, (init) => new GetCommand(this.parts, init, 'data', this.latencies, () => this.maintenance.settled), now, fx)
  }

  /** Whether the object exists. */
  has(request: PastRequest, now: Millis, fx: AppEffects): number {
    return this.begin(
      request,
      (init) => new GetCommand(this.parts, init, 'presence', this.latencies, () => this.maintenance.settled),
      now,
      fx,
    )
  }

  /** Withdraws this node's claim on the object. */
  remove(request: RemoveRequest, now: Millis, fx: AppEffects): number {
    return this.begin(request, (init) => new RemoveCommand(this.parts, init, this.owner, request.signer), now, fx)
  }

  /** Who holds the object now. */
  inspect(request: PastRequest, now: Millis, fx: AppEffects): number {
    return this.begin(request, (init) => new InspectCommand(this.parts, init, { type: 'inspect', ensure: 'no', replicas: 0 }), now, fx)
  }

  /** Sees to `replicas` live copies and says who holds them. More than the certificate asks for last until the next maintenance. */
  ensure(request: EnsureRequest, now: Millis, fx: AppEffects): number {
    const { replicas } = request
    if (replicas !== undefined) requireWhole('replicas', replicas, 1, this.config.maxReplicas)
    const call = { type: 'inspect', ensure: replicas === undefined ? 'own' : 'given', replicas: replicas ?? 0 } as const
    return this.begin(request, (init) => new InspectCommand(this.parts, init, call), now, fx)
  }

  stats(): PastStats {
    let tombstones = 0
    for (const held of this.shelf.all()) if (!held.hasData) tombstones++
    return {
      objects: this.shelf.size - tombstones,
      bytes: this.shelf.bytes,
      tombstones,
      commands: this.commands.size,
      inFlight: this.errands.open,
      cached: this.cache.size,
      repairs: this.parts.repair.changes,
      garbage: this.garbage,
      overloads: this.overloads,
    }
  }

  /** Throws when this node's state contradicts itself. For tests and the simulator. */
  assertInvariants(): void {
    this.shelf.assertInvariants()
  }

  // --- Inputs -----------------------------------------------------------------------------------------------------------

  onStart(now: Millis, fx: AppEffects): void {
    this.owner.withKey(undefined, now, fx, () => {})
    this.load(now, fx)
  }

  forward(message: RoutedMessage, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const call = this.read(message.previousHop, message.payload, fx)
    if (call === undefined) return { action: 'reject', reason: 'the message could not be read' }
    const client = clientOf(message.previousHop, fx)
    if (call.type !== 'get' || !this.loaded || !this.hasRoomFor(client)) return { action: 'continue' }
    const answered = this.errands.onBehalfOf(client, () => this.lookup.onPassing(message, call, nextHop, now, fx))
    return { action: answered ? 'stop' : 'continue' }
  }

  deliver(message: RoutedMessage, now: Millis, fx: AppEffects): void {
    const { previousHop, payload, reply } = message
    const call = this.read(previousHop, payload, fx)
    if (call === undefined) return fx.refuse(reply, 'the message could not be read')
    const client = clientOf(previousHop, fx)
    if (this.accepts(client, reply, fx)) this.errands.onBehalfOf(client, () => this.onRouted(message, call, now, fx))
  }

  private onRouted({ key, reply }: RoutedMessage, call: PastMessage, now: Millis, fx: AppEffects): void {
    const respond = responder(reply)
    switch (call.type) {
      case 'put':
        if (call.claim.certificate.guid !== key) return fx.refuse(reply, 'the certificate is for another guid')
        return this.root.onPut(call, respond, now, fx)
      case 'where':
        return respond(
          { type: 'here', node: fx.self, replicaSet: replicaSet(key, Math.min(call.replicas, widened(this.config.maxReplicas)), fx) },
          now,
          fx,
        )
      case 'get':
        return this.lookup.onDelivered(key, call, respond, now, fx)
      case 'remove':
        return this.root.onRemove(key, call, respond, now, fx)
      case 'inspect':
        return this.root.onInspect(key, call, respond, now, fx)
      default:
        fx.refuse(reply, `${call.type} is not routed`)
    }
  }

  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const call = this.read(from, payload, fx)
    if (call === undefined) return fx.refuse(reply, 'the message could not be read')
    const client = clientOf(from, fx)
    if (this.accepts(client, reply, fx)) this.errands.onBehalfOf(client, () => this.onDirect(from, call, reply, now, fx))
  }

  private onDirect(from: NodeRef, call: PastMessage, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const respond = responder(reply)
    switch (call.type) {
      case 'put':
        return this.root.onPut(call, respond, now, fx)
      case 'store': {
        const obstacle = unreliable(this.parts, fx)
        return obstacle === undefined ? this.replica.onStore(from, call, respond, now, fx) : fx.refuse(reply, obstacle)
      }
      case 'fetch':
        return this.replica.onFetch(call, this.maintenance.settled, respond, now, fx)
      case 'cache':
        if (!this.cache.accept(from, call, now)) this.onGarbage(from, 'a copy of an object that was not asked for', fx)
        return
      case 'compare':
        return answerCompare(call, from, this.parts, respond, now, fx)
      case 'exchange':
        if (isOversized(call)) return fx.refuse(reply, 'the message lists too much at once')
        return answerExchange(call, from, this.parts, respond, now, fx)
      default:
        fx.refuse(reply, `${call.type} is not asked directly`)
    }
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    this.errands.onReply(requestId, reply, now, fx)
  }

  onAnswer(token: number, answer: Answer, now: Millis, fx: AppEffects): void {
    this.errands.onAnswer(token, answer, now, fx)
  }

  onTimer(_kind: string, arg: number, now: Millis, fx: AppEffects): void {
    this.errands.onTimer(arg, now, fx)
  }

  update(node: NodeRef, joined: boolean, now: Millis, fx: AppEffects): void {
    this.maintenance.onNeighbor(node, joined, now, fx)
  }

  ranksChanged(now: Millis, fx: AppEffects): void {
    this.maintenance.onRanksChanged(now, fx)
  }

  onLeave(now: Millis, fx: AppEffects): void {
    this.leaving = true
    this.maintenance.leave(now, fx, (_, __, effects) => {
      for (const command of [...this.commands.values()]) command.fail(new NotReadyError('this node has left'), effects)
      effects.handedOver()
    })
  }

  // --- Details ----------------------------------------------------------------------------------------------------------

  /** Nothing is served before it is known what there is; a disk that cannot be read is tried again. */
  private load(now: Millis, fx: AppEffects): void {
    this.shelf.load(now, fx, (objects, time, effects) => {
      if (objects === undefined) {
        this.errands.later(this.config.commandMs, effects, (_, later, fxThen) => this.load(later, fxThen))
        return
      }
      this.loaded = true
      emit(effects, { type: 'past:loaded', objects })
      this.maintenance.start(time, effects)
      for (const [id, command] of this.waiting) {
        this.waiting.delete(id)
        command.run(time, effects)
      }
    })
  }

  private begin(request: PastRequest, create: (init: CommandInit) => Command, now: Millis, fx: AppEffects): number {
    const { guid, timeoutMs = this.config.commandMs } = request
    if (!isGuid(guid, 256)) throw new InvalidValueError('guid', guid, '64 lower-case hex characters')
    requireWhole('timeoutMs', timeoutMs, 1, Number.MAX_SAFE_INTEGER)
    const id = this.nextCommand++
    const command = create({ id, guid, timeoutMs, onEnd: () => this.onCommandEnd(id) })
    if (this.leaving) command.fail(new NotReadyError('this node is leaving'), fx)
    else if (!fx.ready) command.fail(new NotReadyError('this node is not a member of its overlay yet'), fx)
    else if (this.commands.size >= this.config.maxCommands) command.fail(overloaded(`${this.commands.size} commands are under way`), fx)
    else {
      this.commands.set(id, command)
      command.begin(now, fx)
      if (this.loaded) command.run(now, fx)
      else this.waiting.set(id, command)
    }
    return id
  }

  private onCommandEnd(id: number): void {
    this.commands.delete(id)
    this.waiting.delete(id)
  }

  /** False when this node cannot take on more; the sender has been told. */
  private accepts(client: Guid | undefined, reply: ReplyHandle, fx: AppEffects): boolean {
    if (!this.loaded) fx.refuse(reply, 'the node is still reading its disk')
    else if (!this.hasRoomFor(client)) {
      this.overloads++
      fx.refuse(reply, 'the node has too much to do')
    } else return true
    return false
  }

  private hasRoomFor(client: Guid | undefined): boolean {
    const { maxWork, workShares } = this.config
    return this.errands.open < maxWork && (client === undefined || this.errands.openFor(client) < Math.max(1, maxWork / workShares))
  }

  private onChange(before: Held | undefined, after: Held | undefined, why: ShelfChange, fx: AppEffects): void {
    this.parts.placement.onChange(before, after, fx)
    if (why === 'loaded') return
    if (after?.hasData === true && before?.hasData !== true) emit(fx, { type: 'past:stored', guid: after.guid, size: after.leading.size })
    if (before?.hasData === true && after?.hasData !== true)
      emit(fx, { type: 'past:erased', guid: before.guid, reason: why === 'kept' ? 'removed' : why })
  }

  private read(from: NodeRef, payload: Uint8Array, fx: AppEffects): PastMessage | undefined {
    try {
      return decodeMessage(payload, fx.readRef)
    } catch (error) {
      this.onGarbage(from, error instanceof Error ? error.message : String(error), fx)
      return undefined
    }
  }

  private onGarbage(from: NodeRef | undefined, reason: string, fx: AppEffects): void {
    this.garbage++
    emit(fx, { type: 'past:garbage', from, reason })
  }
}

/** Whose share of the work something is; undefined: this node's own, which its commands bound. */
function clientOf(sender: NodeRef, fx: AppEffects): Guid | undefined {
  return sameNode(sender, fx.self) ? undefined : sender.id
}

function requireWhole(field: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw new InvalidValueError(field, value, `a whole number from ${min} to ${max}`)
}

function utf8Length(text: string): number {
  let length = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return length
}

const none = new Uint8Array(0)
