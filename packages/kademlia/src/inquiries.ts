import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { Nodes } from './messages.ts'
import type { KademliaState } from './state.ts'

/**
 * The one question that sibling lists are made and kept by: *whom do you know near me, besides these?*, a FIND_NODE for the own id that says whom this node knows. Joining,
 * exchange and repair all ask it. Asked again twice before the peer counts as silent.
 */
export class Inquiries {
  /** An answer has named somebody new since this was last set to false: exchanges are worth while. */
  broughtNews = false
  private readonly state: KademliaState
  /** By node. Bound: `probesMax` and the siblings. Full: another stranger is left out. Undefined until the first. */
  private running: Map<Guid, Inquiry> | undefined = undefined

  constructor(state: KademliaState) {
    this.state = state
  }

  /** No answer is outstanding. */
  get settled(): boolean {
    return this.running === undefined || this.running.size === 0
  }

  has(id: Guid): boolean {
    return this.running !== undefined && this.running.has(id)
  }

  /** Asks, unless the same question is under way: from a node that has begun to count as a member since, it is another. */
  ask(ref: NodeRef, fx: OverlayEffects): void {
    const { state } = this
    const running = (this.running ??= new Map())
    const before = running.get(ref.id)
    if (before !== undefined && before.ref.epoch >= ref.epoch && before.claims === state.counts) return
    if (before === undefined && running.size >= state.config.probesMax && !state.siblings.has(ref.id)) return
    const inquiry = { ref, seq: state.nextSeq(), attempts: 0, claims: state.counts, heard: false }
    running.set(ref.id, inquiry)
    this.send(inquiry, fx)
  }

  /** An answer came: what it ends, or undefined. */
  answered(from: NodeRef, { seq }: Nodes): EndedInquiry | undefined {
    const inquiry = this.running?.get(from.id)
    if (inquiry?.seq !== seq) return undefined
    this.running!.delete(from.id)
    return { claimed: inquiry.claims }
  }

  /** Anything arrived from it. */
  heard(from: NodeRef): void {
    const inquiry = this.running?.get(from.id)
    if (inquiry !== undefined && from.epoch >= inquiry.ref.epoch) inquiry.heard = true
  }

  /** A wait is over: asks again, or gives up. Returns the peer when it has been silent altogether. */
  expired(seq: number, fx: OverlayEffects): NodeRef | undefined {
    for (const inquiry of this.running?.values() ?? []) {
      if (inquiry.seq !== seq) continue
      if (inquiry.attempts <= this.state.config.probeRetries) {
        this.send(inquiry, fx)
        return undefined
      }
      this.running!.delete(inquiry.ref.id)
      // It lives, although its answers are lost or it does not give any.
      return inquiry.heard ? undefined : inquiry.ref
    }
    return undefined
  }

  drop(id: Guid): void {
    this.running?.delete(id)
  }

  clear(): void {
    this.running = undefined
  }

  private send(inquiry: Inquiry, fx: OverlayEffects): void {
    const { state } = this
    const { siblings, config } = state
    inquiry.attempts++
    const known = siblings.members.map(({ id }) => id)
    const count = Math.max(config.siblings, siblings.size) + 1
    send(inquiry.ref, { type: 'find-node', seq: inquiry.seq, key: state.self.id, count, known, ...state.status }, fx)
    fx.startTimer('inquiry', inquiry.seq, this.timeoutMs(inquiry))
  }

  /** Four round trips where one is known, within bounds. */
  private timeoutMs({ ref }: Inquiry): Millis {
    const { probeTimeoutMs, probeTimeoutMinMs } = this.state.config
    const rttMs = this.state.proximity.of(ref.id)
    if (rttMs === undefined) return probeTimeoutMs
    return Math.min(probeTimeoutMs, Math.max(probeTimeoutMinMs, Math.ceil(4 * rttMs)))
  }
}

interface EndedInquiry {
  /** The answer came from a node that had been told that this one counts. */
  readonly claimed: boolean
}

interface Inquiry {
  readonly ref: NodeRef
  /** The same in every transmission. */
  readonly seq: number
  attempts: number
  /** It said that this node counts. */
  readonly claims: boolean
  /** Something else arrived from the peer since. */
  heard: boolean
}
