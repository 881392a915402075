import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { Catalogue, ClientRecord } from './catalogue.ts'
import type { ServerConfig } from './config.ts'
import type { Answered, Errands } from './errands.ts'
import { emit } from './events.ts'
import { UpdateLog } from './log.ts'
import { maxListings, maxUpdates, maxVersionAhead } from './messages.ts'
import type { CallOf, AnswerOf, Update } from './messages.ts'

/**
 * How the servers of one network tell each other their clients' lists.
 *
 * Each server keeps a log of the changes that its own clients made, and sends every other server what that one has not acknowledged, one message at a
 * time; an empty one every `heartbeatMs` when there is nothing new. A server that has acknowledged all is *in step*. What the log no longer holds, and what a
 * server that starts anew has never seen, is told as a snapshot of all that is known here, the clients of servers that are down included.
 *
 *     one server                                  another
 *       feed: log, 17 to 18, [update] ──────────►  applies it
 *       ◄────────────────────── fed: 18            in step: the client is told that its change is known
 *       feed: log, 18 to 18, [] ────────────────►  has restarted and knows nothing of this log
 *       ◄────────────────────── fed: none
 *       feed: first … last of a snapshot, 18 ───►  has caught up
 *
 * No update is lost or applied twice by this, because each names the version it leads to; see `Catalogue.apply`. Replicas lag behind by a message, or as long as
 * a server does not answer.
 */
export class Replication {
  private readonly config: ServerConfig
  private readonly catalogue: Catalogue
  private readonly errands: Errands
  private readonly log: UpdateLog
  /** The other servers, whom this one tells. At most `maxServers` minus one. */
  private readonly followers = new Map<Guid, Follower>()
  /** Those whose logs are known here. As many at most. */
  private readonly origins = new Map<Guid, Origin>()
  /** What waits until the servers in step have acknowledged a position. Bound: `waitersMax`; full: does not wait. */
  private waiters: Waiter[] = []
  private incarnation = 0
  /** Updates of other servers that were not taken, because there was no room. */
  full = 0
  /** Updates that the server that sent them may not send. */
  foreign = 0

  constructor(config: ServerConfig, catalogue: Catalogue, errands: Errands) {
    this.config = config
    this.catalogue = catalogue
    this.errands = errands
    this.log = new UpdateLog(config.logMax)
  }

  start(now: Millis): void {
    this.incarnation = now + 1
  }

  /** There is another server. */
  add(server: NodeRef, now: Millis, fx: AppEffects): void {
    if (this.followers.has(server.id)) return
    const follower: Follower = { server, position: undefined, snapshot: undefined, inStep: false, asking: false }
    this.followers.set(server.id, follower)
    this.push(follower, now, fx)
  }

  /** Servers that know all that this one does. */
  get inStep(): number {
    return [...this.followers.values()].filter((follower) => follower.inStep).length
  }

  /** When the server was last heard of; undefined: not since it was last given up. */
  heardAt(server: Guid): Millis | undefined {
    return this.origins.get(server)?.heardAt
  }

  /** A change that a client made here. `then` runs when all servers in step know it. */
  append(update: Update, now: Millis, fx: AppEffects, then: (fx: AppEffects) => void): void {
    this.log.append(update)
    for (const follower of this.followers.values()) this.push(follower, now, fx)
    if (this.waiters.length >= this.config.waitersMax) return then(fx)
    this.waiters.push({ position: this.log.end, then })
    this.settle(fx)
  }

  /** A sign of life for all, and a try for those that do not answer. */
  beat(now: Millis, fx: AppEffects): void {
    for (const follower of this.followers.values()) this.push(follower, now, fx)
  }

  /** Another server tells of its clients. */
  onFeed(from: NodeRef, feed: CallOf<'feed'>, now: Millis, fx: AppEffects): AnswerOf<'fed'> {
    const { incarnation, begin, end, part, updates } = feed
    let origin = this.origins.get(from.id)
    if (part === 'first' || part === 'whole') {
      origin = { incarnation: 0, position: 0, heardAt: now, unseen: this.clientsOf(from.id) }
      this.origins.set(from.id, origin)
    }
    if (origin === undefined) return { type: 'fed', incarnation: 0, position: 0 }
    origin.heardAt = now
    if (part === 'log') {
      if (origin.incarnation !== incarnation || origin.position < begin) return fed(origin)
      for (const update of updates) this.apply(from, update, now, fx)
      origin.position = Math.max(origin.position, end)
      return fed(origin)
    }
    for (const update of updates) {
      this.apply(from, update, now, fx)
      origin.unseen?.delete(update.node.id)
    }
    if (part === 'last' || part === 'whole') this.conclude(from.id, origin, incarnation, end)
    return fed(origin)
  }

  /** The server is lost: what is known of its log is forgotten, so that it begins with a snapshot when it comes back. */
  forget(server: Guid): void {
    this.origins.delete(server)
  }

  private apply(from: NodeRef, update: Update, now: Millis, fx: AppEffects): void {
    if (!this.mayTell(from.id, update, now, fx)) this.foreign++
    else if (this.catalogue.apply(update, now) === 'full') this.full++
  }

  /**
   * A server speaks for its own clients, and for those of a server that is not heard of here. That a client has come over to it is believed; it is put right when
   * the client next says that it is still at home. No version may be one that the client itself could not get beyond.
   */
  private mayTell(server: Guid, { home, to }: Update, now: Millis, fx: AppEffects): boolean {
    const isLost = home !== fx.self.id && this.heardAt(home) === undefined
    return (home === server || isLost) && to <= now + maxVersionAhead
  }

  /** A snapshot is complete: what the server does not have any more has gone meanwhile. */
  private conclude(server: Guid, origin: Origin, incarnation: number, position: number): void {
    for (const id of origin.unseen ?? []) if (this.catalogue.client(id)?.home === server) this.catalogue.remove(id)
    origin.unseen = undefined
    origin.incarnation = incarnation
    origin.position = position
  }

  private clientsOf(server: Guid): Set<Guid> {
    return new Set([...this.catalogue.all()].filter(({ home }) => home === server).map(({ node }) => node.id))
  }

  /** Sends what the follower does not know yet, unless it is being told something already. */
  private push(follower: Follower, now: Millis, fx: AppEffects): void {
    if (follower.asking) return
    follower.asking = true
    // Away for longer than the log reaches back.
    if (follower.position !== undefined && follower.position < this.log.begin) follower.position = undefined
    const feed = follower.position === undefined ? this.nextOfSnapshot(follower) : this.nextOfLog(follower.position)
    this.errands.request(follower.server, feed, this.config.feedMs, fx, (answered, time, effects) => {
      follower.asking = false
      this.onFed(follower, feed, answered, time, effects)
      this.settle(effects)
    })
  }

  private onFed(follower: Follower, feed: CallOf<'feed'>, answered: Answered, now: Millis, fx: AppEffects): void {
    if (!answered.ok || answered.answer.type !== 'fed') {
      this.fallBehind(follower, answered.ok ? 'it answers with something else' : answered.failure.detail, fx)
      follower.snapshot = undefined
      return
    }
    const { incarnation, position } = answered.answer
    if (feed.part === 'first' || feed.part === 'middle') return this.push(follower, now, fx)
    if (incarnation !== this.incarnation || position > this.log.end) {
      // It has restarted, or has given this server up.
      follower.position = undefined
      follower.snapshot = undefined
      this.fallBehind(follower, 'it knows nothing of this server', fx)
      return this.push(follower, now, fx)
    }
    follower.position = position
    if (position < this.log.end) return this.push(follower, now, fx)
    if (!follower.inStep) emit(fx, { type: 'central-index:in-step', server: follower.server })
    follower.inStep = true
  }

  private fallBehind(follower: Follower, reason: string, fx: AppEffects): void {
    if (follower.inStep)
      emit(fx, { type: 'central-index:behind', server: follower.server, reason: `${shortGuid(follower.server.id)}: ${reason}` })
    follower.inStep = false
  }

  private nextOfLog(position: number): CallOf<'feed'> {
    const updates = fitting(this.log.from(position), (update) => update.listed.length + update.withdrawn.length)
    return { type: 'feed', incarnation: this.incarnation, begin: position, end: position + updates.length, part: 'log', updates }
  }

  private nextOfSnapshot(follower: Follower): CallOf<'feed'> {
    const isFirst = follower.snapshot === undefined
    const snapshot = (follower.snapshot ??= { left: [...this.catalogue.all()].map(({ node }) => node.id), position: this.log.end })
    const records = snapshot.left.flatMap((id) => this.catalogue.client(id) ?? [])
    const next = fitting(records, ({ listings }) => listings.size)
    snapshot.left = records.slice(next.length).map(({ node }) => node.id)
    const isLast = snapshot.left.length === 0
    const part = isFirst ? (isLast ? 'whole' : 'first') : isLast ? 'last' : 'middle'
    if (isLast) follower.snapshot = undefined
    if (isLast) follower.position = snapshot.position
    return { type: 'feed', incarnation: this.incarnation, begin: 0, end: snapshot.position, part, updates: next.map(wholeList) }
  }

  /** Ends the waiting of those whom all servers in step know. */
  private settle(fx: AppEffects): void {
    let known = this.log.end
    for (const { inStep, position } of this.followers.values()) if (inStep) known = Math.min(known, position ?? 0)
    while (this.waiters.length > 0 && this.waiters[0]!.position <= known) this.waiters.shift()!.then(fx)
  }
}

/** Another server, as the one that tells it sees it. */
interface Follower {
  readonly server: NodeRef
  /** What it has acknowledged of the log; undefined: it is to be told everything. */
  position: number | undefined
  /** While it is told everything: the clients left, and where the log was when that began. */
  snapshot: { left: Guid[]; readonly position: number } | undefined
  inStep: boolean
  /** Something is on its way to it. */
  asking: boolean
}

/** Another server, as the one that is told sees it. */
interface Origin {
  /** Of the log that is known up to `position`; 0: none. */
  incarnation: number
  position: number
  heardAt: Millis
  /** While a snapshot comes in: its clients that have not been in it yet. */
  unseen: Set<Guid> | undefined
}

interface Waiter {
  readonly position: number
  readonly then: (fx: AppEffects) => void
}

function fed({ incarnation, position }: Origin): AnswerOf<'fed'> {
  return { type: 'fed', incarnation, position }
}

function wholeList({ node, home, version, listings, distances }: ClientRecord): Update {
  const listed = [...listings.values()]
  return { node, home, from: 0, to: version, reset: true, gone: false, listed, withdrawn: [], distances }
}

/** What a reference and the other fields of an update weigh, in listings of 300 bytes. */
const updateWeight = 5

/** The first of these that fit into one message, at least one. */
function fitting<T>(items: readonly T[], listingsIn: (item: T) => number): T[] {
  let weight = 0
  const first: T[] = []
  for (const item of items) {
    weight += listingsIn(item) + updateWeight
    if (first.length > 0 && (weight > maxListings || first.length === maxUpdates)) break
    first.push(item)
  }
  return first
}
