import assert from 'node:assert/strict'
import { inOpenClosed } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { byte, Recorder, ref, someBytes } from '@plaxton/testbed'
import { nextHop } from '../src/next-hop.ts'
import { compareOwnership } from '../src/ownership.ts'
import { replicaSet, routeCandidates } from '../src/questions.ts'
import { keyRange } from '../src/range.ts'
import { cousinsOf, groupOf, inOrder, memberState, shared } from './helpers.ts'

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

    const cousins = cousinsOf(self, ids, digitBits, 5)
    const known = [...group, ...cousins]

    it(`with ${count} nodes in digits of ${digitBits} bits: its siblings are the smallest group with a common prefix that is large enough, nearest first, then its cousins`, () => {
      const wanted = inOrder(known, self, digitBits).filter((id) => id !== self)
      assert.deepEqual(
        state.neighbors().map(({ id }) => id),
        wanted,
      )
      assert.deepEqual(
        state.siblings
          .refs()
          .map(({ id }) => id)
          .sort(),
        group.filter((id) => id !== self).sort(),
      )
    })

    it(`with ${count} nodes in digits of ${digitBits} bits: the replica set of a key is the first of all nodes in order, up to one it does not know, or empty where that comes before itself`, () => {
      for (const key of everyKey) {
        const certain = certainOf(inOrder(ids, key, digitBits), known)
        for (const k of [0, 1, 4, 5, 300]) {
          const wanted = certain.length >= k || certain.includes(self) ? certain.slice(0, k) : []
          assert.deepEqual(
            replicaSet(state, key, k).map(({ id }) => id),
            wanted,
            key,
          )
        }
      }
    })

    it(`with ${count} nodes in digits of ${digitBits} bits: ranges hold exactly the keys of that rank, from whatever key one asks`, () => {
      const certain = everyKey.map((key) => certainOf(inOrder(ids, key, digitBits), known))
      for (const subject of [...prng.shuffle(group).slice(0, 3), ...prng.shuffle(cousins).slice(0, 2)]) {
        for (const rank of [0, 1, 4]) {
          const wanted = everyKey.filter((_, i) => certain[i]![rank] === subject)
          assert.deepEqual(keysOf(state, subject, rank), wanted, `${subject} at rank ${rank}`)
          for (let i = 0; i < 40; i++) checkRange(state, subject, rank, byte(prng.nextInt(256)), wanted)
        }
      }
    })
  }

  it('whoever is among the first siblingsMin nodes for a key names them all, in whatever network, and nobody else is wrong', () => {
    const prng = Prng.fromSeed('holders')
    for (let network = 0; network < 30; network++) {
      const digitBits = 1 + prng.nextInt(4)
      const siblingsMin = 2 + prng.nextInt(5)
      const ids = crowdedBytes(prng, 2 + prng.nextInt(50))
      const states = new Map(ids.map((id) => [id, memberState(id, prng.shuffle(ids), { digitBits, siblingsMin })]))
      for (const key of everyKey) {
        const truth = inOrder(ids, key, digitBits).slice(0, siblingsMin)
        for (const [id, state] of states) {
          const named = replicaSet(state, key, siblingsMin).map((ref) => ref.id)
          if (truth.includes(id) || named.length > 0) assert.equal(named.join(), truth.join(), `${key} at ${id} in digits of ${digitBits}`)
        }
      }
    }
  })

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

  it('safe candidates for the next hop stand before the node in order, the best first', () => {
    const prng = Prng.fromSeed('candidates')
    const ids = someBytes(prng, 30)
    const state = memberState(ids[0]!, ids, { siblingsMin: 40 })
    for (const key of everyKey) {
      const order = inOrder(ids, key, 4)
      const wanted = order.slice(0, order.indexOf(ids[0]!)).slice(0, 5)
      assert.deepEqual(idsOf(routeCandidates(state, key, 5, true)), wanted)
    }
  })

  it('candidates for the next hop are first those of its slot, nearest first, then whoever else stands before the node, in order', () => {
    const prng = Prng.fromSeed('candidates by distance')
    const ids = someBytes(prng, 60)
    const [self] = ids as [Guid]
    const state = memberState(self, ids, { siblingsMin: 4 })
    const distance = (id: Guid): number => 1 + ((parseInt(id, 16) * 37) % 251)
    for (const known of state.everybody()) {
      state.proximity.sample(known.id, distance(known.id))
      state.place(known, new Recorder())
    }
    const known = idsOf(state.everybody())
    for (const key of everyKey) {
      const before = inOrder([self, ...known], key, 4)
      before.splice(before.indexOf(self))
      const [first] = before
      const isInSlot = (id: Guid): boolean => shared(id, first!, 4) > shared(first!, self, 4)
      const inMap = before.filter((id) => isInSlot(id) && state.map.get(id) !== undefined)
      const nearest = inMap.sort((a, b) => distance(a) - distance(b))
      const wanted = [...nearest, ...before.filter((id) => !nearest.includes(id))]
      assert.deepEqual(idsOf(routeCandidates(state, key, 300, false)), wanted, key)
      const next = nextHop(state, new Set(), key, 0, new Set())
      assert.equal(next.action === 'forward' ? next.to.id : undefined, wanted[0])
      assert.deepEqual(idsOf(routeCandidates(state, key, 2, false)), wanted.slice(0, 2))
    }
  })
})

function idsOf(refs: readonly NodeRef[]): Guid[] {
  return refs.map(({ id }) => id)
}

/** The first of an order that are known. */
function certainOf(order: readonly Guid[], known: readonly Guid[]): Guid[] {
  const end = order.findIndex((id) => !known.includes(id))
  return order.slice(0, end < 0 ? order.length : end)
}

/** Ids that crowd in some branches of the trie and are few in others. */
function crowdedBytes(prng: Prng, count: number): Guid[] {
  const ids = new Set<Guid>()
  for (let i = 0; i < 4 * count && ids.size < count; i++) ids.add(byte(prng.nextInt(2) === 0 ? prng.nextInt(256) : 0x40 + prng.nextInt(32)))
  return [...ids]
}

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
