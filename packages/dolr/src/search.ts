import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import type { AppEffects, Millis, RouteFailure, RouteOptions } from '@plaxton/kbr'
import { Command, routeError } from './command.ts'
import type { CommandInit } from './command.ts'
import type { Answered } from './errands.ts'
import type { Candidate, DolrCall, DolrMessage } from './messages.ts'
import { maxExcluded } from './messages.ts'
import { namesOf } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { rootKey } from './records.ts'

/**
 * A command that looks for hosts: towards one root, towards the next as well when that takes long, and again after a pause when none of them knew a host. A no
 * is believed when every root has said it in each of `searchRounds` rounds; while roots cannot be reached, or hosts were found that did not answer, the
 * search goes on until its time is up.
 */
export abstract class SearchCommand extends Command {
  /** Hosts of no use, and whether for good. Bound: {@link maxExcluded}; full: the oldest is tried again. */
  private readonly excluded = new Map<Guid, boolean>()
  /** The salts of this round that have not said no; the first {@link asked} are under way. One that led to hosts is asked again, without these. */
  private salts: number[]
  private asked = 0
  /** The salts of this round whose roots have named all hosts they know. */
  private readonly toldAll = new Set<number>()
  /** Counts the times that somebody was looked for: what comes of an earlier time comes too late. */
  private turn = 0
  private readonly firstSalt: number
  private round = 0
  /** What the roots of this round said, in words. */
  private heard: string[] = []
  /** Whether this round has shown that there is no host. */
  private certain = true

  constructor(parts: DolrParts, init: CommandInit) {
    super(parts, init)
    this.firstSalt = parts.prng.nextInt(parts.config.roots)
    this.salts = this.allSalts()
  }

  /** Hosts were found, nearest to whoever found them first; `all`: no root knows more. One may have missed what another has heard. */
  protected abstract onFound(hosts: readonly Candidate[], all: boolean, now: Millis, fx: AppEffects): void
  /** No host is to be found. */
  protected abstract onNotFound(error: NotFoundError, now: Millis, fx: AppEffects): void

  /** Whether there is something to show already, so that one round without more will do. */
  protected abstract get isServed(): boolean

  /** What is sent towards the root. */
  protected callFor(salt: number, wanted: number, excluded: readonly Guid[]): DolrCall {
    return { type: 'locate', guid: this.guid, salt, wanted, excluded, found: [] }
  }

  protected readonly routeOptions: RouteOptions = {}
  /** Whether two roots may be asked at a time. */
  protected readonly hedges: boolean = true

  /** Whether the command sees to it itself when nothing comes back from a root, and goes on by {@link search}; otherwise the next root is asked. */
  protected takesUp(_failure: RouteFailure, _now: Millis, _fx: AppEffects): boolean {
    return false
  }

  /** A reply that is neither `found` nor `absent`. Returns whether that is what it should be. */
  protected onOther(_message: DolrMessage, _now: Millis, _fx: AppEffects): boolean {
    return false
  }

  /** What to say before that nobody was found. */
  protected get preface(): string {
    return ''
  }

  /** `host` has the message or is not meant: not again in this search, unless it is passed over yet. */
  protected ruleOut(host: Guid): void {
    this.exclude(host, true)
  }

  /** `host` did not answer: not again in this round. It may have been slow, and another may turn up in its place. */
  protected passOver(host: Guid): void {
    this.certain = false
    this.exclude(host, false)
  }

  /** Looks for up to `wanted` hosts that are not excluded. */
  protected search(wanted: number, now: Millis, fx: AppEffects): void {
    this.turn++
    this.asked = 0
    const isDone = this.isServed && this.certain && this.salts.every((salt) => this.toldAll.has(salt))
    if (this.salts.length === 0 || isDone) this.endRound(wanted, now, fx)
    else this.ask(wanted, now, fx)
  }

  /** Asks towards the next root, and the one after it if there is no answer for long. */
  private ask(wanted: number, now: Millis, fx: AppEffects): void {
    const { guid, turn } = this
    const { errands, config } = this.parts
    const salt = this.salts[this.asked]!
    const asked = ++this.asked
    this.progress('locating', `looking for ${shortGuid(guid)} towards root ${salt + 1} of ${config.roots}`, fx)
    const call = this.callFor(salt, wanted, [...this.excluded.keys()])
    const options = { replyWithinMs: this.attemptMs(now), ...this.routeOptions }
    errands.route(rootKey(guid, salt), call, options, fx, (answered, time, effects) => {
      if (!this.ended && this.turn === turn) this.onAnswered(salt, answered, wanted, time, effects)
    })
    if (!this.hedges || asked === this.salts.length) return
    errands.later(config.hedgeMs, fx, (_, time, effects) => {
      if (!this.ended && this.turn === turn && this.asked === asked) this.ask(wanted, time, effects)
    })
  }

  private onAnswered(salt: number, answered: Answered, wanted: number, now: Millis, fx: AppEffects): void {
    if (!answered.ok && this.takesUp(answered.failure, now, fx)) return
    if (!answered.ok) return this.onFailed(salt, routeError(answered.failure).message, wanted, now, fx)
    const { message } = answered
    switch (message.type) {
      case 'found': {
        const hosts = message.hosts.filter(({ node }) => !this.excluded.has(node.id))
        if (hosts.length === 0) return this.onFailed(salt, `${namesOf([message.by])} named no host that is of use`, wanted, now, fx)
        this.turn++
        this.salts = this.salts.filter((other) => other !== salt)
        if (message.root && hosts.length < wanted) {
          this.toldAll.add(salt)
          this.salts.push(salt)
        } else this.salts.unshift(salt)
        this.progress('found', `${namesOf([message.by])} knows ${namesOf(hosts.map(({ node }) => node))}`, fx)
        return this.onFound(
          hosts,
          this.salts.every((each) => this.toldAll.has(each)),
          now,
          fx,
        )
      }
      case 'absent':
        return this.onNo(
          salt,
          `the root ${namesOf([message.root])} knows no ${this.excluded.size > 0 ? 'other ' : ''}host`,
          wanted,
          now,
          fx,
        )
      default:
        if (!this.onOther(message, now, fx)) this.onFailed(salt, `a node answered with ${message.type}`, wanted, now, fx)
    }
  }

  private onFailed(salt: number, why: string, wanted: number, now: Millis, fx: AppEffects): void {
    this.certain = false
    this.onNo(salt, why, wanted, now, fx)
  }

  /** Nothing came of this root. When no other is being asked, the next is. */
  private onNo(salt: number, why: string, wanted: number, now: Millis, fx: AppEffects): void {
    this.heard.push(why)
    this.salts = this.salts.filter((other) => other !== salt)
    if (--this.asked === 0) this.search(wanted, now, fx)
  }

  private endRound(wanted: number, now: Millis, fx: AppEffects): void {
    const { searchRounds } = this.parts.config
    const error = new NotFoundError(`${this.preface}no host of ${shortGuid(this.guid)} was found: ${this.heard.join('; ')}`)
    if (this.certain && ++this.round >= (this.isServed ? 1 : searchRounds)) return this.onNotFound(error, now, fx)
    this.heard = []
    this.salts = this.allSalts()
    this.toldAll.clear()
    this.certain = true
    for (const [host, forGood] of this.excluded) if (!forGood) this.excluded.delete(host)
    this.retryLater(error, fx, (time, effects) => this.search(wanted, time, effects))
  }

  private allSalts(): number[] {
    const { roots } = this.parts.config
    return Array.from({ length: roots }, (_, i) => (this.firstSalt + i) % roots)
  }

  private exclude(host: Guid, forGood: boolean): void {
    if (!this.excluded.has(host) && this.excluded.size === maxExcluded) {
      for (const oldest of this.excluded.keys()) {
        this.excluded.delete(oldest)
        break
      }
    }
    this.excluded.set(host, forGood)
  }
}
