import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Departures } from './departures.ts'
import { considerSome } from './levels.ts'
import { farAway } from './messages.ts'
import type { Pointer, Pong, Status } from './messages.ts'
import type { Parts } from './parts.ts'

/** How nodes come into the tables: by what they say of themselves, never by what others say of them. */
export class Acquaintances {
  private readonly parts: Parts
  private readonly departures: Departures
  /** Pings to nodes that say they are no members, by node: the answer settles it. Bound: `probesMax`. Full: the first is forgotten. Undefined until the first. */
  private doubts: Map<Guid, { readonly seq: number; readonly at: Millis }> | undefined = undefined

  constructor(parts: Parts, departures: Departures) {
    this.parts = parts
    this.departures = departures
  }

  /** What a peer says of itself. A member is taken in; that one is none, when it had been, is asked again, for it may have said so before it became one. */
  meet(from: NodeRef, status: Status, now: Millis, fx: OverlayEffects): void {
    const { state, probing } = this.parts
    if (!status.member) {
      state.guests.heard(from, status.group, now)
      return this.doubt(from, now, fx)
    }
    state.guests.delete(from.id)
    state.admit(from, fx)
    state.noteGroup(from, status.group, fx)
    if (status.points) state.backpointers.note(from)
    else state.backpointers.delete(from.id)
    if (probing.size > 0) probing.heard(from, now, fx)
    if (state.cousins.has(from.id)) this.askPointers(from, now, fx)
    else if (state.cousins.get(from.id) !== undefined) this.askCrowd(from, now, fx)
    this.parts.insertions.onMet(from, fx)
  }

  /** Returns whether a measurement has ended by it. */
  onPong(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): boolean {
    const { state, probing, measuring } = this.parts
    this.settleDoubt(from, pong, now, fx)
    const probed = probing.roundTrip(pong.seq, now)
    if (probed !== undefined) state.proximity.sample(from.id, probed)
    const measured = measuring.answered(from, pong.seq, now, fx)
    if (pong.member && (measured || probed !== undefined) && !state.failed.refuses(from)) state.place(from, fx)
    return measured
  }

  /** Who points here may be near enough for a place in this node's own map (obligation (d) of the paper). */
  onPointer(from: NodeRef, pointer: Pointer, now: Millis, fx: OverlayEffects): void {
    if (!pointer.points || pointer.rttMs === farAway) return
    if (pointer.rttMs < this.parts.state.map.furthestFor(from.id)) this.parts.measuring.consider([from], now, fx)
  }

  /** Hearsay. Who is needed is greeted until it answers; some of those that could be near are measured. */
  learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { state, probing, measuring, exchanges } = this.parts
    if (!state.counts) return
    const others: NodeRef[] = []
    for (const ref of state.credible(refs, now)) {
      const known = state.find(ref.id)
      const wanted = exchanges.wanted.delete(ref.id) || state.needs(ref.id)
      if (wanted || (known !== undefined && known.epoch < ref.epoch)) probing.start(ref, false, now, fx)
      else if (known === undefined) others.push(ref)
    }
    considerSome(state, measuring, others, now, fx)
  }

  /** All of a sparse branch are cousins: a pointer to it that is none is dead, or has something to say. */
  private askPointers(cousin: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state, probing } = this.parts
    for (const ref of state.map.slotFor(cousin.id)) {
      if (state.cousins.get(ref.id) === undefined && !state.siblings.has(ref.id)) probing.start(ref, false, now, fx)
    }
  }

  /** It says that its branch is sparse, and more are known there than a sparse branch has: one of them has gone without a word to this node, or says otherwise. */
  private askCrowd(cousin: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state, probing } = this.parts
    for (const ref of state.cousins.beside(cousin.id)) if (ref.id !== cousin.id) probing.verify(ref, now, fx)
  }

  private doubt(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this.parts
    const known = state.find(from.id)
    if (known === undefined || from.epoch < known.epoch) return
    if (from.epoch > known.epoch) return this.departures.lose(known, now, fx)
    const doubts = (this.doubts ??= new Map())
    const before = doubts.get(from.id)
    if (before !== undefined && now - before.at < state.config.probeTimeoutMs) return
    const seq = state.nextSeq()
    doubts.delete(from.id)
    doubts.set(from.id, { seq, at: now })
    if (doubts.size > state.config.probesMax) {
      for (const first of doubts.keys()) {
        doubts.delete(first)
        break
      }
    }
    state.ping(from, seq, fx)
  }

  private settleDoubt(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): void {
    const doubt = this.doubts?.get(from.id)
    if (doubt === undefined || pong.seq < doubt.seq) return
    this.doubts!.delete(from.id)
    const known = this.parts.state.find(from.id)
    if (!pong.member && known !== undefined && known.epoch === from.epoch) this.departures.lose(known, now, fx)
  }
}
