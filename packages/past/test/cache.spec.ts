import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { encodeMessage } from '../src/codec.ts'
import { namedGuid } from '../src/index.ts'
import type { PastConfig } from '../src/index.ts'
import { World, bytesOf, failure, succeeded } from './world.ts'
import type { TestNode } from './world.ts'

const cacheMs = 60_000

/** An object, a reader, and the two nodes that all messages pass on their way to its root. */
function lane(config: Partial<PastConfig>): { world: World; guid: Guid; reader: TestNode; far: TestNode; near: TestNode } {
  const world = new World({ seed: 40, nodes: 30, config })
  const guid = world.put(world.node(0), 'in demand', { quorum: 'all' })
  world.advance(1_000)
  const [reader, far, near] = world.nodes.filter((node) => !world.holders(guid).includes(node) && node !== world.node(0))
  assert.ok(reader !== undefined && far !== undefined && near !== undefined)
  world.way = [far, near]
  return { world, guid, reader, far, near }
}

const cached = (...nodes: TestNode[]): number[] => nodes.map(({ past }) => past.stats().cached)

/** Reads, and lets whatever follows from it arrive. */
function read(world: World, node: TestNode, guid: Guid): unknown {
  const { outcome } = world.run(node, (past, now, fx) => past.get({ guid }, now, fx))
  world.advance(100)
  return outcome.ok ? outcome.value : outcome.error.name
}

describe('copies on the way', () => {
  it('come one hop nearer with each read, and spare the holders', () => {
    const { world, guid, reader, far, near } = lane({ cacheMs })
    assert.deepEqual(read(world, reader, guid), bytesOf('in demand'))
    assert.deepEqual(cached(far, near), [0, 1])
    for (const holder of world.holders(guid)) holder.mute = true
    assert.deepEqual(read(world, reader, guid), bytesOf('in demand'))
    assert.deepEqual(cached(far, near), [1, 1])
    near.mute = true
    assert.deepEqual(read(world, reader, guid), bytesOf('in demand'))
    assert.deepEqual(cached(reader, ...world.holders(guid)), [0, 0, 0, 0, 0, 0])
  })

  it('are not made unless they are asked for', () => {
    const { world, guid, reader, far, near } = lane({})
    for (let i = 0; i < 3; i++) assert.deepEqual(read(world, reader, guid), bytesOf('in demand'))
    assert.deepEqual(cached(far, near), [0, 0])
  })

  it('last half as long as what they were made from, however often they are read', () => {
    const { world, guid, reader } = lane({ cacheMs })
    read(world, reader, guid)
    const owner = world.node(0)
    succeeded(world.run(owner, (past, now, fx) => past.remove({ guid }, now, fx)).outcome)
    const start = world.now
    let last = start
    for (; world.now < start + 2 * cacheMs; world.advance(1_000)) if (read(world, reader, guid) instanceof Uint8Array) last = world.now
    assert.ok(last - start > cacheMs / 2 - 5_000 && last - start < cacheMs, `${last - start} ms`)
    assert.equal(read(world, reader, guid), 'NotFoundError')
  })

  it('say nothing about whether the object exists', () => {
    const { world, guid, reader } = lane({ cacheMs })
    read(world, reader, guid)
    succeeded(world.run(world.node(0), (past, now, fx) => past.remove({ guid }, now, fx)).outcome)
    assert.equal(succeeded(world.run(reader, (past, now, fx) => past.has({ guid }, now, fx)).outcome), false)
  })

  it('do not outlast the object', () => {
    const { world, reader, near } = lane({ cacheMs })
    const expires = world.now + 3_000
    world.way = []
    const guid = world.put(world.node(0), 'short', { quorum: 'all', expires })
    const [far, close] = world.nodes.filter((node) => !world.holders(guid).includes(node) && node !== reader && node !== near)
    world.way = [far!, close!]
    assert.deepEqual(read(world, reader, guid), bytesOf('short'))
    assert.deepEqual(cached(close!), [1])
    world.advance(3_000)
    assert.equal(read(world, reader, guid), 'NotFoundError')
  })

  it('are of objects without a name only, for these prove themselves', () => {
    const { world, reader } = lane({ cacheMs })
    const [owner] = [world.node(0)]
    const guid = namedGuid('n', owner.publicKey)
    world.way = []
    succeeded(world.run(owner, (past, now, fx) => past.put({ guid, data: bytesOf('named'), name: 'n' }, now, fx)).outcome)
    world.way = world.nodes.filter((node) => !world.holders(guid).includes(node) && node !== reader).slice(0, 2)
    assert.deepEqual(read(world, reader, guid), bytesOf('named'))
    assert.deepEqual(cached(...world.way), [0, 0])
  })

  it('take no more room than they may: those used longest ago go', () => {
    const { world, reader, near } = lane({ cacheMs, cacheBytes: 100 })
    world.way = []
    const guids = Array.from({ length: 12 }, (_, i) =>
      world.put(world.node(0), `${i} is twenty bytes long`.slice(0, 20), { quorum: 'all' }),
    )
    for (const guid of guids) {
      world.way = [world.nodes.find((node) => node !== near && !world.holders(guid).includes(node) && node !== reader)!, near]
      if (!world.holders(guid).includes(near)) read(world, reader, guid)
    }
    assert.deepEqual(cached(near), [5])
  })

  it('are taken from the node that a read went on to only, and only if they are the object', () => {
    const { world, guid, reader, near } = lane({ cacheMs })
    const stranger = world.nodes.find((node) => !world.holders(guid).includes(node) && node !== near && node !== reader)!
    const other = bytesOf('never read')
    const send = (from: TestNode, about: Guid, data: Uint8Array): void => {
      near.enter((now, fx) =>
        near.past.onRequest(from.ref, encodeMessage({ type: 'cache', guid: about, forMs: 9_999_999, data }), 0, now, fx),
      )
    }
    const garbage = near.past.stats().garbage
    send(stranger, guidOf(other), other)
    send(stranger, guid, bytesOf('in demand'))
    assert.equal(near.past.stats().garbage, garbage + 2)
    assert.deepEqual(cached(near), [0])
    const [root] = world.closest(guid)
    near.enter((now, fx) => {
      const payload = encodeMessage({ type: 'get', want: 'data', excluded: [], hurry: false })
      near.past.forward({ key: guid, payload, hops: 1, previousHop: reader.ref, reply: 0 }, root!.ref, now, fx)
    })
    send(root!, guid, bytesOf('other bytes'))
    assert.deepEqual(cached(near), [0])
    send(root!, guid, bytesOf('in demand'))
    assert.deepEqual(cached(near), [1])
    world.advance(cacheMs + 1)
    succeeded(world.run(world.node(0), (past, now, fx) => past.remove({ guid }, now, fx)).outcome)
    assert.equal(failure(world.run(reader, (past, now, fx) => past.get({ guid }, now, fx)).outcome), 'NotFoundError')
  })
})
