import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { byte, ref, someValues } from '@plaxton/testbed'
import { keyRange, replicaSet, routeCandidates } from '../src/questions.ts'
import { byCloseness, memberState, numberOf } from './helpers.ts'

const leafSetSize = 8
const config = { digitBits: 2, leafSetSize }

describe('replicaSet', () => {
  it('ranks the closest nodes to a key, as far as the leaf set reaches: |L|/2 + 1 of them at the root', () => {
    const prng = Prng.fromSeed('replicas')
    for (let round = 0; round < 40; round++) {
      const ids = someValues(prng, 1 + prng.nextInt(40))
      for (const self of ids) {
        const state = memberState(
          ref(byte(self)),
          ids.filter((id) => id !== self).map((id) => ref(byte(id))),
          config,
        )
        for (let key = 0; key < 256; key += 7) {
          const ranking = [...ids].sort(byCloseness(key))
          const set = replicaSet(state, byte(key), ids.length).map((node) => numberOf(node.id))
          assert.deepEqual(set, ranking.slice(0, set.length))
          if (ranking[0] === self) assert.ok(set.length >= Math.min(ids.length, leafSetSize / 2 + 1))
          assert.deepEqual(
            replicaSet(state, byte(key), 3).map((node) => numberOf(node.id)),
            set.slice(0, 3),
          )
        }
      }
    }
  })

  it('is empty for a key out of reach', () => {
    const ids = Array.from({ length: 32 }, (_, i) => 8 * i)
    const state = memberState(
      ref(byte(0)),
      ids.slice(1).map((id) => ref(byte(id))),
      config,
    )
    assert.deepEqual(replicaSet(state, byte(0x80), 5), [])
  })
})

describe('range', () => {
  it('gives the keys for which a node is the r-th closest: those, and all of those, when asked on from the end of each', () => {
    const prng = Prng.fromSeed('ranges')
    for (let round = 0; round < 60; round++) {
      const ids = someValues(prng, 1 + prng.nextInt(16))
      const self = ids[0]!
      const state = memberState(
        ref(byte(self)),
        ids.slice(1).map((id) => ref(byte(id))),
        config,
      )
      for (const node of ids) {
        for (let rank = 0; rank < 6; rank++) {
          const expected = keysWhere(ids, node, rank)
          const range = keyRange(state, ref(byte(node)), rank, byte(prng.nextInt(256)))
          if (range === undefined) {
            if (state.leafSet.wholeRing) assert.deepEqual(expected, [])
            continue
          }
          const next = keyRange(state, ref(byte(node)), rank, byte(numberOf(range.to) + 1))!
          const found = new Set([...keysOf(range), ...keysOf(next)])
          assert.deepEqual(
            [...found].sort((a, b) => a - b),
            expected,
          )
        }
      }
    }
  })

  it('gives the range that holds the key asked for, or the first after it', () => {
    const state = memberState(ref('80'), [ref('40'), ref('c0')], config)
    // 80 is the second closest next to 40 on its far side, and next to c0 on its near one.
    assert.deepEqual(keyRange(state, ref('80'), 1, byte(0x30)), { from: '1f', to: '5f' })
    assert.deepEqual(keyRange(state, ref('80'), 1, byte(0x00)), { from: '1f', to: '5f' })
    assert.deepEqual(keyRange(state, ref('80'), 1, byte(0x70)), { from: '9f', to: 'df' })
    assert.deepEqual(keyRange(state, ref('80'), 1, byte(0xe0)), { from: '1f', to: '5f' })
  })

  it('is the whole ring for a node alone', () => {
    const { from, to } = keyRange(memberState(ref('80'), [], config), ref('80'), 0, byte(0))!
    assert.equal(from, to)
  })

  it('is unknown for a stranger, and for a rank beyond the leaf set', () => {
    const ids = Array.from({ length: 32 }, (_, i) => 8 * i)
    const state = memberState(
      ref(byte(0)),
      ids.slice(1).map((id) => ref(byte(id))),
      config,
    )
    assert.equal(keyRange(state, ref('81'), 0, byte(0)), undefined)
    assert.notEqual(keyRange(state, ref('00'), 3, byte(0)), undefined)
    assert.equal(keyRange(state, ref('00'), 4, byte(0)), undefined)
  })
})

describe('localLookup', () => {
  it('names nodes nearer to the key, best first, never the node itself', () => {
    const prng = Prng.fromSeed('lookup')
    for (let round = 0; round < 100; round++) {
      const [self, ...others] = someValues(prng, 30) as [number, ...number[]]
      const state = memberState(
        ref(byte(self)),
        others.map((id) => ref(byte(id))),
        config,
      )
      const key = prng.nextInt(256)
      for (const safe of [false, true]) {
        const candidates = routeCandidates(state, byte(key), 4, safe).map((node) => numberOf(node.id))
        assert.ok(candidates.length <= 4 && !candidates.includes(self))
        if (!safe && !state.leafSet.covers(byte(key))) assert.ok(candidates.length > 0)
      }
    }
  })
})

function keysWhere(ids: readonly number[], node: number, rank: number): number[] {
  return Array.from({ length: 256 }, (_, key) => key).filter((key) => [...ids].sort(byCloseness(key))[rank] === node)
}

/** The keys of (from, to]; all of them when from is to. */
function keysOf({ from, to }: { from: string; to: string }): number[] {
  const count = (parseInt(to, 16) - parseInt(from, 16)) & 255 || 256
  return Array.from({ length: count }, (_, i) => (parseInt(from, 16) + 1 + i) & 255)
}
