import assert from 'node:assert/strict'
import { inOpenClosed } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { compareOwnership } from '../src/ownership.ts'
import { replicaSet, routeCandidates } from '../src/questions.ts'
import { keyRange } from '../src/range.ts'
import { byte, groupOf, inOrder, memberState, ref, someBytes } from './helpers.ts'

const everyKey = Array.from({ length: 256 }, (_, i) => byte(i))

describe('the order of responsibility', () => {
  it('is that of the vectors of cyclic digit distances, for every key of 8 bits', () => {
    const prng = Prng.fromSeed('order')
    for (const digitBits of [1, 2, 3, 4, 5]) {
      const ids = someBytes(prng, 24)
      for (const key of everyKey.filter((_, i) => i % 3 === 0)) {
        const sorted = [...ids].sort((a, b) => compareOwnership(a, b, key, digitBits))
        assert.deepEqual(sorted, inOrder(ids, key, digitBits), `${key} in digits of ${digitBits}`)
      }
    }
  })
})

describe('what a member says of its part of the network', () => {
  for (const [digitBits, count] of [
    [4, 3],
    [2, 12],
    [3, 30],
    [4, 40],
    [1, 60],
    [2, 100],
    [5, 40],
  ] as const) {
    const prng = Prng.fromSeed(`questions ${digitBits} ${count}`)
    const ids = someBytes(prng, count)
    const self = ids[0]!
    const state = memberState(self, ids, { digitBits, siblingsMin: 5 })
    const group = groupOf(self, ids, digitBits, 5)

    it(`with ${count} nodes in digits of ${digitBits} bits: its siblings are the smallest group with a common prefix that is large enough, nearest first`, () => {
      const wanted = inOrder(group, self, digitBits).filter((id) => id !== self)
      assert.deepEqual(
        state.siblings.nearestFirst().map(({ id }) => id),
        wanted,
      )
    })

    it(`with ${count} nodes in digits of ${digitBits} bits: the replica set of a key is the first of all nodes in order, or empty where that is not known`, () => {
      for (const key of everyKey) {
        const order = inOrder(ids, key, digitBits)
        const isRootNear = group.includes(order[0]!)
        for (const k of [0, 1, 4, 300]) {
          const wanted = isRootNear ? order.slice(0, Math.min(k, group.length)) : []
          assert.deepEqual(
            replicaSet(state, key, k).map(({ id }) => id),
            wanted,
            key,
          )
        }
      }
    })

    it(`with ${count} nodes in digits of ${digitBits} bits: ranges hold exactly the keys of that rank, from whatever key one asks`, () => {
      const orders = everyKey.map((key) => inOrder(ids, key, digitBits))
      for (const subject of prng.shuffle(group).slice(0, 4)) {
        for (const rank of [0, 1, 4]) {
          const wanted = everyKey.filter((_, i) => group.includes(orders[i]![0]!) && orders[i]![rank] === subject)
          assert.deepEqual(keysOf(state, subject, rank), wanted, `${subject} at rank ${rank}`)
          for (let i = 0; i < 40; i++) checkRange(state, subject, rank, byte(prng.nextInt(256)), wanted)
        }
      }
    })
  }

  it('the range of a node that is alone is the whole ring', () => {
    const state = memberState(byte(7), [byte(7)])
    const range = keyRange(state, ref('07'), 0, byte(9))
    assert.ok(range !== undefined && range.from === range.to)
  })

  it('there is no range for a stranger, for a negative rank, or for a rank beyond the network', () => {
    const state = memberState(byte(7), [byte(7), byte(9)])
    assert.equal(keyRange(state, ref('aa'), 0, byte(0)), undefined)
    assert.equal(keyRange(state, ref('07'), -1, byte(0)), undefined)
    assert.equal(keyRange(state, ref('07'), 2, byte(0)), undefined)
  })

  it('candidates for the next hop stand before the node in order, the best first', () => {
    const prng = Prng.fromSeed('candidates')
    const ids = someBytes(prng, 30)
    const state = memberState(ids[0]!, ids, { siblingsMin: 40 })
    for (const key of everyKey) {
      const order = inOrder(ids, key, 4)
      const wanted = order.slice(0, order.indexOf(ids[0]!)).slice(0, 5)
      for (const safe of [false, true]) {
        assert.deepEqual(
          routeCandidates(state, key, 5, safe).map(({ id }) => id),
          wanted,
        )
      }
    }
  })
})

/** All keys of the ranges, found by asking again and again from where the last one ended. */
function keysOf(state: ReturnType<typeof memberState>, subject: Guid, rank: number): Guid[] {
  const keys = new Set<Guid>()
  let lkey = byte(0)
  for (let i = 0; i < 300; i++) {
    const range = keyRange(state, ref(subject), rank, lkey)
    if (range === undefined) break
    const before = keys.size
    for (const key of everyKey) if (inOpenClosed(key, range.from, range.to)) keys.add(key)
    if (keys.size === before) break
    lkey = byte((parseInt(range.to, 16) + 1) % 256)
  }
  return [...keys].sort()
}

function checkRange(state: ReturnType<typeof memberState>, subject: Guid, rank: number, lkey: Guid, wanted: readonly Guid[]): void {
  const range = keyRange(state, ref(subject), rank, lkey)
  if (wanted.length === 0) return assert.equal(range, undefined)
  assert.ok(range !== undefined)
  const isWanted = (key: Guid): boolean => wanted.includes(key)
  const inside = everyKey.filter((key) => inOpenClosed(key, range.from, range.to))
  assert.ok(inside.every(isWanted), `${range.from}..${range.to} from ${lkey}`)
  // At or after lkey: no wanted key between it and the range.
  for (let i = 0; i < 256; i++) {
    const key = byte((parseInt(lkey, 16) + i) % 256)
    if (inside.includes(key)) return
    assert.ok(!isWanted(key), `${key} is passed by from ${lkey}`)
  }
}
