import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { Recorder, byte, ref, someValues } from '@plaxton/testbed'
import { nextHop, routeCandidates } from '../src/next-hop.ts'
import { byXor, memberState } from './helpers.ts'

const nobody = new Set<Guid>()
/** Distances do not count. */
const blind = { proximityBits: 0 }

describe('the next hop', () => {
  it('is the closest known that is strictly closer than the node, and it delivers when there is none', () => {
    for (let seed = 0; seed < 200; seed++) {
      const prng = Prng.fromSeed(`hop ${seed}`)
      const [self, ...others] = someValues(prng, 1 + prng.nextInt(30)) as [number, ...number[]]
      const state = memberState(self, others, blind)
      for (let key = 0; key < 256; key += 3) {
        const [closest] = [self, ...others].sort(byXor(key)) as [number]
        const wanted = closest === self ? { action: 'deliver' } : { action: 'forward', to: ref(byte(closest)), cursor: 0 }
        assert.deepEqual(nextHop(state, nobody, byte(key), nobody), wanted)
      }
    }
  })

  it('of those about as close, is the nearest by round trip', () => {
    const state = memberState(0x00, [0xf0, 0xf8, 0xe0, 0x80], { proximityBits: 1 })
    const fx = new Recorder()
    for (const [id, rttMs] of [
      ['f0', 80],
      ['f8', 50],
      ['e0', 20],
      ['80', 1],
    ] as const) {
      state.noteRoundTrip(ref(id).id, rttMs, fx)
    }
    // f8 shares five bits with f9, f0 four, e0 three.
    assert.deepEqual(nextHop(state, nobody, byte(0xfc), nobody), { action: 'forward', to: ref('f8'), cursor: 0 })
    assert.deepEqual(nextHop(memberTuned(state, 3), nobody, byte(0xfc), nobody), { action: 'forward', to: ref('e0'), cursor: 0 })
  })

  it('goes round who is suspected or was tried, but is nobody when only these are closer: the message waits', () => {
    const state = memberState(0x00, [0xf0, 0xe0, 0x40], blind)
    const [f0, e0] = [ref('f0').id, ref('e0').id]
    assert.deepEqual(nextHop(state, new Set([f0]), byte(0xf1), nobody), { action: 'forward', to: ref('e0'), cursor: 0 })
    assert.deepEqual(nextHop(state, nobody, byte(0xf1), new Set([f0])), { action: 'forward', to: ref('e0'), cursor: 0 })
    assert.deepEqual(nextHop(state, new Set([f0]), byte(0xf1), new Set([e0])), { action: 'forward', to: ref('40'), cursor: 0 })
    assert.deepEqual(nextHop(state, new Set([f0, e0, ref('40').id]), byte(0xf1), nobody), { action: 'hold' })
  })

  it('waits while somebody closer may exist: a range beyond the siblings in which nobody is known and nobody has looked', () => {
    const state = memberState(0x00, [0x01, 0x02, 0x04, 0x08, 0x10], { siblingsSure: 2, siblings: 3 })
    assert.equal(state.siblings.edge, '08')
    assert.deepEqual(nextHop(state, nobody, byte(0x80), nobody), { action: 'hold' })
    state.vacant.add(0)
    assert.deepEqual(nextHop(state, nobody, byte(0x80), nobody), { action: 'deliver' })
  })

  it('is to wait while the node is no member', () => {
    const state = memberState(0x00, [0x80], blind)
    state.standing = 'claiming'
    assert.deepEqual(nextHop(state, nobody, byte(0x01), nobody), { action: 'hold' })
    assert.deepEqual(nextHop(state, nobody, byte(0x81), nobody), { action: 'forward', to: ref('80'), cursor: 0 })
  })

  it('comes first among the candidates; safe ones are in the order of closeness', () => {
    const state = memberState(0x00, [0xf0, 0xe0, 0x80, 0x01], { proximityBits: 8 })
    state.noteRoundTrip(ref('80').id, 1, new Recorder())
    const named = (safe: boolean): string[] => routeCandidates(state, nobody, byte(0xf1), 3, safe).map(({ id }) => id)
    assert.deepEqual(named(false), ['80', 'f0', 'e0'])
    assert.deepEqual(named(true), ['f0', 'e0', '80'])
  })
})

/** The same tables with another width of choice. */
function memberTuned(state: ReturnType<typeof memberState>, proximityBits: number): typeof state {
  return Object.create(state, { config: { value: { ...state.config, proximityBits } } }) as typeof state
}
