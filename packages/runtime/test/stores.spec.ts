import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDatastore } from 'datastore-core'
import { datastoreStore } from '../src/datastore-store.ts'
import { openStore } from '../src/disk.ts'
import { memoryStore } from '../src/memory-store.ts'
import type { StorePort } from '../src/ports.ts'

const big = new Uint8Array(100_000).map((_, i) => i * 7)
const text = (words: string): Uint8Array => new TextEncoder().encode(words)
const keysOf = (entries: ReadonlyArray<readonly [string, Uint8Array]>): string[] => entries.map(([key]) => key)

storeConformance('memoryStore', async () => memoryStore())
storeConformance('datastoreStore', async () => datastoreStore(new MemoryDatastore()))
storeConformance('openStore', openStore)

/** What every store does, whatever it stands on. */
function storeConformance(name: string, make: (directory: string) => Promise<StorePort>): void {
  describe(`a store made by ${name}`, () => {
    let directory: string
    let store: StorePort
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'plaxton-store-'))
      store = await make(directory)
    })
    afterEach(async () => {
      await store.close()
      await rm(directory, { recursive: true })
    })

    it('gives back what was written, small, empty and large', async () => {
      await store.write([
        ['small', text('hello')],
        ['empty', new Uint8Array(0)],
        ['large', big],
      ])
      assert.deepEqual(toText(await store.read('small')), 'hello')
      assert.equal((await store.read('empty'))?.length, 0)
      assert.deepEqual(await store.read('large'), big)
    })

    it('has nothing under a key that was never written', async () => {
      assert.equal(await store.read('missing'), undefined)
    })

    it('erases what is written as undefined, large values too', async () => {
      await store.write([
        ['a', text('1')],
        ['b', big],
      ])
      await store.write([
        ['a', undefined],
        ['b', undefined],
        ['never there', undefined],
      ])
      assert.equal(await store.read('a'), undefined)
      assert.equal(await store.read('b'), undefined)
      assert.deepEqual(await store.list(''), [])
    })

    it('keeps the last of several values written under one key', async () => {
      await store.write([
        ['a', text('1')],
        ['a', undefined],
        ['a', big],
        ['a', text('2')],
      ])
      assert.equal(toText(await store.read('a')), '2')
      const writes = [text('3'), big, text('4'), undefined, big, text('5')].map((value) => store.write([['a', value]]))
      await Promise.all(writes)
      assert.equal(toText(await store.read('a')), '5')
    })

    it('lists exactly the keys with a prefix, ascending, with their bytes', async () => {
      await store.write(['past/o/2', 'past/o/10', 'past/o', 'past/p/1', 'other/o/1', 'past/o/1~'].map((key) => [key, text(key)]))
      await store.write([['past/o/big', big]])
      const entries = await store.list('past/o/')
      assert.deepEqual(keysOf(entries), ['past/o/10', 'past/o/1~', 'past/o/2', 'past/o/big'])
      assert.equal(toText(entries[0]?.[1]), 'past/o/10')
      assert.deepEqual(entries[3]?.[1], big)
      assert.equal((await store.list('')).length, 7)
      assert.deepEqual(await store.list('nothing'), [])
    })

    it('lists keys in order after they were written in another', async () => {
      const keys = Array.from({ length: 200 }, (_, i) => ((i * 77) % 200).toString(16).padStart(2, '0'))
      await store.write(keys.map((key) => [key, text(key)]))
      assert.deepEqual(keysOf(await store.list('')), keys.toSorted())
    })

    it('takes many writes at once', async () => {
      const writes = Array.from({ length: 300 }, (_, i) => store.write([[`k${i}`, i % 20 === 0 ? big : text(`${i}`)]]))
      await Promise.all(writes)
      assert.equal(toText(await store.read('k299')), '299')
      assert.equal((await store.read('k280'))?.length, big.length)
      assert.equal((await store.list('k')).length, 300)
    })

    it('keeps its bytes when the caller changes those it gave or got', async () => {
      const given = text('hello')
      await store.write([['a', given]])
      if (name === 'datastoreStore') return // Its isolation is the datastore's own affair.
      given[0] = 0
      const got = await store.read('a')
      assert.equal(toText(got), 'hello')
      got![0] = 0
      assert.equal(toText(await store.read('a')), 'hello')
    })
  })
}

function toText(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes)
}
