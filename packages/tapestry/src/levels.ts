import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Measuring } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { LevelRequest } from './messages.ts'
import type { TapestryState } from './state.ts'

/** Somebody wants a level of the map; a joiner the back pointers as well. What it sends in return is looked at. */
export function onLevelRequest(
  state: TapestryState,
  measuring: Measuring,
  from: NodeRef,
  request: LevelRequest,
  now: Millis,
  fx: OverlayEffects,
): void {
  const { level } = request
  const shares = state.map.levelOf(from.id) >= level
  const refs = shares ? state.map.primaries(level).filter((ref) => ref.id !== from.id) : []
  if (shares && request.back) refs.push(...nearestPointing(state, level))
  send(from, { type: 'level-reply', level, refs, ...state.statusFor(from) }, fx)
  if (shares && request.refs.length > 0) considerSome(state, measuring, request.refs, now, fx)
}

/** Measures a few of the nodes that an exchange brought, chosen at random, so that no message causes many. */
export function considerSome(state: TapestryState, measuring: Measuring, refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
  const unknown = state.credible(refs, now).filter((ref) => state.proximity.of(ref.id) === undefined)
  measuring.consider(state.prng.shuffle(unknown).slice(0, state.config.optimizeCandidates), now, fx)
}

/** Periodic optimisation: compares a random level with a random node of it, each looking for nearer neighbours in the other's. */
export function compareLevel(state: TapestryState, fx: OverlayEffects): void {
  const { map, prng } = state
  if (map.depth === 0) return
  const level = prng.nextInt(map.depth)
  const partner = prng.pick(map.level(level))
  if (partner !== undefined)
    send(partner, { type: 'level-request', level, back: false, refs: map.primaries(level), ...state.statusFor(partner) }, fx)
}

/**
 * The length of the list for a level, the paper's k. That of level 0 is as many times longer as there are four slots over which it is spread: it is the only one that
 * matters to each of its slots, because the lists above have only to lead there; and most hops to near nodes go by it.
 */
export function nearestOn(state: TapestryState, level: number): number {
  const { map, config } = state
  return level > 0 ? config.nearest : config.nearest * Math.max(1, Math.ceil(map.base(0) / slotsPerList))
}

/** Our measurements: in base 4 lists of 16 find what is near, in base 16 of 64 (simulator, `tapestry nearest`). */
const slotsPerList = 4

/** Of those that have this node in their map on this level or beyond, some that are near. */
function nearestPointing(state: TapestryState, level: number): NodeRef[] {
  const { backpointers, map, proximity } = state
  return backpointers
    .refs()
    .filter((ref) => map.levelOf(ref.id) >= level)
    .sort((a, b) => proximity.compare(a.id, b.id))
    .slice(0, nearestOn(state, level))
}
