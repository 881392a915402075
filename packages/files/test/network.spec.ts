import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { MemoryNetwork, NodeHost, PastClient, memoryStore, randomKey } from '@plaxton/runtime'
import { Files } from '../src/index.ts'

const mebibyte = 1024 * 1024

describe('Files on a network of 6 nodes', () => {
  const hosts: NodeHost[] = []
  const clients: PastClient[] = []
  const on = (node: number): Files => new Files(clients[node]!)

  before(async () => {
    const network = new MemoryNetwork()
    for (let i = 0; i < 6; i++) {
      const id = guidOf(new TextEncoder().encode(`node ${i}`))
      const host = new NodeHost({ overlay: pastry(), link: network.link({ id, address: `memory:${i}`, epoch: 1 }), seed: i })
      const past = new PastNode({}, Prng.fromSeed(`past ${i}`))
      host.use(past, { store: memoryStore(), key: await randomKey() })
      await host.start()
      await host.join(hosts.slice(0, 1).map(({ self }) => self))
      hosts.push(host)
      clients.push(new PastClient(host, past))
    }
  })
  after(() => Promise.all(hosts.map((host) => host.stop())))

  it('gives a file of 20 MiB back through another node, and removes it everywhere', async () => {
    const data = content(20 * mebibyte + 1)
    const { cid, blocks } = await on(0).addFile(data)
    assert.equal(await digest(on(5).readFile(cid)), createHash('sha256').update(data).digest('hex'))
    const removal = await on(0).removeTree(cid)
    assert.deepEqual(removal, { removed: blocks, kept: 0, missing: 0, notOwned: 0 })
    await assert.rejects(digest(on(5).readFile(cid)), { code: 'ERR_NOT_FOUND' })
  }).timeout(30_000)

  it('stores a directory, lists it elsewhere, and stores it again after it was removed', async () => {
    const entries = [
      { path: 'a/one', content: content(3 * mebibyte) },
      { path: 'a/two', content: content(10) },
      { path: 'empty', content: new Uint8Array(0) },
    ]
    const { cid } = await on(1).addDirectory(entries)
    const names: string[] = []
    for await (const { name, type } of on(2).list(cid)) names.push(`${name} ${type}`)
    assert.deepEqual(names, ['a directory', 'empty file'])
    await on(1).removeTree(cid)
    await assert.rejects(on(2).stat(cid), { code: 'ERR_NOT_FOUND' })
    assert.deepEqual((await on(1).addDirectory(entries)).cid, cid)
    assert.equal((await on(3).stat(`${cid.toString()}/a/one`)).size, 3 * mebibyte)
  })

  it('leaves to each owner what both have stored', async () => {
    const shared = content(2 * mebibyte + 7)
    const { cid } = await on(0).addFile(shared)
    await on(1).addFile(shared)
    assert.equal((await on(0).removeTree(cid)).removed, 4)
    assert.equal(await digest(on(4).readFile(cid)), createHash('sha256').update(shared).digest('hex'))
    assert.equal((await on(1).removeTree(cid)).removed, 4)
    await assert.rejects(digest(on(4).readFile(cid)), { code: 'ERR_NOT_FOUND' })
  })
})

async function digest(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of bytes) hash.update(chunk)
  return hash.digest('hex')
}

function content(length: number): Uint8Array {
  const prng = Prng.fromSeed('content')
  return new Uint8Array(new Uint32Array(Math.ceil(length / 4)).map(() => prng.nextUint32()).buffer, 0, length)
}
