import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref, someValues } from '@plaxton/testbed'
import { LeafSet } from '../src/leaf-set.ts'
import { byCloseness, numberOf } from './helpers.ts'

const size = 8

function leafSetOf(self: number, others: readonly number[]): LeafSet {
  const leafSet = new LeafSet(ref(byte(self)), size)
  for (const other of others) leafSet.add(ref(byte(other)))
  return leafSet
}

function ids(leafSet: LeafSet): number[] {
  return leafSet.members.map((member) => numberOf(member.id))
}

function rightOf(leafSet: LeafSet): string[] {
  return leafSet.right.members.map(({ id }) => id)
}

/** By the definition: the half that comes first in either direction. */
function expected(self: number, others: readonly number[]): number[] {
  const clockwise = [...others].sort((a, b) => ((a - self) & 255) - ((b - self) & 255))
  return [...new Set([...clockwise.slice(0, size / 2), ...clockwise.slice(-size / 2)])]
}

describe('LeafSet', () => {
  it('holds the |L|/2 next nodes on either side, whatever the order in which it meets them', () => {
    const prng = Prng.fromSeed('leaf-set')
    for (let round = 0; round < 400; round++) {
      const [self, ...others] = someValues(prng, 1 + prng.nextInt(24)) as [number, ...number[]]
      const leafSet = leafSetOf(self, others)
      leafSet.assertInvariants()
      assert.deepEqual(new Set(ids(leafSet)), new Set(expected(self, others)))
    }
  })

  it('says which nodes had to make room', () => {
    const leafSet = leafSetOf(0x80, [0x90, 0xa0, 0xb0, 0xc0, 0x70, 0x60, 0x50, 0x40])
    assert.deepEqual(
      leafSet.add(ref('88')).map((member) => member.id),
      ['c0'],
    )
    assert.deepEqual(leafSet.add(ref('e0')), [])
    assert.equal(leafSet.has(guid('e0')), false)
  })

  it('fills a place that becomes free on one side with a member that only the other side had', () => {
    const leafSet = leafSetOf(0x80, [0x90, 0xa0, 0xb0, 0xc0, 0x70, 0x60])
    leafSet.remove(guid('a0'))
    assert.deepEqual(
      leafSet.right.members.map((member) => member.id),
      ['90', 'b0', 'c0', '60'],
    )
  })

  it('lists its members from the nearest outwards, by turns', () => {
    const leafSet = leafSetOf(0x80, [0x90, 0xa0, 0xb0, 0xc0, 0x70, 0x60, 0x50, 0x40])
    assert.deepEqual(
      leafSet.members.map((member) => member.id),
      ['90', '70', 'a0', '60', 'b0', '50', 'c0', '40'],
    )
  })

  it('wants of several candidates those that would stay if all were added', () => {
    const prng = Prng.fromSeed('wanted')
    for (let round = 0; round < 300; round++) {
      const [self, ...others] = someValues(prng, 24) as [number, ...number[]]
      const known = others.slice(0, prng.nextInt(20))
      const candidates = others.slice(prng.nextInt(10))
      const leafSet = leafSetOf(self, known)
      const wanted = leafSet.wanted(candidates.map((id) => ref(byte(id)))).map((member) => numberOf(member.id))
      const inOld = new Set(ids(leafSet))
      const inAll = expected(self, [...new Set([...known, ...candidates])])
      assert.deepEqual(new Set(wanted), new Set(inAll.filter((id) => !inOld.has(id))))
    }
  })

  describe('in every ring of 8-bit ids tried', () => {
    const prng = Prng.fromSeed('closest')

    it('knows the closest node to every key it covers, and covers every key next to it', () => {
      for (let round = 0; round < 60; round++) {
        const [self, ...others] = someValues(prng, 1 + prng.nextInt(30)) as [number, ...number[]]
        const leafSet = leafSetOf(self, others)
        for (let key = 0; key < 256; key++) {
          const root = [self, ...others].sort(byCloseness(key))[0]!
          if (leafSet.covers(byte(key))) assert.equal(leafSet.closest(byte(key)).id, byte(root))
          else assert.notEqual(root, self)
        }
      }
    })

    it('knows the whole ring exactly when there are less than |L| others', () => {
      for (let count = 0; count < 30; count++) {
        const [self, ...others] = someValues(prng, 1 + count) as [number, ...number[]]
        assert.equal(leafSetOf(self, others).wholeRing, count < size)
      }
    })

    it('gives the closest usable node, or none when one that may not be used is closer than itself', () => {
      for (let round = 0; round < 60; round++) {
        const [self, ...others] = someValues(prng, 2 + prng.nextInt(20)) as [number, ...number[]]
        const leafSet = leafSetOf(self, others)
        const avoided = new Set(others.filter(() => prng.chance(0.4)))
        for (let key = 0; key < 256; key++) {
          if (!leafSet.covers(byte(key))) continue
          const ranking = [self, ...ids(leafSet)].sort(byCloseness(key))
          const best = ranking.find((id) => !avoided.has(id))!
          const closest = leafSet.closestUsable(byte(key), (member) => !avoided.has(numberOf(member.id)))
          assert.equal(closest?.id, best === self && ranking[0] !== self ? undefined : byte(best))
        }
      }
    })
  })

  describe('after failures', () => {
    const everybody = [0x84, 0x88, 0x8c, 0x90, 0x94, 0x7c, 0x78, 0x74, 0x70, 0x6c]

    it('keeps knowing the whole ring when it did before', () => {
      const leafSet = leafSetOf(0x80, [0x10, 0x90, 0xf0])
      for (const id of ['10', '90', 'f0']) leafSet.remove(guid(id))
      assert.equal(leafSet.wholeRing, true)
      assert.equal(leafSet.closest(guid('33')), leafSet.self)
    })

    it('does not take a node of the far side for a neighbour', () => {
      const leafSet = leafSetOf(0x80, everybody)
      for (const id of ['84', '88', '8c', '90']) leafSet.remove(guid(id))
      leafSet.add(ref('7e'))
      assert.equal(leafSet.rightNeighbor, undefined)
      assert.equal(leafSet.wholeRing, false)
    })

    it('answers for no key on a side that is lost, until it is healed', () => {
      const leafSet = leafSetOf(0x80, everybody)
      for (const id of ['84', '88', '8c', '90']) leafSet.remove(guid(id))
      assert.equal(leafSet.right.wound, 'lost')
      leafSet.add(ref('a0'))
      assert.equal(leafSet.covers(guid('81')), false)
      assert.equal(leafSet.covers(guid('7f')), true)
      leafSet.heal(leafSet.right)
      assert.equal(leafSet.covers(guid('81')), true)
    })

    it('does not take a gap for the end of the ring when a side is healed that has room', () => {
      const leafSet = leafSetOf(0x25, [0x30, 0x40, 0x50, 0x60, 0x20, 0x10, 0xf0, 0xe0])
      leafSet.remove(guid('40'))
      leafSet.heal(leafSet.right)
      assert.deepEqual(rightOf(leafSet), ['30', '50', '60'])
      assert.equal(leafSet.wholeRing, false, 'whoever is between 60 and e0 is not known')
    })

    it('takes those of the other side who follow the furthest of a healed side, up to the first that it does not know', () => {
      const leafSet = leafSetOf(0x25, [0x30, 0x40, 0x50, 0x60, 0x20, 0x10, 0xf0, 0xe0])
      for (const id of ['30', '40']) leafSet.remove(guid(id))
      leafSet.heal(leafSet.right)
      leafSet.extend(
        guid('50'),
        ['e0', 'f0', '20', '25'].map((id) => ref(id)),
      )
      assert.deepEqual(rightOf(leafSet), ['50', '60'], '50 is not the furthest')
      leafSet.extend(
        guid('60'),
        ['d0', 'e0', 'f0', '25', '50'].map((id) => ref(id)),
      )
      assert.deepEqual(rightOf(leafSet), ['50', '60'], 'd0 comes first')
      leafSet.extend(
        guid('60'),
        ['e0', 'f0', '10', '25', '50'].map((id) => ref(id)),
      )
      assert.deepEqual(rightOf(leafSet), ['50', '60', 'e0', 'f0'])
      assert.equal(leafSet.wholeRing, true)
      leafSet.assertInvariants()
    })

    it('is healed by the members it misses', () => {
      const leafSet = leafSetOf(0x80, everybody)
      leafSet.remove(guid('88'))
      assert.equal(leafSet.right.wound, 'thinned')
      leafSet.add(ref('94'))
      assert.equal(leafSet.wounded, false)
      leafSet.assertInvariants()
    })
  })

  it('tells whom the leaf set of a neighbour ought to hold and does not', () => {
    const leafSet = leafSetOf(0x80, [0x84, 0x88, 0x8c, 0x90, 0x7c, 0x78, 0x74, 0x70])
    const ofNeighbor = [0x8c, 0x90, 0x94, 0x98, 0x80, 0x7c, 0x78, 0x74].map((id) => ref(byte(id)))
    // 70 is too far from 88 to be in its leaf set; 84 is not.
    assert.deepEqual(
      leafSet.missingFrom(guid('88'), ofNeighbor).map((member) => member.id),
      ['84'],
    )
  })

  it('replaces an old incarnation in its place', () => {
    const leafSet = leafSetOf(0x80, [0x90])
    leafSet.add(ref('90', 2))
    assert.equal(leafSet.size, 1)
    assert.equal(leafSet.get(guid('90'))?.epoch, 2)
  })

  it('never holds its own node', () => {
    const leafSet = leafSetOf(0x80, [])
    leafSet.add(ref('80', 5))
    assert.equal(leafSet.size, 0)
  })
})
