import assert from 'node:assert/strict'
import { inOpen, inOpenClosed } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref, someBytes } from '@plaxton/testbed'
import { before, behind, nextHop } from '../src/next-hop.ts'
import { clockwiseFrom, memberState } from './helpers.ts'

const nobody: ReadonlySet<Guid> = new Set()
const allKeys = Array.from({ length: 256 }, (_, key) => byte(key))

describe('the next hop', () => {
  it('ends at the key’s successor, from every node for every key, with lists and fingers of any length', () => {
    const prng = Prng.fromSeed('walks')
    for (let round = 0; round < 8; round++) {
      const ids = someBytes(prng, 1 + prng.nextInt(30))
      const config = { successors: 1 + prng.nextInt(5), predecessors: 1 + prng.nextInt(5), fingerSuccessors: prng.nextInt(3) }
      const states = new Map(ids.map((id) => [id, memberState(id, ids, config)]))
      for (const from of ids) {
        for (const key of allKeys) {
          let [at, cursor] = [from, before]
          for (let hops = 0; ; hops++) {
            assert.ok(hops <= 12, `${key} from ${from}`)
            const next = nextHop(states.get(at)!, nobody, key, cursor, nobody)
            if (next.action === 'deliver') break
            assert.ok(next.action === 'forward')
            at = next.to.id
            cursor = next.cursor
          }
          assert.equal(at, clockwiseFrom(key, ids)[0])
        }
      }
    }
  })

  it('comes strictly closer to the key from the side it is on', () => {
    const prng = Prng.fromSeed('progress')
    for (let round = 0; round < 200; round++) {
      const ids = someBytes(prng, 2 + prng.nextInt(40))
      const state = memberState(ids[0]!, ids, { successors: 3, predecessors: 2, fingerSuccessors: 2 })
      const avoid = new Set(ids.filter(() => prng.chance(0.3)))
      const key = byte(prng.nextInt(256))
      const cursor = prng.pick([before, behind])!
      const next = nextHop(state, nobody, key, cursor, avoid)
      if (next.action !== 'forward') continue
      const { to } = next
      assert.ok(!avoid.has(to.id))
      if (next.cursor === before) assert.ok(inOpen(to.id, state.self.id, key), 'a node before the key')
      else if (cursor === behind)
        assert.ok(inOpenClosed(key, to.id, state.self.id) === false || to.id === key, 'a node at or after the key')
    }
  })

  it('takes the furthest finger before the key, and of its nodes the nearest by round trip', () => {
    const ids = ['00', '10', '82', '84', '88', 'c1'].map(guid)
    const state = memberState(guid('00'), ids, { successors: 1, predecessors: 1, fingerSuccessors: 2 })
    state.proximity.set(guid('82'), 90)
    state.proximity.set(guid('84'), 20)
    state.proximity.set(guid('88'), 10)
    assert.deepEqual(nextHop(state, nobody, guid('90'), before, nobody), { action: 'forward', to: ref('88'), cursor: before })
    assert.deepEqual(nextHop(state, nobody, guid('87'), before, nobody), { action: 'forward', to: ref('84'), cursor: before })
    assert.deepEqual(nextHop(state, nobody, guid('83'), before, nobody), { action: 'forward', to: ref('82'), cursor: before })
    assert.deepEqual(nextHop(state, new Set([guid('82')]), guid('83'), before, nobody), {
      action: 'forward',
      to: ref('10'),
      cursor: before,
    })
  })

  it('waits for a suspected owner and does not hand its keys to the next', () => {
    const ids = ['00', '10', '20', '30'].map(guid)
    const state = memberState(guid('00'), ids, {})
    assert.deepEqual(nextHop(state, nobody, guid('18'), before, nobody), { action: 'forward', to: ref('20'), cursor: behind })
    assert.deepEqual(nextHop(state, new Set([guid('20')]), guid('18'), before, nobody), { action: 'hold' })
    assert.deepEqual(nextHop(state, nobody, guid('18'), before, new Set([guid('20')])), { action: 'hold' })
  })

  it('goes back to a predecessor that its sender did not know of', () => {
    const ids = ['00', '10', '20', '30', '40'].map(guid)
    const state = memberState(guid('40'), ids, { successors: 1, predecessors: 2 })
    assert.deepEqual(nextHop(state, nobody, guid('28'), behind, nobody), { action: 'forward', to: ref('30'), cursor: behind })
    assert.deepEqual(nextHop(state, nobody, guid('18'), behind, nobody), { action: 'forward', to: ref('20'), cursor: behind })
  })

  it('delivers nothing before the predecessor has confirmed, and then only what lies after it', () => {
    const ids = ['00', '10', '20', '30'].map(guid)
    const state = memberState(guid('20'), ids, { successors: 2, predecessors: 2 })
    const deliver = { action: 'deliver' }
    assert.deepEqual(nextHop(state, nobody, guid('11'), before, nobody), deliver)
    state.lists.remove(guid('10'))
    assert.deepEqual(nextHop(state, nobody, guid('11'), before, nobody), deliver)
    assert.deepEqual(nextHop(state, nobody, guid('08'), before, nobody), { action: 'hold' })
    state.lists.confirm(guid('00'), guid('10'))
    assert.deepEqual(nextHop(state, nobody, guid('08'), before, nobody), { action: 'hold' })
    state.lists.confirm(guid('00'), guid('20'))
    assert.deepEqual(nextHop(state, nobody, guid('08'), before, nobody), deliver)
    state.standing = 'claiming'
    assert.deepEqual(nextHop(state, nobody, guid('08'), before, nobody), { action: 'hold' })
  })
})
