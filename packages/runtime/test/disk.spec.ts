import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StoreInUseError, openStore } from '../src/disk.ts'

const large = new Uint8Array(70_000)

describe('a store on disk', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plaxton-disk-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const filesOnDisk = (): Promise<string[]> => readdir(join(directory, 'blocks'))

  it('has everything again after it was closed and opened', async () => {
    const first = await openStore(directory)
    await first.write([
      ['a', Uint8Array.of(1)],
      ['b', large.slice().fill(2)],
    ])
    await first.close()
    const second = await openStore(directory)
    assert.deepEqual([...(await second.read('a'))!], [1])
    assert.deepEqual(await second.read('b'), large.slice().fill(2))
    await second.close()
  })

  it('finishes the writes under way before it closes', async () => {
    const first = await openStore(directory)
    const writes = Array.from({ length: 50 }, (_, i) => first.write([[`k${i}`, large]]))
    await Promise.all([...writes, first.close()])
    const second = await openStore(directory)
    assert.equal((await second.list('k')).length, 50)
    await second.close()
  })

  it('refuses every call once it is closed', async () => {
    const store = await openStore(directory)
    await store.close()
    await assert.rejects(store.read('a'), { code: 'ERR_STORE' })
    await assert.rejects(store.write([['a', large]]), { code: 'ERR_STORE' })
    await assert.rejects(store.list(''), { code: 'ERR_STORE' })
  })

  it('says so when the directory is in use', async () => {
    const store = await openStore(directory)
    await assert.rejects(openStore(directory), (error) => error instanceof StoreInUseError && error.message.includes(directory))
    await store.close()
    await (await openStore(directory)).close()
  })

  it('says which directory cannot be opened', async () => {
    await writeFile(join(directory, 'index'), 'a file where a folder belongs')
    await assert.rejects(openStore(directory), (error: Error) => error.message.startsWith(directory))
  })

  it('leaves no file behind for a large value that was replaced or erased', async () => {
    const store = await openStore(directory)
    await store.write([
      ['a', large],
      ['b', large],
      ['c', large],
    ])
    assert.equal((await filesOnDisk()).length, 3)
    await store.write([
      ['a', large],
      ['b', Uint8Array.of(1)],
      ['c', undefined],
    ])
    assert.equal((await filesOnDisk()).length, 1)
    await store.close()
  })

  it('removes stray files when it opens, and only those', async () => {
    const first = await openStore(directory)
    await first.write([['a', large]])
    await first.close()
    await writeFile(join(directory, 'blocks', 'stray'), 'half a block')
    const second = await openStore(directory)
    assert.equal((await filesOnDisk()).length, 1)
    assert.equal((await second.read('a'))?.length, large.length)
    await second.close()
  })

  it('fails a write whose file cannot be written, and takes the next', async () => {
    const store = await openStore(directory)
    await rm(join(directory, 'blocks'), { recursive: true })
    await assert.rejects(store.write([['a', large]]), /ENOENT/)
    assert.equal(await store.read('a'), undefined)
    await store.write([['b', Uint8Array.of(1)]])
    assert.deepEqual([...(await store.read('b'))!], [1])
    await store.close()
  })

  it('reads a large value while it is replaced again and again', async () => {
    const store = await openStore(directory)
    await store.write([['a', large.slice().fill(1)]])
    for (let i = 2; i < 40; i++) {
      const [, value] = await Promise.all([store.write([['a', large.slice().fill(i)]]), store.read('a')])
      assert.equal(value?.length, large.length)
      assert.equal(new Set(value).size, 1, 'the bytes of one write, not of two')
    }
    await store.close()
  })

  it('has every acknowledged write after kill -9, three times over', async () => {
    for (let kill = 0; kill < 3; kill++) {
      const acknowledged = await writeUntilKilled(directory, 20)
      const store = await openStore(directory)
      const [high = 0, low = 0] = (await store.read('last'))!
      assert.ok(high * 256 + low >= acknowledged)
      for (let round = 0; round <= acknowledged; round++) {
        assert.deepEqual(await store.read(`small/${round}`), new Uint8Array(100).fill(round), `round ${round} of ${acknowledged}`)
      }
      for (let slot = 0; slot < 5; slot++) {
        const value = (await store.read(`large/${slot}`))!
        assert.equal(value.length, 70_000)
        assert.equal(new Set(value).size, 1, 'no torn value')
      }
      assert.equal((await filesOnDisk()).length, 5, 'no stray file')
      await store.close()
    }
  }).timeout(30_000)
})

/** Starts a writing process, kills it after `rounds` acknowledged rounds, and returns the last round it acknowledged. */
async function writeUntilKilled(directory: string, rounds: number): Promise<number> {
  const writer = spawn(
    process.execPath,
    ['--conditions=plaxton-source', fileURLToPath(import.meta.resolve('./endless-writer.ts')), directory],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const closed = once(writer, 'close')
  let output = ''
  for await (const chunk of writer.stdout) {
    output += String(chunk)
    if (output.split('\n').length > rounds) writer.kill('SIGKILL')
  }
  await closed
  assert.equal(writer.signalCode, 'SIGKILL')
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1))
}
