import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { Recorder, ref } from '@plaxton/testbed'
import { chordConfig } from '../src/config.ts'
import type { ChordConfig } from '../src/config.ts'
import { ChordState } from '../src/state.ts'

/** The slow and obvious order of responsibility for an 8-bit key: clockwise from it. */
export function clockwiseFrom(key: string, ids: readonly Guid[]): Guid[] {
  const steps = (id: string): number => (parseInt(id, 16) - parseInt(key, 16)) & 255
  return [...ids].sort((a, b) => steps(a) - steps(b))
}

/** The state of a member that knows what a member of a ring of these ids should know. */
export function memberState(self: Guid, ids: readonly Guid[], config: Partial<ChordConfig> = {}): ChordState {
  const state = new ChordState(ref(self), chordConfig(config), Prng.fromSeed(self))
  const fx = new Recorder()
  const others = clockwiseFrom(self, ids).filter((id) => id !== self)
  for (const id of others) state.admit(ref(id), fx)
  const { predecessor, successors, whole } = state.lists
  if (predecessor !== undefined) state.lists.confirm(predecessor.id, self)
  const { furthest } = successors
  if (!whole && furthest !== undefined) {
    for (let index = state.fingers.leastBeyond(furthest); index <= state.fingers.highest; index++) {
      state.fingers.place(
        index,
        clockwiseFrom(state.fingers.start(index), ids).map((id) => ref(id)),
      )
    }
    for (const id of others) state.fingers.admit(ref(id))
  }
  state.standing = 'member'
  state.assertInvariants()
  return state
}
