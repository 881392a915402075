import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { nextVersion } from './claim.ts'
import type { Claim } from './claim.ts'
import { send } from './messages.ts'
import type { CanState, Contact } from './state.ts'
import { isSettled } from './territory.ts'
import type { Holding } from './territory.ts'
import { bitsOf, contains, halves, overlap, without } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * The owner's side of a join (SIGCOMM 2001, §2.1) and of every hand-over: the next owner may claim the zone with the next version, and this node lets go when it hears that claim. Until then
 * it goes on answering for it, so that a grant which gets lost costs nothing.
 */
export class Grants {
  private readonly state: CanState
  /** By the receiver. Bound: {@link grantsMax}. Full: the first goes; the zone may then be granted again. */
  private readonly open = new Map<Guid, { readonly zone: Zone; readonly until: Millis }>()

  constructor(state: CanState) {
    this.state = state
  }

  /** The zone that was granted to this node, if it claims it: that needs no further proof. */
  expected(id: Guid, claims: readonly Claim[]): Zone | undefined {
    const grant = this.open.get(id)
    return grant !== undefined && claims.some(({ zone }) => zone === grant.zone) ? grant.zone : undefined
  }

  claimed(id: Guid): void {
    this.open.delete(id)
  }

  /** A joiner's point is this node's. False when there is nothing to give. */
  serve(joiner: NodeRef, attempt: number, now: Millis, fx: OverlayEffects): boolean {
    const { config } = this.state
    const larger = config.uniformPartitioning === 1 ? this.largerNeighbor() : undefined
    if (larger !== undefined) {
      send(larger.ref, { type: 'split', joiner, attempt }, fx)
      return true
    }
    return this.split(joiner, attempt, now, fx)
  }

  /** Gives the joiner a whole zone if there are several, the one with its point or else its former one, else half of the one there is: the half with its point, where that is this node's. */
  split(joiner: NodeRef, attempt: number, now: Millis, fx: OverlayEffects): boolean {
    this.expire(now)
    const bits = bitsOf(this.state.pointOf(joiner.id))
    const free = this.freeZones(joiner.id, now)
    const former = (): (typeof free)[number] | undefined => free.find(({ holding }) => holding.careFor === joiner.id)
    const around = free.find(({ zone }) => contains(zone, bits)) ?? former() ?? free[0]
    if (around === undefined) return false
    let { zone } = around
    if (free.length === 1) {
      if (zone.length >= this.state.space.maxDepth) return false
      const [lower, upper] = halves(zone)
      zone = contains(lower, bits) ? lower : upper
    }
    this.give(joiner, around.holding, zone, attempt, now, fx)
    return true
  }

  /** Hands a zone over to a member. */
  handOver(to: NodeRef, holding: Holding, now: Millis, fx: OverlayEffects): void {
    this.give(to, holding, holding.zone, 0, now, fx)
  }

  /** Expects a claim of a zone that somebody else offered for this node. */
  expect(id: Guid, zone: Zone, now: Millis): void {
    this.open.delete(id)
    if (this.open.size >= grantsMax) {
      for (const first of this.open.keys()) {
        this.open.delete(first)
        break
      }
    }
    this.open.set(id, { zone, until: now + this.state.config.grantMs })
  }

  /** Whether this zone, or a part of it, is promised to somebody. */
  isPromised(zone: Zone, now: Millis): boolean {
    this.expire(now)
    return [...this.open.values()].some((grant) => overlap(grant.zone, zone))
  }

  private give(to: NodeRef, holding: Holding, zone: Zone, attempt: number, now: Millis, fx: OverlayEffects): void {
    this.expect(to.id, zone, now)
    const { claims, groups, shared, others, digest } = this.state.surroundings
    const claim: Claim = { zone, version: nextVersion(holding.version), caretaker: false }
    send(to, { type: 'grant', attempt, zone: claim, claims, groups, shared, others, digest }, fx)
  }

  /**
   * Own zones without what is promised to others, the largest first. Whoever a zone is taken care of for may only have been slow to answer, and would lose all that it has if
   * somebody else were given it: until `caretakeMs` have passed it goes to nobody else, unless there is nothing else to give.
   */
  private freeZones(joiner: Guid, now: Millis): Array<{ readonly zone: Zone; readonly holding: Holding }> {
    const promised = [...this.open].filter(([id]) => id !== joiner).map(([, { zone }]) => zone)
    const { territory, config } = this.state
    const isKept = ({ caretaker, careFor, since }: Holding): boolean => caretaker && careFor !== joiner && now - since < config.caretakeMs
    const settled = territory.holdings.filter(isSettled)
    const givable = settled.filter((holding) => !isKept(holding))
    return (givable.length > 0 ? givable : settled)
      .flatMap((holding) =>
        promised.reduce((left, taken) => left.flatMap((zone) => without(zone, taken)), [holding.zone]).map((zone) => ({ zone, holding })),
      )
      .sort((a, b) => a.zone.length - b.zone.length || (a.zone < b.zone ? -1 : 1))
  }

  /** Uniform partitioning (§3.7): the neighbour with the largest zone, if that is larger than this node's. */
  private largerNeighbor(): Contact | undefined {
    const { territory, contacts, space } = this.state
    if (territory.holdings.length !== 1) return undefined
    const own = territory.holdings[0]!.zone
    let best: Contact | undefined
    for (const contact of contacts.values()) {
      const zone = contact.claims[0]?.zone
      if (zone === undefined || contact.claims.length !== 1 || zone.length >= (best?.claims[0]!.zone ?? own).length) continue
      if (space.abut(own, zone)) best = contact
    }
    return best
  }

  private expire(now: Millis): void {
    for (const [id, { until }] of this.open) if (until <= now) this.open.delete(id)
  }
}

const grantsMax = 64
