import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { Parts } from './parts.ts'
import { slotNumber } from './state.ts'

/** Other nodes that go, with a good-bye (JSAC 2004, §III-D) or without (§III-E). How this one does: `retirement.ts`. */
export class Departures {
  private readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** A peer goes, and still passes on what is on its way to it. Returns those it names in its place, to be looked at. */
  onLeave(from: NodeRef, refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): readonly NodeRef[] {
    const { state, repair } = this.parts
    send(from, { type: 'leave-ack' }, fx)
    const known = state.find(from.id)
    if (known === undefined) state.backpointers.delete(from.id)
    // What it sent a joiner before may arrive later.
    if (known === undefined && state.standing === 'outside') state.failed.add(from, true, now)
    if (known === undefined || from.epoch < known.epoch) return []
    const level = state.map.levelOf(from.id)
    const digit = state.map.digitOf(from.id, level)
    state.failed.add(from, true, now)
    this.takeOut(known, now, fx)
    fx.peerRecovered(from)
    // It knew everybody who shares more with it than this node does. If there is nobody, but for such as leave too, the slot is empty.
    const named = refs.filter((ref) => ref.id !== state.self.id && ref.id.length === state.self.id.length && !state.failed.refuses(ref))
    const isInSlot = (ref: NodeRef): boolean => state.map.levelOf(ref.id) === level && state.map.digitOf(ref.id, level) === digit
    if (!named.some(isInSlot)) repair.conclude(slotNumber(level, digit), fx)
    return refs
  }

  /** A peer did not answer three times, or cannot be connected to: it is taken to be dead. */
  fail(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state, guardians } = this.parts
    const known = state.find(ref.id)
    if (known !== undefined) {
      guardians.noteDeath(known, fx)
      state.history.note(known, state.prng)
      fx.emit({ type: 'peer-failed', peer: known })
    }
    state.failed.add(known ?? ref, false, now)
    if (state.missed.size < state.config.failedMax) state.missed.add(ref.id)
    this.lose(known ?? ref, now, fx)
  }

  /** It is no use to send it anything. */
  lose(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.takeOut(ref, now, fx)
    fx.peerFailed(ref)
  }

  /** Out of all tables, and on with closing the gaps. */
  private takeOut(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { parts } = this
    const { state } = parts
    const wasPointer = state.map.get(ref.id) !== undefined
    parts.probing.drop(ref.id)
    parts.measuring.drop(ref.id, now, fx)
    parts.guardians.forget(ref.id)
    state.drop(ref, fx)
    for (const completed of parts.multicasts.onGone(ref, now, fx)) parts.conclude(completed, now, fx)
    if (wasPointer && state.standing === 'member') this.seekBackup(ref, fx)
  }

  /** Nobody is left of so many, missed at one go, that it is more likely that this node was cut off than that all the others have died. */
  isCutOff(now: Millis): boolean {
    const { siblings, map, failed, missed, config } = this.parts.state
    if (siblings.size > 0 || map.depth > 0 || missed.size < config.siblingsMin) return false
    return failed.missed(config.failedMs, now).filter(({ id }) => missed.has(id)).length >= config.siblingsMin
  }

  /** A slot that has lost a backup: another node's pointers there may do. */
  private seekBackup(lost: NodeRef, fx: OverlayEffects): void {
    const { state } = this.parts
    const level = state.map.levelOf(lost.id)
    const slot = state.map.slotFor(lost.id)
    if (slot.length === 0 || level >= state.siblings.level) return
    const helper = state.prng.pick(state.sharing(level).filter((ref) => !slot.includes(ref)))
    if (helper === undefined) return
    send(helper, { type: 'slot-request', slot: slotNumber(level, state.map.digitOf(lost.id, level)), ...state.statusFor(helper) }, fx)
  }
}
