import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { tellRanks } from '@plaxton/upkeep'
import { fillersFor } from './exchange.ts'
import { foundMax, send } from './messages.ts'
import type { SlotReply, SlotRequest } from './messages.ts'
import type { Completed, Multicasts } from './multicast.ts'
import { slotBase } from './neighbor-map.ts'
import type { TapestryState } from './state.ts'

/**
 * A slot has lost its last pointer. It is not taken for empty before that has been checked (edge case 1 of the reference): a false hole would make a second
 * root.
 *
 * 1. Some that share the digits before it are asked for their pointers. Whoever they name is greeted.
 * 2. If nobody names anybody, and two of them at least and more than half of those that reply have checked it already, the slot is empty. Few might be wrong, or lie.
 * 3. Otherwise everybody who shares those digits is asked, by multicast. If that brings nobody, it is empty.
 *
 * Meanwhile messages that would pass the slot wait. A slot that has lost a backup only is offered to one other node's pointers there.
 */
export class SlotRepair {
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly multicasts: Multicasts
  /** Slots being repaired, by number. Bound: `repairsMax`. Full: the oldest is let go and begins anew when its turn comes. */
  private readonly open = new Map<number, Repair>()

  constructor(state: TapestryState, probing: Probing, multicasts: Multicasts) {
    this.state = state
    this.probing = probing
    this.multicasts = multicasts
  }

  /** Sees to the doubtful slots that are not being repaired. */
  proceed(now: Millis, fx: OverlayEffects): void {
    for (const slot of this.state.doubtful) {
      if (this.open.size >= this.state.config.repairsMax) return
      if (!this.open.has(slot)) this.start(slot, fx)
    }
  }

  onReply(from: NodeRef, reply: SlotReply, now: Millis, fx: OverlayEffects): void {
    const repair = this.open.get(reply.slot)
    if (repair === undefined || !repair.asked.has(from.id)) return
    repair.asked.delete(from.id)
    repair.replies++
    if (reply.checked) repair.checks++
    this.greet(repair, reply.refs, now, fx)
    if (repair.asked.size === 0) this.judge(repair, now, fx)
  }

  onTimer(slot: number, now: Millis, fx: OverlayEffects): void {
    const repair = this.open.get(slot)
    if (repair === undefined) return
    for (const id of repair.asked) {
      const silent = this.state.find(id)
      if (silent !== undefined) this.probing.start(silent, false, now, fx)
    }
    repair.asked.clear()
    this.judge(repair, now, fx)
    if (this.open.has(slot)) fx.startTimer('slot', slot, this.state.config.multicastMs)
  }

  /** The multicast has asked everybody. */
  onChecked(completed: Completed, now: Millis, fx: OverlayEffects): void {
    for (const slot of completed.slots) {
      const repair = this.open.get(slot)
      if (repair === undefined) continue
      repair.isChecked = true
      repair.token = undefined
      this.greet(repair, completed.refs, now, fx)
      this.judge(repair, now, fx)
    }
  }

  /** Nobody is there; whoever said so must know. */
  conclude(slot: number, fx: OverlayEffects): void {
    this.open.delete(slot)
    if (this.state.doubtful.delete(slot)) tellRanks(fx)
  }

  private start(slot: number, fx: OverlayEffects): void {
    const { state } = this
    const level = Math.floor(slot / slotBase)
    const helpers = state.prng.shuffle(state.sharing(level)).slice(0, state.config.repairPeers)
    const repair: Repair = { slot, level, asked: new Set(), greeted: new Set(), replies: 0, checks: 0, isChecked: false, token: undefined }
    this.open.set(slot, repair)
    for (const ref of helpers) {
      repair.asked.add(ref.id)
      send(ref, { type: 'slot-request', slot, ...state.statusFor(ref) }, fx)
    }
    if (helpers.length === 0) return this.conclude(slot, fx)
    fx.startTimer('slot', slot, state.config.multicastMs)
  }

  private greet(repair: Repair, refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    for (const ref of this.state.credible(refs, now)) {
      if (!this.state.needs(ref.id)) continue
      repair.greeted.add(ref.id)
      this.probing.start(ref, false, now, fx)
    }
  }

  /** All answers are in: filled, empty, or on with it. */
  private judge(repair: Repair, now: Millis, fx: OverlayEffects): void {
    if (!this.state.doubtful.has(repair.slot)) return void this.open.delete(repair.slot)
    for (const id of repair.greeted) if (!this.probing.has(id)) repair.greeted.delete(id)
    if (repair.greeted.size > 0 || repair.token !== undefined) return
    const isKnown = repair.checks >= checksMin && 2 * repair.checks > repair.replies
    if (repair.isChecked || isKnown) return this.conclude(repair.slot, fx)
    const { self } = this.state
    const begun = this.multicasts.begin({ purpose: 'check', subject: self, level: repair.level, slots: [repair.slot] }, now, fx)
    if (typeof begun === 'number') repair.token = begun
    else if (begun !== undefined) this.onChecked(begun, now, fx)
  }
}

/** Whom this node has for a slot that the asker lost; and whether it knows for certain that there is nobody. */
export function onSlotRequest(state: TapestryState, from: NodeRef, request: SlotRequest, fx: OverlayEffects): void {
  const { slot } = request
  const refs = fillersFor(state, state.map.levelOf(from.id), [slot], foundMax).slice(0, foundMax)
  const shares = state.map.levelOf(from.id) >= Math.floor(slot / slotBase)
  const checked = shares && refs.length === 0 && state.standing === 'member' && !state.doubtful.has(slot)
  send(from, { type: 'slot-reply', slot, refs, checked, ...state.statusFor(from) }, fx)
}

interface Repair {
  readonly slot: number
  readonly level: number
  /** Those that have not replied. Bound: `repairPeers`. */
  readonly asked: Set<Guid>
  /** Candidates that have not answered. Bound: what the replies name. */
  readonly greeted: Set<Guid>
  /** How many have replied. */
  replies: number
  /** How many of them say that they know the slot to be empty. */
  checks: number
  /** Everybody has been asked. */
  isChecked: boolean
  /** Of the multicast that is asking everybody. */
  token: number | undefined
}

/** Our guess. */
const checksMin = 2
