import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { refsMax, send } from './messages.ts'
import type { Parts } from './parts.ts'
import { slotNumber } from './state.ts'

/** Nodes that go: this one with a good-bye (JSAC 2004, §III-D), others with one or without (§III-E). */
export class Departures {
  private readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** This node goes. It tells everybody who has it in a table, with those that may take its place. */
  leave(fx: OverlayEffects): void {
    const { state } = this.parts
    const told = new Map<Guid, NodeRef>()
    for (const ref of [...state.everybody(), ...state.backpointers.refs()]) told.set(ref.id, ref)
    const refs = this.replacements()
    for (const ref of told.values()) send(ref, { type: 'leave', refs }, fx)
  }

  /** A peer goes. Returns those it names in its place, to be looked at. */
  onLeave(from: NodeRef, refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): readonly NodeRef[] {
    const { state, repair } = this.parts
    const known = state.find(from.id)
    if (known === undefined) state.backpointers.delete(from.id)
    if (known === undefined || from.epoch < known.epoch) return []
    const level = state.map.levelOf(from.id)
    const digit = state.map.digitOf(from.id, level)
    state.failed.add(from, true, now)
    this.lose(known, now, fx)
    // It knew everybody who shares more with it than this node does. If there is nobody, the slot is empty.
    const named = refs.filter((ref) => ref.id !== state.self.id && ref.id.length === state.self.id.length)
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

  /** Out of all tables, and on with closing the gaps. */
  lose(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { parts } = this
    const { state } = parts
    const wasPointer = state.map.get(ref.id) !== undefined
    parts.probing.drop(ref.id)
    parts.measuring.drop(ref.id, now, fx)
    parts.guardians.forget(ref.id)
    state.drop(ref, fx)
    fx.peerFailed(ref)
    for (const completed of parts.multicasts.onGone(ref, now, fx)) parts.conclude(completed, now, fx)
    if (wasPointer && state.standing === 'member') this.seekBackup(ref, fx)
  }

  /** Nobody is left of so many, missed at one go, that it is more likely that this node was cut off than that all the others have died. */
  isCutOff(now: Millis): boolean {
    const { siblings, map, failed, missed, config } = this.parts.state
    if (siblings.size > 0 || map.depth > 0 || missed.size < config.siblingsMin) return false
    return failed.missed(config.failedMs, now).filter(({ id }) => missed.has(id)).length >= config.siblingsMin
  }

  /** Nodes that share most with this one, some of each level, the deepest first. */
  private replacements(): NodeRef[] {
    const { map } = this.parts.state
    const refs: NodeRef[] = []
    for (let level = map.depth - 1; level >= 0; level--) refs.push(...map.primaries(level).slice(0, replacementsPerLevel))
    return refs.slice(0, refsMax)
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

/** Our guess: one of them answers. */
const replacementsPerLevel = 4
