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
 * A command that looks for hosts: towards one root after the other, and again after a pause when none of them knew a host. A no is believed when
 * every root has said it in each of `searchRounds` rounds; while roots cannot be reached, or hosts were found that did not answer, the search goes on
 * until its time is up.
 */
export abstract class SearchCommand extends Command {
  /** Hosts of no use, and whether for good. Bound: {@link maxExcluded}; full: the oldest is tried again. */
  private readonly excluded = new Map<Guid, boolean>()
  /** The salt to try next, and how many of this round are left. One that led to hosts is tried again without these. */
  private salt: number
  private left: number
  private round = 0
  /** What the roots of this round said, in words. */
  private heard: string[] = []
  /** Whether this round has shown that there is no host. */
  private certain = true

  constructor(parts: DolrParts, init: CommandInit) {
    super(parts, init)
    this.left = parts.config.roots
    this.salt = parts.prng.nextInt(parts.config.roots)
  }

  /** Hosts were found, nearest to whoever found them first; `all`: the roots know no more. */
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

  /** Whether the same root is to be asked again after this failure; otherwise the next is. */
  protected asksAgain(_failure: RouteFailure): boolean {
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

  /** Looks for up to `wanted` hosts that are not excluded, towards the next root. */
  protected search(wanted: number, now: Millis, fx: AppEffects): void {
    if (this.left === 0) return this.endRound(wanted, now, fx)
    const { guid, salt } = this
    this.progress('locating', `looking for ${shortGuid(guid)} towards root ${salt + 1} of ${this.parts.config.roots}`, fx)
    const call = this.callFor(salt, wanted, [...this.excluded.keys()])
    this.parts.errands.route(
      rootKey(guid, salt),
      call,
      { replyWithinMs: this.attemptMs(now), ...this.routeOptions },
      fx,
      (answered, time, effects) => {
        if (!this.ended) this.onAnswered(answered, wanted, time, effects)
      },
    )
  }

  private onAnswered(answered: Answered, wanted: number, now: Millis, fx: AppEffects): void {
    if (!answered.ok && this.asksAgain(answered.failure)) return this.search(wanted, now, fx)
    if (!answered.ok) return this.onFailed(routeError(answered.failure).message, wanted, now, fx)
    const { message } = answered
    switch (message.type) {
      case 'found': {
        const hosts = message.hosts.filter(({ node }) => !this.excluded.has(node.id))
        if (hosts.length === 0) return this.onFailed(`${namesOf([message.by])} named no host that is of use`, wanted, now, fx)
        this.progress('found', `${namesOf([message.by])} knows ${namesOf(hosts.map(({ node }) => node))}`, fx)
        return this.onFound(hosts, message.root, now, fx)
      }
      case 'absent':
        return this.searchNext(
          `the root ${namesOf([message.root])} knows no ${this.excluded.size > 0 ? 'other ' : ''}host`,
          wanted,
          now,
          fx,
        )
      default:
        if (!this.onOther(message, now, fx)) this.onFailed(`a node answered with ${message.type}`, wanted, now, fx)
    }
  }

  private onFailed(why: string, wanted: number, now: Millis, fx: AppEffects): void {
    this.certain = false
    this.searchNext(why, wanted, now, fx)
  }

  /** Nothing came of this root. */
  private searchNext(why: string, wanted: number, now: Millis, fx: AppEffects): void {
    this.heard.push(why)
    this.left--
    this.salt = (this.salt + 1) % this.parts.config.roots
    this.search(wanted, now, fx)
  }

  private endRound(wanted: number, now: Millis, fx: AppEffects): void {
    const { roots, searchRounds } = this.parts.config
    const error = new NotFoundError(`${this.preface}no host of ${shortGuid(this.guid)} was found: ${this.heard.join('; ')}`)
    if (this.certain && ++this.round >= (this.isServed ? 1 : searchRounds)) return this.onNotFound(error, now, fx)
    this.heard = []
    this.left = roots
    this.certain = true
    for (const [host, forGood] of this.excluded) if (!forGood) this.excluded.delete(host)
    this.retryLater(error, fx, (time, effects) => this.search(wanted, time, effects))
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
