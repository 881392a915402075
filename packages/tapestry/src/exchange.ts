import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { slotBase } from './neighbor-map.ts'
import { refsMax, send, slotsMax } from './messages.ts'
import type { Exchange, ExchangeReply, Fetch } from './messages.ts'
import type { TapestryState } from './state.ts'

/**
 * Now and then a node compares its sibling group with that of a random sibling, and has the slots looked at that it believes to be empty. Whatever
 * one of the two has missed (a lost message, a partition, simultaneous insertions) it learns now, and spreads the same way; so groups become equal
 * and false holes vanish whatever went before. As long as exchanges bring something they follow each other quickly.
 *
 *     exchange {digest, holes} ──▶ exchange-reply {same, ids, fillers} ──▶ fetch {ids} ──▶ contacts
 */
export class Exchanges {
  private readonly state: TapestryState
  /** The last exchange brought something. */
  restless = false

  constructor(state: TapestryState) {
    this.state = state
  }

  start(fx: OverlayEffects): void {
    const { state } = this
    const partner = this.partner()
    this.restless = false
    if (partner === undefined) return
    const prefix = Math.max(state.siblings.floor, state.siblings.levelOf(partner.id))
    const group = groupOf(state, partner.id, prefix)
    send(
      partner,
      { type: 'exchange', prefix, count: group.length, digest: digest(group), holes: this.holes(), ...state.statusFor(partner) },
      fx,
    )
  }

  onExchange(from: NodeRef, exchange: Exchange, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const prefix = Math.max(exchange.prefix, state.siblings.floor)
    const group = groupOf(state, state.self.id, prefix)
    const same = prefix === exchange.prefix && group.length === exchange.count && digest(group) === exchange.digest
    const reply: ExchangeReply = {
      type: 'exchange-reply',
      same,
      prefix,
      ids: same ? [] : group.slice(0, refsMax).map(({ id }) => id),
      gone: same ? [] : this.gone(prefix, now),
      refs: this.fillers(from, exchange.holes),
      ...state.statusFor(from),
    }
    send(from, reply, fx)
  }

  /** Returns the nodes of its own group that the other takes to be dead, to be looked at. */
  onReply(from: NodeRef, reply: ExchangeReply, fx: OverlayEffects): NodeRef[] {
    const { state } = this
    if (reply.same || reply.prefix < state.siblings.floor) return []
    const theirs = new Set(reply.ids)
    const said = new Set(reply.gone)
    const ours = groupOf(state, from.id, reply.prefix)
    const unknown = reply.ids.filter((id) => id !== state.self.id && state.find(id) === undefined)
    const lacking = unknown.filter((id) => !state.failed.has(id))
    const dead = unknown.filter((id) => state.failed.has(id))
    const surplus = ours.filter((ref) => !theirs.has(ref.id) && !said.has(ref.id) && ref.id !== from.id)
    if (lacking.length > 0) send(from, { type: 'fetch', ids: lacking }, fx)
    if (surplus.length > 0 || dead.length > 0) send(from, { type: 'contacts', refs: surplus, gone: dead }, fx)
    this.restless ||= lacking.length > 0 || surplus.length > 0
    return ours.filter((ref) => said.has(ref.id) && ref.id !== state.self.id)
  }

  onFetch(from: NodeRef, fetch: Fetch, fx: OverlayEffects): void {
    const refs = fetch.ids.flatMap((id) => this.state.find(id) ?? [])
    if (refs.length > 0) send(from, { type: 'contacts', refs: refs.slice(0, refsMax), gone: [] }, fx)
  }

  /** Every other time one whose group is the same, so that all of it is compared at once. */
  private partner(): NodeRef | undefined {
    const { siblings, prng } = this.state
    const all = siblings.refs()
    const equals = prng.chance(0.5) ? all.filter((ref) => siblings.levelOf(ref.id) === siblings.floor) : all
    return prng.pick(equals.length > 0 ? equals : all)
  }

  /** On levels beyond the siblings' reach. */
  private holes(): number[] {
    return this.state.map.holes(this.state.siblings.floor).slice(0, slotsMax)
  }

  private fillers(from: NodeRef, holes: readonly number[]): NodeRef[] {
    const shared = this.state.map.levelOf(from.id)
    return fillersFor(this.state, shared, holes, 2)
  }

  /** Recent failures among those that share `prefix` digits with this node. */
  private gone(prefix: number, now: Millis): Guid[] {
    const { failed, config, siblings } = this.state
    if (failed.size === 0) return []
    return failed
      .missed(config.failedHoldMs, now)
      .filter((ref) => siblings.shared(ref.id) >= prefix)
      .map(({ id }) => id)
  }
}

/** Whom this node has for slots that another, who shares the first `shared` digits with it, believes to be empty; itself among them. At most `each` for a slot. */
export function fillersFor(state: TapestryState, shared: number, slots: readonly number[], each: number): NodeRef[] {
  const found = new Map<Guid, NodeRef>()
  for (const slot of slots) {
    const level = Math.floor(slot / slotBase)
    if (level > shared || level >= state.map.digits) continue
    if (state.map.ownDigit(level) === slot % slotBase && level === shared) found.set(state.self.id, state.self)
    for (const ref of state.map.numbered(slot).slice(0, each)) found.set(ref.id, ref)
    if (found.size >= slotsMax) break
  }
  return [...found.values()].slice(0, refsMax)
}

/** The members of a group as this node knows it: those that share `prefix` digits with `origin`. */
function groupOf(state: TapestryState, origin: Guid, prefix: number): NodeRef[] {
  const others = state.siblings.within(origin, prefix)
  return state.siblings.shared(origin) >= prefix ? [state.self, ...others] : others
}

/** The same for the same ids, in whatever order (FNV-1a of each, all added bit by bit). */
function digest(refs: readonly NodeRef[]): number {
  let all = 0
  for (const { id } of refs) {
    let hash = 0x811c9dc5
    for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
    all ^= hash
  }
  return all >>> 0
}
