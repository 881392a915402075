import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import fc from 'fast-check'
import { Prng } from '@plaxton/kbr'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import type { Entry, FilesEvent, NewEntry } from '../src/index.ts'
import { Files } from '../src/index.ts'
import { MemoryDht } from './memory-dht.ts'

const mebibyte = 1024 * 1024
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** `length` bytes, no two mebibytes of them alike. */
function content(length: number, seed = 'content'): Uint8Array {
  const prng = Prng.fromSeed(seed)
  const words = new Uint32Array(Math.ceil(length / 4)).map(() => prng.nextUint32())
  return new Uint8Array(words.buffer, 0, length)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

const digest = (chunks: Uint8Array | Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks) hash.update(chunk)
  return hash.digest('hex')
}

describe('Files', () => {
  let dht: MemoryDht
  let files: Files
  beforeEach(() => {
    dht = new MemoryDht()
    files = new Files(dht)
  })

  describe('with one file', () => {
    for (const size of [0, 1, 1000, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte, 20 * mebibyte + 12_345]) {
      it(`gives back ${size} bytes in blocks of at most 1 MiB`, async () => {
        const data = content(size)
        const added = await files.addFile(data)
        assert.equal(added.size, size)
        assert.equal(digest(await all(files.readFile(added.cid))), digest(data))
        for (const block of dht.blocks.values()) assert.ok(block.data.length <= mebibyte)
        assert.deepEqual(await files.stat(added.cid), { name: '', cid: added.cid, type: 'file', size })
      })
    }

    it('gives the CIDs that Kubo gives with the profile unixfs-v1-2025', async () => {
      // sha256sum of "hello world": a file of one block is that block.
      assert.equal(
        (await files.addFile(bytes('hello world'))).cid.toString(),
        'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
      )
      const { cid } = await files.addFile(content(3 * mebibyte))
      assert.equal(cid.code, dagPb.code)
      const node = dagPb.decode(dht.blocks.get(Buffer.from(cid.multihash.digest).toString('hex') as never)!.data)
      assert.deepEqual(
        node.Links.map(({ Tsize }) => Tsize),
        [mebibyte, mebibyte, mebibyte],
      )
    })

    it('takes a stream of pieces of any size', async () => {
      const data = content(2 * mebibyte + 7)
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < data.length; at += 65_432) yield data.subarray(at, at + 65_432)
      }
      assert.deepEqual((await files.addFile(pieces())).cid, (await files.addFile(data)).cid)
    })

    it('reads a source no faster than its blocks are stored', async () => {
      let given = 0
      let mostAhead = 0
      async function* source(): AsyncGenerator<Uint8Array> {
        for (; given < 64; given++) {
          mostAhead = Math.max(mostAhead, given - dht.blocks.size)
          yield content(mebibyte, `${given}`)
        }
      }
      await files.addFile(source())
      assert.ok(mostAhead <= 2 * 8 + 1, `${mostAhead} blocks were read and not stored`)
      assert.ok(dht.mostUnderWay <= 8)
    })

    it('fetches no faster than its reader takes, and stops with it', async () => {
      const { cid } = await files.addFile(content(30 * mebibyte))
      dht.gets = 0
      const reader = files.readFile(cid)
      for (let i = 0; i < 3; i++) await reader.next()
      await new Promise((resolve) => void setImmediate(resolve))
      assert.ok(dht.gets <= 1 + 3 + 8, `${dht.gets} blocks fetched for 3 taken`)
      await reader.return(undefined)
      const before = dht.gets
      await new Promise((resolve) => void setImmediate(resolve))
      assert.equal(dht.gets, before)
    })

    it('reads any part, fetching only the blocks that hold it', async () => {
      const data = content(5 * mebibyte + 99)
      const { cid } = await files.addFile(data)
      await fc.assert(
        fc.asyncProperty(fc.nat(data.length + 10), fc.nat(2 * mebibyte), async (offset, length) => {
          const part = Buffer.concat(await all(files.readFile(cid, { offset, length })))
          assert.equal(digest(part), digest(data.subarray(offset, offset + length)))
        }),
        { numRuns: 30 },
      )
      dht.gets = 0
      await all(files.readFile(cid, { offset: 3 * mebibyte + 5, length: 10 }))
      assert.equal(dht.gets, 2)
    })

    it('reads by the text of its CID and, when it is one object, by its guid', async () => {
      const { cid } = await files.addFile(bytes('hello'))
      assert.deepEqual(await all(files.readFile(cid.toString())), [bytes('hello')])
      assert.deepEqual(await all(files.readFile('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824')), [bytes('hello')])
    })

    it('tells each block and the bytes so far, on the way in and out', async () => {
      const inward: FilesEvent[] = []
      const outward: FilesEvent[] = []
      const { cid } = await files.addFile(content(2.5 * mebibyte), { onProgress: (event) => inward.push(event) })
      await all(files.readFile(cid, { onProgress: (event) => outward.push(event) }))
      const stored = inward.filter(({ type }) => type === 'files:block-stored')
      assert.deepEqual(
        stored.map(({ blocks }) => blocks),
        [1, 2, 3, 4],
      )
      assert.equal(stored.at(-1)?.bytes, 2.5 * mebibyte)
      assert.deepEqual(
        outward.map(({ type }) => type),
        Array(4).fill('files:block-read'),
      )
      assert.equal(outward.at(-1)?.bytes, 2.5 * mebibyte)
    })

    it('names a missing block', async () => {
      const { cid } = await files.addFile(content(3 * mebibyte))
      dht.lose([...dht.blocks.keys()][1]!)
      await assert.rejects(all(files.readFile(cid)), { code: 'ERR_NOT_FOUND' })
    })

    it('passes on what its source throws', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield content(mebibyte)
        throw new Error('the disk is on fire')
      }
      await assert.rejects(files.addFile(broken()), /on fire/)
    })

    it('ends with the reason of its signal', async () => {
      const controller = new AbortController()
      const onProgress = (): void => controller.abort(new Error('enough'))
      await assert.rejects(files.addFile(content(20 * mebibyte), { signal: controller.signal, onProgress }), /enough/)
      assert.ok(dht.puts < 20)
      const { cid } = await files.addFile(content(3 * mebibyte))
      await assert.rejects(all(files.readFile(cid, { signal: AbortSignal.abort(new Error('never')) })), /never/)
    })

    it('refuses content, offsets and roots that are none', async () => {
      await assert.rejects(files.addFile(['text'] as never), { field: 'content' })
      await assert.rejects(all(files.readFile('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e', { offset: -1 })), {
        field: 'offset',
      })
      await assert.rejects(all(files.readFile('no such thing')), { field: 'root' })
    })
  })

  describe('with a file that lies', () => {
    async function store(node: dagPb.PBNode): Promise<CID> {
      const block = dagPb.encode(node)
      const cid = CID.createV1(dagPb.code, await sha256.digest(block))
      await dht.put(Buffer.from(cid.multihash.digest).toString('hex') as never, block)
      return cid
    }

    const lies: Record<string, (leaf: CID) => dagPb.PBNode> = {
      'a leaf shorter than said': (leaf) => ({ Data: new UnixFS({ type: 'file', blockSizes: [6n] }).marshal(), Links: [{ Hash: leaf }] }),
      'more links than sizes': (leaf) => ({
        Data: new UnixFS({ type: 'file', blockSizes: [5n] }).marshal(),
        Links: [{ Hash: leaf }, { Hash: leaf }],
      }),
      'no description at all': (leaf) => ({ Links: [{ Hash: leaf }] }),
      'a description of noise': (leaf) => ({ Data: Uint8Array.of(255, 255, 255), Links: [{ Hash: leaf }] }),
    }
    for (const [lie, make] of Object.entries(lies)) {
      it(`refuses ${lie}`, async () => {
        const { cid } = await files.addFile(bytes('hello'))
        await assert.rejects(all(files.readFile(await store(make(cid)))), { code: 'ERR_INVALID_FILE' })
      })
    }

    it('refuses a directory where a file belongs, and the other way round', async () => {
      const directory = await files.addDirectory([{ path: 'a', content: bytes('a') }])
      const file = await files.addFile(content(2 * mebibyte))
      await assert.rejects(all(files.readFile(directory.cid)), { code: 'ERR_INVALID_FILE' })
      await assert.rejects(all(files.list(file.cid)), { code: 'ERR_INVALID_FILE' })
      await assert.rejects(all(files.list(`${directory.cid.toString()}/a`)), { code: 'ERR_INVALID_FILE' })
    })
  })

  describe('with a directory', () => {
    const tree: NewEntry[] = [
      { path: 'readme.md', content: bytes('# hello') },
      { path: 'docs/large.bin', content: content(2 * mebibyte + 1) },
      { path: 'docs/deep/er/x', content: bytes('x') },
      { path: 'docs/empty.txt', content: new Uint8Array(0) },
      { path: 'nothing' },
    ]
    const named = (entries: Entry[]): string[] => entries.map(({ name, type, size }) => `${name} ${type} ${size}`)

    it('lists what is in it and reads by path', async () => {
      const { cid, size } = await files.addDirectory(tree)
      assert.equal(size, 7 + 2 * mebibyte + 1 + 1)
      const root = cid.toString()
      assert.deepEqual(
        named(await all(files.list(root))).map((line) => line.replace(/(directory) .*/, '$1')),
        ['docs directory', 'nothing directory', 'readme.md file 7'],
      )
      assert.deepEqual(named(await all(files.list(`${root}/docs`))).slice(1), ['empty.txt file 0', `large.bin file ${2 * mebibyte + 1}`])
      assert.deepEqual(await all(files.readFile(`${root}/docs/deep/er/x`)), [bytes('x')])
      assert.equal(digest(await all(files.readFile(`${root}/docs/large.bin`))), digest(content(2 * mebibyte + 1)))
      assert.deepEqual(await all(files.list(`${root}/nothing`)), [])
      assert.equal((await files.stat(`${root}/docs`)).type, 'directory')
    })

    it('says where a path leads nowhere', async () => {
      const { cid } = await files.addDirectory(tree)
      for (const path of ['missing', 'docs/missing', 'readme.md/below', 'docs/large.bin/below']) {
        await assert.rejects(all(files.readFile(`${cid.toString()}/${path}`)), { code: 'ERR_NOT_FOUND' }, path)
      }
    })

    it('takes entries as they come and has the same CID whatever their order', async () => {
      async function* later(): AsyncGenerator<NewEntry> {
        for (const entry of tree.toReversed()) yield entry
      }
      assert.deepEqual((await files.addDirectory(later())).cid, (await files.addDirectory(tree)).cid)
    })

    it('takes thousands of entries, beyond what one block holds', async () => {
      const many = Array.from({ length: 6000 }, (_, i) => ({ path: `${'long-name-'.repeat(4)}${i}`, content: bytes(`${i}`) }))
      const { cid } = await files.addDirectory(many)
      const entries = await all(files.list(cid))
      assert.equal(entries.length, 6000)
      assert.deepEqual(new Set(entries.map(({ name }) => name)), new Set(many.map(({ path }) => path)))
      assert.deepEqual(await all(files.readFile(`${cid.toString()}/${many[4321]!.path}`)), [bytes('4321')])
      for (const block of dht.blocks.values()) assert.ok(block.data.length <= mebibyte)
    })

    it('refuses paths that lead out of it', async () => {
      for (const path of ['', '/', '..', 'a/../../b', './a']) {
        await assert.rejects(files.addDirectory([{ path, content: bytes('x') }]), { field: 'path' }, path)
      }
    })

    it('may be empty', async () => {
      const { cid } = await files.addDirectory([])
      assert.deepEqual(await all(files.list(cid)), [])
      assert.equal((await files.stat(cid)).type, 'directory')
    })
  })

  describe('removing a tree', () => {
    it('removes every block of it', async () => {
      const { cid, blocks } = await files.addFile(content(5 * mebibyte))
      assert.deepEqual(await files.removeTree(cid), { removed: blocks, kept: 0, missing: 0, notOwned: 0 })
      assert.equal(dht.blocks.size, 0)
    })

    it('spares the blocks of trees to be kept', async () => {
      const shared = content(3 * mebibyte, 'shared')
      const one = await files.addDirectory([
        { path: 'shared', content: shared },
        { path: 'own', content: content(mebibyte, 'one') },
      ])
      const two = await files.addDirectory([
        { path: 'elsewhere/shared', content: shared },
        { path: 'own', content: content(mebibyte, 'two') },
      ])
      const removal = await files.removeTree(one.cid, { keep: [two.cid] })
      assert.deepEqual(removal, { removed: 2, kept: 1, missing: 0, notOwned: 0 })
      assert.equal(digest(await all(files.readFile(`${two.cid.toString()}/elsewhere/shared`))), digest(shared))
      await files.removeTree(two.cid)
      assert.equal(dht.blocks.size, 0)
    })

    it('removes a block that occurs many times once', async () => {
      const { cid } = await files.addFile(new Uint8Array(10 * mebibyte))
      assert.equal(dht.blocks.size, 2)
      assert.equal((await files.removeTree(cid)).removed, 2)
    })

    it('can be cut short and repeated', async () => {
      const { cid } = await files.addDirectory([
        { path: 'a', content: content(9 * mebibyte, 'a') },
        { path: 'b', content: content(9 * mebibyte, 'b') },
      ])
      const controller = new AbortController()
      let seen = 0
      const onProgress = (): void => void (++seen === 3 && controller.abort(new Error('enough')))
      await assert.rejects(files.removeTree(cid, { signal: controller.signal, onProgress }), /enough/)
      assert.ok(dht.blocks.size > 0)
      const rest = await files.removeTree(cid)
      assert.ok(rest.missing > 0)
      assert.equal(dht.blocks.size, 0)
    })

    it('leaves the blocks of other owners and counts them', async () => {
      const { cid } = await files.addFile(content(2 * mebibyte))
      const [first] = dht.blocks.values()
      first!.owned = false
      assert.deepEqual(await files.removeTree(cid), { removed: 2, kept: 0, missing: 0, notOwned: 1 })
      assert.equal(dht.blocks.size, 1)
    })

    it('removes nothing when a tree to be kept cannot be read', async () => {
      const one = await files.addFile(content(2 * mebibyte, 'one'))
      const two = await files.addFile(content(2 * mebibyte, 'two'))
      dht.lose(Buffer.from(two.cid.multihash.digest).toString('hex') as never)
      const before = dht.blocks.size
      await assert.rejects(files.removeTree(one.cid, { keep: [two.cid] }), { code: 'ERR_NOT_FOUND' })
      assert.equal(dht.blocks.size, before)
    })
  })
})
