import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { toProto, WireError } from '@plaxton/wire'
import { chordCodec, chordMessage, decodeWalkPayload, encodeWalkPayload, walkPayload } from '../src/codec.ts'
import { listMax } from '../src/messages.ts'
import type { ChordMessage } from '../src/messages.ts'

const prng = Prng.fromSeed('codec')
const node = (): NodeRef => ({ id: randomGuid(prng), address: `/ip4/10.0.0.${prng.nextInt(256)}/tcp/4001`, epoch: prng.nextInt(2 ** 31) })
const nodes = (count: number): NodeRef[] => Array.from({ length: count }, node)
const accept: RefReader = (id, address, epoch) => ({ id, address, epoch })

/** One of each kind, and kinds with lists at their largest. */
function samples(): ChordMessage[] {
  const lists = { predecessors: nodes(2), successors: nodes(3) }
  const failed = nodes(2).map(({ id }) => id)
  const versions = { version: 2 ** 33, known: 5, unchanged: false }
  return [
    { type: 'ping', seq: 1 },
    { type: 'pong', seq: 2 ** 53 - 1, member: false },
    { type: 'stabilize', seq: 7, ticket: 2 ** 33, member: true, failed, ...lists, ...versions },
    {
      type: 'neighbors',
      seq: 7,
      ticket: 0,
      member: false,
      counted: true,
      failed: [],
      predecessors: nodes(listMax),
      successors: nodes(listMax),
      ...versions,
    },
    { type: 'finger-reply', number: 2 ** 40, refs: nodes(5) },
    { type: 'join-request', purpose: 'seek', attempt: 0 },
    { type: 'join-refusal', attempt: 4 },
    { type: 'join-state', attempt: 4, ...lists },
    { type: 'leave', ...lists },
  ]
}

describe('chordCodec', () => {
  it('gives back every message it wrote', () => {
    for (const message of samples()) assert.deepEqual(chordCodec.decode(chordCodec.encode(message), accept), message)
  })

  it('leaves out the nodes that the driver refuses', () => {
    const [good, bad] = nodes(2) as [NodeRef, NodeRef]
    const bytes = chordCodec.encode({ type: 'leave', predecessors: [bad], successors: [good, bad] } as ChordMessage)
    const decoded = chordCodec.decode(bytes, (id, address, epoch) => (id === bad.id ? undefined : { id, address, epoch }))
    assert.deepEqual(decoded, { type: 'leave', predecessors: [], successors: [good] })
  })

  it('writes a ping and its pong in less than ten bytes each', () => {
    assert.ok(chordCodec.encode({ type: 'ping', seq: 9 } as ChordMessage).length < 10)
    assert.ok(chordCodec.encode({ type: 'pong', seq: 9, member: true } as ChordMessage).length < 10)
  })

  it('refuses more nodes than a list may have', () => {
    const message: ChordMessage = { type: 'leave', predecessors: nodes(listMax + 1), successors: [] }
    assert.throws(() => chordCodec.encode(message))
  })

  it('throws nothing but the wire error, whatever the bytes', () => {
    for (const message of samples()) {
      const bytes = chordCodec.encode(message)
      for (let round = 0; round < 100; round++) {
        const damaged = Uint8Array.from(bytes)
        for (let i = 0; i <= prng.nextInt(4); i++) damaged[prng.nextInt(damaged.length)] = prng.nextInt(256)
        refusesOrReads(prng.chance(0.5) ? damaged : damaged.subarray(0, prng.nextInt(damaged.length)))
      }
    }
    for (let round = 0; round < 2_000; round++) refusesOrReads(Uint8Array.from({ length: prng.nextInt(64) }, () => prng.nextInt(256)))
  })

  it('carries a question to the successor of a key', () => {
    const payload = { purpose: 'finger', asker: node(), number: 200 } as const
    assert.deepEqual(decodeWalkPayload(encodeWalkPayload(payload), accept), payload)
    assert.throws(() => decodeWalkPayload(encodeWalkPayload(payload), () => undefined), WireError)
    assert.throws(() => decodeWalkPayload(new Uint8Array(5), accept), WireError)
  })

  it('has the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/chord.proto', import.meta.url)
    const proto = `// The messages of two Chord nodes. Generated from codec.ts: UPDATE=1 mocha test/codec.spec.ts\n${toProto([chordMessage, walkPayload], 'plaxton.chord')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})

function refusesOrReads(bytes: Uint8Array): void {
  try {
    assert.equal(typeof chordCodec.decode(bytes, accept).type, 'string')
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
  }
}
