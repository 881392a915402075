import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { toProto, WireError } from '@plaxton/wire'
import { kademliaCodec, kademliaMessage } from '../src/codec.ts'
import { refsMax } from '../src/messages.ts'
import type { KademliaMessage } from '../src/messages.ts'

const prng = Prng.fromSeed('codec')
const node = (): NodeRef => ({ id: randomGuid(prng), address: `/ip4/10.0.0.${prng.nextInt(256)}/tcp/4001`, epoch: prng.nextInt(2 ** 31) })
const nodes = (count: number): NodeRef[] => Array.from({ length: count }, node)
const ids = (count: number): NodeRef['id'][] => nodes(count).map(({ id }) => id)
const accept: RefReader = (id, address, epoch) => ({ id, address, epoch })

/** One of each kind, and kinds with lists at their largest. */
function samples(): KademliaMessage[] {
  return [
    { type: 'ping', seq: 1, member: true },
    { type: 'pong', seq: 2 ** 53 - 1, member: false },
    { type: 'heartbeat', member: true },
    { type: 'find-node', seq: 3, member: true, key: randomGuid(prng), count: 20, known: [] },
    { type: 'find-node', seq: 4, member: false, key: randomGuid(prng), count: 51, known: ids(refsMax) },
    { type: 'nodes', seq: 3, member: true, refs: nodes(refsMax), gone: ids(3) },
    { type: 'nodes', seq: 3, member: false, refs: [], gone: [] },
    { type: 'obituary', member: true, gone: ids(2) },
    { type: 'leave', refs: nodes(9) },
  ]
}

describe('kademliaCodec', () => {
  it('gives back every message it wrote', () => {
    for (const message of samples()) assert.deepEqual(kademliaCodec.decode(kademliaCodec.encode(message), accept), message)
  })

  it('has a sample of every kind of message in this test', () => {
    assert.equal(new Set(samples().map(({ type }) => type)).size, 7)
  })

  it('leaves out the nodes that the driver refuses', () => {
    const [good, bad] = nodes(2) as [NodeRef, NodeRef]
    const bytes = kademliaCodec.encode({ type: 'leave', refs: [good, bad] } as KademliaMessage)
    const decoded = kademliaCodec.decode(bytes, (id, address, epoch) => (id === bad.id ? undefined : { id, address, epoch }))
    assert.deepEqual(decoded, { type: 'leave', refs: [good] })
  })

  it('writes a ping, its pong and a heartbeat in at most 15 bytes each, whatever the number', () => {
    for (const message of samples().slice(0, 3))
      assert.ok(kademliaCodec.encode({ ...message, ...('seq' in message ? { seq: 2 ** 53 - 1 } : {}) }).length <= 15)
  })

  it('refuses more nodes or ids than a message may name', () => {
    assert.throws(() => kademliaCodec.encode({ type: 'leave', refs: nodes(refsMax + 1) } as KademliaMessage))
    assert.throws(() => kademliaCodec.encode({ type: 'obituary', member: true, gone: ids(refsMax + 1) } as KademliaMessage))
  })

  it('throws nothing but the wire error, whatever the bytes', () => {
    for (const message of samples()) {
      const bytes = kademliaCodec.encode(message)
      for (let round = 0; round < 50; round++) {
        const damaged = Uint8Array.from(bytes)
        for (let i = 0; i <= prng.nextInt(4); i++) damaged[prng.nextInt(damaged.length)] = prng.nextInt(256)
        refusesOrReads(prng.chance(0.5) ? damaged : damaged.subarray(0, prng.nextInt(damaged.length)))
      }
    }
    for (let round = 0; round < 2_000; round++) refusesOrReads(Uint8Array.from({ length: prng.nextInt(64) }, () => prng.nextInt(256)))
  })

  it('has the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/kademlia.proto', import.meta.url)
    const proto = `// The messages of two Kademlia nodes. Generated from codec.ts: UPDATE=1 mocha test/codec.spec.ts\n${toProto([kademliaMessage], 'plaxton.kademlia')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})

function refusesOrReads(bytes: Uint8Array): void {
  try {
    assert.equal(typeof kademliaCodec.decode(bytes, accept).type, 'string')
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
  }
}
