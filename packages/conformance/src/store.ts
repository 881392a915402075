import assert from 'node:assert/strict'
import type { StorePort } from '@plaxton/runtime'
import { declares, register } from './suite.ts'
import type { Case, Runner, Suite } from './suite.ts'

/** A store that holds nothing yet. */
export interface OpenedStore {
  readonly store: StorePort
  /** Opens again what the store, closed before, has left behind. */
  readonly reopen?: () => Promise<StorePort>
  /** Removes what is left behind in the end; the store is closed then. */
  readonly dispose?: () => Promise<void>
}

export interface StoreInit {
  readonly open: () => Promise<OpenedStore>
  readonly has: {
    /** It keeps its bytes when the caller changes those it gave or got. */
    readonly copies: boolean
    /** What was written is there when it is opened again. */
    readonly outlivesClose: boolean
  }
  readonly runner?: Runner
}

/** Registers tests that hold for every {@link StorePort}. */
export function storeConformance(name: string, init: StoreInit): void {
  register(storeSuite(name, init), init.runner)
}

/** The same as a value. */
export function storeSuite(name: string, init: StoreInit): Suite {
  const { copies, outlivesClose } = init.has
  const always: ReadonlyArray<readonly [title: string, run: (store: StorePort) => Promise<void>]> = [
    ['gives back what was written, small, empty and large', givesBack],
    ['has nothing under a key that was never written', async (store) => assert.equal(await store.read('missing'), undefined)],
    ['erases what is written as undefined, large values too', erases],
    ['keeps the last of several values written under one key, in one write or many at once', keepsTheLast],
    ['sees every write that was answered', seesWhatWasAnswered],
    ['lists exactly the keys with a prefix, ascending, with their bytes', listsPrefix],
    ['lists keys in order after they were written in another', listsInOrder],
    ['keeps apart keys that differ by little, up to 200 characters', keepsKeysApart],
    ['takes many writes at once', takesMany],
  ]
  const cases: Case[] = always.map(([title, run]) => ({ title, run: () => withStore(init, run) }))
  return {
    title: `the store ${name}`,
    cases: [
      ...cases,
      copies
        ? { title: 'keeps its bytes when the caller changes those it gave or got', run: () => withStore(init, keepsCopies) }
        : declares('bytes handed over or received are shared with the store: who changes them changes what is stored'),
      outlivesClose
        ? {
            title: 'has everything that was answered when it is closed and opened again, and nothing that was erased',
            run: () => outlives(init),
          }
        : declares('what was written ends with the store'),
    ],
  }
}

async function withStore(init: StoreInit, run: (store: StorePort) => Promise<void>): Promise<void> {
  const { store, dispose } = await init.open()
  try {
    await run(store)
  } finally {
    await store.close()
    await dispose?.()
  }
}

const large = new Uint8Array(100_000).map((_, i) => i * 7)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (found: Uint8Array | undefined): string | undefined => found && new TextDecoder().decode(found)
const keysOf = (entries: ReadonlyArray<readonly [string, Uint8Array]>): string[] => entries.map(([key]) => key)

async function givesBack(store: StorePort): Promise<void> {
  await store.write([
    ['small', bytes('hello')],
    ['empty', new Uint8Array(0)],
    ['large', large],
  ])
  assert.equal(text(await store.read('small')), 'hello')
  assert.equal((await store.read('empty'))?.length, 0)
  assert.deepEqual(await store.read('large'), large)
}

async function erases(store: StorePort): Promise<void> {
  await store.write([
    ['a', bytes('1')],
    ['b', large],
  ])
  await store.write([
    ['a', undefined],
    ['b', undefined],
    ['never there', undefined],
  ])
  assert.equal(await store.read('a'), undefined)
  assert.equal(await store.read('b'), undefined)
  assert.deepEqual(await store.list(''), [])
}

async function keepsTheLast(store: StorePort): Promise<void> {
  await store.write([
    ['a', bytes('1')],
    ['a', undefined],
    ['a', large],
    ['a', bytes('2')],
  ])
  assert.equal(text(await store.read('a')), '2')
  await Promise.all([bytes('3'), large, bytes('4'), undefined, large, bytes('5')].map((value) => store.write([['a', value]])))
  assert.equal(text(await store.read('a')), '5')
}

async function seesWhatWasAnswered(store: StorePort): Promise<void> {
  for (let i = 0; i < 50; i++) {
    const value = i % 10 === 0 ? undefined : i % 7 === 0 ? large : bytes(`${i}`)
    await store.write([['a', value]])
    assert.deepEqual(await store.read('a'), value)
    assert.deepEqual(keysOf(await store.list('')), value === undefined ? [] : ['a'])
  }
}

async function listsPrefix(store: StorePort): Promise<void> {
  await store.write(['past/o/2', 'past/o/10', 'past/o', 'past/p/1', 'other/o/1', 'past/o/1~'].map((key) => [key, bytes(key)]))
  await store.write([['past/o/big', large]])
  const entries = await store.list('past/o/')
  assert.deepEqual(keysOf(entries), ['past/o/10', 'past/o/1~', 'past/o/2', 'past/o/big'])
  assert.equal(text(entries[0]?.[1]), 'past/o/10')
  assert.deepEqual(entries[3]?.[1], large)
  assert.equal((await store.list('')).length, 7)
  assert.deepEqual(await store.list('nothing'), [])
}

async function listsInOrder(store: StorePort): Promise<void> {
  const keys = Array.from({ length: 200 }, (_, i) => ((i * 77) % 200).toString(16).padStart(2, '0'))
  await store.write(keys.map((key) => [key, bytes(key)]))
  assert.deepEqual(keysOf(await store.list('')), keys.toSorted())
}

async function keepsKeysApart(store: StorePort): Promise<void> {
  const keys = ['a', 'A', 'a/b', 'a/b/c', 'a.', '.a', '~', '-', '%41', 'x'.repeat(199), 'x'.repeat(200)]
  for (const key of keys) await store.write([[key, bytes(key)]])
  for (const key of keys) assert.equal(text(await store.read(key)), key)
  assert.deepEqual(keysOf(await store.list('')), keys.toSorted())
}

async function takesMany(store: StorePort): Promise<void> {
  await Promise.all(Array.from({ length: 300 }, (_, i) => store.write([[`k${i}`, i % 20 === 0 ? large : bytes(`${i}`)]])))
  assert.equal(text(await store.read('k299')), '299')
  assert.equal((await store.read('k280'))?.length, large.length)
  assert.equal((await store.list('k')).length, 300)
}

async function keepsCopies(store: StorePort): Promise<void> {
  const given = bytes('hello')
  await store.write([['a', given]])
  given[0] = 0
  const got = await store.read('a')
  assert.equal(text(got), 'hello')
  got![0] = 0
  const [listed] = await store.list('a')
  assert.equal(text(listed![1]), 'hello')
  listed![1][0] = 0
  assert.equal(text(await store.read('a')), 'hello')
}

async function outlives(init: StoreInit): Promise<void> {
  const { store, reopen, dispose } = await init.open()
  assert(reopen !== undefined, 'a store that outlives its closing needs `reopen`')
  try {
    await store.write([
      ['kept', bytes('1')],
      ['large', large],
      ['empty', new Uint8Array(0)],
      ['erased', bytes('2')],
    ])
    await store.write([['erased', undefined]])
    const last = store.write([['last', bytes('3')]])
    await store.close()
    await last
    const again = await reopen()
    try {
      assert.deepEqual(keysOf(await again.list('')), ['empty', 'kept', 'large', 'last'])
      assert.equal(text(await again.read('kept')), '1')
      assert.deepEqual(await again.read('large'), large)
      assert.equal(await again.read('erased'), undefined)
    } finally {
      await again.close()
    }
  } finally {
    await dispose?.()
  }
}
