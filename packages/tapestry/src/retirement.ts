import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import { refsMax, send } from './messages.ts'
import type { Parts } from './parts.ts'

/**
 * How this node leaves (JSAC 2004, §III-D). It tells everybody who has it in a table, with those that may take its place, and stays routable until all have
 * confirmed (edge case 4 of the reference): what is on its way to it is passed on, and nobody meets a dead end.
 *
 *     leaver                        everybody with a backpointer
 *       leave {refs} ────────────►   out of all tables; those that refs names are greeted
 *       ◄──────────────── leave-ack
 *
 * From the first word on it is root of nothing. Messages for its own keys wait until the next in the order of responsibility has confirmed and so is root. Insertions
 * that it has begun as a surrogate it brings to an end; it begins none.
 */
export class Retirement {
  private readonly parts: Parts
  private readonly refs: readonly NodeRef[]
  private readonly startedAt: Millis
  /** Those told that have not confirmed. Bound: {@link toldMax}. */
  private readonly open = new Map<Guid, NodeRef>()
  /** Bound: the tables, and {@link toldMax} for those that turn up later. Full: a further one finds out by itself. */
  private readonly told = new Set<Guid>()
  private isTimeUp = false

  constructor(parts: Parts, now: Millis) {
    this.parts = parts
    this.refs = replacements(parts)
    this.startedAt = now
  }

  start(fx: OverlayEffects): void {
    const { state } = this.parts
    state.standing = 'leaving'
    state.unconfirmed = this.open
    for (const ref of [...state.everybody(), ...state.backpointers.refs()]) this.expect(ref)
    for (const ref of state.guests.refs()) this.told.add(ref.id)
    for (const ref of new Set([...this.open.values(), ...state.guests.refs()])) this.tell(ref, fx)
    fx.startTimer('leave', 0, state.config.multicastMs)
  }

  /** Something came from `from`, which may have learnt of this node only now. A member may have it in a table. */
  onHeard(from: NodeRef, isMember: boolean, fx: OverlayEffects): void {
    if (this.told.has(from.id) || this.told.size >= toldMax) return
    if (isMember) this.expect(from)
    this.told.add(from.id)
    this.tell(from, fx)
  }

  /** `from` does not send this node's keys here any more; messages may have waited for that. */
  onAck(from: NodeRef, fx: OverlayEffects): void {
    if (this.open.delete(from.id)) fx.peerRecovered(from)
  }

  /** Who cannot be connected to is not waited for. Who has only hung up hears it once more, which shows whether it is there. */
  onPeerDown(peer: NodeRef, cause: PeerDownCause, fx: OverlayEffects): void {
    if (cause === 'unreachable') this.open.delete(peer.id)
    else if (this.open.has(peer.id)) this.tell(peer, fx)
  }

  /** Says it again to those that have not confirmed. */
  onTimer(now: Millis, fx: OverlayEffects): void {
    const { multicastMs, leaveMs } = this.parts.state.config
    this.isTimeUp = now - this.startedAt >= leaveMs
    if (this.isTimeUp) return
    for (const ref of this.open.values()) this.tell(ref, fx)
    fx.startTimer('leave', 0, Math.min(multicastMs, this.startedAt + leaveMs - now))
  }

  /** Whether nobody counts on this node any more, or it has waited long enough. Who has died meanwhile is not waited for. */
  get isOver(): boolean {
    if (this.isTimeUp) return true
    for (const id of this.open.keys()) if (this.parts.state.failed.has(id)) this.open.delete(id)
    return this.open.size === 0 && !this.parts.insertions.isServing
  }

  private expect(ref: NodeRef): void {
    this.open.set(ref.id, ref)
    this.told.add(ref.id)
  }

  private tell(ref: NodeRef, fx: OverlayEffects): void {
    send(ref, { type: 'leave', refs: this.refs }, fx)
  }
}

/** Good-bye without waiting. */
export function sayGoodbye(parts: Parts, fx: OverlayEffects): void {
  const { state } = parts
  const told = new Map<Guid, NodeRef>()
  for (const ref of [...state.everybody(), ...state.backpointers.refs(), ...state.guests.refs()]) told.set(ref.id, ref)
  const refs = replacements(parts)
  for (const ref of told.values()) send(ref, { type: 'leave', refs }, fx)
}

/** Nodes that share most with this one, some of each level, the deepest first. */
function replacements({ state: { map } }: Parts): NodeRef[] {
  const refs: NodeRef[] = []
  for (let level = map.depth - 1; level >= 0; level--) refs.push(...map.primaries(level).slice(0, replacementsPerLevel))
  return refs.slice(0, refsMax)
}

/** Our guess: one of them answers. */
const replacementsPerLevel = 4

/** Our guess: twice what tables hold. */
const toldMax = 2_048
