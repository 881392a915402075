import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { encodeInsertPayload } from './codec.ts'
import { fillersFor } from './exchange.ts'
import { refsMax, send } from './messages.ts'
import type { Insert, InsertPayload, InsertRequest } from './messages.ts'
import type { Completed, Multicasts } from './multicast.ts'
import type { Probing } from './probing.ts'
import type { TapestryState } from './state.ts'

/** A joiner asks this node to be its way in, or a member to look into its part of the network. */
export function onInsertRequest(state: TapestryState, from: NodeRef, request: InsertRequest, fx: OverlayEffects): void {
  const { purpose, attempt } = request
  if (state.standing === 'member') fx.route(from.id, encodeInsertPayload({ purpose, joiner: from, attempt }))
  else if (purpose === 'join') send(from, { type: 'insert-refusal', attempt, member: false }, fx)
}

/**
 * The part that others play in an insertion (JSAC 2004, §III-C). The surrogate starts the multicast; each node it reaches takes the new one in, tells it of nodes for its
 * empty slots, and tells it and every other node whose multicast is not over here (the watch list) of each other, so that two that should fill each other's hole cannot
 * miss one another.
 */
export class Insertions {
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly multicasts: Multicasts
  /** Nodes inserted lately. Bound: `watchMax`. Full: the first goes. Undefined until the first. */
  private watched: Map<Guid, { readonly ref: NodeRef; readonly until: Millis }> | undefined = undefined
  /** Those this node is the surrogate of, by the token of the multicast. Bound: `multicastsMax`. Undefined until the first. */
  private running: Map<number, { readonly joiner: NodeRef; readonly attempt: number }> | undefined = undefined

  constructor(state: TapestryState, probing: Probing, multicasts: Multicasts) {
    this.state = state
    this.probing = probing
    this.multicasts = multicasts
  }

  /**
   * The way of a joiner's message to its surrogate passes here. The surrogate answers with what it knows: the levels that the two share, which serve the joiner as
   * they are, and its siblings. When the next hop would be the joiner itself, from an incarnation or an attempt before, or one that is being
   * inserted too, this node stands in for the surrogate. Returns whether the message goes on.
   */
  pass(payload: InsertPayload, nextHop: NodeRef | undefined, now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    const { joiner, attempt } = payload
    if (joiner.id === state.self.id) return false
    if (nextHop !== undefined && nextHop.id !== joiner.id && !this.isInserting(nextHop, now)) return true
    const refs = new Map<Guid, NodeRef>()
    const shared = state.map.levelOf(joiner.id)
    for (let level = Math.min(shared, state.map.depth - 1); level >= 0; level--) {
      for (const ref of state.map.level(level)) refs.set(ref.id, ref)
    }
    for (const ref of state.siblings.refs()) refs.set(ref.id, ref)
    refs.delete(joiner.id)
    for (const ref of refs.values()) if (this.isInserting(ref, now)) refs.delete(ref.id)
    send(joiner, { type: 'surrogate', attempt, refs: [...refs.values()].slice(0, refsMax), ...state.statusFor(joiner) }, fx)
    return false
  }

  /** A joiner's map is built: everybody is to be told. */
  onInsert(from: NodeRef, insert: Insert, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { attempt, holes } = insert
    const shared = state.map.levelOf(from.id)
    if (state.standing !== 'member' || !this.standsInFor(from, now)) {
      return send(from, { type: 'insert-refusal', attempt, member: state.standing === 'member' }, fx)
    }
    for (const { joiner, attempt: other } of this.running?.values() ?? []) if (joiner.id === from.id && other === attempt) return
    this.welcome(from, holes, now, fx)
    const level = Math.min(shared, state.siblings.floor)
    const begun = this.multicasts.begin({ purpose: 'insert', subject: from, level, slots: holes }, now, fx)
    if (typeof begun === 'number') {
      const running = (this.running ??= new Map())
      running.set(begun, { joiner: from, attempt })
    } else if (begun !== undefined) {
      this.tell(from, attempt, begun, fx)
    }
  }

  /** The multicast has reached everybody. */
  onCompleted(completed: Completed, fx: OverlayEffects): void {
    const insertion = this.running?.get(completed.token)
    if (insertion === undefined) return
    this.running!.delete(completed.token)
    this.tell(insertion.joiner, insertion.attempt, completed, fx)
  }

  /** The multicast for `joiner` is here: this node takes it in, and helps it. */
  welcome(joiner: NodeRef, holes: readonly number[], now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (joiner.id === state.self.id || state.failed.refuses(joiner)) return
    const shared = state.map.levelOf(joiner.id)
    const fellows = this.multicasts.inserting().filter((ref) => ref.id !== joiner.id)
    const refs = [...fellows, ...fillersFor(state, shared, holes, 2).filter((ref) => ref !== state.self && ref.id !== joiner.id)]
    // That a known node has begun anew it must say itself.
    if (state.find(joiner.id) === undefined) state.admit(joiner, fx)
    // Its answer is the direct contact that nobody stays in a table without; and the distance.
    this.probing.start(joiner, false, now, fx)
    if (refs.length > 0) send(joiner, { type: 'contacts', refs: refs.slice(0, refsMax), gone: [] }, fx)
    for (const fellow of fellows) send(fellow, { type: 'contacts', refs: [joiner], gone: [] }, fx)
    this.watch(joiner, now)
  }

  clear(): void {
    this.watched = undefined
    this.running = undefined
  }

  /** Whether nobody shares more digits with the joiner than this node does, apart from the joiner and such as are being inserted at the same time. */
  private standsInFor(joiner: NodeRef, now: Millis): boolean {
    return this.state.map.slotFor(joiner.id).every((ref) => ref.id === joiner.id || this.isInserting(ref, now))
  }

  private isInserting(ref: NodeRef, now: Millis): boolean {
    return (this.watched?.get(ref.id)?.until ?? now) > now
  }

  private watch(ref: NodeRef, now: Millis): void {
    const watched = (this.watched ??= new Map())
    for (const [id, { until }] of watched) if (until <= now || id === ref.id) watched.delete(id)
    watched.set(ref.id, { ref, until: now + this.state.config.watchMs })
    if (watched.size <= this.state.config.watchMax) return
    for (const first of watched.keys()) {
      watched.delete(first)
      break
    }
  }

  private tell(joiner: NodeRef, attempt: number, { ids, level }: Completed, fx: OverlayEffects): void {
    send(joiner, { type: 'inserted', attempt, level, ids: ids.filter((id) => id !== joiner.id) }, fx)
    for (const observer of this.state.backpointers.observers()) send(observer, { type: 'contacts', refs: [joiner], gone: [] }, fx)
  }
}
