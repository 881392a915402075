import assert from 'node:assert/strict'
import fc from 'fast-check'
import { EventQueue, entryKinds } from '../src/event-queue.ts'

describe('the event queue', () => {
  it('gives entries by time, and entries of one time in the order they were pushed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 400 }), (times) => {
        const queue = new EventQueue(4)
        times.forEach((time, index) => queue.push(time, entryKinds.timer, index, 0, undefined))
        const expected = times.map((time, index) => ({ time, index })).sort((a, b) => a.time - b.time || a.index - b.index)
        assert.deepEqual(drain(queue), expected)
      }),
    )
  })

  it('holds the order when pushes and pops alternate', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20_000 }))), {
          maxLength: 300,
        }),
        (steps) => {
          const queue = new EventQueue(2)
          let expected: Array<{ time: number; index: number }> = []
          let now = 0
          steps.forEach(([push, delay], index) => {
            if (push || expected.length === 0) {
              queue.push(now + delay, entryKinds.timer, index, 0, undefined)
              expected.push({ time: now + delay, index })
              expected.sort((a, b) => a.time - b.time || a.index - b.index)
            } else {
              queue.pop()
              now = queue.time
              assert.deepEqual({ time: queue.time, index: queue.target }, expected[0])
              expected = expected.slice(1)
            }
            assert.equal(queue.size, expected.length)
          })
        },
      ),
    )
  })

  it('gives nothing that is due later than asked for, and takes what is pushed before it afterwards', () => {
    const queue = new EventQueue()
    queue.push(10_000, entryKinds.timer, 1, 0, undefined)
    queue.push(100_000, entryKinds.timer, 2, 0, undefined)
    assert.equal(queue.pop(9_999), false)
    queue.push(9_999, entryKinds.timer, 3, 0, undefined)
    assert.deepEqual(
      drain(queue, 10_000).map(({ index }) => index),
      [3, 1],
    )
    assert.equal(queue.pop(50_000), false)
    queue.push(50_000, entryKinds.timer, 4, 0, undefined)
    assert.deepEqual(
      drain(queue).map(({ index }) => index),
      [4, 2],
    )
  })

  it('refuses what is past, and fractions of a millisecond', () => {
    const queue = new EventQueue()
    queue.push(7, entryKinds.timer, 0, 0, undefined)
    queue.pop()
    assert.throws(() => queue.push(6, entryKinds.timer, 0, 0, undefined), /for 6 ms at 7 ms/)
    assert.equal(queue.pop(9), false)
    assert.throws(() => queue.push(8, entryKinds.timer, 0, 0, undefined), /for 8 ms at 9 ms/)
    assert.throws(() => queue.push(9.5, entryKinds.timer, 0, 0, undefined), /whole milliseconds/)
  })

  it('holds so many entries and no more: then something begets events without end', () => {
    const queue = new EventQueue(2, 5)
    for (let i = 0; i < 5; i++) queue.push(i, entryKinds.timer, i, 0, undefined)
    assert.throws(() => queue.push(5, entryKinds.timer, 5, 0, undefined), /5 entries are pending/)
    queue.pop()
    queue.push(5, entryKinds.timer, 5, 0, undefined)
    assert.deepEqual(
      drain(queue).map(({ time }) => time),
      [1, 2, 3, 4, 5],
    )
  })

  it('gives back what was pushed, and lets go of it', () => {
    const queue = new EventQueue(2)
    const payload = { type: 'hello' }
    queue.push(5, entryKinds.message, 7, 9, payload)
    assert.equal(queue.pop(), true)
    assert.deepEqual([queue.time, queue.kind, queue.target, queue.source, queue.payload], [5, entryKinds.message, 7, 9, payload])
    assert.equal(queue.pop(), false)
  })
})

function drain(queue: EventQueue, until = Infinity): Array<{ time: number; index: number }> {
  const popped = []
  while (queue.pop(until)) popped.push({ time: queue.time, index: queue.target })
  return popped
}
