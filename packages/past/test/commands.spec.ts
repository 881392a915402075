import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Inspection, PutReceipt } from '@plaxton/kbr'
import { namedGuid } from '../src/index.ts'
import { World, bytesOf, failure, succeeded } from './world.ts'

describe('put, get and remove', () => {
  for (const nodes of [1, 2, 3, 12]) {
    it(`work in a network of ${nodes}`, () => {
      const world = new World({ seed: 1, nodes })
      const data = bytesOf('hello')
      const guid = guidOf(data)
      const receipt = succeeded(
        world.run(world.node(0), (past, now, fx) => past.put({ guid, data, quorum: 'all' }, now, fx)).outcome,
      ) as PutReceipt
      assert.equal(receipt.holders.length, Math.min(5, nodes))
      for (const node of world.nodes) assert.deepEqual(succeeded(world.get(node, guid)), data)
      succeeded(world.remove(world.node(0), guid))
      for (const node of world.nodes) assert.equal(failure(world.get(node, guid)), 'NotFoundError')
      assert.equal(world.holders(guid).length, 0)
      world.check()
    })
  }

  it('move large data directly', () => {
    const world = new World({ seed: 2, nodes: 20 })
    for (const [i, node] of world.nodes.entries()) {
      const data = new Uint8Array(300_000).fill(i)
      const guid = guidOf(data)
      succeeded(world.run(node, (past, now, fx) => past.put({ guid, data }, now, fx)).outcome)
      assert.deepEqual(succeeded(world.get(world.node(19 - i), guid)), data)
    }
  })

  it('refuse other bytes under a live name, and take them after a removal', () => {
    const world = new World({ seed: 3, nodes: 10 })
    const owner = world.node(4)
    const guid = namedGuid('a name', owner.publicKey)
    const putName = (text: string) =>
      world.run(owner, (past, now, fx) => past.put({ guid, data: bytesOf(text), name: 'a name' }, now, fx)).outcome
    succeeded(putName('one'))
    succeeded(putName('one'))
    assert.equal(failure(putName('two')), 'AlreadyExistsError')
    assert.deepEqual(succeeded(world.get(world.node(7), guid)), bytesOf('one'))
    assert.equal(failure(world.remove(world.node(5), guid)), 'NotOwnerError')
    succeeded(world.remove(owner, guid))
    succeeded(putName('two'))
    assert.deepEqual(succeeded(world.get(world.node(7), guid)), bytesOf('two'))
  })

  it('keep a content object while one of its owners wants it', () => {
    const world = new World({ seed: 4, nodes: 10 })
    const guid = world.put(world.node(1), 'shared')
    world.put(world.node(2), 'shared')
    succeeded(world.remove(world.node(1), guid))
    assert.deepEqual(succeeded(world.get(world.node(3), guid)), bytesOf('shared'))
    succeeded(world.remove(world.node(2), guid))
    assert.equal(failure(world.get(world.node(3), guid)), 'NotFoundError')
    world.put(world.node(1), 'shared')
    assert.deepEqual(succeeded(world.get(world.node(3), guid)), bytesOf('shared'))
  })

  it('say who holds an object, and make more copies', () => {
    const world = new World({ seed: 5, nodes: 20 })
    const guid = world.put(world.node(0), 'counted', { quorum: 'all' })
    const inspect = () => succeeded(world.run(world.node(9), (past, now, fx) => past.inspect({ guid }, now, fx)).outcome) as Inspection
    assert.deepEqual(
      inspect().holders.map((node) => node.id),
      world
        .closest(guid)
        .slice(0, 5)
        .map((node) => node.ref.id),
    )
    const more = succeeded(world.run(world.node(9), (past, now, fx) => past.ensure({ guid, replicas: 7 }, now, fx)).outcome) as Inspection
    assert.equal(more.holders.length, 7)
    assert.equal(more.wanted, 5)
    assert.equal(world.run(world.node(9), (past, now, fx) => past.has({ guid }, now, fx)).outcome.ok, true)
    assert.deepEqual(
      succeeded(world.run(world.node(3), (past, now, fx) => past.has({ guid: guidOf(bytesOf('?')) }, now, fx)).outcome),
      false,
    )
  })
})
