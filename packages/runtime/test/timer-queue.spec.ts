import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TimerQueue } from '../src/timer-queue.ts'
import { ManualClock } from './manual-clock.ts'

describe('TimerQueue', () => {
  let clock: ManualClock
  let due: string[]
  let queue: TimerQueue<string>
  beforeEach(() => {
    clock = new ManualClock(1000)
    due = []
    queue = new TimerQueue(clock, (item) => due.push(`${item}@${clock.now()}`))
  })

  it('hands out items when they are due, the earliest first', () => {
    queue.push('late', 30)
    queue.push('early', 10)
    queue.push('middle', 20)
    clock.advance(9)
    assert.deepEqual(due, [])
    clock.advance(100)
    assert.deepEqual(due, ['early@1010', 'middle@1020', 'late@1030'])
  })

  it('keeps the order of insertion among items due at once', () => {
    for (const item of ['a', 'b', 'c', 'd', 'e']) queue.push(item, 5)
    clock.advance(5)
    assert.deepEqual(
      due,
      ['a', 'b', 'c', 'd', 'e'].map((item) => `${item}@1005`),
    )
  })

  it('never hands out an item inside the push, even with delay 0', () => {
    queue.push('now', 0)
    assert.deepEqual(due, [])
    clock.advance(0)
    assert.deepEqual(due, ['now@1000'])
  })

  it('takes items pushed while it hands out others', () => {
    queue = new TimerQueue(clock, (item) => {
      due.push(`${item}@${clock.now()}`)
      if (item === 'first') queue.push('second', 5)
    })
    queue.push('first', 5)
    queue.push('last', 20)
    clock.advance(50)
    assert.deepEqual(due, ['first@1005', 'second@1010', 'last@1020'])
  })

  it('sets one alarm however many items wait, and none once cleared', () => {
    for (let i = 0; i < 100; i++) queue.push(`${i}`, 1000 - i)
    assert.equal(clock.waiting, 1)
    assert.equal(queue.size, 100)
    queue.clear()
    assert.equal(clock.waiting, 0)
    clock.advance(5000)
    assert.deepEqual(due, [])
    queue.push('again', 1)
    clock.advance(1)
    assert.deepEqual(due, ['again@6001'])
  })

  it('waits on when the alarm rings early', () => {
    const hasty = new ManualClock()
    const early: string[] = []
    const patient = new TimerQueue<string>({ now: () => hasty.now(), after: (ms, ring) => hasty.after(Math.ceil(ms / 2), ring) }, (item) =>
      early.push(`${item}@${hasty.now()}`),
    )
    patient.push('x', 100)
    hasty.advance(99)
    assert.deepEqual(early, [])
    hasty.advance(2)
    assert.deepEqual(early, ['x@100'])
  })

  describe('when the process stood still', () => {
    let now: number
    let rings: Array<() => void>
    let late: TimerQueue<string>
    let order: string[]
    const ringAt = (time: number): void => {
      now = time
      rings.shift()?.()
    }
    beforeEach(() => {
      now = 0
      rings = []
      order = []
      const stalling = {
        now: () => now,
        after: (_delayMs: number, ring: () => void) => {
          rings.push(ring)
          return () => {}
        },
      }
      late = new TimerQueue<string>(stalling, (item) => order.push(item))
      late.push('no answer', 100)
    })

    it('lets in what arrived meanwhile before it hands out what came due', () => {
      ringAt(300)
      order.push('answer')
      ringAt(301)
      assert.deepEqual(order, ['answer', 'no answer'])
    })

    it('puts off once, and not again when that alarm is late too', () => {
      ringAt(300)
      ringAt(600)
      assert.deepEqual(order, ['no answer'])
    })

    it('takes 20 ms for the usual lateness of timers', () => {
      ringAt(120)
      assert.deepEqual(order, ['no answer'])
    })
  })

  it('agrees with sorting, whatever the delays', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 60 }), (delays) => {
        const steady = new ManualClock()
        const order: number[] = []
        const sorted = new TimerQueue<number>(steady, (item) => order.push(item))
        delays.forEach((delay, item) => sorted.push(item, delay))
        steady.advance(50)
        assert.deepEqual(
          order,
          [...delays.keys()].toSorted((a, b) => delays[a]! - delays[b]! || a - b),
        )
      }),
    )
  })
})
