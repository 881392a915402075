import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { Proximity } from '@plaxton/upkeep'
import { byte, guid, ref, someBytes } from '@plaxton/testbed'
import { FingerTable } from '../src/finger-table.ts'
import { clockwiseFrom } from './helpers.ts'

const anybody = (): boolean => true

describe('the finger table', () => {
  it('has fingers that begin 2^i after the node', () => {
    const fingers = new FingerTable(ref('f0'), 1)
    assert.deepEqual(
      [0, 3, 4, 7].map((index) => fingers.start(index)),
      ['f1', 'f8', '00', '70'],
    )
    assert.equal(fingers.highest, 7)
  })

  it('needs only those that begin beyond the successor list', () => {
    const fingers = new FingerTable(ref('f0'), 1)
    assert.equal(fingers.leastBeyond(ref('f1')), 1)
    assert.equal(fingers.leastBeyond(ref('00')), 5)
    assert.equal(fingers.leastBeyond(ref('01')), 5)
    assert.equal(fingers.leastBeyond(ref('ef')), 8, 'the list goes once round')
  })

  it('uses a node only once it has answered, and not once it is gone', () => {
    const fingers = new FingerTable(ref('00'), 2)
    fingers.place(7, [ref('80'), ref('90'), ref('a0')])
    const best = () => fingers.preceding(guid('ff'), anybody, new Proximity(9))?.id
    assert.equal(best(), undefined)
    assert.ok(fingers.awaits(guid('80')) && fingers.awaits(guid('90')) && !fingers.awaits(guid('a0')))
    assert.equal(fingers.admit(ref('a0')), false)
    assert.equal(fingers.admit(ref('90')), true)
    assert.equal(best(), '90')
    assert.ok(fingers.remove(guid('90')))
    assert.equal(best(), undefined)
    assert.deepEqual(fingers.emptied(), [7])
    fingers.assertInvariants()
  })

  it('takes nobody before the start of the finger, nor the node itself', () => {
    const fingers = new FingerTable(ref('00'), 4)
    fingers.place(7, [ref('70'), ref('00'), ref('10'), ref('90')])
    assert.deepEqual(
      ['70', '00', '10', '90'].filter((id) => fingers.awaits(guid(id))),
      ['90'],
    )
  })

  it('replaces a node by its next incarnation, and forgets whom the last answer does not name', () => {
    const fingers = new FingerTable(ref('00'), 2)
    fingers.place(7, [ref('80'), ref('90')])
    fingers.admit(ref('80', 1))
    assert.equal(fingers.admit(ref('80', 1)), false)
    assert.equal(fingers.admit(ref('80', 2)), true)
    assert.equal(fingers.get(guid('80'))?.epoch, 2)
    fingers.place(7, [ref('88'), ref('90')])
    assert.equal(fingers.get(guid('80')), undefined)
  })

  it('finds the nearest by round trip among those before the key in the furthest finger that has any', () => {
    const prng = Prng.fromSeed('fingers')
    for (let round = 0; round < 200; round++) {
      const ids = someBytes(prng, 12)
      const self = ids[0]!
      const fingers = new FingerTable(ref(self), 3)
      const proximity = new Proximity(100)
      for (const id of ids) proximity.set(id, prng.nextInt(1000))
      const starts = Array.from({ length: 8 }, (_, index) => fingers.start(index))
      const begun = starts.map((start) => {
        const after = clockwiseFrom(start, ids)
        return after.slice(0, after.indexOf(self)).slice(0, 3)
      })
      for (const [index, named] of begun.entries())
        fingers.place(
          index,
          named.map((id) => ref(id)),
        )
      for (const id of ids) fingers.admit(ref(id))
      const key = byte(prng.nextInt(256))
      const isBefore = (id: string): boolean => id !== self && clockwiseFrom(self, [guid(id), key])[0] === id && id !== key
      const furthest = begun.findLast((named) => named.some(isBefore)) ?? []
      const wanted = furthest.filter(isBefore).sort((a, b) => proximity.of(a)! - proximity.of(b)!)[0]
      if (key === self) continue
      const found = fingers.preceding(key, anybody, proximity)
      assert.equal(found === undefined ? undefined : proximity.of(found.id), wanted === undefined ? undefined : proximity.of(wanted))
      fingers.assertInvariants()
    }
  })
})
