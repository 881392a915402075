import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref, someBytes } from '@plaxton/testbed'
import { NeighborLists } from '../src/neighbor-lists.ts'
import { clockwiseFrom } from './helpers.ts'

describe('the lists', () => {
  it('hold the next nodes on either side, whatever the order in which they come and go', () => {
    const prng = Prng.fromSeed('lists')
    for (let round = 0; round < 200; round++) {
      const [self, ...others] = someBytes(prng, 2 + prng.nextInt(14)) as [ReturnType<typeof byte>]
      const lists = new NeighborLists(ref(self), 1 + prng.nextInt(5), 1 + prng.nextInt(5))
      for (const id of others) lists.add(ref(id))
      lists.assertInvariants()
      const around = clockwiseFrom(self, others)
      assert.deepEqual(
        lists.successors.members.map(({ id }) => id),
        around.slice(0, lists.successors.places),
      )
      assert.deepEqual(
        lists.predecessors.members.map(({ id }) => id),
        around.toReversed().slice(0, lists.predecessors.places),
      )
    }
  })

  it('of a ring that is wholly known fill each other’s gaps, down to the last node', () => {
    const prng = Prng.fromSeed('whole')
    for (let round = 0; round < 100; round++) {
      const places = 2 + prng.nextInt(4)
      const ids = someBytes(prng, 1 + places)
      const lists = new NeighborLists(ref(ids[0]!), places, places)
      for (const id of ids.slice(1)) lists.add(ref(id))
      for (const gone of prng.shuffle(ids.slice(1))) {
        assert.ok(lists.whole)
        lists.remove(gone)
        lists.assertInvariants()
        assert.equal(lists.wounded, false)
      }
      assert.ok(lists.owns(byte(prng.nextInt(256))), 'who is alone owns every key')
    }
  })

  it('do not take a gap for the end of the ring', () => {
    const lists = new NeighborLists(ref('25'), 3, 3)
    for (const id of ['30', '40', '50', '20', '10', 'f0']) lists.add(ref(id))
    lists.remove(guid('40'))
    assert.ok(lists.wounded)
    lists.add(ref('c0'))
    assert.deepEqual(
      lists.successors.members.map(({ id }) => id),
      ['30', '50'],
      'c0 is in the far half, and whoever is between 50 and c0 is not known',
    )
    lists.heal(lists.successors)
    assert.equal(lists.whole, false)
  })

  it('a nearer predecessor takes keys at once, a lost one gives them only when the next has confirmed', () => {
    const lists = new NeighborLists(ref('80'), 2, 2)
    for (const id of ['40', '20', 'a0', 'c0']) lists.add(ref(id))
    assert.equal(lists.confirmed, false)
    assert.equal(lists.confirm(guid('40'), guid('60')), false, 'somebody is between')
    assert.equal(lists.confirm(guid('40'), guid('80')), true)
    assert.equal(lists.confirm(guid('40'), guid('80')), false, 'nothing new')
    lists.add(ref('60'))
    assert.equal(lists.ownedFrom, '60')
    lists.remove(guid('60'))
    assert.equal(lists.ownedFrom, '60')
    assert.equal(lists.confirm(guid('20'), guid('80')), false, 'not the predecessor')
    assert.equal(lists.confirm(guid('40'), guid('80')), true)
    assert.equal(lists.ownedFrom, '40')
  })

  it('name those that another node leaves out though it names nodes beyond them', () => {
    const lists = new NeighborLists(ref('10'), 4, 4)
    for (const id of ['20', '30', '40', '50', '00', 'f0']) lists.add(ref(id))
    const missing = (before: readonly string[], after: readonly string[]): string[] =>
      lists
        .missingFrom(
          guid('20'),
          before.map((id) => ref(id)),
          after.map((id) => ref(id)),
        )
        .map(({ id }) => id)
        .sort()
    assert.deepEqual(missing(['10', 'f0'], ['40', '60']), ['00', '30', '50'])
    assert.deepEqual(missing(['10'], ['30']), [])
    assert.deepEqual(missing([], []), [])
  })
})
