import assert from 'node:assert/strict'
import type { DolrConfig } from '@plaxton/dolr'
import { DolrNode } from '@plaxton/dolr'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { ProgressEvent } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { DolrClient, MemoryNetwork, NodeHost } from '../src/index.ts'
import { bytesText, textBytes } from './toy.ts'

interface DolrTestNode {
  readonly host: NodeHost
  readonly dolr: DolrNode
  readonly client: DolrClient
}

/** Nodes with Pastry and DOLR in one process. */
class DolrNetwork {
  readonly network = new MemoryNetwork()
  readonly nodes: DolrTestNode[] = []
  private readonly faults: Error[] = []
  private readonly config: Partial<DolrConfig>

  constructor(config: Partial<DolrConfig> = {}) {
    this.config = config
  }

  async add(name: string, epoch = 1): Promise<DolrTestNode> {
    const self = { id: guidOf(textBytes(name)), address: `memory:${name}`, epoch }
    const host = new NodeHost({ overlay: pastry(), link: this.network.link(self), seed: `${name} ${epoch}` })
    const dolr = new DolrNode(this.config, Prng.fromSeed(`dolr ${name} ${epoch}`))
    host.use(dolr)
    host.events.addEventListener('host:fault', ({ detail }) => void this.faults.push(detail.error))
    const node = { host, dolr, client: new DolrClient(host, dolr) }
    await host.start()
    await host.join(this.nodes.slice(0, 1).map((first) => first.host.self))
    this.nodes.push(node)
    return node
  }

  async grow(count: number): Promise<DolrTestNode[]> {
    for (let i = 0; i < count; i++) await this.add(`node ${this.nodes.length}`)
    return this.nodes
  }

  async crash(node: DolrTestNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    await node.host.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map(({ host }) => host.stop()))
    if (this.faults[0] !== undefined) throw this.faults[0]
  }
}

const room = guidOf(textBytes('room'))
const hello = textBytes('hello')
const echo = (message: Uint8Array): Uint8Array => textBytes(`heard ${bytesText(message)}`)

async function all(replies: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = []
  for await (const reply of replies) texts.push(bytesText(reply))
  return texts
}

describe('DolrClient', () => {
  for (const count of [1, 2, 3, 16]) {
    describe(`on a network of ${count} node${count === 1 ? '' : 's'}`, () => {
      let network: DolrNetwork
      let nodes: DolrTestNode[]
      before(async () => {
        network = new DolrNetwork()
        nodes = await network.grow(count)
      })
      after(() => network[Symbol.asyncDispose]())

      it('finds a host from every node, and none after it has stopped', async () => {
        const hosting = await nodes[0]!.client.host(room, echo)
        for (const { client } of nodes) assert.equal(bytesText(await client.sendToObj(hello, room)), 'heard hello')
        for (const { client } of nodes) assert.deepEqual(await client.locate(room), [nodes[0]!.host.self])
        await hosting.stop()
        await assert.rejects(async () => nodes.at(-1)!.client.sendToObj(hello, room), { code: 'ERR_NOT_FOUND' })
        await hosting.stop()
      })

      it('brings a message to at most n hosts', async () => {
        const hosts = nodes.slice(0, 3)
        const hostings = await Promise.all(hosts.map(({ client }, i) => client.host(room, () => textBytes(`${i}`))))
        const sender = nodes.at(-1)!.client
        for (const n of [1, 2, 3, 16]) {
          const replies = await all(sender.sendToObj(hello, room, n))
          assert.equal(replies.length, Math.min(n, hosts.length))
          assert.equal(new Set(replies).size, replies.length, 'each host answers once')
        }
        assert.equal((await sender.locate(room, 16)).length, hosts.length)
        for (const hosting of hostings) await hosting.stop()
      })

      it('carries messages and answers of up to 1 MiB', async () => {
        await using _ = await nodes[0]!.client.host(room, (message) => message)
        for (const size of [0, 1, 5_000, 100_000, 1024 * 1024]) {
          const message = new Uint8Array(size).fill(size % 251)
          const reply = await nodes.at(-1)!.client.sendToObj(message, room)
          assert.equal(Buffer.compare(reply, message), 0, `${size} bytes`)
        }
      })
    })
  }

  describe('in a call', () => {
    let network: DolrNetwork
    let nodes: DolrTestNode[]
    before(async () => {
      network = new DolrNetwork({ retryMs: 10 })
      nodes = await network.grow(3)
    })
    after(() => network[Symbol.asyncDispose]())

    it('gives the first reply by await and all by iteration, as often as wanted', async () => {
      await using _a = await nodes[0]!.client.host(room, () => textBytes('a'))
      await using _b = await nodes[1]!.client.host(room, () => textBytes('b'))
      const replies = nodes[2]!.client.sendToObj(hello, room, 2)
      const listed = await all(replies)
      assert.deepEqual(listed.toSorted(), ['a', 'b'])
      assert.deepEqual(await all(replies), listed)
      assert.equal(bytesText(await replies), listed[0])
    })

    it('tells its progress in order, in sentences', async () => {
      await using _ = await nodes[0]!.client.host(room, echo)
      const steps: ProgressEvent[] = []
      await nodes[2]!.client.sendToObj(hello, room, 1, { onProgress: (event) => steps.push(event) })
      assert.equal(steps[0]?.type, 'dolr:locating')
      assert.equal(steps.at(-1)?.type, 'dolr:answered')
      assert.ok(steps.every(({ detail }) => detail.length > 10))
    })

    it('refuses wrong values with the field, its value and what is allowed', async () => {
      const { client } = nodes[0]!
      const cases: Array<[PromiseLike<unknown>, string]> = [
        [client.publish('nonsense' as Guid), 'guid'],
        [client.host(room, 'echo' as never), 'handler'],
        [client.sendToObj('hello' as never, room), 'message'],
        [client.sendToObj(new Uint8Array(1024 * 1024 + 1), room), 'message'],
        [client.sendToObj(hello, room, 0), 'n'],
        [client.sendToObj(hello, room, 17), 'n'],
        [client.locate(room, 1.5), 'n'],
        [client.locate(room, 1, { timeoutMs: 0 }), 'timeoutMs'],
      ]
      for (const [call, field] of cases) await assert.rejects(async () => call, { name: 'InvalidValueError', field })
    })

    it('ends with the reason of its signal, at once', async () => {
      await using _ = await nodes[0]!.client.host(room, () => new Promise<Uint8Array>(() => {}))
      const controller = new AbortController()
      const replies = nodes[2]!.client.sendToObj(hello, room, 1, { signal: controller.signal })
      controller.abort(new Error('enough'))
      await assert.rejects(async () => replies, /enough/)
      await assert.rejects(all(replies), /enough/)
    })

    it('leaves nothing hosted when hosting is aborted', async () => {
      const controller = new AbortController()
      const hosting = nodes[0]!.client.host(room, echo, { signal: controller.signal })
      controller.abort(new Error('enough'))
      await assert.rejects(hosting, /enough/)
      await assert.rejects(async () => nodes[2]!.client.sendToObj(hello, room), { code: 'ERR_NOT_FOUND' })
      assert.deepEqual(nodes[0]!.dolr.hosted(), [])
      await using _ = await nodes[0]!.client.host(room, echo)
      assert.equal(bytesText(await nodes[2]!.client.sendToObj(hello, room)), 'heard hello')
    })

    it('gives up in time on a handler that does not answer', async () => {
      await using _ = await nodes[0]!.client.host(room, () => new Promise<Uint8Array>(() => {}))
      await assert.rejects(async () => nodes[2]!.client.sendToObj(hello, room, 1, { timeoutMs: 50 }), {
        code: 'ERR_DEADLINE',
        message: /send of .* did not end within 50 ms; last: sending 5 bytes to/,
      })
    })

    it('says what the handler said when it refuses', async () => {
      await using _ = await nodes[0]!.client.host(room, () => {
        throw new Error('the room is closed')
      })
      await assert.rejects(async () => nodes[2]!.client.sendToObj(hello, room), { code: 'ERR_ROUTE', message: /the room is closed/ })
    })

    it('refuses what is no answer', async () => {
      await using _ = await nodes[0]!.client.host(room, () => 'text' as never)
      await assert.rejects(async () => nodes[2]!.client.sendToObj(hello, room), {
        message: /answer of the handler is "text", allowed is a Uint8Array/,
      })
    })

    it('sends a message to a host that answers rather than one that has only published', async () => {
      await nodes[0]!.client.publish(room)
      await assert.rejects(async () => nodes[2]!.client.sendToObj(hello, room, 1, { timeoutMs: 300 }), /nobody answers/)
      await using _ = await nodes[1]!.client.host(room, echo)
      assert.equal(bytesText(await nodes[2]!.client.sendToObj(hello, room)), 'heard hello')
      assert.equal((await nodes[2]!.client.locate(room, 2)).length, 2)
      await nodes[0]!.client.unpublish(room)
    })

    it('answers for an object once', async () => {
      await using _ = await nodes[0]!.client.host(room, echo)
      await assert.rejects(nodes[0]!.client.host(room, echo), { name: 'InvalidValueError', field: 'guid' })
      await assert.rejects(nodes[1]!.client.unpublish(room), { code: 'ERR_NOT_FOUND' })
    })

    it('runs hundreds of calls that nobody awaits one by one', async () => {
      await using _ = await nodes[0]!.client.host(room, echo)
      const replies = Array.from({ length: 500 }, (_each, i) => nodes[i % 3]!.client.sendToObj(textBytes(`${i}`), room))
      const texts = await Promise.all(replies.map(async (reply) => bytesText(await reply)))
      assert.deepEqual(
        texts,
        texts.map((_each, i) => `heard ${i}`),
      )
    })

    it('leaves a failed message that nobody waits for alone', async () => {
      nodes[2]!.client.sendToObj(hello, guidOf(textBytes('nowhere')), 1, { timeoutMs: 20 })
      await new Promise((resolve) => setTimeout(resolve, 40))
    })
  })

  describe('when hosts come and go', () => {
    it('goes on with another host when one is gone', async () => {
      await using network = new DolrNetwork({ pingMs: 100, patienceMs: 100 })
      const nodes = await network.grow(8)
      const sender = nodes[7]!
      const names = ['a', 'b', 'c']
      await Promise.all(names.map((name, i) => nodes[i]!.client.host(room, () => textBytes(name))))
      while (names.length > 0) {
        const answer = bytesText(await sender.client.sendToObj(hello, room))
        const at = names.indexOf(answer)
        assert.ok(at >= 0, `${answer} is one of ${names.join()}`)
        names.splice(at, 1)
        await network.crash(nodes[at]!)
      }
      await assert.rejects(async () => sender.client.sendToObj(hello, room, 1, { timeoutMs: 2_000 }), {
        name: /NotFoundError|DeadlineError/,
      })
    })

    it('follows an object that moves', async () => {
      await using network = new DolrNetwork()
      const nodes = await network.grow(6)
      for (const { client, host } of nodes.slice(0, 5)) {
        await using _ = await client.host(room, () => textBytes(host.self.address))
        assert.equal(bytesText(await nodes[5]!.client.sendToObj(hello, room)), host.self.address)
      }
    })

    it('withdraws what a node hosts when it leaves', async () => {
      await using network = new DolrNetwork({ retryMs: 10 })
      const nodes = await network.grow(6)
      await nodes[0]!.client.host(room, echo)
      await nodes[0]!.host.leave()
      await assert.rejects(nodes[3]!.client.locate(room), { code: 'ERR_NOT_FOUND' })
    })

    it('rejects every call when the node stops, and later ones too', async () => {
      await using network = new DolrNetwork()
      const nodes = await network.grow(3)
      const calls = Array.from({ length: 200 }, () => nodes[2]!.client.sendToObj(hello, room))
      const outcomes = Promise.allSettled(calls)
      await network.crash(nodes[2]!)
      for (const outcome of await outcomes) assert.equal((outcome as PromiseRejectedResult).reason.code, 'ERR_NOT_READY')
      await assert.rejects(
        nodes[0]!.host.stop().then(() => nodes[0]!.client.publish(room)),
        { code: 'ERR_NOT_READY' },
      )
    })
  })
})
