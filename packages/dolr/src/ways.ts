import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import type { DolrMessage } from './messages.ts'
import { pingWaitMs, tell } from './parts.ts'
import type { DolrParts } from './parts.ts'
import type { LastHop, Pointer, Way } from './pointers.ts'
import { nextHopTo } from './records.ts'

/**
 * The ways of records, from each node to the next, and how those that are no longer used end.
 *
 *     host ──► A ──► B ──► D ──► root      A's route has changed and goes by C. A sends the record on that way, and it meets the old one at D
 *              └───► C ───►┘
 *              A ◄── B ◄── D               recheck: D has the record from two nodes and asks both; B passes the question on, to where it had it from
 *              A ──► B ──► D               release: A sends it to C now, so it tells B; nobody sends it to B any more, so B lets go of it and tells D
 *
 * A hop that is late makes a record take two ways, which may never meet. Where they part, the first hop is remembered as a *stray*, and a withdrawal goes both ways.
 *
 * Only a node that a record came from can say that it no longer comes from there. A stranger who repeats a record under another last hop becomes a
 * second way in, beside the one there is; the question that this raises goes back to the host, and takes nothing away.
 */
export class Ways {
  private readonly parts: DolrParts

  constructor(parts: DolrParts) {
    this.parts = parts
  }

  /** A record that is kept has passed: notes where it came from and where it went. Returns whether it is the first time on this way. */
  follow(pointer: Pointer, passage: Passage, now: Millis, fx: AppEffects): boolean {
    const { signedAt } = pointer.record
    // Of a copy this node knows only what whoever sent it has said; of a record on its way, at least the length of a way.
    if (pointer.ways.length === 0) pointer.distanceMs = passage.distanceMs
    const way = wayOf(pointer, passage.salt) ?? addWay(pointer, passage, fx)
    const isNews = way.signedAt < signedAt
    noteStray(way, pointer, passage.nextHop)
    if (isNews) forgetOldHops(way, signedAt)
    way.nextHop = passage.nextHop
    if (isNews && pointer.record.withdrawn) withdrawFromStrays(pointer, way, now, fx)
    if (passage.lastHop !== undefined) noteLastHop(way, { node: passage.lastHop, signedAt })
    if (way.lastHops.length > 1) this.recheck(pointer, way, now, fx)
    return isNews
  }

  /** `from` has a record from this node and from others: does it still go there from here? If so, does it still come here? */
  onRecheck(from: NodeRef, call: Wayside, now: Millis, fx: AppEffects): void {
    const pointer = this.parts.pointers.get(call.guid, call.host)
    const way = pointer === undefined ? undefined : wayOf(pointer, call.salt)
    if (pointer === undefined || way === undefined) return
    // The record may have taken another way once, because of a hop that was slow, say; what counts is also where the next one will go.
    if (way.nextHop?.id === from.id || nextHopTo(way.key, fx)?.id === from.id) this.recheck(pointer, way, now, fx)
    else tell(from, { type: 'release', guid: call.guid, host: call.host, salt: call.salt }, fx)
  }

  /** `from` sends this record here no longer. */
  onRelease(from: NodeRef, call: Wayside, fx: AppEffects): void {
    this.release(from.id, call, fx)
  }

  /** Asks all nodes that the record came from. One that is dead sends it no longer. */
  private recheck(pointer: Pointer, way: Way, now: Millis, fx: AppEffects): void {
    const { errands, config } = this.parts
    if (way.recheckedAt + config.settleMs > now) return
    way.recheckedAt = now
    const { guid, host } = pointer.record
    const wayside = { guid, host: host.id, salt: way.salt }
    for (const { node } of way.lastHops) {
      if (sameNode(node, fx.self)) continue
      errands.request(node, { type: 'recheck', ...wayside }, pingWaitMs(node, config, fx), fx, (answered, _, effects) => {
        if (!answered.ok && answered.failure.reason !== 'overloaded') this.release(node.id, wayside, effects)
      })
    }
  }

  /** When the record comes from nobody any more, its way ends here, and whoever has it from this node hears that. */
  private release(lastHop: Guid, { guid, host, salt }: Wayside, fx: AppEffects): void {
    const { pointers } = this.parts
    const pointer = pointers.get(guid, host)
    const way = pointer === undefined ? undefined : wayOf(pointer, salt)
    if (pointer === undefined || way === undefined || !way.lastHops.some(({ node }) => node.id === lastHop)) return
    way.lastHops = way.lastHops.filter(({ node }) => node.id !== lastHop)
    if (way.lastHops.length > 0 || way.crowded) return
    pointer.ways = pointer.ways.filter((other) => other !== way)
    if (pointer.ways.length === 0 && !pointer.record.withdrawn) pointers.delete(pointer)
    for (const { node } of way.strays ?? []) tell(node, { type: 'release', guid, host, salt }, fx)
    if (way.nextHop !== undefined) tell(way.nextHop, { type: 'release', guid, host, salt }, fx)
  }
}

/** A way as one message shows it. `lastHop` undefined: this node itself sends the record on, and its last hops stay. */
export interface Passage {
  readonly salt: number
  readonly key: Guid
  readonly lastHop: NodeRef | undefined
  readonly nextHop: NodeRef | undefined
  readonly distanceMs: Millis
}

/** Which way is meant. */
type Wayside = Pick<DolrMessage & { readonly type: 'recheck' }, 'guid' | 'host' | 'salt'>

function wayOf({ ways }: Pointer, salt: number): Way | undefined {
  return ways.find((way) => way.salt === salt)
}

function addWay(pointer: Pointer, { salt, key, lastHop, nextHop }: Passage, fx: AppEffects): Way {
  const lastHops = lastHop === undefined ? [{ node: fx.self, signedAt: pointer.record.signedAt }] : []
  const way: Way = { salt, key, lastHops, crowded: false, nextHop, strays: undefined, signedAt: -1, recheckedAt: -Infinity }
  pointer.ways = [...pointer.ways, way]
  return way
}

/** A newer record comes: who has not brought the one before it either is off the way. */
function forgetOldHops(way: Way, signedAt: Millis): void {
  way.lastHops = way.lastHops.filter((lastHop) => lastHop.signedAt >= way.signedAt)
  way.crowded = false
  way.signedAt = signedAt
}

function noteLastHop(way: Way, lastHop: LastHop): void {
  const others = way.lastHops.filter(({ node }) => node.id !== lastHop.node.id)
  if (others.length < lastHopsMax) way.lastHops = [...others, lastHop]
  else way.crowded = true
}

/** The record, or the next, goes on to another node than before. */
function noteStray(way: Way, { record }: Pointer, nextHop: NodeRef | undefined): void {
  const { nextHop: before, strays = [], signedAt } = way
  if (before === undefined || before.id === nextHop?.id) return
  const others = strays.filter(({ node }) => node.id !== before.id && node.id !== nextHop?.id)
  way.strays = [...others.slice(1 - straysMax), { node: before, until: signedAt + record.ttlMs }]
}

/** Sends a withdrawal on by the ways that records took before. */
function withdrawFromStrays({ record, distanceMs }: Pointer, way: Way, now: Millis, fx: AppEffects): void {
  const strays = (way.strays ?? []).filter(({ node, until }) => until > now && node.id !== way.nextHop?.id)
  way.strays = undefined
  const call = { type: 'publish', record, salt: way.salt, distanceMs, stepMs: 0, step: 0, push: true } as const
  for (const { node } of strays) fx.route(way.key, encodeMessage(call), { firstHop: node })
}

/** Former next hops noted for one way. Full: the oldest is forgotten, and what it may have expires. Our guess. */
const straysMax = 4

/** Nodes noted for one way that a record came from; mostly it is one, and two while routes change. Full: the way ends when it expires. Our guess. */
const lastHopsMax = 4
