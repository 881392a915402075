import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Measuring } from '@plaxton/upkeep'
import { nearestOn } from './levels.ts'
import { send } from './messages.ts'
import type { LevelReply } from './messages.ts'
import type { TapestryState } from './state.ts'

/**
 * A joiner builds its neighbour map level by level (JSAC 2004, §III-C; Hildrum et al. 2002, §3). It starts with the list of those that share most with it, which
 * its surrogate knows. On each level it measures the list, keeps the k nearest, and asks these for their forward and back pointers of the level
 * above; whoever they name, together with the k, is the list of that level. What is measured finds its place in the map. Of a list that is no longer than k all
 * are asked, and measured meanwhile.
 *
 * On level 0 only the first of the list are waited for. The rest, on which it depends how near the primaries are, are measured while the insertion goes on.
 *
 * The surrogate's own map comes first to mind: where the search has left a slot empty that the surrogate has filled, its pointers are tried.
 */
export class MapBuilding {
  private readonly state: TapestryState
  private readonly measuring: Measuring
  /** Everybody heard of. Bound: `candidatesMax` per level. */
  private readonly list = new Map<Guid, NodeRef>()
  private readonly given: readonly NodeRef[]
  private level: number
  private phase: 'measuring' | 'asking' | 'completing' = 'measuring'
  private step = 0
  /** Those asked that have not replied. Bound: `nearest`. */
  private readonly asked = new Set<Guid>()
  /** Whom the replies name. Bound: `candidatesMax`. */
  private heard = new Map<Guid, NodeRef>()
  /** Those of the last list that are not waited for. */
  private rest: readonly NodeRef[] = []

  /** `given` is what the surrogate knows: everybody who shares `level` digits with this node, and some of those who share less. */
  constructor(state: TapestryState, measuring: Measuring, given: readonly NodeRef[], level: number) {
    this.state = state
    this.measuring = measuring
    this.given = given
    this.level = level
  }

  /** Returns true when the map is built. */
  start(now: Millis, fx: OverlayEffects): boolean {
    return this.measure(
      this.given.filter((ref) => this.state.map.levelOf(ref.id) >= this.level),
      now,
      fx,
    )
  }

  /** Returns true when the map is built. */
  onLevelReply(from: NodeRef, reply: LevelReply, now: Millis, fx: OverlayEffects): boolean {
    if (this.phase !== 'asking' || reply.level !== this.level - 1 || !this.asked.delete(from.id)) return false
    const { candidatesMax } = this.state.config
    for (const ref of reply.refs) if (this.heard.size < candidatesMax) this.heard.set(ref.id, ref)
    return this.asked.size === 0 && this.ascend(now, fx)
  }

  /** Neither a reply nor a measurement is to be expected of `peer`. Returns true when the map is built. */
  onUnreachable(peer: NodeRef, now: Millis, fx: OverlayEffects): boolean {
    if (this.phase === 'asking') return this.asked.delete(peer.id) && this.asked.size === 0 && this.ascend(now, fx)
    return this.onMeasured(now, fx)
  }

  /** A measurement ended, one way or another. Returns true when the map is built. */
  onMeasured(now: Millis, fx: OverlayEffects): boolean {
    if (!this.measuring.idle) return false
    if (this.phase === 'measuring') return this.ask(now, fx)
    return this.phase === 'completing' && this.finish(now, fx)
  }

  /** The time of a step is up: goes on with what there is. Returns true when the map is built. */
  onTimer(step: number, now: Millis, fx: OverlayEffects): boolean {
    if (step !== this.step) return false
    if (this.phase === 'measuring') return this.ask(now, fx)
    return this.phase === 'completing' ? this.finish(now, fx) : this.ascend(now, fx)
  }

  private measure(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    const fresh = state.credible(refs, now).filter((ref) => !this.list.has(ref.id))
    // Those that share most first: there may be nobody else for their slots.
    const sorted = state.prng.shuffle(fresh).sort((a, b) => state.map.levelOf(b.id) - state.map.levelOf(a.id))
    const list = sorted.slice(0, candidatesPerNearest * nearestOn(state, this.level))
    const some = list.slice(0, candidatesPerNearest * state.config.nearest)
    for (const ref of some) this.list.set(ref.id, ref)
    this.rest = list.slice(some.length)
    this.measuring.consider(some, now, fx)
    const onLevel = this.onLevel()
    if (this.level > 0 && onLevel.length <= state.config.nearest) return this.askAll(onLevel, now, fx)
    this.phase = 'measuring'
    this.startStep(fx)
    return this.onMeasured(now, fx)
  }

  /** Those of the list that share enough digits. */
  private onLevel(): NodeRef[] {
    return [...this.list.values()].filter((ref) => this.state.map.levelOf(ref.id) >= this.level)
  }

  /** The k nearest of the list are asked for the level above. */
  private ask(now: Millis, fx: OverlayEffects): boolean {
    if (this.level === 0) return this.complete(now, fx)
    const { state } = this
    const nearest = this.onLevel()
      .filter((ref) => state.proximity.of(ref.id) !== undefined)
      .sort((a, b) => state.proximity.compare(a.id, b.id))
      .slice(0, state.config.nearest)
    return this.askAll(nearest, now, fx)
  }

  private askAll(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    if (refs.length === 0) return this.ascend(now, fx)
    this.phase = 'asking'
    this.startStep(fx)
    for (const ref of refs) {
      this.asked.add(ref.id)
      send(ref, { type: 'level-request', level: this.level - 1, back: true, refs: [], ...state.statusFor(ref) }, fx)
    }
    return false
  }

  private ascend(now: Millis, fx: OverlayEffects): boolean {
    if (this.level === 0) return this.complete(now, fx)
    this.level--
    this.asked.clear()
    const { heard } = this
    this.heard = new Map()
    return this.measure([...heard.values()], now, fx)
  }

  private complete(now: Millis, fx: OverlayEffects): boolean {
    this.phase = 'completing'
    this.startStep(fx)
    const { map } = this.state
    this.measuring.consider(
      this.given.filter((ref) => map.slotFor(ref.id).length === 0),
      now,
      fx,
    )
    return this.measuring.idle && this.finish(now, fx)
  }

  /** The map is built; it gets nearer still. */
  private finish(now: Millis, fx: OverlayEffects): true {
    this.measuring.consider(this.rest, now, fx)
    return true
  }

  private startStep(fx: OverlayEffects): void {
    this.step = this.state.nextSeq()
    fx.startTimer('build', this.step, this.state.config.levelMs)
  }
}

/** Our guess: of so many for each place in the list, the nearest are near enough. */
const candidatesPerNearest = 4
