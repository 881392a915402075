import { isGuid, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { InvalidValueError, NotFoundError, NotReadyError, sameNode } from '@plaxton/kbr'
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
} from '@plaxton/kbr'
import { decodeMessage, maxPayloadBytes } from './codec.ts'
import { emit, overloaded, rejected } from './command.ts'
import type { Command, CommandInit } from './command.ts'
import { dolrConfig } from './config.ts'
import type { DolrConfig } from './config.ts'
import { Deliveries, declined } from './deliveries.ts'
import { Errands } from './errands.ts'
import { Keeper } from './keeper.ts'
import { LocateCommand } from './locate-command.ts'
import { Locating } from './locating.ts'
import { maxHosts } from './messages.ts'
import type { DolrMessage, SendCall } from './messages.ts'
import { Moves } from './moves.ts'
import { Notary } from './notary.ts'
import { respond } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { Pointers } from './pointers.ts'
import { Publications } from './publications.ts'
import { PublishCommand } from './publish-command.ts'
import { RedirectCommand } from './redirect-command.ts'
import { Redirecting } from './redirecting.ts'
import { maxRoots, rootKey } from './records.ts'
import type { DolrRequest, DolrStats, LocateRequest, PublishRequest, SendRequest } from './requests.ts'
import { SendCommand } from './send-command.ts'
import { Suspects } from './suspects.ts'

/**
 * Decentralised object location and routing (Hildrum et al., SPAA 2002; Zhao et al., JSAC 2004): objects live on their hosts, and messages to an object
 * find the nearest of these.
 *
 * A *host* makes itself known by a signed record on its way to each of the object's roots ({@link Publications}). Every node on that way keeps a pointer
 * ({@link Keeper}), and sends it on when its routes change ({@link Moves}). A *sender* searches towards a root; the first node with a pointer answers
 * ({@link Locating}), mostly long before the root when a host is near. Then the message goes to the host directly ({@link SendCommand}), and to whoever answers
 * for the object there ({@link Deliveries}). All of it is soft state: what is not repeated expires.
 */
export class DolrNode implements Application {
  readonly name = 'dolr'
  readonly config: DolrConfig
  private readonly errands: Errands
  private readonly parts: DolrParts
  private readonly keeper: Keeper
  private readonly moves: Moves
  private readonly publications: Publications
  private readonly suspects: Suspects
  private readonly locating: Locating
  private readonly redirecting: Redirecting
  private readonly deliveries: Deliveries
  /** At most `maxCommands`; further ones end at once. */
  private readonly commands = new Map<number, Command>()
  private nextCommand = 1
  private self: NodeRef | undefined = undefined
  private leaving = false
  private garbage = 0
  private overloads = 0

  constructor(config: Partial<DolrConfig>, prng: Prng) {
    this.config = dolrConfig(config)
    this.errands = new Errands((from, reason, fx) => this.onGarbage(from, reason, fx))
    this.parts = {
      config: this.config,
      prng,
      errands: this.errands,
      notary: new Notary(this.config, this.errands),
      pointers: new Pointers(this.config, () => this.self?.id),
    }
    this.keeper = new Keeper(this.parts)
    this.moves = new Moves(this.parts)
    this.publications = new Publications(this.parts, this.keeper)
    this.suspects = new Suspects(this.parts)
    this.locating = new Locating(this.parts, this.suspects)
    this.redirecting = new Redirecting(this.parts, this.suspects)
    this.deliveries = new Deliveries(this.parts)
  }

  // --- Commands: each returns its id and ends in one `dolr:done` ---------------------------------------------------------

  /** Makes it known that this node hosts `guid`, now and again until {@link unpublish}. Throws `InvalidValueError` for a value out of its range. */
  publish(request: PublishRequest, now: Millis, fx: AppEffects): number {
    const { guid, answers = false } = request
    const create = (init: CommandInit): Command => {
      const claim = { answers }
      const publication = this.publications.add(guid, claim, fx)
      const onEnd = (ok: boolean): void => {
        init.onEnd(ok)
        this.publications.settle(publication, claim, ok)
      }
      return new PublishCommand(this.parts, { ...init, onEnd }, this.publications, false)
    }
    const isFull = this.publications.isFull && this.publications.get(guid) === undefined
    return this.begin(
      request,
      create,
      now,
      fx,
      isFull ? overloaded(`this node hosts ${this.publications.size} objects already`) : undefined,
    )
  }

  /** This node no longer hosts `guid`. Ends with `NotFoundError` when it did not. */
  unpublish(request: DolrRequest, now: Millis, fx: AppEffects): number {
    const { guid } = request
    const isHosted = this.publications.get(guid) !== undefined
    const create = (init: CommandInit): Command => {
      this.publications.delete(guid)
      return new PublishCommand(this.parts, init, this.publications, true)
    }
    return this.begin(request, create, now, fx, isHosted ? undefined : new NotFoundError('this node does not host the object'))
  }

  /**
   * Whoever gave this publish command no longer wants it: it ends as failed, and where nobody else has published the object it is withdrawn. Nothing happens
   * when the command has ended, or is no publish.
   */
  abandon(id: number, now: Millis, fx: AppEffects): void {
    const command = this.commands.get(id)
    if (!(command instanceof PublishCommand) || command.withdrawn) return
    command.fail(rejected('the publish was abandoned'), fx)
    if (!this.hosts(command.guid) && !this.leaving) this.publications.takeBack(command.guid, now, fx)
  }

  /** Sends `message` to the `n` nearest hosts; each answer is a `dolr:reply`. */
  send(request: SendRequest, now: Millis, fx: AppEffects): number {
    const { guid, message, n = 1 } = request
    if (!(message instanceof Uint8Array)) throw new InvalidValueError('message', message, 'a Uint8Array')
    if (message.length > maxPayloadBytes) throw new InvalidValueError('message', message, `at most ${maxPayloadBytes} bytes`)
    requireWhole('n', n, 1, this.config.maxReplies)
    const isHere = this.publications.get(guid)?.answers === true
    const { choose, holderBytesMax } = this.config
    const isHolders = choose === 'holder' && n === 1 && !isHere && message.length <= holderBytesMax
    const create = (init: CommandInit): Command =>
      isHolders ? new RedirectCommand(this.parts, init, this.redirecting, message) : new SendCommand(this.parts, init, message, n, isHere)
    return this.begin(request, create, now, fx)
  }

  /** The `n` nearest hosts; unless `checked`, as far as is known without asking them. */
  locate(request: LocateRequest, now: Millis, fx: AppEffects): number {
    const { guid, n = 1, checked = false } = request
    requireWhole('n', n, 1, maxHosts)
    const wish = { wanted: n, checked, isHere: this.hosts(guid) }
    return this.begin(request, (init) => new LocateCommand(this.parts, init, wish), now, fx)
  }

  /** Answers the message of a `dolr:message` event, with `bytes` or, unless `ok`, with the reason why not. The first answer counts. */
  answer(delivery: number, ok: true, bytes: Uint8Array, now: Millis, fx: AppEffects): void
  answer(delivery: number, ok: false, reason: string, now: Millis, fx: AppEffects): void
  answer(delivery: number, ok: boolean, content: Uint8Array | string, now: Millis, fx: AppEffects): void {
    if (typeof content === 'string') return this.deliveries.answer(delivery, 'refused', new Uint8Array(0), content, now, fx)
    if (content.length <= maxPayloadBytes && ok) return this.deliveries.answer(delivery, 'answered', content, '', now, fx)
    this.deliveries.answer(
      delivery,
      'refused',
      new Uint8Array(0),
      `the answer of ${content.length} bytes is longer than ${maxPayloadBytes}`,
      now,
      fx,
    )
  }

  /** The message of a `dolr:message` event was not handled and will not be: its sender asks another host. */
  decline(delivery: number, reason: string, fx: AppEffects): void {
    this.deliveries.decline(delivery, reason, fx)
  }

  /** Whether this node hosts `guid`. */
  hosts(guid: Guid): boolean {
    return this.publications.get(guid) !== undefined
  }

  /** The objects this node hosts. */
  hosted(): Guid[] {
    return this.publications.all().map(({ guid }) => guid)
  }

  stats(): DolrStats {
    return {
      publications: this.publications.size,
      pointers: this.parts.pointers.size,
      commands: this.commands.size,
      deliveries: this.deliveries.size,
      inFlight: this.errands.open,
      verifications: this.parts.notary.open,
      moved: this.moves.moved,
      displaced: this.parts.pointers.displaced,
      dropped: this.suspects.dropped,
      forged: this.parts.notary.forged,
      garbage: this.garbage,
      overloads: this.overloads + this.parts.notary.refused + this.deliveries.refused,
    }
  }

  /** The hosts this node has live pointers to. For tests and the simulator. */
  pointersTo(guid: Guid, now: Millis, fx: AppEffects): NodeRef[] {
    return this.parts.pointers.live(guid, now, fx).map(({ record }) => record.host)
  }

  /** Whether a message to `guid` has passed here since then, on its way to a host of a holder's choice. For tests and the simulator. */
  hasPassed(guid: Guid, since: Millis): boolean {
    return this.redirecting.hasPassed(guid, since)
  }

  /** Throws when this node's state contradicts itself. For tests and the simulator. */
  assertInvariants(): void {
    this.parts.pointers.assertInvariants()
  }

  // --- Inputs -----------------------------------------------------------------------------------------------------------

  onStart(_now: Millis, fx: AppEffects): void {
    this.self = fx.self
    this.sweepLater(fx)
  }

  forward(message: RoutedMessage, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const call = this.read(message.previousHop, message.payload, fx)
    switch (call?.type) {
      case 'publish':
        return this.keeper.onPassing(message, call, nextHop, now, fx)
      case 'locate':
        return this.locating.onPassing(message, call, nextHop, now, fx)
      case 'send':
        return this.onSendPassing(message, call, nextHop, now, fx)
      default:
        return { action: 'reject', reason: call === undefined ? 'the message could not be read' : `${call.type} is not routed` }
    }
  }

  deliver(message: RoutedMessage, now: Millis, fx: AppEffects): void {
    const call = this.read(message.previousHop, message.payload, fx)
    if (call?.type === 'publish') this.keeper.onDelivered(message, call, now, fx)
    else if (call?.type === 'locate') this.locating.onDelivered(message, call, now, fx)
    else if (call?.type === 'send') this.redirecting.onDelivered(message, fx)
  }

  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const call = this.read(from, payload, fx)
    switch (call?.type) {
      case 'deliver':
        return this.onMessage(from, call, reply, now, fx)
      case 'ping': {
        const hosts = this.publications.get(call.guid) !== undefined
        return respond(reply, { type: 'pong', hosts, state: this.deliveries.stateOf(call.guid, call.id, from.id) }, fx)
      }
      case 'trace': {
        const isHere = this.deliveries.stateOf(call.guid, call.id, from.id) !== 'unknown'
        const traced = { type: 'traced', state: 'here', to: [] } as const
        return respond(reply, isHere ? traced : this.redirecting.trace(call.guid, call.id, call.attempt, now), fx)
      }
      case 'copy':
        for (const record of call.records) this.keeper.onCopy(from, record, call.distanceMs, now, fx)
        return respond(reply, { type: 'kept' }, fx)
      case 'recheck':
        respond(reply, { type: 'kept' }, fx)
        return this.keeper.ways.onRecheck(from, call, now, fx)
      case 'release':
        return this.keeper.ways.onRelease(from, call, fx)
      case 'moved':
        return this.suspects.onMoved(from, call.guid, fx)
      default:
        fx.refuse(reply, call === undefined ? 'the message could not be read' : `${call.type} is not for one node`)
    }
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    this.errands.onReply(requestId, reply, now, fx)
  }

  onAnswer(token: number, answer: Answer, now: Millis, fx: AppEffects): void {
    this.errands.onAnswer(token, answer, now, fx)
  }

  onTimer(kind: string, arg: number, now: Millis, fx: AppEffects): void {
    switch (kind) {
      case 'alarm':
        return this.errands.onTimer(arg, now, fx)
      case 'republish':
        return this.leaving ? undefined : this.publications.onTimer(arg, now, fx)
      case 'sweep':
        this.parts.pointers.sweep(now)
        return this.sweepLater(fx)
    }
  }

  update(_node: NodeRef, _joined: boolean, _now: Millis, fx: AppEffects): void {
    this.moves.onRoutesChanged(fx)
  }

  routesChanged(_now: Millis, fx: AppEffects): void {
    this.moves.onRoutesChanged(fx)
  }

  /** What this node hosts is withdrawn, and what it is the root of goes to the next root. */
  onLeave(now: Millis, fx: AppEffects): void {
    this.leaving = true
    const hosted = this.publications.all()
    let open = 1 + hosted.length * this.config.roots
    const oneLess = (effects: AppEffects): void => {
      if (--open === 0) effects.handedOver()
    }
    this.moves.handOver(now, fx, (_, __, effects) => oneLess(effects))
    for (const { guid } of hosted) {
      this.publications.delete(guid)
      const onSigned = (problem: string | undefined, effects: AppEffects): void => {
        if (problem !== undefined) for (let i = 0; i < this.config.roots; i++) oneLess(effects)
      }
      this.publications.announce(guid, true, this.config.attemptMs, now, fx, onSigned, (_, __, ___, effects) => oneLess(effects))
    }
  }

  // --- Details ----------------------------------------------------------------------------------------------------------

  private onMessage(
    from: NodeRef,
    call: DolrMessage & { readonly type: 'deliver' },
    reply: ReplyHandle,
    now: Millis,
    fx: AppEffects,
  ): void {
    const publication = this.publications.get(call.guid)
    if (publication === undefined) respond(reply, declined('not hosted', `${shortGuid(call.guid)} is not hosted here`), fx)
    else if (!publication.answers)
      respond(reply, declined('nobody answers', 'the object is hosted here, but nobody answers messages to it'), fx)
    else this.deliveries.take(call, from.id, from.id, reply, now, fx)
  }

  /** A message that was sent on here as to a host, or is on its way to somebody who knows one. */
  private onSendPassing(
    message: RoutedMessage,
    call: SendCall,
    nextHop: NodeRef | undefined,
    now: Millis,
    fx: AppEffects,
  ): ForwardDecision {
    if (call.salt >= maxRoots || rootKey(call.guid, call.salt) !== message.key)
      return { action: 'reject', reason: 'the key is not that of the salt' }
    if (this.redirecting.isTakenBack(call)) return { action: 'reject', reason: 'the sender has taken it back' }
    if (this.publications.get(call.guid)?.answers === true && !this.leaving) {
      this.deliveries.take(call, undefined, message.previousHop.id, message.reply, now, fx)
      return { action: 'stop' }
    }
    if (this.parts.pointers.get(call.guid, fx.self.id)?.record.withdrawn === true) this.redirecting.deny(call.guid, message.previousHop, fx)
    return this.redirecting.onPassing(message, call, nextHop, now, fx)
  }

  /** Ends at once with `problem`, if there is one. */
  private begin(
    request: DolrRequest,
    create: (init: CommandInit) => Command,
    now: Millis,
    fx: AppEffects,
    problem?: Parameters<Command['fail']>[0],
  ): number {
    const { guid, timeoutMs = this.config.commandMs } = request
    if (!isGuid(guid, 256)) throw new InvalidValueError('guid', guid, '64 lower-case hex characters')
    requireWhole('timeoutMs', timeoutMs, 1, Number.MAX_SAFE_INTEGER)
    const id = this.nextCommand++
    const error = this.obstacle(fx) ?? problem
    if (error !== undefined) {
      emit(fx, { type: 'dolr:done', command: id, outcome: { ok: false, error } })
      return id
    }
    const command = create({ id, guid, timeoutMs, onEnd: () => this.commands.delete(id) })
    this.commands.set(id, command)
    command.begin(now, fx)
    return id
  }

  private obstacle(fx: AppEffects): NotReadyError | ReturnType<typeof overloaded> | undefined {
    if (this.leaving) return new NotReadyError('this node is leaving')
    if (!fx.ready) return new NotReadyError('this node is not a member of its overlay yet')
    if (this.commands.size < this.config.maxCommands) return undefined
    this.overloads++
    return overloaded(`${this.commands.size} commands are under way`)
  }

  private sweepLater(fx: AppEffects): void {
    fx.startTimer('sweep', 0, this.parts.prng.jitter(this.config.sweepMs, 0.2))
  }

  private read(from: NodeRef, payload: Uint8Array, fx: AppEffects): DolrMessage | undefined {
    try {
      return decodeMessage(payload, fx.readRef)
    } catch (error) {
      this.onGarbage(sameNode(from, fx.self) ? undefined : from, error instanceof Error ? error.message : String(error), fx)
      return undefined
    }
  }

  private onGarbage(from: NodeRef | undefined, reason: string, fx: AppEffects): void {
    this.garbage++
    emit(fx, { type: 'dolr:garbage', from, reason })
  }
}

function requireWhole(field: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw new InvalidValueError(field, value, `a whole number from ${min} to ${max}`)
}
