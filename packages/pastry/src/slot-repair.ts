import type { NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { SlotReply, SlotRequest } from './messages.ts'
import type { PastryState } from './state.ts'

/**
 * Lazy repair of the routing table (Middleware 2001, §2.4): the place of an entry that failed is offered to whomever another entry of the same
 * row has there; if that one does not know, to entries of the next row, who cast a wider net. Routing goes on meanwhile by other hops.
 */
export class SlotRepair {
  private readonly state: PastryState
  /** Slots being repaired. Bound: `slotRepairsMax`. Full: the oldest is given up; the row exchange will fill it. */
  private readonly open: Slot[] = []

  constructor(state: PastryState) {
    this.state = state
  }

  start(row: number, column: number, fx: OverlayEffects): void {
    if (this.open.some((slot) => slot.row === row && slot.column === column)) return
    if (this.open.length >= this.state.config.slotRepairsMax) this.open.shift()
    const { prng, routingTable } = this.state
    const helpers = [...prng.shuffle(routingTable.row(row)), ...prng.shuffle(routingTable.row(row + 1))].slice(0, helpersMax)
    const slot = { row, column, helpers }
    this.open.push(slot)
    this.askNext(slot, fx)
  }

  /** Candidates for a slot that is open here; none when nobody asked. */
  onReply(reply: SlotReply, fx: OverlayEffects): readonly NodeRef[] {
    const slot = this.find(reply.row, reply.column)
    if (slot === undefined) return []
    if (reply.refs.length === 0) this.askNext(slot, fx)
    return reply.refs.slice(0, 1)
  }

  /** Another chance for a slot whose helper or candidate did not answer. */
  onTimer(arg: number, fx: OverlayEffects): void {
    const slot = this.find(Math.floor(arg / slotBase), arg % slotBase)
    if (slot !== undefined) this.askNext(slot, fx)
  }

  private askNext(slot: Slot, fx: OverlayEffects): void {
    const helper = slot.helpers.pop()
    if (helper === undefined || this.state.routingTable.slot(slot.row, slot.column) !== undefined) {
      this.open.splice(this.open.indexOf(slot), 1)
      return
    }
    send(helper, { type: 'slot-request', row: slot.row, column: slot.column }, fx)
    fx.startTimer('slot', slot.row * slotBase + slot.column, 2 * this.state.config.probeTimeoutMs)
  }

  private find(row: number, column: number): Slot | undefined {
    return this.open.find((slot) => slot.row === row && slot.column === column)
  }
}

/** Whom this node would put into that slot of the asker's table, for they share the row's prefix. */
export function onSlotRequest(state: PastryState, from: NodeRef, request: SlotRequest, fx: OverlayEffects): void {
  const { row, column } = request
  const { routingTable } = state
  const candidate = routingTable.rowOf(from.id) < row ? undefined : routingTable.slot(row, column)
  const refs = candidate === undefined || candidate.id === from.id ? [] : [candidate]
  send(from, { type: 'slot-reply', row, column, refs }, fx)
}

interface Slot {
  readonly row: number
  readonly column: number
  /** Whom to ask; the last first. */
  readonly helpers: NodeRef[]
}

/** Our guess: half of them may be dead after a mass failure. */
const helpersMax = 4
/** Packs row and column into a timer's number; a digit has at most 8 bits. */
const slotBase = 256
