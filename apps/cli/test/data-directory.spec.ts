import assert from 'node:assert/strict'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { sha256 } from '@plaxton/guid'
import { openDataDirectory } from '../src/daemon/data-directory.ts'
import { Catalog } from '../src/daemon/catalog.ts'
import { temporaryFolder } from './support/temporary.ts'
import type { Guid } from '@plaxton/guid'
import type { DataDirectory } from '../src/daemon/data-directory.ts'

describe('the data folder of a node', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let path: string
  const opened: DataDirectory[] = []

  beforeEach(async () => {
    folder = await temporaryFolder()
    path = join(folder.path, 'node')
  })
  afterEach(async () => {
    for (const directory of opened.splice(0)) await directory.close()
    await folder.remove()
  })

  async function open(): Promise<DataDirectory> {
    const directory = await openDataDirectory(path)
    opened.push(directory)
    return directory
  }

  async function close(): Promise<void> {
    await opened.pop()?.close()
  }

  it('cannot be a file, nor lie below one', async () => {
    await writeFile(path, 'a file')
    for (const wrong of [path, join(path, 'below')]) {
      await assert.rejects(openDataDirectory(wrong), {
        code: 'ERR_USAGE',
        message: `--data ${wrong} is a file or lies below one: name a folder, which is made when it is missing`,
      })
    }
  })

  it('is made when it is missing, for its user alone', async function () {
    if (process.platform === 'win32') return this.skip()
    await open()
    assert.equal((await stat(path)).mode & 0o777, 0o700)
    for (const key of ['identity.key', 'owner.key']) assert.equal((await stat(join(path, key))).mode & 0o777, 0o600)
  })

  it('gives the node the same identity and the same owner after a restart', async () => {
    const first = await open()
    assert.notDeepEqual(first.identity.raw, first.owner.raw)
    await close()
    const second = await open()
    assert.deepEqual(second.identity.raw, first.identity.raw)
    assert.deepEqual(second.owner.raw, first.owner.raw)
  })

  it('is refused to a network whose puzzle its node does not solve; a new node is made to solve it', async () => {
    const solved = await openDataDirectory(join(folder.path, 'solved'), 8)
    opened.push(solved)
    assert.equal(sha256(sha256(peerIdFromPrivateKey(solved.identity).toMultihash().bytes))[0], 0)
    await open()
    await close()
    await assert.rejects(openDataDirectory(path, 32), { code: 'ERR_USAGE', message: /^the node in .* does not solve a puzzle of 32 bits/ })
    await open()
  })

  it('is refused to a second node, naming the process that has it', async () => {
    await open()
    await assert.rejects(openDataDirectory(path), {
      code: 'ERR_STORE_IN_USE',
      message: new RegExp(`in use by process ${process.pid}: stop that one, or`),
    })
    await close()
    await open()
  })

  it('is not opened with a key that is none, and is let go of', async () => {
    await open()
    await close()
    const key = await readFile(join(path, 'owner.key'), 'utf8')
    await writeFile(join(path, 'owner.key'), 'not a key\n')
    await assert.rejects(openDataDirectory(path), { code: 'ERR_KEY', message: /owner\.key holds no key: restore it/ })
    await writeFile(join(path, 'owner.key'), key)
    await open()
  })

  it('remembers where the node listened and its last neighbours', async () => {
    const { memory } = await open()
    assert.deepEqual(memory.now, { listen: {}, peers: [] })
    await memory.note({ listen: { '/ip4/127.0.0.1/tcp/0': '/ip4/127.0.0.1/tcp/4001' } })
    await memory.note({ peers: Array.from({ length: 100 }, (_, index) => `/ip4/127.0.0.1/tcp/${index}`) })
    await close()
    const again = await open()
    assert.deepEqual(again.memory.now.listen, { '/ip4/127.0.0.1/tcp/0': '/ip4/127.0.0.1/tcp/4001' })
    assert.equal(again.memory.now.peers.length, 64)
    assert.deepEqual(
      (await readdir(path)).filter((name) => name.endsWith('.new')),
      [],
    )
  })

  it('opens with a memory that is garbage, and remembers what is left of it', async () => {
    await open()
    await close()
    for (const [text, expected] of [
      ['{"listen": {"a": "b"', { listen: {}, peers: [] }],
      ['null', { listen: {}, peers: [] }],
      ['{"listen": 5, "peers": [1, "/ip4/127.0.0.1/tcp/1", null]}', { listen: {}, peers: ['/ip4/127.0.0.1/tcp/1'] }],
    ] as const) {
      await writeFile(join(path, 'peers.json'), text)
      assert.deepEqual((await open()).memory.now, expected)
      await close()
    }
  })

  it('keeps the catalog of what was put', async () => {
    const entry = { guid: 'ab'.repeat(32) as Guid, cid: 'bafkrei', name: 'a file', type: 'file', size: 3, blocks: 1, storedAt: 5 } as const
    const other = { ...entry, guid: 'cd'.repeat(32) as Guid, name: 'A file' }
    const catalog = await Catalog.open((await open()).store)
    await catalog.add(entry)
    await catalog.add(other)
    await close()
    const again = await Catalog.open((await open()).store)
    assert.deepEqual(again.list(), [other, entry])
    assert.deepEqual(again.get(entry.guid), entry)
    await again.remove(entry.guid)
    await again.remove(entry.guid)
    await close()
    assert.deepEqual((await Catalog.open((await open()).store)).list(), [other])
  })
})
