import assert from 'node:assert/strict'
import { IndexClient, IndexServer, star } from '@plaxton/central-index'
import type { ClientConfig } from '@plaxton/central-index'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { ProgressEvent } from '@plaxton/kbr'
import { CentralIndexClient, MemoryNetwork, NodeHost } from '../src/index.ts'
import type { SharedFile } from '../src/index.ts'
import { textBytes } from './toy.ts'

interface Peer {
  readonly host: NodeHost
  readonly core: IndexClient
  readonly client: CentralIndexClient
}

/** One index server and its clients in one process. */
class IndexNetwork {
  readonly network = new MemoryNetwork()
  private readonly hosts: NodeHost[] = []
  private readonly faults: Error[] = []
  server!: NodeHost

  async start(name: string, application: IndexServer | IndexClient): Promise<NodeHost> {
    const self = { id: guidOf(textBytes(name)), address: `memory:${name}`, epoch: 1 }
    const host = new NodeHost({ overlay: star({ hub: name === 'server' }), link: this.network.link(self), seed: name })
    host.use(application)
    host.events.addEventListener('host:fault', ({ detail }) => void this.faults.push(detail.error))
    await host.start()
    this.hosts.push(host)
    return host
  }

  async open(): Promise<this> {
    this.server = await this.start('server', new IndexServer())
    await this.server.join([])
    return this
  }

  async peer(name: string, config: Partial<ClientConfig> = {}): Promise<Peer> {
    const core = new IndexClient(config, Prng.fromSeed(name))
    const host = await this.start(name, core)
    const client = new CentralIndexClient(host, core)
    await host.join([this.server.self])
    return { host, core, client }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()))
    if (this.faults[0] !== undefined) throw this.faults[0]
  }
}

const song = textBytes('la la la')
const guid = guidOf(song)

function file(read: SharedFile['read'] = (offset, length) => song.subarray(offset, offset + length)): SharedFile {
  return { guid, name: 'a song', size: song.length, read }
}

describe('CentralIndexClient', () => {
  it('shares, searches, fetches, and no longer offers what is withdrawn', async () => {
    await using network = await new IndexNetwork().open()
    const [ann, ben] = [await network.peer('ann'), await network.peer('ben')]
    await ann.client.share([file()])
    assert.deepEqual(await ben.client.search('SONG'), [{ guid, name: 'a song', size: 8, hosts: 1 }])
    assert.deepEqual((await ben.client.fetch(guid, { offer: false })).bytes, song)
    assert.equal(ben.core.offers(guid), false)
    await ann.client.withdraw([guid])
    assert.deepEqual(await ben.client.search('song'), [])
    await assert.rejects(ben.client.fetch(guid), { code: 'ERR_NOT_FOUND' })
    await assert.rejects(ann.client.withdraw([guid]), { code: 'ERR_NOT_FOUND' })
  })

  it('offers what it has fetched out of memory, until it is shared from elsewhere', async () => {
    await using network = await new IndexNetwork().open()
    const [ann, ben, cleo] = [await network.peer('ann'), await network.peer('ben'), await network.peer('cleo')]
    await ann.client.share([file()])
    await ben.client.fetch(guid)
    await ann.host.stop()
    assert.deepEqual((await cleo.client.fetch(guid, { offer: false })).bytes, song)
    let reads = 0
    await ben.client.share([file((offset, length) => (reads++, song.subarray(offset, offset + length)))])
    assert.deepEqual((await cleo.client.fetch(guid, { offer: false })).bytes, song)
    assert.equal(reads, 1)
  })

  it('passes by a peer that cannot read its file, or reads something else than was asked for', async () => {
    await using network = await new IndexNetwork().open()
    const [ann, ben, cleo, dora] = [
      await network.peer('ann'),
      await network.peer('ben'),
      await network.peer('cleo'),
      await network.peer('dora'),
    ]
    await ann.client.share([file(() => Promise.reject(new Error('the disk is on fire')))])
    await ben.client.share([file(() => 'text' as never)])
    await assert.rejects(dora.client.fetch(guid), { code: 'ERR_NOT_FOUND' })
    await cleo.client.share([file()])
    const steps: ProgressEvent[] = []
    assert.deepEqual((await dora.client.fetch(guid, { onProgress: (step) => steps.push(step) })).bytes, song)
    assert.equal(steps.at(-1)!.type, 'central-index:verified')
  })

  it('takes back what an aborted publish has made known, and stops an aborted fetch', async () => {
    await using network = await new IndexNetwork().open()
    const [ann, ben] = [
      await network.peer('ann', { pieceBytes: 1, piecesInFlight: 1 }),
      await network.peer('ben', { pieceBytes: 1, piecesInFlight: 1 }),
    ]
    const reason = new Error('enough')
    const controller = new AbortController()
    const publishing = ann.client.publish(guid, { signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(publishing, reason)
    assert.equal(ann.core.offers(guid), false)
    await assert.rejects(ben.client.locate(guid), { code: 'ERR_NOT_FOUND' })

    let reads = 0
    await ann.client.share([file((offset, length) => (reads++, song.subarray(offset, offset + length)))])
    const stop = new AbortController()
    const fetching = ben.client.fetch(guid, {
      signal: stop.signal,
      onProgress: ({ type }) => type === 'central-index:piece' && stop.abort(reason),
    })
    await assert.rejects(fetching, reason)
    await ben.client.search('song')
    assert(reads < song.length, 'the fetch went on')
    assert.equal(ben.core.offers(guid), false)
    assert.equal(ben.core.stats().commands, 0)
  })

  it('refuses wrong values with the field, its value and what is allowed', async () => {
    await using network = await new IndexNetwork().open()
    const { client } = await network.peer('ann')
    for (const [field, call] of [
      ['text', () => client.search('--- ')],
      ['max', () => client.search('song', { max: 0 })],
      ['guid', () => client.fetch('nonsense' as never)],
      ['name', () => client.share([{ ...file(), name: 'x'.repeat(256) }])],
      ['size', () => client.share([{ ...file(), size: -1 }])],
      ['files', () => client.share(file() as never)],
      ['read', () => client.share([{ ...file(), read: undefined as never }])],
      ['handler', () => client.host(guid, 'echo' as never)],
    ] as const)
      await assert.rejects(call, { name: 'InvalidValueError', field })
  })

  it('refuses to offer more than it may, and goes on offering what it did', async () => {
    await using network = await new IndexNetwork().open()
    const [ann, ben] = [await network.peer('ann', { listingsMax: 1 }), await network.peer('ben')]
    await ann.client.share([file()])
    const other = { ...file(), guid: guidOf(textBytes('other')) }
    await assert.rejects(ann.client.share([other]), { code: 'ERR_ROUTE', message: /overloaded/ })
    await ann.client.share([file()])
    assert.deepEqual((await ben.client.fetch(guid)).bytes, song)
  })

  it('rejects its calls when the node is stopped', async () => {
    await using network = await new IndexNetwork().open()
    const { client, host } = await network.peer('ann')
    const waiting = client.fetch(guid)
    const outcome = assert.rejects(waiting, (error: { code: string }) => ['ERR_NOT_READY', 'ERR_NOT_FOUND'].includes(error.code))
    await host.stop()
    await outcome
    await assert.rejects(client.search('song'), { code: 'ERR_NOT_READY' })
  })
})
