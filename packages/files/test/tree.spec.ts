import assert from 'node:assert/strict'
import { guidFromCid } from '@plaxton/guid'
import { Files } from '../src/index.ts'
import { MemoryDht } from './memory-dht.ts'

const mebibyte = 1024 * 1024

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

describe('Files.blocks', () => {
  it('names every block of a tree once, the root first', async () => {
    const dht = new MemoryDht()
    const files = new Files(dht)
    const large = new Uint8Array(2 * mebibyte + 1).map((_, i) => i >> 12)
    const { cid } = await files.addDirectory([
      { path: 'large', content: large },
      { path: 'below/again', content: large },
      { path: 'below/small', content: new Uint8Array([1]) },
    ])
    const blocks = (await all(files.blocks(cid))).map(String)
    assert.equal(blocks[0], cid.toString())
    assert.deepEqual(blocks.map(guidFromCid).toSorted(), [...dht.blocks.keys()].toSorted())
  })

  it('names the one block of a small file without fetching it', async () => {
    const dht = new MemoryDht()
    const { cid } = await new Files(dht).addFile(new Uint8Array([1, 2, 3]))
    dht.blocks.clear()
    assert.deepEqual((await all(new Files(dht).blocks(cid))).map(String), [cid.toString()])
  })
})

describe('Files.identify', () => {
  const files = new Files(new MemoryDht())

  it('tells from its root block whether a guid is a small file, a large one or a directory', async () => {
    const added = [
      await files.addFile(new Uint8Array(0)),
      await files.addFile(new Uint8Array([1, 2, 3])),
      await files.addFile(new Uint8Array(mebibyte + 1)),
      await files.addDirectory([{ path: 'a', content: new Uint8Array([4]) }]),
      await files.addDirectory([]),
    ]
    for (const { cid } of added) assert.equal((await files.identify(guidFromCid(cid.toString()))).toString(), cid.toString())
  })

  it('takes bytes that are a DAG-PB node without links for what they are: the content of a file', async () => {
    // An empty node, one with empty data, a unixfs file with the byte 7 inline.
    for (const bytes of [[], [0x0a, 0x00], [0x0a, 0x05, 0x08, 0x02, 0x12, 0x01, 0x07]]) {
      const { cid } = await files.addFile(new Uint8Array(bytes))
      assert.equal((await files.identify(guidFromCid(cid.toString()))).toString(), cid.toString())
    }
  })

  it('rejects with NotFoundError for what nobody has', async () => {
    await assert.rejects(files.identify(guidFromCid('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')), {
      code: 'ERR_NOT_FOUND',
    })
  })
})
