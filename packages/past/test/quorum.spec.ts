import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { PutReceipt } from '@plaxton/kbr'
import { World, bytesOf, succeeded } from './world.ts'
import type { TestNode } from './world.ts'

/** Nodes with something to hand over, an object that is not put yet, and its replica set. */
function prepared(seed: number): {
  world: World
  guid: Guid
  put: (from: TestNode, quorum?: 'all') => PutReceipt
  set: TestNode[]
  outsider: TestNode
} {
  const world = new World({ seed, nodes: 9, diskMs: 40, config: { replicas: 3 } })
  for (let i = 0; i < 30; i++) world.put(world.node(0), `object ${i}`, { quorum: 'all' })
  const data = bytesOf('late')
  const guid = guidOf(data)
  const put = (from: TestNode, quorum?: 'all'): PutReceipt =>
    succeeded(world.run(from, (past, now, fx) => past.put({ guid, data, ...(quorum && { quorum }) }, now, fx)).outcome) as PutReceipt
  const order = world.closest(guid)
  return { world, guid, put, set: order.slice(0, 3), outsider: order.at(-1)! }
}

const idsOf = (nodes: ReadonlyArray<{ readonly id: Guid }>): Guid[] => nodes.map(({ id }) => id)

describe('a quorum', () => {
  for (const place of [0, 1, 2]) {
    it(`does not count a node that is about to leave: number ${place + 1} of the replica set`, () => {
      for (let seed = 1; seed <= 5; seed++) {
        const { world, guid, put, set, outsider } = prepared(seed)
        const leaver = set[place]!
        leaver.leave()
        const { holders } = put(outsider)
        assert.ok(!idsOf(holders).includes(leaver.ref.id))
        // It has gone, and another of the holders dies: a majority of three bears that.
        world.advance(1_000)
        assert.equal(leaver.up, false)
        world.nodes.find(({ ref }) => ref.id === holders[0]!.id)!.crash()
        assert.deepEqual(succeeded(world.get(outsider, guid)), bytesOf('late'))
      }
    })
  }

  it('does not count a node that sets out to leave while it writes its copy, too late to hand it over', () => {
    let inTime = 0
    for (const place of [0, 1, 2]) {
      for (let ms = 0; ms < 120; ms += 10) {
        const { world, guid, put, set, outsider } = prepared(1)
        const leaver = set[place]!
        let late = false
        world.at(ms, () => {
          late = !world.holders(guid).includes(leaver)
          leaver.leave()
        })
        const { holders } = put(outsider, 'all')
        if (late) assert.ok(!idsOf(holders).includes(leaver.ref.id), `number ${place + 1} of the set, after ${ms} ms`)
        else inTime++
      }
    }
    assert.ok(inTime > 0)
  })

  it('does not count a node that is not a member yet, of which others may never hear', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { world, put, set, guid, outsider } = prepared(seed)
      const [root, joiner] = set as [TestNode, TestNode]
      joiner.joining = true
      const { holders } = put(outsider)
      assert.ok(!idsOf(holders).includes(joiner.ref.id))
      // It does not get in after all, and the root dies.
      joiner.gone()
      root.crash()
      world.advance(5_000)
      assert.deepEqual(succeeded(world.get(outsider, guid)), bytesOf('late'))
    }
  })

  it('is waited for while most of the replica set are joining', () => {
    const { world, put, set, outsider } = prepared(9)
    const others = world.nodes.filter((node) => node !== set[0] && node !== outsider)
    for (const node of others) node.joining = true
    world.at(3_000, () => {
      for (const node of others) node.joining = false
    })
    const { holders } = put(outsider)
    assert.ok(holders.length >= 2)
  })

  it('gives a joiner its copy as soon as it is a member', () => {
    const { world, guid, put, set, outsider } = prepared(10)
    set[1]!.joining = true
    put(outsider)
    set[1]!.joining = false
    world.advance(60_000)
    assert.deepEqual(new Set(world.holders(guid)), new Set(set))
  })
})
