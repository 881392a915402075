import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { guidOf } from '@plaxton/guid'
import { pastry } from '@plaxton/pastry'
import { memoryStore } from '@plaxton/runtime'
import { overlay, past } from '../src/index.ts'
import { overlays } from './support/overlays.ts'
import { Cleanup, localNode, within } from './support/swarm.ts'
import type { OverlayFactory, ProgressEvent } from '@plaxton/kbr'
import type { Libp2p } from 'libp2p'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { OverlayInit, OverlayService, PastInit, PastService } from '../src/index.ts'
import type { LocalNodeInit } from './support/swarm.ts'

type Node = Libp2p<{ overlay: OverlayService; past: PastService }>

describe('the PAST service', () => {
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  async function node(
    overlayInit: OverlayInit = {},
    pastInit: PastInit = {},
    local: Partial<LocalNodeInit<Record<string, unknown>>> = {},
    factory: () => OverlayFactory = pastry,
  ): Promise<Node> {
    const services = { past: past(pastInit), overlay: overlay(factory(), overlayInit) }
    return cleanup.add((await localNode({ ...local, services: services as never })) as unknown as Node)
  }

  /** Nodes on the defaults, joined through the first. Not waited for: calls wait by themselves. */
  async function nodes(
    count: number,
    local: Partial<LocalNodeInit<Record<string, unknown>>> = {},
    factory: () => OverlayFactory = pastry,
  ): Promise<Node[]> {
    const first = await node({}, {}, local, factory)
    const bootstrap: Multiaddr[] = first.getMultiaddrs()
    const rest = await Promise.all(Array.from({ length: count - 1 }, () => node({ bootstrap }, {}, local, factory)))
    return [first, ...rest]
  }

  const data = (text: string): Uint8Array => new TextEncoder().encode(text)
  const pastOf = (of: Node | undefined): PastService => (of as Node).services.past

  for (const [name, { factory }] of Object.entries(overlays)) {
    describe(`over ${name}`, () => {
      for (const count of [1, 2, 3, 8]) {
        it(`puts, gets and removes at once in a network of ${count} on the defaults`, async () => {
          const swarm = await nodes(count, {}, factory)
          const bytes = data(`in a network of ${count}`)
          const guid = guidOf(bytes)
          const receipt = await pastOf(swarm[0]).put(guid, bytes)
          assert.equal(receipt.guid, guid)
          assert.ok(receipt.holders.length >= 1)
          for (const each of swarm) assert.deepEqual(Buffer.from(await pastOf(each).get(guid)), Buffer.from(bytes))
          await Promise.all(swarm.map((each) => each.services.overlay.whenReady()))
          assert.ok((await pastOf(swarm.at(-1)).ensure(guid)).holders.length >= Math.min(5, count))
          await pastOf(swarm[0]).remove(guid)
          for (const each of swarm) await assert.rejects(pastOf(each).get(guid), { name: 'NotFoundError', code: 'ERR_NOT_FOUND' })
        })
      }

      it('reads everything although a node was stopped without a word', async () => {
        const swarm = await nodes(6, {}, factory)
        await Promise.all(swarm.map((each) => each.services.overlay.whenReady()))
        const objects = Array.from({ length: 10 }, (_, i) => data(`object ${i}`))
        for (const bytes of objects) await pastOf(swarm[0]).put(guidOf(bytes), bytes, { quorum: 'all' })
        const victim = swarm[5] as Node
        await victim.services.overlay.host.stop()
        for (const connection of victim.getConnections()) connection.abort(new Error('pulled'))
        for (const bytes of objects) {
          const got = await within(pastOf(swarm[1]).get(guidOf(bytes)), 'a read despite the loss', 1_500)
          assert.equal(guidOf(got), guidOf(bytes))
        }
      })
    })
  }

  it('stores a block of a megabyte over WebSockets', async () => {
    const [a, , c] = await nodes(3, { transport: 'ws' })
    const block = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * i) % 253)
    const guid = guidOf(block)
    await pastOf(a).put(guid, block)
    assert.equal(guidOf(await pastOf(c).get(guid)), guid)
  })

  it('keeps named objects under their owner, the node itself by default', async () => {
    const swarm = await nodes(2)
    const [a, b] = swarm
    await Promise.all(swarm.map((each) => each.services.overlay.whenReady()))
    const guid = pastOf(a).nameGuid('motto')
    assert.deepEqual(Buffer.from(pastOf(a).publicKey), Buffer.from(a?.peerId.publicKey?.raw ?? []))
    await pastOf(a).put(guid, data('first'), { name: 'motto' })
    await assert.rejects(pastOf(a).put(guid, data('second'), { name: 'motto' }), { name: 'AlreadyExistsError' })
    await assert.rejects(pastOf(b).remove(guid), { name: 'NotOwnerError' })
    await pastOf(a).remove(guid)
    await pastOf(a).put(guid, data('second'), { name: 'motto' })
    assert.equal(Buffer.from(await pastOf(b).get(guid)).toString(), 'second')
  })

  it('takes another key as the owner, and a store of the caller', async () => {
    const owner = await generateKeyPair('Ed25519')
    const store = memoryStore()
    const a = await node({}, { owner, store })
    const bytes = data('kept')
    await pastOf(a).put(guidOf(bytes), bytes)
    assert.deepEqual(Buffer.from(pastOf(a).publicKey), Buffer.from(owner.publicKey.raw))
    assert.ok((await store.list('')).length > 0)
  })

  it('says which keys it cannot sign with', async () => {
    await assert.rejects(node({}, { owner: await generateKeyPair('secp256k1') }), { name: 'InvalidValueError', field: 'owner' })
  })

  it('refuses a configuration out of range when it is made', async () => {
    await assert.rejects(node({}, { replicas: 0 }), { name: 'InvalidValueError' })
  })

  it('cannot be made without an overlay', async () => {
    await assert.rejects(localNode({ services: { past: past() as never } }), { name: 'UnmetServiceDependenciesError' })
  })

  it('still has what it stored after it was stopped and started', async () => {
    const a = await node()
    const bytes = data('durable')
    await pastOf(a).put(guidOf(bytes), bytes)
    await a.stop()
    await within(assert.rejects(pastOf(a).get(guidOf(bytes)), { name: 'NotReadyError' }), 'a no of a stopped node', 1_000)
    await a.start()
    assert.deepEqual(Buffer.from(await pastOf(a).get(guidOf(bytes))), Buffer.from(bytes))
    assert.equal(pastOf(a).stats().objects, 1)
  })

  it('tells what it does, and stops when asked to', async () => {
    const [a] = await nodes(2)
    const steps: ProgressEvent[] = []
    const bytes = data('watched')
    await pastOf(a).put(guidOf(bytes), bytes, { onProgress: (event) => steps.push(event) })
    assert.ok(steps.some(({ type }) => type === 'past:stored'))
    await assert.rejects(pastOf(a).get(guidOf(bytes), { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
  })

  describe('as content routing', () => {
    it('gives a value back under its key, from every node', async () => {
      const swarm = await nodes(3)
      const key = data('/ipns/somebody')
      await swarm[0]?.contentRouting.put(key, data('one'))
      for (const each of swarm) assert.equal(Buffer.from(await each.contentRouting.get(key)).toString(), 'one')
    })

    it('lets any node replace a value, and write the same one again', async () => {
      const [a, b] = (await nodes(3)) as [Node, Node]
      const key = Uint8Array.of(0, 255, 1)
      await a.contentRouting.put(key, data('one'))
      await a.contentRouting.put(key, data('one'))
      await b.contentRouting.put(key, data('two'))
      assert.equal(Buffer.from(await a.contentRouting.get(key)).toString(), 'two')
      await b.contentRouting.put(key, data('one'))
      assert.equal(Buffer.from(await a.contentRouting.get(key)).toString(), 'one')
    })

    it('keeps empty and large values', async () => {
      const [a, b] = (await nodes(2)) as [Node, Node]
      const large = new Uint8Array(1_000_000).fill(7)
      await a.contentRouting.put(data('large'), large)
      await a.contentRouting.put(data('empty'), new Uint8Array(0))
      assert.deepEqual(guidOf(await b.contentRouting.get(data('large'))), guidOf(large))
      assert.equal((await b.contentRouting.get(data('empty'))).length, 0)
    })

    it('fails for a key nobody wrote', async () => {
      const [a] = (await nodes(2)) as [Node]
      await assert.rejects(a.contentRouting.get(data('nothing')), (error: AggregateError) =>
        error.errors.every(({ name }) => name === 'NotFoundError'),
      )
    })

    it('refuses keys and values that are too long', async () => {
      const a = await node()
      await assert.rejects(a.contentRouting.put(new Uint8Array(2_000), data('x')), { name: 'InvalidValueError', field: 'key' })
      await assert.rejects(a.contentRouting.put(data('x'), new Uint8Array(1 << 20)), { name: 'InvalidValueError', field: 'value' })
    })
  })
})
