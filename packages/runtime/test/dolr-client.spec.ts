import assert from 'node:assert/strict'
import type { DolrConfig } from '@plaxton/dolr'
import { DolrNode } from '@plaxton/dolr'
import { guidOf } from '@plaxton/guid'
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

describe('DolrClient', () => {
  describe('in a call', () => {
    let network: DolrNetwork
    let nodes: DolrTestNode[]
    before(async () => {
      network = new DolrNetwork({ retryMs: 10 })
      nodes = await network.grow(3)
    })
    after(() => network[Symbol.asyncDispose]())

    it('tells its progress in order, in sentences', async () => {
      await using _ = await nodes[0]!.client.host(room, echo)
      const steps: ProgressEvent[] = []
      await nodes[2]!.client.sendToObj(hello, room, 1, { onProgress: (event) => steps.push(event) })
      assert.equal(steps[0]?.type, 'dolr:locating')
      assert.equal(steps.at(-1)?.type, 'dolr:answered')
      assert.ok(steps.every(({ detail }) => detail.length > 10))
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

    it('leaves nothing published when publishing is aborted, unless it is published by another call too', async () => {
      const controller = new AbortController()
      const publishing = nodes[0]!.client.publish(room, { signal: controller.signal })
      controller.abort(new Error('enough'))
      await assert.rejects(publishing, /enough/)
      assert.deepEqual(nodes[0]!.dolr.hosted(), [])
      const other = new AbortController()
      const calls = [nodes[0]!.client.publish(room, { signal: other.signal }), nodes[0]!.client.publish(room)] as const
      other.abort(new Error('enough'))
      await assert.rejects(calls[0], /enough/)
      await calls[1]
      assert.deepEqual(nodes[0]!.dolr.hosted(), [room])
      assert.equal((await nodes[2]!.client.locate(room)).length, 1)
      await nodes[0]!.client.unpublish(room)
    })

    it('gives up in time on a handler that does not answer', async () => {
      await using _ = await nodes[0]!.client.host(room, () => new Promise<Uint8Array>(() => {}))
      await assert.rejects(async () => nodes[2]!.client.sendToObj(hello, room, 1, { timeoutMs: 50 }), {
        code: 'ERR_DEADLINE',
        message: /send of .* did not end within 50 ms; last: sending 5 bytes to/,
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
