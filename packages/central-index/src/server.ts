import type { Guid } from '@plaxton/guid'
import type { AppEffects, Application, ForwardDecision, Millis, NodeRef, Reply, ReplyHandle, RoutedMessage } from '@plaxton/kbr'
import { Allowances } from './allowances.ts'
import { Catalogue } from './catalogue.ts'
import type { ClientRecord } from './catalogue.ts'
import { serverConfig } from './config.ts'
import type { ServerConfig } from './config.ts'
import { Errands } from './errands.ts'
import { emit } from './events.ts'
import { decodeCall, encodeAnswer, maxFound, maxHosts, maxServers, maxVersionAhead } from './messages.ts'
import type { CallOf, IndexAnswer, IndexCall, IndexedHost, Update } from './messages.ts'
import { Replication } from './replication.ts'
import { isName } from './words.ts'

/** What a server can say of itself at any moment. */
export interface ServerStats {
  /** Clients in the index, and those of them registered with this server. */
  readonly clients: number
  readonly ownClients: number
  readonly listings: number
  readonly objects: number
  /** Other servers that know all that this one does. */
  readonly inStep: number
  /** Calls answered so far, by kind. */
  readonly searches: number
  readonly finds: number
  readonly registrations: number
  readonly feeds: number
  /** Registrations, and lists of other servers' clients, turned away because there was no room. */
  readonly full: number
  /** Calls turned away because their sender asked too much. */
  readonly throttled: number
  /** What other servers told and may not tell: of clients of this server, or of a third one that is there. */
  readonly foreign: number
  /** Messages that were none, or from somebody who may not send them. */
  readonly garbage: number
}

/**
 * One index server of a network: keeps the lists of the clients that have registered with it, and those of the other servers' clients as these tell them, and
 * answers who has what. All of it is soft state: a client that does not refresh its registration is dropped, a server that starts anew is told by the others
 * and by its clients. Runs on a `star({ hub: true })` that knows the other servers.
 */
export class IndexServer implements Application {
  readonly name = 'central-index'
  readonly config: ServerConfig
  private readonly catalogue: Catalogue
  private readonly errands = new Errands()
  private readonly replication: Replication
  private readonly allowances: Allowances
  private counts = { searches: 0, finds: 0, registrations: 0, feeds: 0, full: 0, throttled: 0, garbage: 0 }

  /** Throws `InvalidValueError` for a value out of its range. */
  constructor(config: Partial<ServerConfig> = {}) {
    this.config = serverConfig(config)
    this.catalogue = new Catalogue(this.config)
    this.allowances = new Allowances(this.config)
    this.replication = new Replication(this.config, this.catalogue, this.errands)
  }

  stats(self: Guid): ServerStats {
    const { clientCount, listings, objects } = this.catalogue
    const ownClients = [...this.catalogue.all()].filter(({ home }) => home === self).length
    return {
      clients: clientCount,
      ownClients,
      listings,
      objects,
      inStep: this.replication.inStep,
      ...this.counts,
      full: this.counts.full + this.replication.full,
      foreign: this.replication.foreign,
    }
  }

  /** What the index holds, for tests and the curious: change nothing. */
  get index(): Pick<Catalogue, 'client' | 'search' | 'hostsOf' | 'assertInvariants'> {
    return this.catalogue
  }

  onStart(now: Millis, fx: AppEffects): void {
    this.replication.start(now)
    this.beatLater(fx)
  }

  update(node: NodeRef, joined: boolean, now: Millis, fx: AppEffects): void {
    if (joined) this.replication.add(node, now, fx)
  }

  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    if (!this.isServer(from, fx) && !this.allowances.take(from.id, 1, now)) return this.turnAway(reply, fx)
    const call = this.read(from, payload, fx)
    switch (call?.type) {
      case 'hello':
        return respond(reply, { type: 'welcome', clients: this.catalogue.clientCount }, fx)
      case 'register':
        return this.onRegister(from, call, reply, now, fx)
      case 'farewell':
        return this.onFarewell(from, reply, now, fx)
      case 'search':
        if (!this.allowances.take(from.id, searchWeight, now)) return this.turnAway(reply, fx)
        this.counts.searches++
        return respond(reply, { type: 'found', files: this.catalogue.search(call.words, Math.min(call.max, maxFound)) }, fx)
      case 'find':
        this.counts.finds++
        return respond(reply, { type: 'hosts', hosts: this.hostsFor(from, call) }, fx)
      case 'feed':
        return this.onFeed(from, call, reply, now, fx)
      default:
        if (call !== undefined) this.onGarbage(from, `${call.type} is not for a server`, fx)
        fx.refuse(reply, 'this is an index server, which does not answer that')
    }
  }

  onReply(requestId: number, reply: Reply, now: Millis, fx: AppEffects): void {
    this.errands.onReply(requestId, reply, now, fx)
  }

  onTimer(kind: string, arg: number, now: Millis, fx: AppEffects): void {
    if (kind === 'alarm') return this.errands.onTimer(arg, now, fx)
    this.expire(now, fx)
    this.replication.beat(now, fx)
    this.beatLater(fx)
  }

  /** The other servers have all there is, or will hear it from the clients. */
  onLeave(_now: Millis, fx: AppEffects): void {
    fx.handedOver()
  }

  deliver({ reply }: RoutedMessage, _now: Millis, fx: AppEffects): void {
    fx.refuse(reply, 'nothing is routed in a central index')
  }

  forward(): ForwardDecision {
    return { action: 'continue' }
  }

  onAnswer(): void {}

  /** A client tells its list, what has changed in it, or that it is still there. */
  private onRegister(from: NodeRef, call: CallOf<'register'>, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    this.counts.registrations++
    const known = this.catalogue.client(from.id)
    const version = known?.version ?? 0
    if (!call.reset && call.from === call.to) {
      const isCurrent = known !== undefined && isAtHome(known, fx) && isSamePlace(known.node, from)
      if (isCurrent) known.heardAt = now
      return respond(reply, { type: 'registered', version: isCurrent ? version : 0 }, fx)
    }
    const problem = problemOf(call, now)
    if (problem !== undefined) {
      this.onGarbage(from, problem, fx)
      return fx.refuse(reply, problem)
    }
    if (!call.reset && known !== undefined && !isAtHome(known, fx)) return respond(reply, { type: 'registered', version: 0 }, fx)
    const { from: before, to, reset, listed, withdrawn, distances } = call
    if (!this.allowances.take(from.id, (listed.length + withdrawn.length) / listingsForOne, now)) return this.turnAway(reply, fx)
    const update: Update = { node: from, home: fx.self.id, from: before, to, reset, gone: false, listed, withdrawn, distances }
    const applied = this.catalogue.apply(update, now)
    if (applied === 'full') {
      this.counts.full++
      return fx.refuse(reply, 'this server has no room for the list')
    }
    if (applied !== 'applied') return respond(reply, { type: 'registered', version }, fx)
    this.replication.append(update, now, fx, (effects) => respond(reply, { type: 'registered', version: to }, effects))
  }

  private hostsFor({ id }: NodeRef, { guid, max, excluded }: CallOf<'find'>): IndexedHost[] {
    return this.catalogue.hostsOf(guid, Math.min(max, maxHosts), id, excluded)
  }

  private onFarewell(from: NodeRef, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    const known = this.catalogue.client(from.id)
    const done = (effects: AppEffects): void => respond(reply, { type: 'registered', version: 0 }, effects)
    if (known === undefined) return done(fx)
    this.takeOff(known, false, now, fx, done)
  }

  private onFeed(from: NodeRef, call: CallOf<'feed'>, reply: ReplyHandle, now: Millis, fx: AppEffects): void {
    if (!this.isServer(from, fx)) {
      this.onGarbage(from, 'a feed from a node that is no server', fx)
      return fx.refuse(reply, 'only servers may send that')
    }
    this.counts.feeds++
    respond(reply, this.replication.onFeed(from, call, now, fx), fx)
  }

  /** Takes off the clients that have not refreshed their registration, and those of a server that has been silent for as long. */
  private expire(now: Millis, fx: AppEffects): void {
    const { leaseMs } = this.config
    this.allowances.sweep(now)
    for (const server of fx.neighborSet(maxServers)) {
      const heardAt = this.replication.heardAt(server.id)
      if (heardAt !== undefined && heardAt + leaseMs <= now) this.replication.forget(server.id)
    }
    for (const record of [...this.catalogue.all()]) {
      const isOwn = isAtHome(record, fx)
      const signOfLife = isOwn ? record.heardAt : Math.max(record.heardAt, this.replication.heardAt(record.home) ?? 0)
      if (signOfLife + leaseMs > now) continue
      if (isOwn) this.takeOff(record, true, now, fx, () => {})
      else this.catalogue.remove(record.node.id)
    }
  }

  private takeOff(record: ClientRecord, expired: boolean, now: Millis, fx: AppEffects, then: (fx: AppEffects) => void): void {
    const { node, version, listings } = record
    emit(fx, { type: 'central-index:client-gone', client: node, listings: listings.size, expired })
    this.catalogue.remove(node.id)
    const home = fx.self.id
    const update: Update = { node, home, from: version, to: version, reset: false, gone: true, listed: [], withdrawn: [], distances: [] }
    this.replication.append(update, now, fx, then)
  }

  private isServer({ id }: NodeRef, fx: AppEffects): boolean {
    return fx.neighborSet(maxServers).some((server) => server.id === id)
  }

  private turnAway(reply: ReplyHandle, fx: AppEffects): void {
    this.counts.throttled++
    fx.refuse(reply, 'this client asks more than the server has time for: later')
  }

  private beatLater(fx: AppEffects): void {
    fx.startTimer('beat', 0, this.config.heartbeatMs)
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
    this.counts.garbage++
    emit(fx, { type: 'central-index:garbage', from, reason })
  }
}

/** What a search weighs besides: one that looks at `scanMax` listings takes as long as a hundred other calls, most take as long as one. Our guess. */
const searchWeight = 9

/** Listings of a list that weigh as much as a call. */
const listingsForOne = 10

/** What makes a list one that is not taken, whoever sends it. */
function problemOf({ listed, to }: CallOf<'register'>, now: Millis): string | undefined {
  if (!listed.every(({ name }) => isName(name))) return 'the list has a name that is none'
  return to > now + maxVersionAhead ? 'the list has a version of another day: are the clocks right?' : undefined
}

function isAtHome({ home }: ClientRecord, fx: AppEffects): boolean {
  return home === fx.self.id
}

/** A client that is reached elsewhere now is told to register anew, which tells the other servers too. */
function isSamePlace(a: NodeRef, b: NodeRef): boolean {
  return a.address === b.address && a.epoch === b.epoch
}

function respond(reply: ReplyHandle, answer: IndexAnswer, fx: AppEffects): void {
  fx.reply(reply, encodeAnswer(answer))
}
