import { guidOf, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError, sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { Claim } from './claims.ts'
import { isLive } from './claims.ts'
import { Command, rejected, routeError } from './command.ts'
import type { CommandInit } from './command.ts'
import type { Answered } from './errands.ts'
import type { Latencies } from './latencies.ts'
import { maxExcluded } from './messages.ts'
import type { PastReply } from './messages.ts'
import { namesOf } from './parts.ts'
import type { PastParts } from './parts.ts'
import { absence } from './root-commands.ts'

/**
 * Reads an object, or finds out whether it exists.
 *
 * A first attempt follows the overlay's route; the first node on it that holds the object answers. Whenever the attempts under way
 * take longer than recent reads did, one more goes by another first hop. The first answer that proves right ends all.
 */
export class GetCommand extends Command {
  protected readonly verb: string
  private readonly want: 'data' | 'presence'
  private readonly latencies: Latencies
  /** Whether what this node holds itself may be believed. */
  private readonly settled: () => boolean
  /** Nodes that gave a wrong answer or none: another attempt passes them by. With those of {@link fetching} at most {@link maxExcluded}. */
  private readonly excluded: Guid[] = []
  /** Nodes that data are being fetched from: meanwhile another attempt looks for somebody else. */
  private readonly fetching = new Set<Guid>()
  /** First hops used already; one for each attempt. */
  private readonly usedHops: Guid[] = []
  private startedAt = 0
  private attempts = 0
  /** Pauses made because all attempts until then had come to nothing. Several beside each other come to nothing together, and count once. */
  private pauses = 0
  /** Attempts and fetches under way. */
  private open = 0
  private hedgeAlarm = 0
  /** Answers that nobody has it, and the last of these. */
  private absences = 0
  private notFound: NotFoundError | undefined = undefined

  constructor(parts: PastParts, init: CommandInit, want: 'data' | 'presence', latencies: Latencies, settled: () => boolean) {
    super(parts, init)
    this.want = want
    this.verb = want === 'data' ? 'get' : 'has'
    this.latencies = latencies
    this.settled = settled
  }

  run(now: Millis, fx: AppEffects): void {
    this.startedAt = now
    const own = this.settled() ? this.parts.shelf.live(this.guid, now) : undefined
    if (own === undefined) return this.attempt(now, fx)
    if (this.want === 'presence') return this.succeed(true, fx)
    this.readOwn(fx)
  }

  private readOwn(fx: AppEffects): void {
    this.progress('reading', 'reading the copy on this node', fx)
    this.open++
    this.exclude(fx.self.id)
    this.parts.shelf.read(this.guid, fx, (data, now, effects) => {
      this.open--
      if (this.ended) return
      if (data === undefined) return this.attempt(now, effects)
      // Not among the latencies: it says nothing about how long others take.
      this.parts.errands.forget(this.hedgeAlarm)
      this.succeed(data.bytes, effects)
    })
  }

  private attempt(now: Millis, fx: AppEffects): void {
    if (this.ended) return
    const firstHop = this.chooseFirstHop(fx)
    const attempt = this.attempts++
    this.open++
    this.progress(
      attempt === 0 ? 'locating' : 'hedging',
      `asking for ${shortGuid(this.guid)}${firstHop === undefined ? '' : ` by way of ${namesOf([firstHop])}`}`,
      fx,
    )
    const options = { replyWithinMs: this.wayMs(now), ...this.wayOf(attempt, firstHop) }
    const excluded = [...this.excluded, ...this.fetching].slice(0, maxExcluded)
    const call = { type: 'get', want: this.want, excluded, hurry: attempt > 0 } as const
    const isWhole = this.fetching.size === 0
    this.parts.errands.route(this.guid, call, options, fx, (answered, time, effects) => this.onAnswered(answered, isWhole, time, effects))
    this.hedgeLater(attempt, fx)
  }

  /** A later attempt that has no other first hop goes to the root. */
  private wayOf(attempt: number, firstHop: NodeRef | undefined): { readonly firstHop?: NodeRef; readonly nearestOf?: number } {
    const { nearReplicas } = this.parts.config
    if (firstHop !== undefined) return { firstHop }
    return attempt === 0 && nearReplicas > 0 ? { nearestOf: nearReplicas } : {}
  }

  /** The overlay's own choice first; later attempts start with neighbours not used yet, while there are any. */
  private chooseFirstHop(fx: AppEffects): NodeRef | undefined {
    if (this.attempts === 0) return undefined
    if (this.usedHops.length === 0) this.usedHops.push(...fx.localLookup(this.guid, 1, false).map((node) => node.id))
    const candidates = fx.localLookup(this.guid, this.parts.config.maxAttempts, true)
    const next = candidates.find((node) => !this.usedHops.includes(node.id) && !sameNode(node, fx.self))
    if (next !== undefined) this.usedHops.push(next.id)
    return next
  }

  /** Waits twice as long after each attempt, so that a slow network is not asked more and more. */
  private hedgeLater(attempt: number, fx: AppEffects): void {
    const { errands, config } = this.parts
    if (attempt + 1 >= config.maxAttempts) return
    this.hedgeAlarm = errands.later(this.latencies.hedgeMs * 2 ** attempt, fx, (_, now, effects) => {
      if (this.attempts === attempt + 1) this.attempt(now, effects)
    })
  }

  private onAnswered(answered: Answered, isWhole: boolean, now: Millis, fx: AppEffects): void {
    this.open--
    if (this.ended) return
    if (!answered.ok) {
      this.lastError = routeError(answered.failure)
      return this.onFruitless(fx)
    }
    const { message } = answered
    if (message.type === 'object') return this.onObject(message.holder, message.claims, message.data, now, fx)
    if (message.type === 'absent') return this.onAbsent(message, isWhole, now, fx)
    this.lastError = rejected(`a node answered with ${message.type}`)
    this.onFruitless(fx)
  }

  private onObject(holder: NodeRef, claims: readonly Claim[], data: Uint8Array | undefined, now: Millis, fx: AppEffects): void {
    if (this.want === 'presence') return this.found(true, now, fx)
    if (data !== undefined) return this.verify(holder, claims, data, now, fx)
    if (this.excluded.includes(holder.id) || this.fetching.has(holder.id)) return this.onFruitless(fx)
    // This node would not take its own word for it, but others have confirmed that the object lives.
    if (sameNode(holder, fx.self)) return this.readOwn(fx)
    this.fetchFrom(holder, now, fx)
  }

  /** Large data come directly; meanwhile another attempt may find another holder. */
  private fetchFrom(holder: NodeRef, now: Millis, fx: AppEffects): void {
    this.progress('fetching', `fetching from ${namesOf([holder])}`, fx)
    this.fetching.add(holder.id)
    this.open++
    this.parts.errands.request(
      holder,
      { type: 'fetch', guid: this.guid, withData: true },
      this.attemptMs(now, this.parts.config.maxObjectBytes),
      fx,
      (answered, time, effects) => {
        this.open--
        this.fetching.delete(holder.id)
        if (this.ended) return
        const message = answered.ok ? answered.message : undefined
        if (message?.type === 'object' && message.data !== undefined)
          return this.verify(holder, message.claims, message.data, time, effects)
        if (answered.ok) this.exclude(holder.id)
        this.lastError = answered.ok ? rejected(`${namesOf([holder])} no longer holds it`) : routeError(answered.failure)
        this.onFruitless(effects)
      },
    )
  }

  /** Whoever the bytes came from, they are the object only if their digest says so: the guid itself, or one its owner has signed. */
  private verify(holder: NodeRef, claims: readonly Claim[], data: Uint8Array, now: Millis, fx: AppEffects): void {
    const digest = guidOf(data)
    if (digest === this.guid) return this.found(data, now, fx)
    const claim = claims.find((each) => each.certificate.contentDigest === digest && isLive(each, now))
    if (claim === undefined) return this.onWrong(holder, 'its bytes are others', now, fx)
    this.progress('verifying', 'checking the certificate', fx)
    this.parts.notary.check(this.guid, [claim], [], now, fx, (problem, time, effects) => {
      if (this.ended) return
      if (problem === undefined) this.found(data, time, effects)
      else this.onWrong(holder, problem, time, effects)
    })
  }

  private found(value: Uint8Array | true, now: Millis, fx: AppEffects): void {
    if (this.ended) return
    this.latencies.add(now - this.startedAt)
    this.parts.errands.forget(this.hedgeAlarm)
    this.succeed(value, fx)
  }

  private onWrong(holder: NodeRef, why: string, now: Millis, fx: AppEffects): void {
    this.lastError = rejected(`${namesOf([holder])} gave a wrong answer: ${why}`)
    this.exclude(holder.id)
    this.onFruitless(fx)
  }

  /**
   * A no is believed when the root is certain of it and was told of everybody, or else when there were two and nothing better. Where nodes were
   * silent the object may be on one of them, or beyond the dead that the root still counts: the next answer will know more.
   */
  private onAbsent({ removed, silent, certain }: PastReply & { type: 'absent' }, isWhole: boolean, now: Millis, fx: AppEffects): void {
    this.notFound = new NotFoundError(absence(this.guid, removed, silent))
    if (isWhole && silent === 0) this.absences++
    if (isWhole && certain) this.concludeAbsent(this.notFound, fx)
    else this.onFruitless(fx)
  }

  private concludeAbsent(notFound: NotFoundError, fx: AppEffects): void {
    this.parts.errands.forget(this.hedgeAlarm)
    if (this.want === 'presence') this.succeed(false, fx)
    else this.fail(notFound, fx)
  }

  /** One attempt came to nothing: when no other is under way, the next starts after a pause. */
  private onFruitless(fx: AppEffects): void {
    const error = this.notFound ?? this.lastError
    if (this.open > 0 || error === undefined) return
    if (this.notFound !== undefined && this.absences >= 2) return this.concludeAbsent(this.notFound, fx)
    this.parts.errands.forget(this.hedgeAlarm)
    this.retryLater(error, ++this.pauses, fx, (time, effects) => {
      if (this.open === 0) this.attempt(time, effects)
    })
  }

  private exclude(id: Guid): void {
    if (!this.excluded.includes(id) && this.excluded.length < maxExcluded) this.excluded.push(id)
  }
}
