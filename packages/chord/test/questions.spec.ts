import assert from 'node:assert/strict'
import { inOpenClosed } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { byte, guid, someBytes } from '@plaxton/testbed'
import { keyRange, replicaSet, routeCandidates } from '../src/questions.ts'
import { clockwiseFrom, memberState } from './helpers.ts'

const allKeys = Array.from({ length: 256 }, (_, key) => byte(key))

describe('questions', () => {
  it('the replica set of a key is the first nodes at and after it, as far as the lists reach', () => {
    const prng = Prng.fromSeed('replicas')
    for (let round = 0; round < 8; round++) {
      const ids = someBytes(prng, 1 + prng.nextInt(30))
      const [successors, predecessors] = [1 + prng.nextInt(6), 1 + prng.nextInt(6)]
      const state = memberState(ids[0]!, ids, { successors, predecessors })
      for (const key of allKeys) {
        const truth = clockwiseFrom(key, ids)
        const found = replicaSet(state, key, 5).map(({ id }) => id)
        assert.deepEqual(found, truth.slice(0, found.length))
        const rank = truth.indexOf(ids[0]!)
        if (rank === 0) assert.ok(found.length >= Math.min(5, successors + 1, ids.length), 'the owner knows its successors')
        else if (rank < Math.min(5, predecessors)) assert.ok(found.length > rank, 'a replica knows those before it')
      }
    }
  })

  it('the range of a node at a rank holds the keys it has at that rank, and no others', () => {
    const prng = Prng.fromSeed('ranges')
    for (let round = 0; round < 8; round++) {
      const ids = someBytes(prng, 1 + prng.nextInt(20))
      const state = memberState(ids[0]!, ids, { successors: 4, predecessors: 4 })
      for (const id of ids) {
        for (let rank = 0; rank < 4; rank++) {
          const range = keyRange(state, { id, address: '', epoch: 1 }, rank)
          if (range === undefined) {
            assert.ok(rank > 0 || id !== ids[0], 'a node knows its own keys')
            continue
          }
          for (const key of allKeys) {
            assert.equal(inOpenClosed(key, range.from, range.to), clockwiseFrom(key, ids)[rank] === id, `${key} in ${id} at ${rank}`)
          }
        }
      }
    }
  })

  it('a node that is not certain of a key names nobody for it', () => {
    const state = memberState(guid('20'), ['00', '10', '20', '30'].map(guid), { successors: 1, predecessors: 2 })
    state.lists.remove(guid('10'))
    assert.deepEqual(replicaSet(state, guid('08'), 2), [])
    assert.deepEqual(keyRange(state, state.self, 0), { from: '10', to: '20' })
  })

  it('candidates for the next hop precede the key, the best first; safe ones go by the ids alone', () => {
    const ids = ['00', '10', '82', '84', 'c1'].map(guid)
    const state = memberState(guid('00'), ids, { successors: 1, predecessors: 1, fingerSuccessors: 1 })
    state.proximity.set(guid('82'), 10)
    const names = (safe: boolean): string[] => routeCandidates(state, guid('90'), 9, safe).map(({ id }) => id)
    assert.deepEqual(names(false), ['82', '84', '10'])
    assert.deepEqual(names(true), ['84', '82', '10'])
  })
})
