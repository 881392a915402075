import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { World, bytesOf, failure, succeeded } from './world.ts'

describe('maintenance', () => {
  it('brings the copies back to k after crashes, and gives them back when nodes return', () => {
    const world = new World({ seed: 30, nodes: 20 })
    const guids = putMany(world, 30)
    const [victim] = world.nodes
    assert.ok(victim)
    victim.crash()
    world.advance(30_000)
    checkPlacement(world, guids)
    victim.boot()
    world.advance(150_000)
    checkPlacement(world, guids)
  })

  it('does not bring back what was removed while a node slept with its disk', () => {
    const world = new World({ seed: 31, nodes: 12 })
    const guid = world.put(world.node(0), 'to be removed', { quorum: 'all' })
    const sleeper = world.holders(guid).find((node) => node !== world.node(0))
    assert.ok(sleeper)
    sleeper.crash()
    world.advance(20_000)
    succeeded(world.remove(world.node(0), guid))
    world.advance(3_600_000)
    sleeper.boot()
    for (let i = 0; i < 30; i++) {
      for (const node of world.live) assert.equal(failure(world.get(node, guid)), 'NotFoundError')
      world.advance(1000)
    }
    assert.equal(world.holders(guid).length, 0)
  })

  it('erases with a removal what a put cut off by a crash has left on the disk', () => {
    const world = new World({ seed: 40, nodes: 12 })
    const guid = world.put(world.node(0), 'to be removed', { quorum: 'all' })
    const victim = world.holders(guid).find((node) => node !== world.node(0))
    assert.ok(victim)
    victim.crash()
    // The data are written first: this is what a crash before the record leaves.
    victim.disk.delete(`r/${guid}`)
    world.advance(20_000)
    succeeded(world.remove(world.node(0), guid))
    victim.boot()
    world.advance(30_000)
    assert.deepEqual([...victim.disk.keys()], [`r/${guid}`])
  })

  it('hands over before it leaves', () => {
    const world = new World({ seed: 32, nodes: 12 })
    const guids = putMany(world, 20, { replicas: 1 })
    for (let i = 0; i < 8; i++) {
      const leaver = world.node(i)
      leaver.leave()
      world.advance(3000)
      assert.equal(leaver.up, false)
      for (const [j, guid] of guids.entries()) assert.deepEqual(succeeded(world.get(world.node(11), guid)), bytesOf(`object ${j}`))
    }
    world.advance(120_000)
    checkPlacement(world, guids, 1)
  })

  it('hands over more than it offers at a time', () => {
    const world = new World({ seed: 39, nodes: 1 })
    const guids = putMany(world, 300, { replicas: 1 })
    world.add().boot()
    world.advance(100)
    world.node(0).leave()
    world.advance(30_000)
    assert.equal(world.node(0).up, false)
    checkPlacement(world, guids, 1)
  })

  it('loses not even single copies while nodes join and leave at the same time', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const world = new World({ seed, nodes: 6, reach: seed % 2 === 0 ? 3 : Infinity })
      const guids = putMany(world, 40, { replicas: 1 })
      for (let i = 0; i < 12; i++) {
        for (let j = 0; j < 2; j++) world.anyNode().leave()
        world.advance(world.prng.nextInt(1500))
        for (let j = 0; j < 2; j++) world.add().boot()
        world.advance(world.prng.nextInt(3000))
      }
      world.advance(120_000)
      checkPlacement(world, guids, 1)
    }
  })

  it('lets a lone node go at once, and start again on its disk', () => {
    const world = new World({ seed: 33, nodes: 1 })
    const [guid] = putMany(world, 1)
    assert.ok(guid)
    const node = world.node(0)
    node.leave()
    assert.equal(node.up, false)
    node.boot()
    assert.deepEqual(succeeded(world.get(node, guid)), bytesOf('object 0'))
  })

  it('survives all nodes being killed at once', () => {
    const world = new World({ seed: 34, nodes: 12 })
    const guids = putMany(world, 20, { quorum: 'majority' })
    for (const node of world.nodes) node.crash()
    world.advance(10_000)
    for (const node of world.nodes) node.boot()
    world.advance(1000)
    for (const [i, guid] of guids.entries()) {
      for (const node of world.nodes) assert.deepEqual(succeeded(world.get(node, guid)), bytesOf(`object ${i}`))
    }
  })

  it('gives a newcomer what belongs on it and takes it from who no longer needs it', () => {
    const world = new World({ seed: 35, nodes: 10 })
    const guids = putMany(world, 30)
    for (let i = 0; i < 5; i++) {
      world.add().boot()
      world.advance(1000)
    }
    world.advance(150_000)
    checkPlacement(world, guids)
    for (const node of world.nodes) assert.equal(node.past.stats().garbage, 0)
  })

  it('costs one small message a minute and neighbour when nothing differs', () => {
    const world = new World({ seed: 36, nodes: 8 })
    putMany(world, 50, { quorum: 'all' })
    world.advance(600_000)
    const { requests, requestBytes } = world
    world.advance(600_000)
    const perNodeAndMinute = (world.requests - requests) / 8 / 10
    assert.ok(perNodeAndMinute <= 7 * 1.5, `${perNodeAndMinute} requests`)
    assert.ok((world.requestBytes - requestBytes) / (world.requests - requests) < 32)
  })

  it('forgets what has expired, everywhere, and old removals', () => {
    const world = new World({ seed: 37, nodes: 10, config: { tombstoneMs: 3_600_000 } })
    const expiring = world.put(world.node(0), 'for an hour', { expires: 3_600_000 })
    const removed = world.put(world.node(0), 'removed')
    succeeded(world.remove(world.node(0), removed))
    assert.ok(world.node(0).disk.size > 0)
    world.advance(3_500_000)
    succeeded(world.get(world.node(5), expiring))
    world.advance(150_000)
    assert.equal(failure(world.get(world.node(5), expiring)), 'NotFoundError')
    world.advance(1_800_000)
    for (const node of world.nodes) {
      assert.deepEqual([...node.disk.keys()], [])
      assert.equal(node.past.stats().tombstones, 0)
      node.past.assertInvariants()
    }
  })

  it('lets several owners come and go without losing the object or keeping it too long', () => {
    const world = new World({ seed: 38, nodes: 12 })
    const guid = world.put(world.node(0), 'shared', { replicas: 3 })
    world.put(world.node(1), 'shared', { replicas: 7 })
    world.advance(30_000)
    checkPlacement(world, [guid], 7)
    succeeded(world.remove(world.node(1), guid))
    world.advance(150_000)
    checkPlacement(world, [guid], 3)
    succeeded(world.remove(world.node(0), guid))
    world.advance(150_000)
    checkPlacement(world, [guid], 0)
  })
})

function putMany(world: World, count: number, options: { replicas?: number; quorum?: 'majority' | 'all' } = { quorum: 'all' }): Guid[] {
  return Array.from({ length: count }, (_, i) => world.put(world.node(i % world.nodes.length), `object ${i}`, options))
}

/** Every object is on the k closest nodes and on no other. */
function checkPlacement(world: World, guids: readonly Guid[], replicas = 5): void {
  for (const guid of guids) {
    const expected = world
      .closest(guid)
      .slice(0, replicas)
      .map((node) => node.ref.address)
      .sort()
    assert.deepEqual(
      world
        .holders(guid)
        .map((node) => node.ref.address)
        .sort(),
      expected,
    )
  }
  world.check()
}
