import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { refsMax, send } from './messages.ts'
import type { KademliaState } from './state.ts'

/**
 * Who finds out that a node is dead, and who is told. Every node chooses as guardians the two siblings beside it in the order of ids and tells them now and then that it
 * lives. A guardian whose ward falls silent probes it, and if it is dead tells its own siblings, who are mostly those of the ward. They look for themselves.
 *
 * Others who find it dead wait longer before they tell, and keep still when they have been told.
 */
export class Guardians {
  private readonly state: KademliaState
  private readonly probing: Probing
  /** Those that chose this node. Bound: {@link wardsMax}. Full: a new one is not noted; its other guardian watches it. Undefined until the first. */
  private wards: Map<Guid, Ward> | undefined = undefined
  /** Deaths to be told, with the number of the timer. Bound: `failedMax`. Full: further ones are left to the others. Undefined when none. */
  private news: Map<Guid, number> | undefined = undefined

  constructor(state: KademliaState, probing: Probing) {
    this.state = state
    this.probing = probing
  }

  /** Tells the guardians, and sees to it that wards are missed in time. */
  onTimer(now: Millis, fx: OverlayEffects): void {
    const { siblings, config } = this.state
    for (const ref of siblings.beside()) {
      send(ref, { type: 'heartbeat', ...this.state.status }, fx)
      // Where lists are the same, choosing is mutual; elsewhere one that need not report is pinged for it. One that died before it could report is missed all the same.
      if (this.wards?.has(ref.id) !== true) this.onHeartbeat(ref, now)
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

  /** A stranger has no place here to be watched for yet; it comes in first. */
  onHeartbeat(from: NodeRef, now: Millis): void {
    if (this.state.find(from.id) === undefined) return
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
    const { siblings, config, prng } = this.state
    const isWard = this.wards?.delete(ref.id) === true
    if (!siblings.has(ref.id) || this.probing.isDoubted(ref.id)) return
    const news = (this.news ??= new Map())
    if (news.size >= config.failedMax) return
    const seq = this.state.nextSeq()
    news.set(ref.id, seq)
    const { obituaryMs } = config
    fx.startTimer('obituary', seq, prng.nextInt(obituaryMs) + (isWard ? 0 : obituaryMs + prng.nextInt(7 * obituaryMs)))
  }

  /** Somebody else tells of a death. */
  onObituary(id: Guid, now: Millis, fx: OverlayEffects): void {
    this.news?.delete(id)
    const known = this.state.find(id)
    if (known !== undefined) this.probing.verify(known, now, fx)
  }

  /** Tells the siblings of all that is news, unless that has been done or the node has come back. */
  onObituaryTimer(seq: number, fx: OverlayEffects): void {
    const { state, news } = this
    if (news === undefined || ![...news.values()].includes(seq)) return
    const gone = [...news.keys()].filter((id) => state.failed.has(id)).slice(0, refsMax)
    news.clear()
    if (gone.length === 0 || !state.counts) return
    for (const ref of state.siblings.members) send(ref, { type: 'obituary', gone, ...state.status }, fx)
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

/** Our guess: more than two choose the same guardian only where lists differ. */
const wardsMax = 64
