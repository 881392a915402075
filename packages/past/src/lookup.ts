import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef, ReplyHandle, RoutedMessage } from '@plaxton/kbr'
import type { Cache } from './cache.ts'
import { anyLive, leadingCertificate } from './claims.ts'
import { encodeMessage } from './codec.ts'
import { nodesAround } from './hosts.ts'
import { maxExcluded } from './messages.ts'
import type { PastCall, PastReply } from './messages.ts'
import { obtain } from './obtain.ts'
import { responder, widened } from './parts.ts'
import type { PastParts, Respond } from './parts.ts'
import { Survey } from './survey.ts'
import type { Findings } from './survey.ts'

type Get = PastCall & { readonly type: 'get' }

/**
 * What a node does with a `get` of others that passes it, and with one that ends here:
 *
 * - who holds the object answers, wherever it is on the way;
 * - the root, when it holds nothing, asks the replica set and as many nodes beyond, for it may have become the root a moment ago;
 * - a second attempt is in a hurry: any node that sees the replica set asks all of it at once, because the way to the root may lead past
 *   several dead nodes, one timeout each.
 */
export class Lookup {
  private readonly parts: PastParts
  private readonly cache: Cache
  /** Whether what is on this node's disk may be believed. */
  private readonly isSettled: () => boolean

  constructor(parts: PastParts, cache: Cache, isSettled: () => boolean) {
    this.parts = parts
    this.cache = cache
    this.isSettled = isSettled
  }

  /** A `get` passes. True when it ends here, because this node answers it. */
  onPassing(message: RoutedMessage, call: Get, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): boolean {
    const { key, reply, previousHop } = message
    if (this.answersItself(message, call, now, fx) || this.answersFromCache(message, call, now, fx)) return true
    if (nextHop === undefined) return false
    if (!sameNode(previousHop, fx.self)) this.cache.notePassed(key, nextHop)
    if (!call.hurry) return false
    const nodes = this.nodesAround(key, this.parts.config.replicas, call, fx)
    if (nodes.length === 0) return false
    this.survey(key, call, nodes, false, responder(reply), now, fx)
    return true
  }

  /** Nobody on the way held it, and this node is the root. */
  onDelivered(key: Guid, call: Get, respond: Respond, now: Millis, fx: AppEffects): void {
    this.survey(key, call, this.nodesAround(key, widened(this.parts.config.maxReplicas), call, fx), true, respond, now, fx)
  }

  private answersItself(message: RoutedMessage, call: Get, now: Millis, fx: AppEffects): boolean {
    const { key, reply } = message
    const held = this.isSettled() && !call.excluded.includes(fx.self.id) ? this.parts.shelf.live(key, now) : undefined
    if (held === undefined) return false
    const respond = responder(reply)
    const claims = held.leading.kind === 'named' ? held.claims : []
    const object = { type: 'object', holder: fx.self, claims, settled: true } as const
    if (call.want === 'presence' || held.leading.size > this.parts.config.smallBytes) {
      respond(object, now, fx)
      return true
    }
    this.parts.shelf.read(key, fx, (data, time, effects) => {
      if (data === undefined) return this.routeOn(key, call, reply, effects)
      respond({ ...object, data: data.bytes }, time, effects)
      const { kind, expires } = held.leading
      if (kind !== 'named') this.cache.offer(message, data.bytes, expires === 0 ? Infinity : expires - time, time, effects)
    })
    return true
  }

  /** Whether an object exists, and what was removed, is for those to say who hold it. */
  private answersFromCache(message: RoutedMessage, call: Get, now: Millis, fx: AppEffects): boolean {
    const { key, reply } = message
    if (this.parts.shelf.get(key) !== undefined) this.cache.drop(key)
    if (call.want === 'presence' || call.excluded.includes(fx.self.id)) return false
    const data = this.cache.read(key, now)
    if (data === undefined) return false
    responder(reply)({ type: 'object', holder: fx.self, claims: [], settled: true, data }, now, fx)
    this.cache.offer(message, data, 0, now, fx)
    return true
  }

  /** The copy here could not be read: asks on from this node, and hands the answer back. */
  private routeOn(key: Guid, call: Get, reply: ReplyHandle, fx: AppEffects): void {
    const excluded = [...call.excluded, fx.self.id].slice(-maxExcluded)
    this.parts.errands.route(key, { ...call, excluded }, { replyWithinMs: this.parts.config.attemptMs }, fx, (answered, _, effects) => {
      if (answered.ok) effects.reply(reply, encodeMessage(answered.message))
      else effects.refuse(reply, answered.failure.detail)
    })
  }

  private survey(key: Guid, call: Get, nodes: readonly NodeRef[], asRoot: boolean, respond: Respond, now: Millis, fx: AppEffects): void {
    const firstHolder = this.isSettled()
    new Survey(this.parts, key, { firstHolder }, (findings, time, effects) =>
      this.answer(key, call, findings, asRoot, respond, time, effects),
    ).start(nodes, now, fx)
  }

  /** Small data go back along the path, from here; for large ones the reader is told where they are. */
  private answer(
    key: Guid,
    { want, excluded }: Get,
    findings: Findings,
    asRoot: boolean,
    respond: Respond,
    now: Millis,
    fx: AppEffects,
  ): void {
    const { claims, silent } = findings
    const absent = (certain: boolean): PastReply => ({ type: 'absent', removed: claims.length > 0, silent: silent.length, certain })
    const leading = anyLive(claims, now) ? leadingCertificate(claims, now) : undefined
    if (leading === undefined) return respond(absent(asRoot && silent.length === 0), now, fx)

    const own = this.parts.shelf.live(key, now) !== undefined && !excluded.includes(fx.self.id)
    const holders = own ? [fx.self, ...findings.holders] : findings.holders
    const [holder] = holders
    if (holder === undefined) return respond(absent(false), now, fx)
    const object = { type: 'object', holder, claims, settled: true } as const
    if (want === 'presence' || leading.size > this.parts.config.smallBytes) return respond(object, now, fx)
    obtain(this.parts, key, leading, holders, now, fx, (data, time, effects) =>
      respond(data === undefined ? absent(false) : { ...object, data: data.bytes }, time, effects),
    )
  }

  private nodesAround(key: Guid, count: number, { excluded }: Get, fx: AppEffects): NodeRef[] {
    return nodesAround(key, count, fx).filter((node) => !sameNode(node, fx.self) && !excluded.includes(node.id))
  }
}
