import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { Multicasts } from './multicast.ts'
import type { TapestryState } from './state.ts'

/**
 * Who finds out that a node is dead, and who is told. Every node chooses as guardians the two siblings beside it and tells them now and then that it
 * lives. A guardian whose ward falls silent probes it, and if it is dead tells the ward's group: all who have it as a sibling, and with them all in whose maps its
 * death may leave a hole. They look for themselves.
 *
 * Others who find it dead wait longer before they tell, and keep still when they have been told.
 */
export class Guardians {
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly multicasts: Multicasts
  /** Those that chose this node. Bound: `wardsMax`. Full: a new one is not noted; its other guardian watches it. Undefined until the first. */
  private wards: Map<Guid, Ward> | undefined = undefined
  /** Deaths to be told. Bound: `failedMax`. Full: further ones are left to the others. Undefined when none. */
  private news: Map<Guid, News> | undefined = undefined

  constructor(state: TapestryState, probing: Probing, multicasts: Multicasts) {
    this.state = state
    this.probing = probing
    this.multicasts = multicasts
  }

  /** Tells the guardians, and sees to it that wards are missed in time. */
  onTimer(now: Millis, fx: OverlayEffects): void {
    const { siblings, config } = this.state
    for (const ref of siblings.beside()) {
      send(ref, { type: 'heartbeat', ...this.state.statusFor(ref) }, fx)
      // Where groups are the same, choosing is mutual.
      if (siblings.levelOf(ref.id) === siblings.floor && this.wards?.has(ref.id) !== true) this.onHeartbeat(ref, now)
    }
    const leftMs = this.watch(now, fx)
    if (leftMs < config.heartbeatMs) fx.startTimer('silence', 0, leftMs)
  }

  /** Probes the wards that have been silent for too long. Returns how long the next may be. */
  watch(now: Millis, fx: OverlayEffects): Millis {
    const { heartbeatMs, probeTimeoutMs } = this.state.config
    let least = Infinity
    for (const [id, { ref, heardAt }] of this.wards ?? []) {
      const leftMs = heardAt + Math.ceil(1.1 * heartbeatMs) + probeTimeoutMs - now
      if (leftMs > 0) {
        least = Math.min(least, leftMs)
        continue
      }
      this.wards!.delete(id)
      this.probing.start(ref, false, now, fx)
    }
    return least
  }

  onHeartbeat(from: NodeRef, now: Millis): void {
    const wards = (this.wards ??= new Map())
    if (wards.size < wardsMax || wards.has(from.id)) wards.set(from.id, { ref: from, heardAt: now })
  }

  /** Anything arrived from `from`. */
  heard(from: NodeRef, now: Millis): void {
    const ward = this.wards?.get(from.id)
    if (ward !== undefined) ward.heardAt = now
  }

  /** This node has found `ref` dead, to be called while it is still in the tables. */
  noteDeath(ref: NodeRef, fx: OverlayEffects): void {
    const { state } = this
    const isWard = this.wards?.delete(ref.id) === true
    const level = state.groupLevelOf(ref.id)
    if (level === undefined || this.probing.isDoubted(ref.id) || state.map.levelOf(ref.id) < level) return
    const news = (this.news ??= new Map())
    if (news.size >= state.config.failedMax) return
    const seq = state.nextSeq()
    news.set(ref.id, { ref, level, seq })
    const { obituaryMs } = state.config
    fx.startTimer('obituary', seq, state.prng.nextInt(obituaryMs) + (isWard ? 0 : obituaryMs + state.prng.nextInt(7 * obituaryMs)))
  }

  /** Somebody else tells of a death. */
  onObituary(subject: NodeRef | Guid, now: Millis, fx: OverlayEffects): void {
    const id = typeof subject === 'string' ? subject : subject.id
    this.news?.delete(id)
    const known = this.state.find(id)
    if (known !== undefined && (typeof subject === 'string' || subject.epoch >= known.epoch)) this.probing.verify(known, now, fx)
  }

  /** Tells the group of a dead node, unless that has been done or the node has come back. */
  onObituaryTimer(seq: number, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    for (const [id, { ref, level, seq: due }] of this.news ?? []) {
      if (due !== seq) continue
      this.news!.delete(id)
      if (!state.failed.has(id) || state.standing !== 'member') return
      this.multicasts.begin({ purpose: 'obituary', subject: ref, level: Math.min(level, state.siblings.floor), slots: [] }, now, fx)
      for (const cousin of state.cousins.refs()) send(cousin, { type: 'contacts', refs: [], gone: [id] }, fx)
    }
  }

  forget(id: Guid): void {
    this.wards?.delete(id)
  }

  clear(): void {
    this.wards = undefined
    this.news = undefined
  }
}

interface Ward {
  readonly ref: NodeRef
  heardAt: Millis
}

interface News {
  readonly ref: NodeRef
  readonly level: number
  readonly seq: number
}

/** Our guess: more than two choose the same guardian only where groups of different sizes meet. */
const wardsMax = 64
