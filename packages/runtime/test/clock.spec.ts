import assert from 'node:assert/strict'
import { clockOf, systemClock } from '../src/clock.ts'

describe('systemClock', () => {
  it('shows whole milliseconds since 1970 and never goes back', () => {
    let last = systemClock.now()
    assert.ok(Math.abs(last - Date.now()) <= 1001)
    for (let i = 0; i < 10_000; i++) {
      const now = systemClock.now()
      assert.ok(Number.isInteger(now) && now >= last)
      last = now
    }
  })

  it('rings once after the delay, and not when called off', async () => {
    const started = performance.now()
    await new Promise<void>((resolve, reject) => {
      systemClock.after(1, () => reject(new Error('was called off')))()
      systemClock.after(5, resolve)
    })
    assert.ok(performance.now() - started >= 4)
  })

  it('does not ring at once for a delay beyond what platform timers take', async () => {
    const callOff = systemClock.after(2 ** 40, () => assert.fail('rang'))
    await new Promise<void>((resolve) => void systemClock.after(3, resolve))
    callOff()
  })
})

describe('clockOf', () => {
  it('follows the monotonic clock while the two agree to a second', () => {
    let [wall, monotonic] = [1_000_000, 0]
    const clock = clockOf(
      () => wall,
      () => monotonic,
    )
    assert.equal(clock.now(), 1_000_000)
    ;[wall, monotonic] = [1_000_990, 10.7]
    assert.equal(clock.now(), 1_000_010)
  })

  it('jumps forward to a wall clock that is ahead, and does not follow it back', () => {
    let [wall, monotonic] = [1_000_000, 0]
    const clock = clockOf(
      () => wall,
      () => monotonic,
    )
    ;[wall, monotonic] = [5_000_000, 10]
    assert.equal(clock.now(), 5_000_000)
    ;[wall, monotonic] = [1_000_030, 30]
    assert.equal(clock.now(), 5_000_020)
  })
})
