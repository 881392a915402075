import { Prng } from '@plaxton/kbr'
import { Recorder, byte, ref } from '@plaxton/testbed'
import { kademliaConfig } from '../src/config.ts'
import type { KademliaConfig } from '../src/index.ts'
import { KademliaState } from '../src/state.ts'

/** The slow and obvious order. */
export function byXor(key: number): (a: number, b: number) => number {
  return (a, b) => (a ^ key) - (b ^ key)
}

/** The state of a member that has met these nodes, in this order. */
export function memberState(self: number, others: readonly number[], config: Partial<KademliaConfig> = {}): KademliaState {
  const state = new KademliaState(ref(byte(self)), kademliaConfig(config), Prng.fromSeed(self))
  for (const other of others) state.admit(ref(byte(other)), 0, new Recorder())
  state.standing = 'member'
  return state
}
