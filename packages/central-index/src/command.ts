import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { DeadlineError, NotFoundError, RouteError } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef, PlaxtonError, RouteFailure } from '@plaxton/kbr'
import type { Then } from './errands.ts'
import { emit } from './events.ts'
import type { IndexOutcome, IndexStep, IndexValue } from './events.ts'
import { maxExcluded, maxHosts } from './messages.ts'
import type { IndexAnswer, IndexCall, IndexedHost } from './messages.ts'
import { namesOf } from './parts.ts'
import type { ClientParts } from './parts.ts'
import type { ServerQuestion } from './servers.ts'

/** What every command is told when it begins. */
export interface CommandInit {
  readonly id: number
  readonly timeoutMs: Millis
  /** Called once, when the command has ended. */
  readonly onEnd: () => void
}

/** One call of this node's application on its way: begins, reports its steps, and ends exactly once. */
export abstract class Command {
  readonly id: number
  protected readonly parts: ClientParts
  protected ended = false
  private readonly timeoutMs: Millis
  private readonly onEnd: () => void
  private deadline = 0
  private alarm = 0
  private waitingFor = 'nothing yet'
  /** Hosts that the servers have named to this command since it last began anew. Bound: `maxExcluded`. */
  private readonly named = new Set<Guid>()
  /** Questions for hosts so far. */
  private questions = 0

  constructor(parts: ClientParts, { id, timeoutMs, onEnd }: CommandInit) {
    this.id = id
    this.parts = parts
    this.timeoutMs = timeoutMs
    this.onEnd = onEnd
  }

  /** What the command does, for the message of a deadline. */
  protected abstract readonly verb: string

  protected abstract run(now: Millis, fx: AppEffects): void

  begin(now: Millis, fx: AppEffects): void {
    this.deadline = now + this.timeoutMs
    this.alarm = this.parts.errands.later(this.timeoutMs, fx, (_, __, effects) =>
      this.fail(new DeadlineError(`${this.verb} did not end within ${this.timeoutMs} ms; last: ${this.waitingFor}`), effects),
    )
    this.run(now, fx)
  }

  fail(error: PlaxtonError, fx: AppEffects): void {
    this.end({ ok: false, error }, fx)
  }

  protected succeed(value: IndexValue, fx: AppEffects): void {
    this.end({ ok: true, value }, fx)
  }

  protected progress(step: IndexStep, detail: string, fx: AppEffects): void {
    if (this.ended) return
    this.waitingFor = detail
    emit(fx, { type: 'central-index:progress', command: this.id, step, detail })
  }

  protected leftMs(now: Millis): Millis {
    return Math.max(1, this.deadline - now)
  }

  /**
   * Asks the servers one after the other until an answer suffices. When none answers they are asked again, `rounds` times in all; then the command fails. `then`
   * runs only while the command goes on. `passed`: see {@link ServerQuestion}.
   */
  protected askServers(
    call: IndexCall,
    { suffices, passed = 0 }: Pick<ServerQuestion, 'suffices'> & Partial<Pick<ServerQuestion, 'passed'>>,
    now: Millis,
    fx: AppEffects,
    then: Then<IndexAnswer>,
    round = 1,
  ): void {
    const onFailure = (detail: string, effects: AppEffects): void => this.progress('server-failed', detail, effects)
    this.parts.servers.askInTurn({ call, withinMs: this.leftMs(now), passed, suffices, onFailure }, now, fx, (answered, time, effects) => {
      if (this.ended) return
      if (!answered.ok && round < this.parts.config.rounds) {
        return this.retryLater('no server answers', effects, (_, later, afterwards) =>
          this.askServers(call, { suffices, passed }, later, afterwards, then, round + 1),
        )
      }
      if (!answered.ok)
        return this.fail(routeError(`no index server answers; the last: ${answered.failure.detail}`, answered.failure), effects)
      then(answered.answer, time, effects)
    })
  }

  /**
   * Step (1), and the first half of (2): who has the object, as the servers know it, without those that they have named to this command already; nobody when nobody
   * else is left. Each question goes to another server first, because one may lag behind, or lie. Fails with `NotFoundError` when none of them ever named anybody.
   */
  protected findHosts(guid: Guid, now: Millis, fx: AppEffects, then: Then<readonly IndexedHost[]>): void {
    const excluded = [...this.named]
    if (excluded.length > maxExcluded - maxHosts) return then([], now, fx)
    const newIn = (answer: IndexAnswer) => (answer.type === 'hosts' ? answer.hosts.filter(({ node }) => !this.named.has(node.id)) : [])
    this.progress('asking', excluded.length === 0 ? `who has ${shortGuid(guid)}?` : `who else has ${shortGuid(guid)}?`, fx)
    const call = { type: 'find', guid, max: maxHosts, excluded } as const
    const question = { suffices: (answer: IndexAnswer) => newIn(answer).length > 0, passed: this.questions++ }
    this.askServers(call, question, now, fx, (answer, time, effects) => {
      const hosts = newIn(answer)
      if (hosts.length === 0 && excluded.length === 0)
        return this.fail(new NotFoundError(`no server knows a host of ${shortGuid(guid)}`), effects)
      for (const { node } of hosts) this.named.add(node.id)
      if (hosts.length > 0) this.progress('peers', `the index names ${namesOf(hosts.map(({ node }) => node))}`, effects)
      then(hosts, time, effects)
    })
  }

  /** Whoever was named may be named again, but for these. */
  protected forgetNamed(but: Iterable<Guid>): void {
    this.named.clear()
    for (const id of but) this.named.add(id)
  }

  /** Runs `again` after a pause. */
  protected retryLater(why: string, fx: AppEffects, again: Then<void>): void {
    this.progress('retrying', why, fx)
    const { prng, config, errands } = this.parts
    errands.later(prng.jitter(config.retryMs, 0.25), fx, (_, now, effects) => {
      if (!this.ended) again(undefined, now, effects)
    })
  }

  private end(outcome: IndexOutcome, fx: AppEffects): void {
    if (this.ended) return
    this.ended = true
    this.parts.errands.forget(this.alarm)
    emit(fx, { type: 'central-index:done', command: this.id, outcome })
    this.onEnd()
  }
}

export function routeError(detail: string, { reason, at }: Pick<RouteFailure, 'reason' | 'at'>): RouteError {
  return new RouteError({ reason, detail, at })
}

export function rejected(detail: string, at?: NodeRef): RouteError {
  return new RouteError({ reason: 'rejected by application', detail, at })
}

export function overloaded(detail: string): RouteError {
  return new RouteError({ reason: 'overloaded', detail, at: undefined })
}
