import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import { decodeMessage, encodeMessage } from '../src/codec.ts'
import { namedGuid } from '../src/index.ts'
import { World, bytesOf, failure, succeeded } from './world.ts'
import type { TestNode } from './world.ts'

describe('a read', () => {
  it('finds every surviving object within a second when half of 50 nodes have just died', () => {
    const world = new World({ seed: 20, nodes: 50, latencyMs: [1, 5], detectMs: 5000 })
    const guids = Array.from({ length: 60 }, (_, i) => world.put(world.node(i % 50), `object ${i}`, { quorum: 'all' }))
    world.advance(1000)
    for (const node of world.prng.shuffle(world.nodes).slice(0, 25)) node.crash()
    let read = 0
    for (const guid of guids) {
      if (world.holders(guid).length === 0) continue
      read++
      const { outcome, elapsedMs } = world.run(world.anyNode(), (past, now, fx) => past.get({ guid }, now, fx))
      succeeded(outcome)
      assert.ok(elapsedMs < 1000, `${elapsedMs} ms`)
    }
    assert.ok(read > 50)
  })

  it('goes another way when the first is slow', () => {
    const world = new World({ seed: 21, nodes: 30 })
    const guid = world.put(world.node(0), 'wanted', { quorum: 'all' })
    const [root] = world.closest(guid)
    assert.ok(root)
    root.mute = true
    for (const node of world.nodes.filter((each) => !world.holders(guid).includes(each))) {
      const { outcome, elapsedMs } = world.run(node, (past, now, fx) => past.get({ guid }, now, fx))
      assert.deepEqual(succeeded(outcome), bytesOf('wanted'))
      assert.ok(elapsedMs < 1000, `${elapsedMs} ms`)
    }
  })

  it('that nobody has answered on any of its ways is soon tried again: attempts beside each other are no reason to wait longer', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const world = new World({ seed, nodes: 20 })
      const guid = world.put(world.node(0), 'wanted', { quorum: 'all' })
      const reader = world.nodes.find((node) => !world.holders(guid).includes(node))
      assert.ok(reader)
      const others = world.nodes.filter((node) => node !== reader)
      for (const node of others) node.mute = true
      // Four attempts at 0, 250, 750 and 1750 ms wait 3 s each; then comes the pause, of 600 ms at most.
      world.at(4700, () => {
        for (const node of others) node.mute = false
      })
      const { outcome, elapsedMs } = world.run(reader, (past, now, fx) => past.get({ guid }, now, fx))
      assert.deepEqual(succeeded(outcome), bytesOf('wanted'))
      assert.ok(elapsedMs > 4750 && elapsedMs < 6000, `${elapsedMs} ms`)
    }
  })

  it('does not believe bytes that are not the object, and asks somebody else', () => {
    const world = new World({ seed: 22, nodes: 20 })
    const guid = world.put(world.node(0), 'true', { quorum: 'all' })
    const named = namedGuid('n', world.node(0).publicKey)
    succeeded(world.run(world.node(0), (past, now, fx) => past.put({ guid: named, data: bytesOf('true'), name: 'n' }, now, fx)).outcome)
    for (const liar of [...world.closest(guid).slice(0, 2), ...world.closest(named).slice(0, 2)]) makeLiar(liar)
    for (const node of world.nodes.filter((each) => !world.holders(guid).includes(each) && !world.holders(named).includes(each))) {
      assert.deepEqual(succeeded(world.get(node, guid)), bytesOf('true'))
      assert.deepEqual(succeeded(world.get(node, named)), bytesOf('true'))
    }
  })

  it('passes by a node whose disk has lost the bytes, and the node gets them back', () => {
    const world = new World({ seed: 23, nodes: 12 })
    const guid = world.put(world.node(0), 'fragile', { quorum: 'all' })
    const [root, second] = world.closest(guid)
    assert.ok(root && second)
    root.disk.delete(`d/${guid}`)
    second.disk.set(`d/${guid}`, bytesOf('rotten'))
    for (const node of world.nodes) assert.deepEqual(succeeded(world.get(node, guid)), bytesOf('fragile'))
    world.advance(120_000)
    assert.deepEqual(
      world
        .holders(guid)
        .map((node) => node.ref.address)
        .sort(),
      world
        .closest(guid)
        .slice(0, 5)
        .map((node) => node.ref.address)
        .sort(),
    )
    assert.deepEqual(second.disk.get(`d/${guid}`), bytesOf('fragile'))
  })

  it('does not take a slow fetch of the only copy for an absence', () => {
    const world = new World({ seed: 26, nodes: 10, latencyMs: [400, 400] })
    const data = new Uint8Array(100_000)
    const guid = guidOf(data)
    succeeded(world.run(world.node(0), (past, now, fx) => past.put({ guid, data, replicas: 1 }, now, fx)).outcome)
    const reader = world.nodes.find((node) => !world.holders(guid).includes(node))
    assert.ok(reader)
    assert.deepEqual(succeeded(world.get(reader, guid)), data)
  })

  it('says that there is nothing only after the replica set has been asked', () => {
    const world = new World({ seed: 24, nodes: 20 })
    const guid = world.put(world.node(0), 'held by one', { replicas: 1 })
    const [holder] = world.holders(guid)
    assert.ok(holder)
    // A newcomer becomes the root a moment ago and knows nothing yet.
    const newcomer = world.add()
    newcomer.ref = { ...newcomer.ref, id: guid }
    newcomer.boot()
    assert.deepEqual(succeeded(world.get(newcomer, guid)), bytesOf('held by one'))
    const nothing = world.run(world.node(3), (past, now, fx) => past.get({ guid: guidOf(bytesOf('nothing')) }, now, fx)).outcome
    assert.ok(!nothing.ok)
    assert.match(nothing.error.message, /^no replica of [0-9a-f]{8} was found$/)
    succeeded(world.remove(world.node(0), guid))
    const removed = world.get(world.node(3), guid)
    assert.ok(!removed.ok)
    assert.match(removed.error.message, /has been removed/)
  })

  it('ends at its deadline and says what it was waiting for', () => {
    const world = new World({ seed: 25, nodes: 3 })
    world.node(1).mute = true
    world.node(2).mute = true
    const guid = guidOf(bytesOf('out of reach'))
    const run = (timeoutMs: number) =>
      world.run(world.node(0), (past, now, fx) => past.put({ guid, data: bytesOf('out of reach'), quorum: 'all', timeoutMs }, now, fx))
    const { outcome, elapsedMs } = run(500)
    assert.equal(failure(outcome), 'DeadlineError')
    assert.ok(!outcome.ok)
    assert.match(outcome.error.message, /put of [0-9a-f]{8} did not end within 500 ms; last: sending 12 bytes/)
    assert.equal(elapsedMs, 500)
  })
})

/** From now on this node answers every read with other bytes. */
function makeLiar(node: TestNode): void {
  const { past } = node
  const forward = past.forward.bind(past)
  past.forward = (message, nextHop, now, fx) => {
    if (message.reply === 0 || decodeMessage(message.payload).type !== 'get' || message.hops === 0)
      return forward(message, nextHop, now, fx)
    fx.reply(message.reply, encodeMessage({ type: 'object', holder: fx.self, claims: [], settled: true, data: bytesOf('false') }))
    return { action: 'stop' }
  }
}
