import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Shares } from '../src/shares.ts'
import { Script, bytesOf, nodeOf, recordOf } from './script.ts'

const guid = guidOf(bytesOf('object'))
const before = nodeOf('before')
const hosts = Array.from({ length: 10 }, (_, i) => nodeOf(`host ${i}`))
const objects = (name: string, count: number): Guid[] => Array.from({ length: count }, (_, i) => guidOf(bytesOf(`${name} ${i}`)))

describe('the pointers of a node', () => {
  it('to one object are the nearest when there are too many', () => {
    const script = new Script('self', { pointersPerGuid: 3 })
    for (const [i, host] of hosts.entries())
      script.publishes(recordOf(guid, host, script.now), before, before, { distanceMs: 100 - 10 * i })
    assert.deepEqual(script.hostsOf(guid), [hosts[9], hosts[8], hosts[7]])
    script.publishes(recordOf(guid, hosts[0]!, script.now + 1), before, before, { distanceMs: 100 })
    assert.deepEqual(script.hostsOf(guid), [hosts[9], hosts[8], hosts[7]])
    assert.equal(script.node.stats().displaced, 8)
  })

  it('are at most so many, and whoever has the most loses the oldest to others', () => {
    const script = new Script('self', { pointersMax: 6 })
    const [greedy, modest] = hosts as [(typeof hosts)[0], (typeof hosts)[0]]
    const many = objects('of the greedy', 8)
    const few = objects('of the modest', 2)
    for (const each of many) script.publishes(recordOf(each, greedy, script.now), before, before)
    assert.equal(script.node.stats().pointers, 6)
    const kept = (list: Guid[]): number[] => list.flatMap((each, i) => (script.hostsOf(each).length > 0 ? [i] : []))
    assert.deepEqual(kept(many), [0, 1, 2, 3, 4, 5], 'its own later ones find no room')
    for (const each of few) script.publishes(recordOf(each, modest, script.now), before, before)
    assert.deepEqual(kept(many), [2, 3, 4, 5])
    assert.deepEqual(kept(few), [0, 1])
    script.node.assertInvariants()
  })

  it('leave room for what this node publishes itself', () => {
    const script = new Script('self', { pointersMax: 1 })
    const mine = objects('mine', 3)
    for (const each of mine) script.node.publish({ guid: each }, script.now, script)
    script.settle()
    script.publishes(recordOf(guid, hosts[0]!, script.now), before, before)
    for (const each of mine) assert.deepEqual(script.hostsOf(each), [script.self])
    assert.deepEqual(script.hostsOf(guid), [hosts[0]])
    script.node.assertInvariants()
  })

  it('of one sender do not keep the node from checking those of others', () => {
    const script = new Script('self', { verificationsMax: 8, workShares: 4 })
    const ask = (each: Guid, from: typeof before): void => {
      script.receives({ type: 'copy', records: [recordOf(each, hosts[0]!, script.now)], distanceMs: 0 }, from, false)
    }
    for (const each of objects('flood', 20)) ask(each, before)
    assert.equal(script.openQuestions, 2)
    ask(guid, hosts[1]!)
    assert.equal(script.openQuestions, 3)
    assert.equal(script.node.stats().overloads, 18)
    script.settle()
    assert.equal(script.node.stats().verifications, 0)
  })

  it('stay in order whatever comes and goes', () => {
    const objectsHere = objects('any', 4)
    const step = fc.record({
      object: fc.nat({ max: 3 }),
      host: fc.nat({ max: 5 }),
      later: fc.nat({ max: 3 }),
      withdrawn: fc.boolean(),
      distanceMs: fc.nat({ max: 200 }),
      pauseMs: fc.nat({ max: 20_000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const script = new Script('self', {
          pointersMax: 8,
          pointersPerGuid: 3,
          ttlMs: 40_000,
          maxSkewMs: 1_000,
          sweepMs: 5_000,
          republishMs: 1_000,
        })
        for (const { object, host, later, withdrawn, distanceMs, pauseMs } of steps) {
          const record = recordOf(objectsHere[object]!, hosts[host]!, script.now + later, { withdrawn, ttlMs: 40_000 })
          script.publishes(record, before, before, { distanceMs })
          script.node.assertInvariants()
          script.run(pauseMs)
        }
        script.run(100_000)
        assert.equal(script.node.stats().pointers, 0)
      }),
      { numRuns: 200 },
    )
  })
})

describe('Shares', () => {
  it('always knows who has the most, as counting would tell', () => {
    const step = fc.record({ host: fc.nat({ max: 4 }), item: fc.nat({ max: 9 }), adds: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const shares = new Shares<number>()
        const naive = new Map<Guid, number[]>()
        for (const { host, item, adds } of steps) {
          const id = `host ${host}` as Guid
          const items = naive.get(id) ?? []
          naive.set(id, adds ? (items.includes(item) ? items : [...items, item]) : items.filter((other) => other !== item))
          if (adds) shares.add(id, item)
          else shares.delete(id, item)
          const most = Math.max(...[...naive.values()].map((each) => each.length))
          assert.equal(shares.most === undefined ? 0 : shares.count(shares.most), most)
          assert.equal(
            shares.size,
            [...naive.values()].reduce((sum, each) => sum + each.length, 0),
          )
          for (const [each, list] of naive) assert.deepEqual([...shares.of(each)], list)
        }
      }),
    )
  })
})
