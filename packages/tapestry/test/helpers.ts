import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { Recorder, ref } from '@plaxton/testbed'
import { tapestryConfig } from '../src/config.ts'
import type { TapestryConfig } from '../src/config.ts'
import { TapestryState } from '../src/state.ts'

/** The digits of an 8-bit id; the last may be narrower. */
export function digitsOf(id: string, digitBits: number): readonly number[] {
  const name = `${id} ${digitBits}`
  let digits = digitsKnown.get(name)
  if (digits === undefined) {
    const bits = parseInt(id, 16).toString(2).padStart(8, '0')
    digits = (bits.match(new RegExp(`.{1,${digitBits}}`, 'g')) ?? []).map((digit) => parseInt(digit, 2))
    digitsKnown.set(name, digits)
  }
  return digits
}

/** At most 256 ids in digits of five widths. */
const digitsKnown = new Map<string, readonly number[]>()

/** Digits two 8-bit ids have in common. */
export function shared(a: string, b: string, digitBits: number): number {
  const [one, other] = [digitsOf(a, digitBits), digitsOf(b, digitBits)]
  const at = one.findIndex((digit, i) => digit !== other[i])
  return at < 0 ? one.length : at
}

/** The slow and obvious order of responsibility for an 8-bit key: by the vector of cyclic distances of the digits. */
export function inOrder(ids: readonly Guid[], key: string, digitBits: number): Guid[] {
  const origin = digitsOf(key, digitBits)
  const vector = (id: string): number[] =>
    digitsOf(id, digitBits).map((digit, i) => {
      const base = 2 ** Math.min(digitBits, 8 - i * digitBits)
      return (digit - origin[i]! + base) % base
    })
  return [...ids].sort((a, b) => {
    const [one, other] = [vector(a), vector(b)]
    const at = one.findIndex((distance, i) => distance !== other[i])
    return at < 0 ? 0 : one[at]! - other[at]!
  })
}

/** The slow and obvious sibling group of a node: all that share its first g digits, with the largest g for which they are `least` at least. */
export function groupOf(self: string, ids: readonly Guid[], digitBits: number, least: number): Guid[] {
  const level = groupLevelOf(self, ids, digitBits, least)
  return ids.filter((id) => shared(id, self, digitBits) >= level)
}

/** That g. */
function groupLevelOf(self: string, ids: readonly Guid[], digitBits: number, least: number): number {
  for (let level = digitsOf(self, digitBits).length; level > 0; level--) {
    if (ids.filter((id) => shared(id, self, digitBits) >= level).length >= least) return level
  }
  return 0
}

/** The slow and obvious cousins of a node: those whose sibling group it is in, though they are not in its own. */
export function cousinsOf(self: Guid, ids: readonly Guid[], digitBits: number, least: number): Guid[] {
  const group = groupOf(self, ids, digitBits, least)
  return ids.filter((id) => !group.includes(id) && groupOf(id, ids, digitBits, least).includes(self))
}

/** The state of a member that knows what a member of a network of these ids should know. */
export function memberState(self: Guid, ids: readonly Guid[], config: Partial<TapestryConfig> = {}): TapestryState {
  const state = new TapestryState(ref(self), tapestryConfig(config), Prng.fromSeed(self))
  const fx = new Recorder()
  const { digitBits, siblingsMin } = state.config
  for (const id of ids) {
    if (id === self) continue
    state.admit(ref(id), fx)
    state.noteGroup(ref(id), groupLevelOf(id, ids, digitBits, siblingsMin), fx)
  }
  state.standing = 'member'
  return state
}
