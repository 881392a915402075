import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Alarm } from '../src/alarm.ts'
import { Recorder } from './support.ts'

describe('the alarm', () => {
  it('starts a timer for the earliest deadline only', () => {
    const alarm = new Alarm()
    const fx = new Recorder()
    for (const at of [500, 700, 500, 900]) alarm.set(at, 100, fx)
    assert.deepEqual(fx.take(), [{ effect: 'timer', timer: { owner: 'routing', kind: 'wake', arg: 0 }, delayMs: 400 }])
  })

  it('starts another for an earlier one, and needs none for the later when it has rung', () => {
    const alarm = new Alarm()
    const fx = new Recorder()
    alarm.set(60_000, 0, fx)
    alarm.set(500, 0, fx)
    fx.take()
    alarm.rang(1)
    alarm.set(60_000, 500, fx)
    assert.deepEqual(fx.take(), [])
  })

  it('wakes the node at or before every deadline, however early or late each timer rings, and comes to rest', () => {
    const step = fc.record({ deadline: fc.integer({ min: 1, max: 1000 }), passes: fc.integer({ min: 0, max: 300 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: -2, max: 2 }), (steps, skew) => {
        const alarm = new Alarm()
        const fx = new Recorder()
        const running: Array<{ at: number; depth: number }> = []
        const deadlines = new Set<number>()
        let now = 0
        let rings = 0
        const note = () => {
          for (const effect of fx.take()) {
            if (effect.effect === 'timer') running.push({ at: Math.max(now + 1, now + effect.delayMs + skew), depth: effect.timer.arg })
          }
        }
        const runUntil = (end: number) => {
          for (;;) {
            running.sort((a, b) => a.at - b.at)
            const first = running[0]
            if (first === undefined || first.at > end) break
            running.shift()
            now = first.at
            assert.ok(++rings < 1000, 'the alarm never stops')
            alarm.rang(first.depth)
            for (const deadline of deadlines) {
              assert.ok(deadline >= now - 3, `woken at ${now} for ${deadline}`)
              if (deadline <= now) deadlines.delete(deadline)
            }
            const next = Math.min(...deadlines)
            if (next !== Infinity) alarm.set(next, now, fx)
            note()
          }
          now = end
        }
        for (const { deadline, passes } of steps) {
          deadlines.add(now + deadline)
          alarm.set(now + deadline, now, fx)
          note()
          runUntil(now + passes)
        }
        runUntil(Infinity)
        assert.equal(deadlines.size, 0)
      }),
    )
  })
})
