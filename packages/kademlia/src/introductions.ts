import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { send } from './messages.ts'
import type { FindNode, Pong } from './messages.ts'
import type { KademliaState } from './state.ts'

/**
 * Strangers who say unasked that they are members. Before one gets a place in any table it has to answer a ping, which shows that messages reach it: a table that took
 * everybody at their word would send messages, and keys, to whoever says so (S/Kademlia, ICPADS 2007, takes contacts from answers only, and others under restrictions).
 *
 * One that claims a place among the siblings is answered only after its pong. A joiner is no member before all whom it claims its place from have answered, so whoever loses keys to it has
 * taken it in by then.
 *
 * Nothing is repeated here: a stranger that wants something asks again itself.
 */
export class Introductions {
  private readonly state: KademliaState
  /** By stranger. Bound: `probesMax`. Full: who was pinged first is forgotten; it asks again. */
  private readonly pinged = new Map<Guid, Introduction>()

  constructor(state: KademliaState) {
    this.state = state
  }

  /** Pings a stranger, not again within a short time, unless it repeats its `claim`: that is answered after the pong. */
  ask(ref: NodeRef, claim: FindNode | undefined, now: Millis, fx: OverlayEffects): void {
    const { state, pinged } = this
    const before = pinged.get(ref.id)
    const known = before?.ref.epoch === ref.epoch ? before : undefined
    if (known !== undefined && claim === undefined && now - known.askedAt < state.config.probeTimeoutMinMs) return
    const seq = known?.seq ?? state.nextSeq()
    pinged.delete(ref.id)
    pinged.set(ref.id, { ref, seq, askedAt: now, isFirst: known === undefined, claim: claim ?? known?.claim })
    if (pinged.size > state.config.probesMax) this.forget(pinged.keys().next().value!)
    send(ref, { type: 'ping', seq, ...state.status }, fx)
  }

  /** Whether this pong answers the ping, and the round trip if it is certain. Undefined when it does not. */
  answered(from: NodeRef, { seq }: Pong, now: Millis): { readonly rttMs: Millis | undefined } | undefined {
    const introduction = this.pinged.get(from.id)
    if (introduction?.seq !== seq || introduction.ref.epoch !== from.epoch) return undefined
    return { rttMs: introduction.isFirst ? now - introduction.askedAt : undefined }
  }

  /** The stranger has shown that it can be reached: what it asked and has not been told. */
  end(ref: NodeRef): FindNode | undefined {
    const introduction = this.pinged.get(ref.id)
    this.forget(ref.id)
    return introduction?.ref.epoch === ref.epoch ? introduction.claim : undefined
  }

  forget(id: Guid): void {
    this.pinged.delete(id)
  }

  clear(): void {
    this.pinged.clear()
  }
}

interface Introduction {
  readonly ref: NodeRef
  /** The same in every ping to it. */
  readonly seq: number
  readonly askedAt: Millis
  /** It was pinged once only, so that it is known which ping its pong answers. */
  readonly isFirst: boolean
  readonly claim: FindNode | undefined
}
