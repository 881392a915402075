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

/** Of those that have this node in their map on this level or beyond, some that are near. */
function nearestPointing(state: TapestryState, level: number): NodeRef[] {
  const { backpointers, map, proximity, config } = state
  return backpointers
    .refs()
    .filter((ref) => map.levelOf(ref.id) >= level)
    .sort((a, b) => proximity.compare(a.id, b.id))
    .slice(0, config.nearest)
}
