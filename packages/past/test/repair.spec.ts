import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { decodeMessage, encodeMessage } from '../src/codec.ts'
import { maxEntries } from '../src/messages.ts'
import type { Entry } from '../src/messages.ts'
import { Sources } from '../src/repair-sources.ts'
import { World, bytesOf } from './world.ts'

const limits = { transfers: 8, shortestRestMs: 1000, longestRestMs: 60_000 }
const isNear = () => false
const honest = node('honest')
const liar = node('liar')

describe('what is to be copied', () => {
  it('comes from all who have it in turn, however much one of them promises', () => {
    const sources = new Sources(limits, () => false)
    for (let i = 0; i < 5000; i++) sources.want(entry(`invented ${i}`), liar, isNear, 0)
    sources.want(entry('true 1'), honest, isNear, 0)
    sources.want(entry('true 2'), honest, isNear, 0)
    assert.equal(sources.waiting, maxEntries + 2)
    const first = sources.next(new Set())
    const second = sources.next(new Set())
    assert.deepEqual([first?.source.node, second?.source.node], [liar, honest])
    // Neither has proven itself: one copy at a time.
    assert.equal(sources.next(new Set()), undefined)
    if (second !== undefined) sources.ended(second.source, 'copied', 10)
    assert.equal(sources.next(new Set())?.guid, entry('true 2').guid)
  })

  it('is no longer wanted from a source that is silent, nor for a while, longer each time; others keep theirs', () => {
    const sources = new Sources(limits, () => false)
    sources.want(entry('true'), honest, isNear, 0)
    for (const [silentAt, restMs] of [
      [0, 1000],
      [1000, 2000],
      [3000, 4000],
      [7000, 8000],
    ] as const) {
      for (let i = 0; i < 10; i++) sources.want(entry(`invented ${i}`), liar, isNear, silentAt)
      assert.equal(sources.waiting, 11)
      const copy = sources.next(new Set([entry('true').guid]))
      assert.equal(copy?.source.node, liar)
      if (copy !== undefined) sources.ended(copy.source, 'silent', silentAt)
      assert.equal(sources.waiting, 1)
      sources.want(entry('invented'), liar, isNear, silentAt + restMs - 1)
      assert.equal(sources.waiting, 1)
    }
  })

  it('is no longer wanted from a source that has answered 16 times in a row without handing anything over', () => {
    const sources = new Sources(limits, () => false)
    for (let i = 0; i < 100; i++) sources.want(entry(`invented ${i}`), liar, isNear, 0)
    let asked = 0
    for (let copy = sources.next(new Set()); copy !== undefined; copy = sources.next(new Set())) {
      asked++
      sources.ended(copy.source, 'useless', asked)
    }
    assert.deepEqual([asked, sources.waiting], [16, 0])
  })

  it('may be offered by several; once it is here, the others are not asked', () => {
    const here = new Set<string>()
    const sources = new Sources(limits, (guid) => here.has(guid))
    sources.want(entry('true'), liar, isNear, 0)
    sources.want(entry('true'), honest, isNear, 0)
    const copy = sources.next(new Set())
    assert.equal(copy?.source.node, liar)
    assert.equal(sources.next(new Set([entry('true').guid])), undefined)
    here.add(entry('true').guid)
    assert.equal(sources.next(new Set()), undefined)
    assert.equal(sources.waiting, 0)
  })

  it('finds a place for a neighbour among any number of strangers', () => {
    const sources = new Sources(limits, () => false)
    for (let i = 0; i < 100; i++) sources.want(entry(`invented ${i}`), node(`stranger ${i}`), isNear, 0)
    assert.equal(sources.waiting, 32)
    sources.want(entry('true'), honest, (id) => id === honest.id, 0)
    assert.equal(sources.waiting, 32)
    const copied = Array.from({ length: 4 }, () => sources.next(new Set()))
    for (const copy of copied) if (copy !== undefined) sources.ended(copy.source, 'silent', 0)
    const asked = new Set<string>()
    for (let copy = sources.next(new Set()); copy !== undefined; copy = sources.next(new Set())) {
      asked.add(copy.source.node.address)
      sources.ended(copy.source, 'useless', 1)
    }
    assert.ok(asked.has('honest'))
  })
})

describe('a stranger that offers what it never hands out', () => {
  it('does not keep a node from copying what its neighbours have', () => {
    const world = new World({ seed: 60, nodes: 4 })
    const stranger = world.add()
    const victim = world.node(3)
    victim.crash(false)
    world.advance(2000)
    const guids = Array.from({ length: 30 }, (_, i) => world.put(world.node(0), `object ${i}`))
    victim.boot()
    world.advance(50)
    for (let message = 0; message < 17; message++) {
      const offers = Array.from({ length: maxEntries }, (_, i) => entry(`${message}/${i}`))
      stranger.request(victim.ref, encodeMessage({ type: 'exchange', pages: [], offers, without: [] }), 5000)
    }
    world.advance(15_000)
    for (const guid of guids) assert.ok(victim.disk.has(`d/${guid}`))
    assert.equal(victim.past.stats().repairs, 30)
  })

  it('is not asked for records that it lists as its own and is too far from', () => {
    const world = new World({ seed: 61, nodes: 30 })
    const { guid } = entry('invented')
    const near = world.closest(guid)
    const root = near[0]
    assert.ok(root)
    const asked = [5, 25].filter((rank) => {
      const lister = near[rank]
      assert.ok(lister)
      let asks = 0
      lister.past.onRequest = (_, payload) => void (decodeMessage(payload).type === 'fetch' && asks++)
      const page = {
        bucket: Number.parseInt(guid.slice(-2), 16),
        after: undefined,
        last: true,
        entries: [{ guid, version: 1, replicas: 5 }],
      }
      lister.request(root.ref, encodeMessage({ type: 'exchange', pages: [page], offers: [], without: [] }), 5000)
      world.advance(300)
      return asks > 0
    })
    assert.deepEqual(asked, [5])
  })
})

function node(name: string): NodeRef {
  return { id: guidOf(bytesOf(name)), address: name, epoch: 1 }
}

function entry(name: string): Entry {
  return { guid: guidOf(bytesOf(name)), version: 1, replicas: 5 }
}
