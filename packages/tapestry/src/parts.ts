import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Measuring, Probing } from '@plaxton/upkeep'
import { Distances } from './distances.ts'
import { Exchanges, fillersFor } from './exchange.ts'
import { Guardians } from './guardians.ts'
import { foundMax, send } from './messages.ts'
import type { Multicast } from './messages.ts'
import { Multicasts } from './multicast.ts'
import type { Completed } from './multicast.ts'
import { SlotRepair } from './slot-repair.ts'
import type { TapestryState } from './state.ts'
import { Insertions } from './surrogate.ts'

/** The exchanges of one node, made once and shared by those that start each other. */
export class Parts {
  readonly state: TapestryState
  readonly probing: Probing
  readonly measuring: Measuring
  readonly multicasts: Multicasts
  readonly insertions: Insertions
  readonly guardians: Guardians
  readonly exchanges: Exchanges
  readonly repair: SlotRepair

  constructor(state: TapestryState) {
    this.state = state
    this.probing = new Probing(state)
    this.measuring = new Measuring(new Distances(state))
    this.multicasts = new Multicasts(state)
    this.insertions = new Insertions(state, this.probing, this.multicasts)
    this.guardians = new Guardians(state, this.probing, this.multicasts)
    this.exchanges = new Exchanges(state)
    this.repair = new SlotRepair(state, this.probing, this.multicasts)
  }

  onMulticast(from: NodeRef, message: Multicast, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (message.subject.id.length !== state.self.id.length) return fx.emit({ type: 'dropped', from, reason: 'an id of another width' })
    if (!state.counts && !state.routes) return send(from, { type: 'pong', seq: 0, ...state.statusFor(from) }, fx)
    // Whoever passes one on here has this node in a table, and says so when asked; then it is taken from it when it comes again. Or it has just left.
    if (!state.isAcquainted(from.id) && !state.failed.refuses(from)) return state.ping(from, state.nextSeq(), fx)
    if (message.level <= state.map.levelOf(from.id)) return fx.emit({ type: 'dropped', from, reason: 'a multicast to more than a slot' })
    if (message.purpose === 'insert' && !this.insertions.hasRoom) return
    if (this.multicasts.isNew(from, message, now, fx)) this.pass(from, message, now, fx)
  }

  /** The node's own part in a multicast, and on with it. */
  private pass(from: NodeRef, message: Multicast, now: Millis, fx: OverlayEffects): void {
    const { purpose, subject, slots } = message
    const takesIn = purpose === 'insert' && this.state.counts
    const awaits = takesIn && this.insertions.welcome(subject, slots, now, fx)
    if (purpose === 'obituary') this.guardians.onObituary(subject, now, fx)
    const found = purpose === 'check' ? fillersFor(this.state, this.state.map.levelOf(subject.id), slots, foundMax) : []
    this.multicasts.pass(from, message, found, awaits, now, fx)
  }

  /** A multicast that began here has reached everybody. */
  conclude(completed: Completed | undefined, now: Millis, fx: OverlayEffects): void {
    if (completed?.purpose === 'insert') this.insertions.onCompleted(completed, fx)
    if (completed?.purpose === 'check') this.repair.onChecked(completed, now, fx)
  }

  clear(): void {
    this.probing.clear()
    this.measuring.clear()
    this.multicasts.clear()
    this.insertions.clear()
    this.guardians.clear()
  }
}
