import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { byte, ref, someValues } from '@plaxton/testbed'
import { Buckets } from '../src/buckets.ts'
import { SiblingList } from '../src/sibling-list.ts'
import { byXor } from './helpers.ts'

/** Leading bits two 8-bit ids share. */
const shared = (a: number, b: number): number => Math.clz32(a ^ b) - 24

describe('the sibling list', () => {
  it('holds the c·s closest and all of the smallest subtree with s members, whatever the order of coming and going', () => {
    for (let seed = 0; seed < 300; seed++) {
      const prng = Prng.fromSeed(`siblings ${seed}`)
      const [self, ...others] = someValues(prng, 2 + prng.nextInt(60)) as [number, ...number[]]
      const list = new SiblingList(ref(byte(self)), 4, 10)
      for (const other of others) {
        if (list.wants(byte(other))) list.add(ref(byte(other)))
        else list.noteOutside(byte(other))
        list.assertInvariants()
      }
      const order = others.sort(byXor(self))
      const level = order[2] === undefined ? 0 : shared(order[2], self)
      const group = order.filter((other) => shared(other, self) >= level).length
      const wanted = order.slice(0, Math.min(20, Math.max(10, group)))
      assert.deepEqual(
        list.members.map(({ id }) => id),
        wanted.map(byte),
      )
      assert.equal(list.edge, order[wanted.length] === undefined ? undefined : byte(order[wanted.length]!))
      assert.ok(list.complete)
    }
  })

  it('remains certain of what was nearer than its edge when members fail, and is incomplete', () => {
    const list = new SiblingList(ref('00'), 2, 3)
    for (const id of ['01', '02', '04', '08']) if (list.wants(ref(id).id)) list.add(ref(id))
    list.noteOutside(ref('08').id)
    assert.deepEqual([list.edge, list.sureLevel, list.complete], ['08', 5, true])
    list.remove(ref('02').id)
    assert.deepEqual([list.edge, list.sureLevel, list.complete], ['08', 5, false])
    list.settle([])
    assert.deepEqual([list.edge, list.sureLevel, list.complete], [undefined, 0, true])
  })

  it('takes its last member for the first it does not hold when it is full and nobody else is known', () => {
    const list = new SiblingList(ref('00'), 2, 2)
    for (const id of ['01', '02']) list.add(ref(id))
    list.settle([])
    assert.equal(list.edge, '02')
  })

  it('names the two beside the node, cyclically', () => {
    const list = new SiblingList(ref('80'), 2, 8)
    assert.deepEqual(list.beside(), [])
    list.add(ref('10'))
    assert.deepEqual(list.beside(), [ref('10')])
    list.add(ref('20'))
    assert.deepEqual(
      list.beside().map(({ id }) => id),
      ['20', '10'],
    )
  })
})

describe('a k-bucket', () => {
  const bucketOf = (buckets: Buckets): string =>
    buckets
      .at(0)!
      .contacts.map(({ ref: { id } }) => id)
      .join(' ')

  it('has the contact seen least recently first', () => {
    const buckets = new Buckets(ref('00').id, 3)
    for (const [now, id] of ['80', '81', '82'].entries()) assert.ok(buckets.offer(ref(id), now))
    buckets.touch(ref('80').id, 3)
    assert.equal(bucketOf(buckets), '81 82 80')
    assert.equal(buckets.stalest()?.ref.id, '81')
    buckets.assertInvariants()
  })

  it('never gives up a contact for a new one; the new ones wait, the newest first', () => {
    const buckets = new Buckets(ref('00').id, 2)
    for (const id of ['80', '81']) buckets.offer(ref(id), 0)
    for (const id of ['82', '83', '84', '83']) assert.ok(!buckets.offer(ref(id), 1))
    assert.equal(bucketOf(buckets), '80 81')
    assert.deepEqual(
      buckets.at(0)!.waiting.map(({ id }) => id),
      ['83', '84'],
    )
    buckets.assertInvariants()
  })

  it('names the heir of a contact that fails, and the next one when that fails too', () => {
    const buckets = new Buckets(ref('00').id, 2)
    for (const id of ['80', '81', '82', '83']) buckets.offer(ref(id), 0)
    assert.equal(buckets.heirOf(ref('80').id), undefined)
    assert.ok(buckets.remove(ref('80').id))
    assert.deepEqual(buckets.heirOf(ref('80').id), ref('83'))
    assert.ok(!buckets.remove(ref('83').id))
    assert.deepEqual(buckets.heirOf(ref('83').id), ref('82'))
    assert.equal(buckets.heirOf(ref('82').id), undefined)
    assert.ok(buckets.hasRoomFor(ref('80').id))
  })

  it('is one for each distance range', () => {
    const buckets = new Buckets(ref('00').id, 20)
    for (const id of ['80', '40', '41', '01']) buckets.offer(ref(id), 0)
    assert.deepEqual(
      [0, 1, 2, 7].map((level) => buckets.at(level)?.contacts.length),
      [1, 2, undefined, 1],
    )
    buckets.assertInvariants()
  })
})
