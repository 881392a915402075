import assert from 'node:assert/strict'
import { Recorder, byte, ref } from '@plaxton/testbed'
import { Acquittals, BoundedMap, Suspects, probeWaitMs } from '../src/index.ts'

describe('suspects', () => {
  it('are told of once, and once more when they answer', () => {
    const suspects = new Suspects()
    const fx = new Recorder()
    suspects.add(ref('aa'), fx)
    suspects.add(ref('aa'), fx)
    assert.deepEqual([...suspects.ids], ['aa'])
    suspects.acquit(ref('aa'), fx)
    suspects.acquit(ref('bb'), fx)
    assert.deepEqual(fx.take(), [
      { type: 'event', event: { type: 'peer-suspected', peer: ref('aa') } },
      { type: 'recovered', id: 'aa' },
    ])
    assert.equal(suspects.ids.size, 0)
  })

  it('are forgotten without a word when it is of no interest any more whether they answer', () => {
    const suspects = new Suspects()
    const fx = new Recorder()
    for (const id of ['aa', 'bb']) suspects.add(ref(id), fx)
    fx.take()
    suspects.drop(byte(0xaa))
    suspects.acquit(ref('aa'), fx)
    suspects.clear()
    assert.deepEqual([suspects.ids.size, fx.take()], [0, []])
  })
})

describe('acquittals', () => {
  it('hold for a while, and of the last so many', () => {
    const acquittals = new Acquittals(2)
    acquittals.note(byte(1), 100)
    acquittals.note(byte(2), 200)
    const recent = (now: number): boolean[] => [1, 2, 3].map((id) => acquittals.has(byte(id), 50, now))
    assert.deepEqual(recent(150), [true, true, false])
    assert.deepEqual(recent(201), [false, true, false])
    acquittals.note(byte(3), 210)
    assert.deepEqual(recent(220), [false, true, true])
  })
})

describe('the wait for an answer', () => {
  it('is four round trips within bounds, and the longest where none is known', () => {
    const bounds = { probeTimeoutMs: 3_000, probeTimeoutMinMs: 500 }
    assert.deepEqual(
      [undefined, 10, 200, 5_000].map((rttMs) => probeWaitMs(rttMs, bounds)),
      [3_000, 500, 800, 3_000],
    )
    assert.equal(probeWaitMs(400, { ...bounds, probeRoundTrips: 2 }), 800)
  })
})

describe('a bounded map', () => {
  it('lets the entry go that was written first', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 2)
    map.set('a', 3)
    map.set('c', 4)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [3, undefined, 4])
    assert.deepEqual([map.delete('a'), map.delete('a')], [true, false])
    map.clear()
    assert.equal(map.get('c'), undefined)
  })
})
