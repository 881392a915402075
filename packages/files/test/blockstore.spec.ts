import assert from 'node:assert/strict'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { PastBlockstore, maxBlockBytes } from '../src/index.ts'
import { MemoryDht } from './memory-dht.ts'

const raw = 0x55
const dagCbor = 0x71
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const cidOf = async (block: Uint8Array, codec = raw): Promise<CID> => CID.createV1(codec, await sha256.digest(block))
const gather = async (chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.concat(await fromAsync(chunks)).toString()

async function fromAsync<T>(items: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('PastBlockstore', () => {
  let dht: MemoryDht
  let store: PastBlockstore
  beforeEach(() => {
    dht = new MemoryDht()
    store = new PastBlockstore(dht, { replicas: 3 })
  })

  it('stores a block under the digest in its CID and gives it back', async () => {
    const cid = await cidOf(bytes('hello'))
    assert.equal(await store.put(cid, bytes('hello')), cid)
    assert.deepEqual([...dht.blocks.keys()], ['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'])
    assert.deepEqual(dht.blocks.values().next().value?.options, { replicas: 3, timeoutMs: 60_000 })
    assert.equal(await gather(store.get(cid)), 'hello')
    assert.equal(await store.has(cid), true)
  })

  it('finds a block by a CID of another codec or version', async () => {
    await store.put(await cidOf(bytes('hello')), bytes('hello'))
    assert.equal(await gather(store.get(await cidOf(bytes('hello'), dagCbor))), 'hello')
    assert.equal(await gather(store.get(CID.createV0((await sha256.digest(bytes('hello'))) as never))), 'hello')
  })

  it('takes blocks in pieces', async () => {
    const cid = await cidOf(bytes('hello'))
    await store.put(cid, [bytes('he'), bytes('llo')])
    assert.equal(await gather(store.get(cid)), 'hello')
  })

  it('never stores a block that its CID carries', async () => {
    const cid = CID.createV1(raw, identity.digest(bytes('inside')))
    await store.put(cid, bytes('inside'))
    assert.equal(dht.blocks.size, 0)
    assert.equal(await gather(store.get(cid)), 'inside')
    assert.equal(await store.has(cid), true)
    await store.delete(cid)
  })

  it('refuses blocks of more than 1 MiB, whole or in pieces, and takes one of exactly that', async () => {
    const large = new Uint8Array(maxBlockBytes + 1)
    const cid = await cidOf(large)
    const refusal = { name: 'InvalidValueError', field: 'block' }
    await assert.rejects(store.put(cid, large), refusal)
    await assert.rejects(store.put(cid, [large.subarray(1), Uint8Array.of(0)]), refusal)
    await store.put(await cidOf(large.subarray(1)), large.subarray(1))
  })

  it('refuses CIDs of another hash', async () => {
    const cid = CID.createV1(raw, await sha512.digest(bytes('hello')))
    await assert.rejects(store.put(cid, bytes('hello')), { name: 'InvalidValueError', field: 'cid' })
    await assert.rejects(gather(store.get(cid)), { name: 'InvalidValueError' })
  })

  it('says that a missing block is missing', async () => {
    const cid = await cidOf(bytes('nowhere'))
    assert.equal(await store.has(cid), false)
    await assert.rejects(gather(store.get(cid)), { name: 'NotFoundError', code: 'ERR_NOT_FOUND' })
  })

  it('deletes a block, and again without complaint', async () => {
    const cid = await cidOf(bytes('hello'))
    await store.put(cid, bytes('hello'))
    await store.delete(cid)
    assert.equal(await store.has(cid), false)
    await store.delete(cid)
  })

  it('puts, gets and deletes many in order, eight at a time', async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `block ${i}`)
    const pairs = await Promise.all(texts.map(async (text) => ({ cid: await cidOf(bytes(text)), bytes: bytes(text) })))
    const cids = pairs.map(({ cid }) => cid)
    assert.deepEqual(await fromAsync(store.putMany(pairs)), cids)
    assert.ok(dht.mostUnderWay <= 8)
    const got = await fromAsync(store.getMany(cids))
    assert.deepEqual(await Promise.all(got.map((pair) => gather(pair.bytes))), texts)
    assert.deepEqual(await fromAsync(store.deleteMany(cids)), cids)
    assert.equal(dht.blocks.size, 0)
  })

  it('says that it cannot list all blocks', async () => {
    await assert.rejects(fromAsync(store.getAll()), { code: 'ERR_NOT_SUPPORTED' })
  })

  it('ends a call with the reason of its signal', async () => {
    const cid = await cidOf(bytes('hello'))
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(store.put(cid, bytes('hello'), { signal }), /enough/)
    await assert.rejects(gather(store.get(cid, { signal })), /enough/)
  })
})
