import { compareGuids, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, RouteFailure } from '@plaxton/kbr'
import type { ClientConfig } from './config.ts'
import type { Errands, Then } from './errands.ts'
import { maxServers } from './messages.ts'
import type { Distance, IndexAnswer, IndexCall } from './messages.ts'

/** The end of a question to the servers: the last answer that was had, or why the last server did not answer. */
export type ServerAnswer = { readonly ok: true; readonly answer: IndexAnswer } | { readonly ok: false; readonly failure: RouteFailure }

/** How a question to the servers is to be asked. */
export interface ServerQuestion {
  readonly call: IndexCall
  readonly withinMs: Millis
  /** So many servers are asked after all others, the nearest among them. */
  readonly passed: number
  /** Whether an answer will do; else the next server is asked too, because its replica may know more. */
  readonly suffices: (answer: IndexAnswer) => boolean
  /** A server did not answer. */
  readonly onFailure: (detail: string, fx: AppEffects) => void
}

/** The index servers as one client sees them: which is near, which did not answer, which to ask next. */
export class Servers {
  private readonly config: ClientConfig
  private readonly errands: Errands
  /** When a server last failed to answer. At most one entry a server. */
  private readonly failedAt = new Map<Guid, Millis>()

  constructor(config: ClientConfig, errands: Errands) {
    this.config = config
    this.errands = errands
  }

  /** All servers: those that have not failed lately before those that have, each group nearest first. */
  inOrder(now: Millis, fx: AppEffects): NodeRef[] {
    return fx
      .neighborSet(maxServers)
      .map((server) => ({ server, avoided: this.isAvoided(server, now), ms: fx.roundTripMs(server) ?? unmeasured }))
      .sort((a, b) => Number(a.avoided) - Number(b.avoided) || a.ms - b.ms || compareGuids(a.server.id, b.server.id))
      .map(({ server }) => server)
  }

  /** The round trips to the servers, as far as they were measured. */
  distances(fx: AppEffects): Distance[] {
    return fx.neighborSet(maxServers).flatMap((server) => {
      const ms = fx.roundTripMs(server)
      return ms === undefined ? [] : [{ server: server.id, ms: Math.round(ms) }]
    })
  }

  /** Asks one server. */
  ask(server: NodeRef, call: IndexCall, withinMs: Millis, fx: AppEffects, then: Then<ServerAnswer>): void {
    this.errands.request(server, call, Math.min(withinMs, this.config.serverMs), fx, (answered, now, effects) => {
      // A refusal is an answer: the server lives.
      if (answered.ok || answered.failure.reason === 'rejected by application') this.failedAt.delete(server.id)
      else this.failedAt.set(server.id, now)
      then(answered, now, effects)
    })
  }

  /** Asks one server after the other until an answer suffices, each once. */
  askInTurn(question: ServerQuestion, now: Millis, fx: AppEffects, then: Then<ServerAnswer>): void {
    const none: ServerAnswer = { ok: false, failure: { reason: 'no route', detail: 'no index server is known', at: undefined } }
    const servers = this.inOrder(now, fx)
    const first = question.passed % Math.max(1, servers.length)
    this.askNext([...servers.slice(first), ...servers.slice(0, first)], question, now + question.withinMs, none, now, fx, then)
  }

  private askNext(
    left: readonly NodeRef[],
    question: ServerQuestion,
    deadline: Millis,
    last: ServerAnswer,
    now: Millis,
    fx: AppEffects,
    then: Then<ServerAnswer>,
  ): void {
    const [server, ...others] = left
    if (server === undefined || now >= deadline) return then(last, now, fx)
    this.ask(server, question.call, deadline - now, fx, (answered, time, effects) => {
      if (answered.ok && question.suffices(answered.answer)) return then(answered, time, effects)
      if (!answered.ok) question.onFailure(`server ${shortGuid(server.id)}: ${answered.failure.detail}`, effects)
      // An answer, even an empty one, says more than that another server is down.
      this.askNext(others, question, deadline, answered.ok || !last.ok ? answered : last, time, effects, then)
    })
  }

  private isAvoided({ id }: NodeRef, now: Millis): boolean {
    return (this.failedAt.get(id) ?? -Infinity) + this.config.avoidMs > now
  }
}

/** Comes after all that were measured. */
const unmeasured = Number.MAX_SAFE_INTEGER
