import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, RouteFailure } from '@plaxton/kbr'
import type { ClientConfig } from './config.ts'
import type { Errands, Then } from './errands.ts'
import { emit } from './events.ts'
import { maxVersionAhead } from './messages.ts'
import type { CallOf, Listing } from './messages.ts'
import type { ServerAnswer, Servers } from './servers.ts'

/**
 * What this client offers, and the telling of it: step (5) of Napster's protocol.
 *
 * One server is its home, the nearest one that answers. It is told the whole list first, then each change, and every `refreshMs` that the client is still there.
 * Changes made while the server is being told something are told together afterwards. When the server does not answer, or does not know the list any more, the
 * next nearest is told everything.
 */
export class Registration {
  private readonly config: ClientConfig
  private readonly errands: Errands
  private readonly servers: Servers
  /** Bound: `listingsMax`; full: the command that would add one fails. */
  private readonly listings = new Map<Guid, Listing>()
  /** Listings that changed since the server was last told; what is no longer in {@link listings} has been withdrawn. */
  private changed = new Set<Guid>()
  private home: NodeRef | undefined = undefined
  /** Whether {@link home} has the list of this version. */
  private known = false
  /** Of the list as the server was last told it. Begins with the time, so that it grows over restarts. */
  private version = 0
  /** Changes made so far, and how many of them a server has acknowledged. */
  private changes = 0
  private waiters: Array<{ readonly changes: number; readonly then: OnListed }> = []
  private telling = false
  /** Servers that were greeted and have neither answered nor had their time. */
  private greeted = 0
  private alarm = 0
  private failures = 0
  /** Answers in a row that named another version than was told. */
  private mismatches = 0
  private ended = false

  constructor(config: ClientConfig, errands: Errands, servers: Servers) {
    this.config = config
    this.errands = errands
    this.servers = servers
  }

  /** The server that has the list; undefined while none is known to have it. */
  get server(): NodeRef | undefined {
    return this.known ? this.home : undefined
  }

  get size(): number {
    return this.listings.size
  }

  /** Whether these can be offered too. */
  hasRoomFor(guids: readonly Guid[]): boolean {
    const added = new Set(guids.filter((guid) => !this.listings.has(guid))).size
    return this.listings.size + added <= this.config.listingsMax
  }

  get(guid: Guid): Listing | undefined {
    return this.listings.get(guid)
  }

  all(): Listing[] {
    return [...this.listings.values()]
  }

  start(now: Millis): void {
    this.version = now
  }

  /** A server is known now: measures the way to it, and once all have answered or had their time, registers with the nearest. */
  onServer(server: NodeRef, fx: AppEffects): void {
    this.greeted++
    this.servers.ask(server, { type: 'hello' }, this.config.checkMs, fx, (_, time, effects) => {
      this.greeted--
      if (this.greeted === 0 && this.home === undefined) this.tell(time, effects)
    })
    if (this.alarm === 0) this.tellLater(this.config.checkMs, fx)
  }

  /** Offers these from now on, or otherwise than before. `then` runs once a server has acknowledged it, or has no room for it. */
  list(listings: readonly Listing[], now: Millis, fx: AppEffects, then: OnListed): void {
    const news = listings.filter((listing) => !isSame(listing, this.listings.get(listing.guid)))
    for (const listing of news) this.listings.set(listing.guid, listing)
    this.change(
      news.map(({ guid }) => guid),
      now,
      fx,
      then,
    )
  }

  withdraw(guids: readonly Guid[], now: Millis, fx: AppEffects, then: OnListed): void {
    for (const guid of guids) this.listings.delete(guid)
    this.change(guids, now, fx, then)
  }

  /** Takes leave of the server. */
  end(fx: AppEffects, then: Then<void>): void {
    this.ended = true
    if (this.home === undefined) return then(undefined, 0, fx)
    this.servers.ask(this.home, { type: 'farewell' }, this.config.serverMs, fx, (_, now, effects) => then(undefined, now, effects))
  }

  private change(guids: readonly Guid[], now: Millis, fx: AppEffects, then: OnListed): void {
    for (const guid of guids) this.changed.add(guid)
    this.changes++
    this.waiters.push({ changes: this.changes, then })
    // Not before the servers were measured or have had their time.
    if (this.home !== undefined) this.tell(now, fx)
  }

  /** Tells the home server what it does not know; nothing new: that this client is still there. */
  private tell(now: Millis, fx: AppEffects): void {
    if (this.telling || this.ended) return
    this.home ??= this.servers.inOrder(now, fx)[0]
    if (this.home === undefined) return this.tellLater(this.config.retryMs, fx)
    this.telling = true
    const { home, changes } = this
    const call = this.nextCall(fx)
    this.changed = new Set()
    this.servers.ask(home, call, this.config.serverMs, fx, (answered, time, effects) => {
      this.telling = false
      this.onTold(home, call, changes, answered, time, effects)
    })
  }

  private nextCall(fx: AppEffects): CallOf<'register'> {
    const isNews = !this.known || this.changed.size > 0
    const from = this.version
    if (isNews) this.version++
    const guids = this.known ? [...this.changed] : [...this.listings.keys()]
    return {
      type: 'register',
      from,
      to: this.version,
      reset: !this.known,
      listed: guids.flatMap((guid) => this.listings.get(guid) ?? []),
      withdrawn: guids.filter((guid) => !this.listings.has(guid)),
      distances: this.servers.distances(fx),
    }
  }

  private onTold(home: NodeRef, call: CallOf<'register'>, changes: number, answered: ServerAnswer, now: Millis, fx: AppEffects): void {
    if (this.ended) return
    if (!answered.ok && answered.failure.reason === 'rejected by application' && !call.reset && call.listed.length > 0)
      return this.takeBack(call, changes, answered.failure, now, fx)
    if (!answered.ok || answered.answer.type !== 'registered') return this.loseHome(home, answered, now, fx)
    const { version } = answered.answer
    if (version !== call.to) {
      this.mismatches++
      if (version > now + maxVersionAhead || this.mismatches > mismatchesMax) return this.loseHome(home, answered, now, fx)
      // It has forgotten the list, has one of a later version from before our clock was set back, or has not got a change.
      this.known = false
      this.version = Math.max(this.version, version)
      return this.tell(now, fx)
    }
    if (!this.known) emit(fx, { type: 'central-index:home', server: home, listings: this.listings.size })
    this.known = true
    this.failures = 0
    this.mismatches = 0
    this.settle(changes, fx, undefined)
    if (this.changed.size > 0 || this.waiters.length > 0) this.tell(now, fx)
    else this.tellLater(this.config.refreshMs, fx)
  }

  private loseHome(home: NodeRef, answered: ServerAnswer, now: Millis, fx: AppEffects): void {
    const reason = answered.ok ? 'it answers with something else' : answered.failure.detail
    emit(fx, { type: 'central-index:home-lost', server: home, reason })
    const others = this.servers.inOrder(now, fx).filter(({ id }) => id !== home.id)
    this.known = false
    this.home = others[0] ?? home
    this.failures++
    this.mismatches = 0
    // All have been tried in turn: a pause before they are again.
    if (this.failures > others.length) this.tellLater(this.config.retryMs * 2 ** Math.min(this.failures - others.length, 4), fx)
    else this.tell(now, fx)
  }

  /** The server has no room for what was added. The others have no more, for they hold the same; what was offered before stays. */
  private takeBack(call: CallOf<'register'>, changes: number, failure: RouteFailure, now: Millis, fx: AppEffects): void {
    this.version = call.from
    for (const { guid } of call.listed) this.listings.delete(guid)
    for (const guid of [...call.listed.map((listing) => listing.guid), ...call.withdrawn]) this.changed.add(guid)
    this.settle(changes, fx, failure)
    this.tell(now, fx)
  }

  private settle(changes: number, fx: AppEffects, failure: RouteFailure | undefined): void {
    const settled = this.waiters.filter((waiter) => waiter.changes <= changes)
    this.waiters = this.waiters.filter((waiter) => waiter.changes > changes)
    for (const { then } of settled) then(fx, failure)
  }

  private tellLater(delayMs: Millis, fx: AppEffects): void {
    this.errands.forget(this.alarm)
    this.alarm = this.errands.later(delayMs, fx, (_, now, effects) => this.tell(now, effects))
  }
}

/** One when a server has forgotten the list, one when it then has a later version; a server that goes on like that is left. */
const mismatchesMax = 3

/** The change is known to a server, or was refused by it for this reason. */
export type OnListed = (fx: AppEffects, failure: RouteFailure | undefined) => void

function isSame(a: Listing, b: Listing | undefined): boolean {
  return a.name === b?.name && a.size === b.size && a.answers === b.answers
}
