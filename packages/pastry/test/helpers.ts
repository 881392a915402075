import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { Recorder, byte, ref } from '@plaxton/testbed'
import type { PastryConfig } from '../src/config.ts'
import { pastryConfig } from '../src/config.ts'
import { PastryState } from '../src/state.ts'

export function numberOf(id: Guid): number {
  return parseInt(id, 16)
}

/** Distance on the ring of 256. */
export function gap(a: number, b: number): number {
  const clockwise = (b - a) & 255
  return Math.min(clockwise, 256 - clockwise)
}

/** The slow and obvious order: by distance, and of two equally far the one clockwise from the key first. */
export function byCloseness(key: number): (a: number, b: number) => number {
  return (a, b) => gap(a, key) - gap(b, key) || ((a - key) & 255) - ((b - key) & 255)
}

/** The state of a member that knows these nodes. */
export function memberState(self: NodeRef, others: readonly NodeRef[], config: Partial<PastryConfig> = {}): PastryState {
  const state = new PastryState(self, pastryConfig(config), Prng.fromSeed(self.id))
  for (const other of others) state.admit(other, new Recorder())
  state.standing = 'member'
  return state
}

/** Perfect tables: everybody has met everybody. */
export function perfectTables(ids: readonly number[], config: Partial<PastryConfig>): Map<number, PastryState> {
  const refs = ids.map((id) => ref(byte(id)))
  return new Map(
    ids.map((self, at) => [
      self,
      memberState(
        refs[at]!,
        refs.filter((_, other) => other !== at),
        config,
      ),
    ]),
  )
}
