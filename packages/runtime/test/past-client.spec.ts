import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { ProgressEvent } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { namedGuid } from '@plaxton/past'
import { ed25519Key, memoryStore } from '../src/index.ts'
import type { TestNode } from './network.ts'
import { TestNetwork } from './network.ts'
import { HeldStore, bytesText, textBytes } from './toy.ts'

const hello = textBytes('hello')
const helloGuid = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as Guid

function noise(length: number, seed: string): Uint8Array {
  const prng = Prng.fromSeed(seed)
  return Uint8Array.from({ length }, () => prng.nextInt(256))
}

describe('PastClient', () => {
  for (const count of [1, 2, 3, 16]) {
    describe(`on a network of ${count} node${count === 1 ? '' : 's'}, with the defaults`, () => {
      let network: TestNetwork
      let nodes: TestNode[]
      before(async () => {
        network = new TestNetwork()
        nodes = await network.grow(count)
      })
      after(() => network[Symbol.asyncDispose]())

      it('puts, gets from every node, inspects, removes', async () => {
        const [first, last] = [nodes[0]!.client, nodes.at(-1)!.client]
        const receipt = await first.put(helloGuid, hello, { quorum: 'all' })
        assert.equal(receipt.guid, helloGuid)
        assert.equal(receipt.size, 5)
        assert.equal(receipt.wanted, 5)
        assert.equal(receipt.holders.length, Math.min(count, 5))
        for (const { client } of nodes) assert.equal(bytesText(await client.get(helloGuid)), 'hello')
        assert.equal(await last.has(helloGuid), true)
        const inspection = await last.inspect(helloGuid)
        assert.equal(inspection.holders.length, Math.min(count, 5))
        await first.remove(helloGuid)
        for (const { client } of nodes) {
          assert.equal(await client.has(helloGuid), false)
          await assert.rejects(client.get(helloGuid), { code: 'ERR_NOT_FOUND' })
        }
      })

      it('stores objects from nothing to 1 MiB', async () => {
        for (const size of [0, 1, 16_384, 16_385, 100_000, 1024 * 1024]) {
          const data = noise(size, `${size}`)
          const guid = guidOf(data)
          await nodes[0]!.client.put(guid, data)
          assert.deepEqual(Buffer.compare(await nodes.at(-1)!.client.get(guid), data), 0, `${size} bytes`)
        }
      })

      it('keeps named objects of two owners apart', async () => {
        const [one, two] = [nodes[0]!.client, nodes.at(-1)!.client]
        const guid = one.nameGuid('greeting')
        await one.put(guid, hello, { name: 'greeting' })
        assert.equal(bytesText(await two.get(guid)), 'hello')
        if (count > 1) {
          assert.notEqual(two.nameGuid('greeting'), guid)
          await assert.rejects(two.remove(guid), { code: 'ERR_NOT_OWNER' })
        }
        await assert.rejects(one.put(guid, textBytes('other'), { name: 'greeting' }), { code: 'ERR_ALREADY_EXISTS' })
        assert.notEqual(one.nameGuid('greeting', textBytes('salt')), guid)
      })

      it('runs hundreds of calls that nobody awaits one by one', async () => {
        const objects = Array.from({ length: 300 }, (_, i) => textBytes(`object ${i}`))
        const client = (i: number): TestNode['client'] => nodes[i % nodes.length]!.client
        await Promise.all(objects.map((data, i) => client(i).put(guidOf(data), data)))
        const read = await Promise.all(objects.map((data, i) => client(i + 1).get(guidOf(data))))
        assert.deepEqual(read.map(bytesText), objects.map(bytesText))
      })
    })
  }

  it('signs with another key of its node when it is named', async () => {
    await using network = new TestNetwork()
    const other = await ed25519Key(new Uint8Array(32).fill(7))
    const { client } = await network.add('two keys', { signer: (name) => (name === 'other' ? other : undefined) })
    const guid = namedGuid('greeting', other.publicKey)
    await client.put(guid, hello, { name: 'greeting', signer: 'other' })
    assert.equal(bytesText(await client.get(guid)), 'hello')
    await assert.rejects(client.remove(guid), { code: 'ERR_NOT_OWNER' })
    await client.remove(guid, { signer: 'other' })
    assert.equal(await client.has(guid), false)
  })

  describe('in a call', () => {
    let network: TestNetwork
    let node: TestNode
    before(async () => {
      network = new TestNetwork()
      ;[node] = (await network.grow(3)) as [TestNode]
    })
    after(() => network[Symbol.asyncDispose]())

    it('tells its progress in order, with types of its own', async () => {
      const steps: ProgressEvent[] = []
      await node.client.put(helloGuid, hello, { onProgress: (event) => steps.push(event) })
      assert.ok(steps.every(({ type, detail }) => /^past:[a-z]+$/.test(type) && detail.length > 0))
      assert.equal(steps[0]?.type, 'past:signing')
      assert.equal(steps.at(-1)?.type, 'past:stored')
    })

    it('refuses wrong values with the field, its value and what is allowed', async () => {
      const { client } = node
      const cases: Array<[Promise<unknown>, string]> = [
        [client.get('nonsense' as Guid), 'guid'],
        [client.put(helloGuid, 'hello' as never), 'data'],
        [client.put(helloGuid, textBytes('other')), 'guid'],
        [client.put(helloGuid, hello, { replicas: 0 }), 'replicas'],
        [client.put(helloGuid, hello, { quorum: 'most' as never }), 'quorum'],
        [client.put(helloGuid, hello, { expires: 1 }), 'expires'],
        [client.put(helloGuid, new Uint8Array(1024 * 1024 + 1)), 'data'],
        [client.ensure(helloGuid, 1000), 'replicas'],
        [client.has(helloGuid, { timeoutMs: 0 }), 'timeoutMs'],
        [client.has(helloGuid, { timeoutMs: Number.NaN }), 'timeoutMs'],
      ]
      for (const [call, field] of cases) await assert.rejects(call, { name: 'InvalidValueError', field })
    })

    it('ends with the reason of its signal, at once', async () => {
      const controller = new AbortController()
      const call = node.client.put(helloGuid, hello, { signal: controller.signal })
      controller.abort(new Error('enough'))
      await assert.rejects(call, /enough/)
      await assert.rejects(node.client.get(helloGuid, { signal: AbortSignal.abort(new Error('never')) }), /never/)
    })

    it('ends with what its watcher throws', async () => {
      const onProgress = (): void => {
        throw new Error('careless watcher')
      }
      await assert.rejects(node.client.put(helloGuid, hello, { onProgress }), /careless watcher/)
      assert.equal(await node.client.has(helloGuid), true)
    })
  })

  describe('when the world is slow or broken', () => {
    it('gives up in time and names the step it waited for', async () => {
      await using network = new TestNetwork()
      const node = await network.add('slow', { store: new HeldStore() })
      await assert.rejects(node.client.put(helloGuid, hello, { timeoutMs: 20 }), (error: Error) => {
        return error.name === 'DeadlineError' && /put of 2cf24dba/.test(error.message)
      })
      releaseAll(node.store as HeldStore)
    })

    it('gives up in time for a call that never had its turn', async () => {
      await using network = new TestNetwork()
      const node = await network.add('slow', { store: new HeldStore() })
      const running = Array.from({ length: 128 }, () => node.client.get(helloGuid, { timeoutMs: 60 }))
      const waiting = node.client.get(helloGuid, { timeoutMs: 20 })
      await assert.rejects(waiting, { code: 'ERR_DEADLINE', message: /no turn/ })
      await Promise.allSettled(running)
      releaseAll(node.store as HeldStore)
    })

    it('refuses calls beyond ten thousand waiting', async () => {
      await using network = new TestNetwork()
      const node = await network.add('slow', { store: new HeldStore() })
      const calls = Array.from({ length: 10_128 }, () => node.client.get(helloGuid))
      await assert.rejects(node.client.get(helloGuid), { code: 'ERR_OVERLOADED' })
      const ended = Promise.allSettled(calls)
      releaseAll(node.store as HeldStore)
      await node.host.stop()
      const reasons = new Set((await ended).map((outcome) => (outcome as PromiseRejectedResult).reason.code))
      assert.deepEqual(reasons, new Set(['ERR_NOT_READY']))
    })

    it('rejects every call when the host stops, and later ones too', async () => {
      await using network = new TestNetwork()
      const [node] = (await network.grow(3)) as [TestNode]
      const calls = Array.from({ length: 200 }, (_, i) => node.client.put(guidOf(textBytes(`${i}`)), textBytes(`${i}`)))
      const outcomes = Promise.allSettled(calls)
      await network.crash(node)
      for (const outcome of await outcomes) {
        assert.equal(outcome.status, 'rejected')
        assert.equal(outcome.reason.code, 'ERR_NOT_READY')
      }
      await assert.rejects(node.client.get(helloGuid), { code: 'ERR_NOT_READY' })
    })

    it('says why when a store cannot write', async () => {
      await using network = new TestNetwork()
      const store = memoryStore()
      const node = await network.add('full', {
        store: { ...store, write: () => Promise.reject(new Error('no space left on device')) },
      })
      await assert.rejects(node.client.put(helloGuid, hello, { timeoutMs: 500 }), { name: /Error$/ })
    })

    it('reads on after a node with a replica crashed', async () => {
      await using network = new TestNetwork()
      const nodes = await network.grow(8)
      const { holders } = await nodes[0]!.client.put(helloGuid, hello, { quorum: 'all' })
      const victim = nodes.find(({ host }) => host.self.id === holders[0]!.id && host !== nodes[0]!.host) ?? nodes[1]!
      await network.crash(victim)
      for (const { client } of network.nodes) assert.equal(bytesText(await client.get(helloGuid)), 'hello')
    })

    it('has its objects again when a node comes back on its store', async () => {
      await using network = new TestNetwork()
      const [node] = (await network.grow(1)) as [TestNode]
      await node.client.put(helloGuid, hello)
      await network.crash(node)
      const again = await network.add('node 0', { store: node.store, key: node.key, epoch: 2 })
      assert.equal(bytesText(await again.client.get(helloGuid)), 'hello')
      await again.client.remove(helloGuid)
      assert.equal(await again.client.has(helloGuid), false)
    })
  })
})

/** Ends every store operation under way, so that the node can stop. */
function releaseAll(store: HeldStore): void {
  store.failure = new Error('the store is closed')
  for (const release of store.held) release()
}
