import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Measuring } from '@plaxton/upkeep'
import { rowRefsMax, send } from './messages.ts'
import type { StateReply, StateRequest } from './messages.ts'
import type { PastryState } from './state.ts'

/**
 * A new member makes its routing table local, and itself known (Middleware 2001, §2.5: the second stage). Each step waits until the
 * candidates of the one before have been measured:
 *
 * 1. Measure the rows collected along the join's path.
 * 2. Announce itself to every node of the table, each with the row it stands in (MSPastry).
 * 3. Ask the nearest few entries of every row, and the neighbourhood set, for their rows; measure; announce itself to whoever is new.
 *    Again, as long as that brings something, `localityRounds` times at most.
 *
 * Afterwards the periodic row exchange goes on improving the table.
 */
export class Locality {
  private readonly state: PastryState
  private round = 0
  private readonly announced = new Set<Guid>()
  /** Row and id. */
  private readonly asked = new Set<string>()

  constructor(state: PastryState) {
    this.state = state
  }

  /** Nothing is being measured. Takes the next step; false when there is none. */
  proceed(fx: OverlayEffects): boolean {
    const { config } = this.state
    const news = this.announce(fx)
    if (this.round >= config.localityRounds || (news === 0 && this.round > 0)) return false
    this.round++
    this.ask(fx)
    return true
  }

  /** Returns to how many nodes. */
  private announce(fx: OverlayEffects): number {
    const { routingTable, neighborhoodSet, proximity } = this.state
    const entries = [...routingTable.entries(), ...neighborhoodSet.entries()]
    const news = entries.filter((ref) => !this.announced.has(ref.id))
    for (const ref of news) {
      if (this.announced.has(ref.id)) continue
      this.announced.add(ref.id)
      const rttMs = proximity.of(ref.id)
      if (rttMs === undefined) continue
      send(ref, { type: 'announcement', rttMs: Math.round(rttMs), refs: routingTable.row(routingTable.rowOf(ref.id)) }, fx)
    }
    return news.length
  }

  private ask(fx: OverlayEffects): void {
    const { routingTable, neighborhoodSet, proximity, config } = this.state
    for (let row = 0; row < routingTable.depth; row++) {
      const nearest = [...routingTable.row(row), ...neighborhoodSet.entries().filter((ref) => routingTable.rowOf(ref.id) >= row)]
        .filter((ref) => !this.asked.has(`${row} ${ref.id}`))
        .sort((a, b) => proximity.compare(a.id, b.id))
        .slice(0, config.localityPeers)
      for (const ref of nearest) {
        this.asked.add(`${row} ${ref.id}`)
        send(ref, { type: 'state-request', row, refs: [], leafSet: false }, fx)
      }
    }
  }
}

/** Bamboo's local tuning: swaps a random row with a random node of that row. */
export function exchangeRow(state: PastryState, fx: OverlayEffects): void {
  const { routingTable, prng } = state
  if (routingTable.depth === 0) return
  const row = prng.nextInt(routingTable.depth)
  const refs = routingTable.row(row)
  const partner = prng.pick(refs)
  if (partner !== undefined) send(partner, { type: 'state-request', row, refs, leafSet: false }, fx)
}

/** A member of the neighbourhood set is gone: another knows who else is near (Middleware 2001, §2.4). */
export function askNeighborhood(state: PastryState, fx: OverlayEffects): void {
  const helper = state.prng.pick(state.neighborhoodSet.entries())
  if (helper !== undefined) send(helper, { type: 'state-request', row: 0, refs: [], leafSet: false }, fx)
}

/** Somebody wants a row, or a joiner hunting for a near bootstrap node the leaf set as well. */
export function onStateRequest(
  state: PastryState,
  measuring: Measuring,
  from: NodeRef,
  request: StateRequest,
  now: Millis,
  fx: OverlayEffects,
): void {
  const { routingTable, leafSet, neighborhoodSet } = state
  const row = Math.min(request.row, Math.max(0, routingTable.depth - 1))
  const reply: StateReply = {
    type: 'state-reply',
    member: state.counts,
    row,
    refs: routingTable.row(row).slice(0, rowRefsMax),
    leafSet: request.leafSet ? leafSet.members : [],
    neighborhood: neighborhoodSet.entries(),
  }
  send(from, reply, fx)
  if (request.refs.length > 0) considerSome(state, measuring, request.refs, now, fx)
}

/** Measures a few of the nodes that an exchange brought, chosen at random, so that no message causes many. */
export function considerSome(state: PastryState, measuring: Measuring, refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
  const unknown = state.credible(refs, now).filter((ref) => state.proximity.of(ref.id) === undefined)
  measuring.consider(state.prng.shuffle(unknown).slice(0, state.config.exchangeCandidates), now, fx)
}
