import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { ProgressEvent } from '@plaxton/kbr'
import { namedGuid } from '@plaxton/past'
import { ed25519Key, memoryStore } from '../src/index.ts'
import type { TestNode } from './network.ts'
import { TestNetwork } from './network.ts'
import { HeldStore, bytesText, textBytes } from './toy.ts'

const hello = textBytes('hello')
const helloGuid = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as Guid

describe('PastClient', () => {
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
  })
})

/** Ends every store operation under way, so that the node can stop. */
function releaseAll(store: HeldStore): void {
  store.failure = new Error('the store is closed')
  for (const release of store.held) release()
}
