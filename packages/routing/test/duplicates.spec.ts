import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { EndingMemory, Sightings } from '../src/duplicates.ts'
import { answered } from '../src/outcome.ts'
import { routingConfig } from '../src/config.ts'
import { bytes } from './support.ts'

const key = '85' as Guid
const trail = { hops: 2, path: [] }

describe('the memory of messages that ended here', () => {
  it('knows a message by nonce and key', () => {
    const memory = new EndingMemory(routingConfig())
    memory.add(1, key, 9, 0)
    assert.equal(memory.find(1, key)?.handle, 9)
    assert.equal(memory.find(1, '86' as Guid), undefined)
    assert.equal(memory.find(2, key), undefined)
  })

  it('keeps an answer up to a length, and forgets the message of a longer one', () => {
    const memory = new EndingMemory(routingConfig({ keptReplyBytesMax: 3 }))
    memory.add(1, key, 9, 0)
    memory.add(2, key, 9, 0)
    memory.answer(1, answered(bytes('abc')), trail)
    memory.answer(2, answered(bytes('abcd')), trail)
    memory.answer(3, answered(bytes('abc')), trail)
    assert.deepEqual(memory.find(1, key)?.answer, { outcome: answered(bytes('abc')), trail })
    assert.equal(memory.find(2, key), undefined)
    assert.equal(memory.size, 1)
  })

  it('counts what it had to forget before its time', () => {
    const memory = new EndingMemory(routingConfig({ endingsMax: 1, endingsMs: 1000 }))
    assert.deepEqual([memory.add(1, key, 0, 0), memory.add(2, key, 0, 999), memory.add(3, key, 0, 2000)], [0, 1, 0])
  })
})

describe('the sightings of a message', () => {
  it('are counted', () => {
    const sightings = new Sightings(4)
    assert.deepEqual(
      [8, 9, 8, 8].map((nonce) => sightings.count(nonce)),
      [1, 1, 2, 3],
    )
  })

  it('are forgotten, never invented, when two messages fall on one slot', () => {
    const sightings = new Sightings(4)
    assert.deepEqual(
      [8, 8, 12, 8].map((nonce) => sightings.count(nonce)),
      [1, 2, 1, 1],
    )
  })

  it('of nonces that differ in their upper bits only are told apart', () => {
    const sightings = new Sightings(4)
    assert.deepEqual(
      [1, 1 + 2 ** 40, 1].map((nonce) => sightings.count(nonce)),
      [1, 1, 1],
    )
  })

  it('are counted up to 255', () => {
    const sightings = new Sightings(4)
    for (let i = 0; i < 300; i++) sightings.count(1)
    assert.equal(sightings.count(1), 255)
  })
})
