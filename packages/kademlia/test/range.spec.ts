import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { byte, ref, someValues } from '@plaxton/testbed'
import { keyRange } from '../src/range.ts'
import { replicaSet } from '../src/questions.ts'
import { byXor, memberState } from './helpers.ts'

describe('replicaSet and range', () => {
  it('agree with every key of a small name space, as far as they answer; a root knows the first s and its own keys', () => {
    for (let seed = 0; seed < 150; seed++) {
      const prng = Prng.fromSeed(`range ${seed}`)
      const ids = someValues(prng, 1 + prng.nextInt(40))
      const self = ids[0]!
      const config = prng.chance(0.5) ? {} : { siblingsSure: 3, siblings: 6 }
      const state = memberState(self, ids.slice(1), config)
      const order = (key: number): number[] => [...ids].sort(byXor(key))
      for (let key = 0; key < 256; key++) {
        const named = replicaSet(state, byte(key), 8).map(({ id }) => parseInt(id, 16))
        assert.deepEqual(named, order(key).slice(0, named.length), `key ${key}`)
        if (order(key)[0] === self) assert.ok(named.length >= Math.min(ids.length, config.siblingsSure ?? 8))
      }
      for (const node of [self, ...prng.shuffle(ids).slice(0, 3)]) {
        for (const rank of [0, 1, 2]) assertRange(state, node, rank, prng.nextInt(256), order)
      }
    }
  })

  it('know nothing of strangers and of ranks that nobody has', () => {
    const state = memberState(0x00, [0x80])
    assert.equal(keyRange(state, ref('40'), 0, byte(0)), undefined)
    assert.equal(keyRange(state, ref('00'), 2, byte(0)), undefined)
    assert.equal(keyRange(state, ref('00'), -1, byte(0)), undefined)
  })

  it('are the whole ring to a node alone', () => {
    const range = keyRange(memberState(0x55, []), ref('55'), 0, byte(7))
    assert.equal(range?.from, range?.to)
  })
})

/** All keys from the one asked from on, until the interval, have another rank; all in it have this; and it is as large as can be. */
function assertRange(
  state: ReturnType<typeof memberState>,
  node: number,
  rank: number,
  lkey: number,
  order: (key: number) => number[],
): void {
  const has = (key: number): boolean => order(key & 255)[rank] === node
  const range = keyRange(state, ref(byte(node)), rank, byte(lkey))
  if (range === undefined) {
    assert.ok(node !== parseInt(state.self.id, 16) || rank > 0, 'a node knows its own keys')
    return
  }
  const [from, to] = [parseInt(range.from, 16), parseInt(range.to, 16)]
  const length = ((to - from - 1) & 255) + 1
  for (let i = 1; i <= length; i++) assert.ok(has(from + i), `key ${(from + i) & 255} of (${from}, ${to}]`)
  if (length === 256) return
  assert.ok(!has(from) && !has(to + 1), 'an interval ends where the rank changes')
  const isInside = ((lkey - from - 1) & 255) < length
  for (let key = lkey; !isInside && key !== ((from + 1) & 255); key = (key + 1) & 255) assert.ok(!has(key), `key ${key} comes before`)
}
