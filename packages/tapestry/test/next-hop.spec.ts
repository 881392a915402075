import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { NextHop } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref, someBytes } from '@plaxton/testbed'
import { nextHop } from '../src/next-hop.ts'
import { slotNumber } from '../src/state.ts'
import type { TapestryState } from '../src/state.ts'
import { digitsOf, inOrder, memberState, shared } from './helpers.ts'

const everyKey = Array.from({ length: 256 }, (_, i) => byte(i))
const nobody: ReadonlySet<Guid> = new Set()

function decide(
  state: TapestryState,
  key: Guid,
  options: { avoid?: readonly Guid[]; suspects?: readonly Guid[]; cursor?: number } = {},
): string {
  const next = nextHop(state, new Set(options.suspects ?? []), key, options.cursor ?? 0, new Set(options.avoid ?? []))
  return next.action === 'forward' ? next.to.id : next.action
}

describe('the next hop', () => {
  for (const digitBits of [1, 2, 3, 4, 5]) {
    it(`in digits of ${digitBits} bits: is the node itself only for the keys it is root of, and else shares a digit more with the root`, () => {
      const prng = Prng.fromSeed(`hops ${digitBits}`)
      for (const count of [2, 9, 60]) {
        const ids = someBytes(prng, count)
        const state = memberState(ids[0]!, ids, { digitBits, siblingsMin: 3 })
        for (const key of everyKey) {
          const root = inOrder(ids, key, digitBits)[0]!
          const next = nextHop(state, nobody, key, 0, nobody)
          if (root === ids[0]) {
            assert.equal(next.action, 'deliver')
            continue
          }
          assert.equal(next.action, 'forward')
          const { to, cursor } = next as Extract<NextHop, { action: 'forward' }>
          assert.equal(cursor, shared(root, ids[0]!, digitBits) + 1, 'the cursor counts the digits resolved')
          assert.ok(shared(to.id, root, digitBits) >= cursor, `${to.id} for ${key}, root ${root}`)
        }
      }
    })
  }

  it('always stands before this node in the order of responsibility, however wrong the map and the cursor are', () => {
    const prng = Prng.fromSeed('wrong maps')
    for (let round = 0; round < 40; round++) {
      const state = memberState(byte(prng.nextInt(256)), someBytes(prng, 1 + prng.nextInt(20)), { digitBits: 2, siblingsMin: 3 })
      for (const key of everyKey) {
        const next = decide(state, key, { cursor: prng.nextInt(10) })
        if (next === 'deliver' || next === 'hold') continue
        assert.deepEqual(inOrder([state.self.id, guid(next)], key, 2), [next, state.self.id])
      }
    }
  })

  it('is the primary; a backup when the primary is suspected or did not take the message; nobody of another digit when all are', () => {
    const state = memberState(byte(0x11), [0xa1, 0xa2, 0xa3, 0xb1].map(byte), { siblingsMin: 2 })
    const slot = state.map.slot(0, 0xa).map(({ id }) => id)
    assert.equal(slot.length, 3)
    const [primary, second, third] = slot as [Guid, Guid, Guid]
    const key = byte(0xa7)
    assert.equal(decide(state, key), primary)
    assert.equal(decide(state, key, { suspects: [primary] }), second)
    assert.equal(decide(state, key, { avoid: [primary], suspects: [second] }), third)
    assert.equal(decide(state, key, { avoid: slot }), 'hold')
    assert.equal(decide(state, key, { suspects: slot }), 'hold')
    // The surrogate for a digit nobody has is another matter.
    assert.equal(decide(state, byte(0xb7)), 'b1')
    assert.equal(decide(state, byte(0x97)), primary)
  })

  it('is a sibling beyond the backups when none of these may be used', () => {
    const state = memberState(byte(0x11), [0xa1, 0xa2, 0xa3, 0xa4].map(byte), { siblingsMin: 10 })
    const slot = state.map.slot(0, 0xa).map(({ id }) => id)
    const fourth = ['a1', 'a2', 'a3', 'a4'].find((id) => !slot.includes(guid(id)))
    assert.equal(decide(state, byte(0xa7), { avoid: slot }), fourth)
  })

  it('is not known while a slot on the way may or may not be empty', () => {
    const state = memberState(byte(0x11), [0x21, 0x31].map(byte))
    assert.equal(decide(state, byte(0x01)), 'deliver')
    state.doubtful.add(slotNumber(0, 0))
    assert.equal(decide(state, byte(0x01)), 'hold')
    assert.equal(decide(state, byte(0xf1)), 'hold')
    assert.equal(decide(state, byte(0x21)), '21')
    // On a level that no map entry reaches.
    state.doubtful.clear()
    state.doubtful.add(slotNumber(1, 5))
    assert.equal(decide(state, byte(0x15)), 'hold')
    assert.equal(decide(state, byte(0x11)), 'deliver')
  })

  it('a node that is being inserted passes messages on and keeps its own', () => {
    const state = memberState(byte(0x11), [byte(0x21)])
    state.standing = 'inserting'
    assert.equal(decide(state, byte(0x21)), '21')
    assert.equal(decide(state, byte(0x11)), 'hold')
  })

  it('the last digit of an id may be narrower than the others', () => {
    const state = memberState(byte(0b11111110), [byte(0b11111111)], { digitBits: 3 })
    assert.deepEqual(digitsOf('fe', 3), [7, 7, 2])
    assert.equal(decide(state, byte(0b11111111)), 'ff')
    assert.equal(decide(state, byte(0b11111110)), 'deliver')
  })

  it('changes nothing', () => {
    const state = memberState(byte(0x11), [byte(0x21)])
    const before = JSON.stringify([...state.map.entries(), ...state.doubtful])
    for (const key of everyKey) decide(state, key, { avoid: [byte(0x21)] })
    assert.equal(JSON.stringify([...state.map.entries(), ...state.doubtful]), before)
    assert.equal(state.find(ref('21').id)?.id, '21')
  })
})
