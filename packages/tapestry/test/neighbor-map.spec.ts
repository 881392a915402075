import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { Proximity } from '@plaxton/upkeep'
import { byte, ref, someBytes } from '@plaxton/testbed'
import { NeighborMap, slotBase } from '../src/neighbor-map.ts'
import { digitsOf, shared } from './helpers.ts'

function map(self: Guid, digitBits: number, redundancy = 3): { map: NeighborMap; proximity: Proximity } {
  const proximity = new Proximity(300)
  return { map: new NeighborMap(ref(self), digitBits, redundancy, proximity), proximity }
}

describe('the neighbour map', () => {
  for (const digitBits of [1, 2, 3, 4, 5]) {
    it(`in digits of ${digitBits} bits: slot (l, d) has the nearest three of those that share l digits and have d next, the nearest first`, () => {
      const prng = Prng.fromSeed(`map ${digitBits}`)
      const [self, ...others] = someBytes(prng, 120) as [Guid, ...Guid[]]
      const { map: nodes, proximity } = map(self, digitBits)
      const distance = new Map(others.map((id) => [id, prng.nextInt(1_000_000)]))
      for (const id of others) {
        proximity.set(id, distance.get(id)!)
        nodes.offer(ref(id))
      }
      nodes.assertInvariants()
      for (const [level, own] of digitsOf(self, digitBits).entries()) {
        for (let digit = 0; digit < nodes.base(level); digit++) {
          const inSlot = others.filter((id) => shared(id, self, digitBits) === level && digitsOf(id, digitBits)[level] === digit)
          const wanted = digit === own ? [] : inSlot.sort((a, b) => distance.get(a)! - distance.get(b)!).slice(0, 3)
          assert.deepEqual(
            nodes.slot(level, digit).map(({ id }) => id),
            wanted,
          )
        }
      }
    })
  }

  it('says what an offer did', () => {
    const { map: nodes, proximity } = map(byte(0x00), 4, 2)
    for (const [id, distance] of [
      ['a1', 30],
      ['a2', 20],
      ['a3', 10],
      ['a4', 40],
    ] as const) {
      proximity.set(id as Guid, distance)
    }
    assert.deepEqual(nodes.offer(ref('a1')), { taken: true, primary: true, displaced: undefined })
    assert.deepEqual(nodes.offer(ref('a2')), { taken: true, primary: true, displaced: undefined })
    assert.deepEqual(nodes.offer(ref('a3')), { taken: true, primary: true, displaced: ref('a1') })
    assert.deepEqual(nodes.offer(ref('a4')), { taken: false, primary: false, displaced: undefined })
  })

  it('puts a node whose distance has become known in its place', () => {
    const { map: nodes, proximity } = map(byte(0x00), 4)
    nodes.offer(ref('a1'))
    nodes.offer(ref('a2'))
    assert.equal(nodes.slot(0, 0xa)[0]!.id, 'a1')
    proximity.set(byte(0xa2), 5)
    assert.equal(nodes.reorder(byte(0xa2)), true)
    assert.equal(nodes.slot(0, 0xa)[0]!.id, 'a2')
    assert.equal(nodes.reorder(byte(0xa2)), false)
  })

  it('forgets levels that are no longer in use', () => {
    const { map: nodes } = map(byte(0x00), 2)
    nodes.offer(ref('01'))
    nodes.offer(ref('40'))
    assert.equal(nodes.depth, 4)
    assert.equal(nodes.remove(byte(0x01)), true)
    assert.equal(nodes.depth, 1)
    assert.equal(nodes.remove(byte(0x01)), false)
    assert.deepEqual(
      nodes.entries().map(({ id }) => id),
      ['40'],
    )
  })

  it('names its empty slots, the own digits not among them', () => {
    const { map: nodes } = map(byte(0b10_00_00_00), 2)
    nodes.offer(ref('01'))
    assert.deepEqual(nodes.holes(2), [1, 3, slotBase + 1, slotBase + 2, slotBase + 3])
    assert.deepEqual(
      nodes.numbered(0).map(({ id }) => id),
      ['01'],
    )
    assert.deepEqual(nodes.numbered(31), [])
    assert.deepEqual(nodes.numbered(1_000_000), [])
  })
})
