import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { FailedSet, History, Proximity } from '../src/index.ts'

function ref(id: string, epoch = 1): NodeRef {
  return { id: id as Guid, address: `test:${id}`, epoch }
}

const config = { failedMs: 1_000, failedHoldMs: 100, failedMax: 3 }

describe('the failed set', () => {
  it('distrusts hearsay of a failed node for the hold, and twice as long after each look in vain', () => {
    const failed = new FailedSet(config)
    failed.add(ref('11'), false, 0)
    assert.deepEqual(
      [99, 100].map((now) => failed.distrusts(ref('11'), now)),
      [true, false],
    )
    failed.add(ref('11'), false, 100)
    assert.deepEqual(
      [299, 300].map((now) => failed.distrusts(ref('11'), now)),
      [true, false],
    )
  })

  it('takes a node in again that speaks itself, but one that left only in a new incarnation', () => {
    const failed = new FailedSet(config)
    failed.add(ref('11'), false, 0)
    failed.add(ref('22'), true, 0)
    assert.equal(failed.refuses(ref('11')), false)
    assert.equal(failed.refuses(ref('11', 0)), true)
    assert.equal(failed.refuses(ref('22')), true)
    assert.equal(failed.refuses(ref('22', 2)), false)
    assert.equal(failed.distrusts(ref('22'), 900), true)
  })

  it('has an incarnation that failed and those before it, not one that began anew', () => {
    const failed = new FailedSet(config)
    failed.add(ref('11', 2), false, 0)
    assert.deepEqual(
      [1, 2, 3].map((epoch) => failed.hasIncarnation(ref('11', epoch))),
      [true, true, false],
    )
    assert.equal(failed.hasIncarnation(ref('22')), false)
  })

  it('forgets the first when full, and all whose time is over', () => {
    const failed = new FailedSet(config)
    for (const [now, id] of ['11', '22', '33', '44'].entries()) failed.add(ref(id), false, now)
    assert.deepEqual([failed.has('11' as Guid), failed.size], [false, 3])
    assert.deepEqual(
      failed.missed(1, 3).map(({ id }) => id),
      ['44', '33'],
    )
    failed.expire(1_002)
    assert.equal(failed.size, 1)
    failed.clear()
    assert.equal(failed.size, 0)
  })

  it('looks for each failed node again after each hold, as long as it is remembered; never for one that left', () => {
    const failed = new FailedSet({ ...config, failedMs: 10_000 })
    failed.add(ref('11'), false, 0)
    failed.add(ref('22'), true, 0)
    const looks: number[] = []
    for (let now = 0; now <= 500; now += 30) if (failed.due(now).some(({ id }) => id === '11')) looks.push(now)
    assert.deepEqual(looks, [120, 240, 360, 480])
    failed.forget('11' as Guid)
    assert.deepEqual(failed.due(10_000), [])
  })

  it('looks for four at a time, so that many that fail at once all have their turn', () => {
    const failed = new FailedSet({ failedMs: 10_000, failedHoldMs: 100, failedMax: 100 })
    const ids = Array.from({ length: 10 }, (_, i) => `${i}${i}`)
    for (const id of ids) failed.add(ref(id), false, 0)
    const looks = [100, 101, 102, 103].map((now) => failed.due(now).map(({ id }) => id as string))
    assert.deepEqual(looks, [ids.slice(0, 4), ids.slice(4, 8), ids.slice(8), []])
  })

  it('counts a look in vain that others gave reason for', () => {
    const failed = new FailedSet(config)
    failed.add(ref('11'), false, 0)
    failed.add(ref('11'), false, 90)
    assert.deepEqual([failed.due(189).length, failed.due(190).length], [0, 1])
  })
})

describe('proximity', () => {
  const [a, b, c] = ['aa', 'bb', 'cc'] as [Guid, Guid, Guid]

  it('is smoothed by an eighth, set by a measurement, and reported only where nothing is known', () => {
    const proximity = new Proximity(8)
    proximity.sample(a, 80)
    proximity.sample(a, 160)
    assert.equal(proximity.of(a), 90)
    proximity.reported(a, 1)
    assert.equal(proximity.of(a), 90)
    proximity.set(a, 20)
    proximity.reported(b, 7)
    assert.deepEqual([proximity.of(a), proximity.of(b), proximity.of(c)], [20, 7, undefined])
  })

  it('tells own measurements, in whole milliseconds, from what others report, however that comes to be replaced or forgotten', () => {
    const proximity = new Proximity(2)
    const own = (): Array<number | undefined> => [a, b, c].map((id) => proximity.ownOf(id))
    proximity.reported(a, 80)
    proximity.sample(b, 40)
    proximity.sample(b, 42)
    assert.deepEqual([proximity.of(a), ...own()], [80, undefined, 40, undefined])
    // The first measurement is no step away from hearsay.
    proximity.sample(a, 16)
    assert.deepEqual([proximity.of(a), ...own()], [16, 16, 40, undefined])
    proximity.reported(c, 1)
    assert.deepEqual([proximity.of(a), proximity.of(c), ...own()], [undefined, 1, undefined, 40, undefined])
    proximity.forget(c)
    proximity.set(c, 3)
    assert.deepEqual(own(), [undefined, 40, 3])
    proximity.reported(a, 9)
    proximity.retain([c])
    proximity.set(a, 5)
    assert.deepEqual(own(), [5, undefined, 3])
  })

  it('sorts unknown nodes last and forgets the one measured first when full', () => {
    const proximity = new Proximity(2)
    proximity.set(a, 30)
    proximity.set(b, 20)
    assert.deepEqual(
      [c, a, b].sort((x, y) => proximity.compare(x, y)),
      [b, a, c],
    )
    proximity.set(c, 10)
    assert.equal(proximity.orFar(a), Infinity)
    proximity.retain([c])
    assert.deepEqual([proximity.of(b), proximity.of(c)], [undefined, 10])
    proximity.forget(c)
    assert.equal(proximity.of(c), undefined)
  })
})

describe('the history', () => {
  it('keeps the newest reference to a node, and lets a random one go when full', () => {
    const history = new History(2)
    const prng = Prng.fromSeed(1)
    for (const contact of [ref('11'), ref('11', 2), ref('22'), ref('33')]) history.note(contact, prng)
    assert.equal(history.all().length, 2)
    assert.ok(history.all().some(({ id }) => id === '33'))
    history.forget(ref('33'))
    assert.equal(history.all().length, 1)
  })
})
