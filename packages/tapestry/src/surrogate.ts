import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { encodeInsertPayload } from './codec.ts'
import { fillersFor } from './exchange.ts'
import { refsMax, send } from './messages.ts'
import type { Join } from './join.ts'
import type { Insert, InsertPayload, InsertRequest } from './messages.ts'
import type { Completed, Multicasts } from './multicast.ts'
import { Rate } from './rate.ts'
import type { TapestryState } from './state.ts'

/** A joiner asks this node to be its way in, or a member to look into its part of the network. */
export function onInsertRequest(
  state: TapestryState,
  join: Join | undefined,
  from: NodeRef,
  request: InsertRequest,
  fx: OverlayEffects,
): void {
  const { purpose, attempt } = request
  if (state.standing === 'member') fx.route(from.id, encodeInsertPayload({ purpose, joiner: from, attempt }))
  else if (purpose === 'join')
    send(
      from,
      {
        type: 'insert-refusal',
        attempt,
        member: false,
        refs: state.standing === 'leaving' ? state.neighbors().slice(0, 1) : (join?.members ?? []),
      },
      fx,
    )
}

/**
 * The part that others play in an insertion (JSAC 2004, §III-C). The surrogate starts the multicast; each node it reaches greets the new one. When it has answered, and not
 * before, the node takes it in, tells it of nodes for its empty slots, and tells it and every other node whose multicast was open here at the same time (the watch list) of
 * each other, so that two that should fill each other's hole cannot miss one another. Only then does the node acknowledge: when all have, the new one is in all their tables.
 */
export class Insertions {
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly multicasts: Multicasts
  /** Nodes inserted lately. Bound: `watchMax`. Full: the first goes. Undefined until the first. */
  private watched: Map<Guid, Watched> | undefined = undefined
  /** Those of them that have not answered. Bound: `watchMax`. Full: a multicast is not taken on. Undefined until the first. */
  private awaited: Map<Guid, Awaited> | undefined = undefined
  /** Those this node is the surrogate of, by the token of the multicast. Bound: `multicastsMax`. Undefined until the first. */
  private running: Map<number, { readonly joiner: NodeRef; readonly attempt: number }> | undefined = undefined

  /** Insertions begun for one joiner. */
  private readonly rate = new Rate(insertBurst, insertEveryMs)
  /** Maps sent to one joiner, and in all: a small message makes a large one, to whatever address it names. */
  private readonly mapsFor = new Rate(insertBurst, insertEveryMs)
  private readonly maps = new Rate(mapsBurst, mapEveryMs)

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
    if (!this.mapsFor.take(joiner.id, now) || !this.maps.take(state.self.id, now)) {
      fx.emit({ type: 'dropped', from: undefined, reason: 'more insertions than are answered' })
      return false
    }
    const refs = new Map<Guid, NodeRef>()
    const shared = state.map.levelOf(joiner.id)
    for (let level = Math.min(shared, state.map.depth - 1); level >= 0; level--) {
      for (const ref of state.map.level(level)) refs.set(ref.id, ref)
    }
    for (const ref of state.neighbors()) refs.set(ref.id, ref)
    refs.delete(joiner.id)
    for (const ref of refs.values()) if (this.isInserting(ref, now)) refs.delete(ref.id)
    state.guests.note(joiner)
    send(joiner, { type: 'surrogate', attempt, refs: [...refs.values()].slice(0, refsMax), ...state.statusFor(joiner) }, fx)
    return false
  }

  /** A joiner's map is built: everybody is to be told. */
  onInsert(from: NodeRef, insert: Insert, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { attempt, holes } = insert
    const shared = state.map.levelOf(from.id)
    if (state.standing !== 'member' || !this.standsInFor(from, now)) {
      return send(from, { type: 'insert-refusal', attempt, member: state.standing === 'member', refs: [] }, fx)
    }
    for (const { joiner, attempt: other } of this.running?.values() ?? []) if (joiner.id === from.id && other === attempt) return
    // It reminds this node if that was too often.
    if (!this.rate.take(from.id, now)) return
    // Before it makes the group smaller: those who leave it thereby have to know why.
    const level = Math.min(shared, state.siblings.floor)
    state.admit(from, fx)
    this.probing.start(from, false, now, fx)
    const fellows = this.fellowsOf(from)
    this.watch(from, now)
    this.introduce({ ref: from, holes, fellows }, fx)
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

  /** Whether an insertion that began here is under way. */
  get isServing(): boolean {
    return this.running !== undefined && this.running.size > 0
  }

  /** Whether one more can be waited for. */
  get hasRoom(): boolean {
    return this.awaited === undefined || this.awaited.size < this.state.config.watchMax
  }

  /** The multicast for `joiner` is here. Returns whether it has to wait for the joiner's answer. */
  welcome(joiner: NodeRef, holes: readonly number[], now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    if (joiner.id === state.self.id || state.failed.refuses(joiner)) return false
    const fellows = this.fellowsOf(joiner)
    const welcome: Awaited = { ref: joiner, holes, fellows }
    this.watch(joiner, now)
    // It has just measured this node, or asked it for a level: nothing has to be waited for.
    const group = state.guests.groupOf(joiner, state.config.insertMs, now)
    if (group !== undefined) {
      state.admit(joiner, fx)
      state.noteGroup(joiner, group, fx)
    }
    const known = state.find(joiner.id)
    // It may have been asked when it was no member yet, and has said so.
    if (known === undefined) this.probing.drop(joiner.id)
    this.probing.start(joiner, false, now, fx)
    if (group !== undefined || (known !== undefined && known.epoch >= joiner.epoch)) {
      this.introduce(welcome, fx)
      return false
    }
    const awaited = (this.awaited ??= new Map())
    awaited.set(joiner.id, welcome)
    return true
  }

  /** `from` is a member, or about to become one, and says so itself. */
  onMet(from: NodeRef, fx: OverlayEffects): void {
    const welcome = this.awaited?.get(from.id)
    if (welcome === undefined || from.epoch < welcome.ref.epoch) return
    this.awaited!.delete(from.id)
    this.introduce(welcome, fx)
    this.multicasts.release(from.id, fx)
  }

  /** Whether `ref` is somebody of whom only a multicast speaks; it does not answer, and is forgotten. */
  giveUp(ref: NodeRef, fx: OverlayEffects): boolean {
    if (this.awaited?.delete(ref.id) !== true) return false
    this.watched?.delete(ref.id)
    this.probing.drop(ref.id)
    this.multicasts.release(ref.id, fx)
    return this.state.find(ref.id) === undefined
  }

  /** Nobody is waited for who is not being asked. */
  proceed(fx: OverlayEffects): void {
    if (this.awaited === undefined || this.awaited.size === 0) return
    for (const { ref } of [...this.awaited.values()]) if (!this.probing.has(ref.id)) this.giveUp(ref, fx)
  }

  clear(): void {
    this.watched = undefined
    this.awaited = undefined
    this.running = undefined
  }

  /** Whether nobody shares more digits with the joiner than this node does, apart from the joiner and such as are being inserted at the same time. */
  private standsInFor(joiner: NodeRef, now: Millis): boolean {
    return this.state.map.slotFor(joiner.id).every((ref) => ref.id === joiner.id || this.isInserting(ref, now))
  }

  /** Those whose multicast is open here. Such as have not answered hear of `joiner` when they have, even if its own is over by then. */
  private fellowsOf(joiner: NodeRef): Map<Guid, NodeRef> {
    const others = this.multicasts.inserting().filter((ref) => ref.id !== joiner.id)
    for (const { id } of others) this.awaited?.get(id)?.fellows.set(joiner.id, joiner)
    return new Map(others.map((ref) => [ref.id, ref]))
  }

  /** It has answered: it and those that were inserted at the same time, and have answered too, hear of each other. */
  private introduce({ ref: joiner, holes, fellows }: Awaited, fx: OverlayEffects): void {
    const { state } = this
    const watched = this.watched?.get(joiner.id)
    if (watched !== undefined) watched.met = true
    const met = [...new Map([...fellows, ...this.fellowsOf(joiner)]).values()].filter(({ id }) => this.watched?.get(id)?.met === true)
    const fillers = fillersFor(state, state.map.levelOf(joiner.id), holes, 2).filter((ref) => ref !== state.self && ref.id !== joiner.id)
    const refs = [...met, ...fillers]
    if (refs.length > 0) send(joiner, { type: 'contacts', refs: refs.slice(0, refsMax), gone: [] }, fx)
    for (const fellow of met) send(fellow, { type: 'contacts', refs: [joiner], gone: [] }, fx)
  }

  private isInserting(ref: NodeRef, now: Millis): boolean {
    return (this.watched?.get(ref.id)?.until ?? now) > now
  }

  private watch(ref: NodeRef, now: Millis): void {
    const watched = (this.watched ??= new Map())
    for (const [id, { until }] of watched) if (until <= now || id === ref.id) watched.delete(id)
    watched.set(ref.id, { until: now + this.state.config.watchMs, met: false })
    if (watched.size <= this.state.config.watchMax) return
    for (const first of watched.keys()) {
      watched.delete(first)
      break
    }
  }

  private tell(joiner: NodeRef, attempt: number, { ids, level }: Completed, fx: OverlayEffects): void {
    send(joiner, { type: 'inserted', attempt, level, ids: ids.filter((id) => id !== joiner.id) }, fx)
    for (const cousin of this.state.cousins.refs()) send(cousin, { type: 'contacts', refs: [joiner], gone: [] }, fx)
  }
}

/** A node on the watch list. */
interface Watched {
  readonly until: Millis
  /** It has answered. */
  met: boolean
}

/** A joiner that has been greeted. */
interface Awaited {
  readonly ref: NodeRef
  readonly holes: readonly number[]
  /** Those whose multicast was open here when its own came, or came while it was awaited. Bound: `multicastsMax`, and `watchMax`. */
  readonly fellows: Map<Guid, NodeRef>
}

/** Our guess: attempts of an honest joiner that follow each other at once; then one every few. */
const insertBurst = 4
const insertEveryMs = 5_000

/** Our guess: more nodes than begin at once to join near one another; then some 2 MB/s in a large network. */
const mapsBurst = 256
const mapEveryMs = 50
