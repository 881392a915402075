import { digitAt, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { slotBase } from './neighbor-map.ts'
import { refsMax, send, slotsMax } from './messages.ts'
import type { Exchange, ExchangeReply, Fetch } from './messages.ts'
import { knownBranch } from './questions.ts'
import type { TapestryState } from './state.ts'

/**
 * Now and then a node compares its siblings and cousins with those of a random one of them, and has the slots looked at that it believes to be empty. Whatever
 * one of the two has missed (a lost message, a partition, simultaneous insertions) it learns now, and spreads the same way; so groups become equal
 * and false holes vanish whatever went before. As long as exchanges bring something they follow each other quickly.
 *
 *     exchange {digest, holes} ──▶ exchange-reply {same, ids, fillers} ──▶ fetch {ids} ──▶ contacts
 */
export class Exchanges {
  private readonly state: TapestryState
  /** The last exchange brought something. */
  restless = false
  /** Whom the last partner named and this node does not know: to be greeted when it hears where they are. Bound: `refsMax`. */
  wanted = new Set<Guid>()
  /** Partners that have not replied yet. Bound: {@link partnersMax}. Full: the first is forgotten, and its reply dropped. */
  private readonly asked = new Set<Guid>()

  constructor(state: TapestryState) {
    this.state = state
  }

  start(fx: OverlayEffects): void {
    const { state } = this
    const partner = this.partner()
    this.restless = false
    if (partner === undefined) return
    this.asked.add(partner.id)
    if (this.asked.size > partnersMax) {
      for (const first of this.asked) {
        this.asked.delete(first)
        break
      }
    }
    const { group, prefix } = this.common(partner, state.groupLevelOf(partner.id) ?? state.siblings.floor)
    send(
      partner,
      { type: 'exchange', prefix, count: group.length, digest: digest(group), holes: this.holes(), ...state.statusFor(partner) },
      fx,
    )
  }

  onExchange(from: NodeRef, exchange: Exchange, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { group, prefix } = this.common(from, exchange.group)
    const isKin = state.siblings.shared(from.id) >= Math.min(exchange.group, state.siblings.floor)
    const same = !isKin || (prefix === exchange.prefix && group.length === exchange.count && digest(group) === exchange.digest)
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

  /** Whether this node has asked `from` for a comparison and not had its reply yet; once. */
  takesReplyOf(from: NodeRef): boolean {
    return this.asked.delete(from.id)
  }

  /** Returns the nodes that the other takes to be dead, and cousins that it does not have, to be looked at. */
  onReply(from: NodeRef, reply: ExchangeReply, fx: OverlayEffects): NodeRef[] {
    const { state } = this
    const { group: ours, prefix } = this.common(from, reply.group)
    if (reply.same || reply.prefix !== prefix) return []
    const theirs = new Set(reply.ids)
    const said = new Set(reply.gone)
    const unknown = reply.ids.filter(
      (id) => id !== state.self.id && id.length === state.self.id.length && state.groupLevelOf(id) === undefined,
    )
    const lacking = unknown.filter((id) => !state.failed.has(id))
    const dead = unknown.filter((id) => state.failed.has(id))
    const surplus = ours.filter((ref) => !theirs.has(ref.id) && !said.has(ref.id) && ref.id !== from.id)
    this.wanted = new Set(lacking)
    if (lacking.length > 0) send(from, { type: 'fetch', ids: lacking }, fx)
    if (surplus.length > 0 || dead.length > 0) send(from, { type: 'contacts', refs: surplus, gone: dead }, fx)
    this.restless ||= lacking.length > 0 || surplus.length > 0
    return ours.filter((ref) => ref.id !== state.self.id && (said.has(ref.id) || (state.cousins.has(ref.id) && !theirs.has(ref.id))))
  }

  onFetch(from: NodeRef, fetch: Fetch, fx: OverlayEffects): void {
    const refs = fetch.ids.flatMap((id) => this.state.find(id) ?? [])
    const gone = fetch.ids.filter((id) => this.state.failed.has(id))
    if (refs.length + gone.length > 0) send(from, { type: 'contacts', refs: refs.slice(0, refsMax), gone }, fx)
  }

  /** In turn by chance: one whose group is the same, so that all of it is compared at once; a cousin, of a branch in doubt if there is one; any sibling. */
  private partner(): NodeRef | undefined {
    const { siblings, cousins, prng } = this.state
    const draw = prng.nextInt(3)
    let some = siblings.refs()
    if (draw === 0) some = some.filter((ref) => siblings.levelOf(ref.id) === siblings.floor)
    if (draw === 1) {
      some = cousins.all()
      const unsure = some.filter(({ id }) => !this.isSure(id))
      if (unsure.length > 0) some = unsure
    }
    return prng.pick(some.length > 0 ? some : this.state.neighbors())
  }

  private isSure(id: Guid): boolean {
    const { map } = this.state
    const level = map.levelOf(id)
    return knownBranch(this.state, level, map.digitOf(id, level)) !== undefined
  }

  /**
   * What both ought to know, this node and another whose group is of this level: the siblings and cousins of the one with the smaller group; the other has them as siblings or as
   * cousins. `prefix`: how many digits that group shares.
   */
  private common(other: NodeRef, level: number): { readonly group: NodeRef[]; readonly prefix: number } {
    const { state } = this
    const { floor } = state.siblings
    const isOther = level >= floor
    return { group: seenFrom(state, isOther ? other.id : state.self.id, isOther ? level : floor), prefix: Math.max(level, floor) }
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

/** Our guess: one asked at random may be slow, or dead. */
const partnersMax = 4

/** Whom this node has for slots that another, who shares the first `shared` digits with it, believes to be empty; itself among them. At most `each` for a slot. */
export function fillersFor(state: TapestryState, shared: number, slots: readonly number[], each: number): NodeRef[] {
  const found = new Map<Guid, NodeRef>()
  for (const slot of slots) {
    const level = Math.floor(slot / slotBase)
    if (level > shared || level >= state.map.digits) continue
    const isOwn = state.map.ownDigit(level) === slot % slotBase && level === shared
    if (isOwn && state.standing !== 'leaving') found.set(state.self.id, state.self)
    for (const ref of state.map.numbered(slot).slice(0, each)) found.set(ref.id, ref)
    if (found.size >= slotsMax) break
  }
  return [...found.values()].slice(0, refsMax)
}

/** The siblings and cousins of a node whose group shares `prefix` digits, itself included, as this node knows them. */
function seenFrom(state: TapestryState, origin: Guid, prefix: number): NodeRef[] {
  const { digitBits, siblingsMin } = state.config
  const branchOf = ({ id }: NodeRef): number => {
    const level = sharedPrefixDigits(id, origin, digitBits)
    return id === origin || level >= prefix ? ownBranch : level * slotBase + digitAt(id, level, digitBits)
  }
  const known = [state.self, ...state.kin()].map((ref) => ({ ref, branch: branchOf(ref) }))
  const sizes = new Map<number, number>()
  for (const { branch } of known) sizes.set(branch, (sizes.get(branch) ?? 0) + 1)
  return known.filter(({ branch }) => branch === ownBranch || sizes.get(branch)! < siblingsMin).map(({ ref }) => ref)
}

const ownBranch = -1

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
