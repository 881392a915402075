import assert from 'node:assert/strict'
import type { OverlayEffects } from '@plaxton/kbr'
import { routingMessageTypes } from '../src/index.ts'
import type { Bed } from './support.ts'
import { bed, bytes, ref } from './support.ts'

/** Lets the overlay act, in the step of a message. */
function act(test: Bed, run: (fx: OverlayEffects) => void): void {
  test.receive('c0', { type: 'ring-do', act: run }, 0)
}

describe('what an overlay may do', () => {
  it('is carried out by the driver: messages, timers, events', () => {
    const test = bed('00', ['80'])
    act(test, (fx) => {
      fx.send(ref('80'), { type: 'ring-hello' })
      fx.startTimer('probe', 3, 100)
      fx.emit({ type: 'ready', elapsedMs: 5 })
    })
    assert.deepEqual(test.fx.take(), [
      { effect: 'send', to: '80', message: { type: 'ring-hello' } },
      { effect: 'timer', timer: { owner: 'overlay', kind: 'probe', arg: 3 }, delayMs: 100 },
      { effect: 'event', event: { type: 'ready', elapsedMs: 5 } },
    ])
    test.node.onTimer({ owner: 'overlay', kind: 'probe', arg: 3 }, 100, test.fx)
    assert.deepEqual(test.overlay.takeCalls(), ['timer probe'])
  })

  it('is asked for a round trip only until a message has measured it', () => {
    const test = bed('00', ['80'])
    const roundTripMs = (): number | undefined => test.run(0, (fx) => fx.roundTripMs(ref('80')))
    assert.equal(roundTripMs(), undefined)
    test.overlay.measured.set(ref('80').id, 12)
    assert.equal(roundTripMs(), 12)
    test.run(0, (fx) => fx.request(ref('80'), bytes('q'), { withinMs: 9000 }))
    const [[, request] = []] = test.fx.sent()
    test.receive('80', { type: 'response', seq: (request as unknown as { seq: number }).seq, payload: bytes('a') }, 30)
    assert.equal(roundTripMs(), 30)
  })

  it('is not to speak the words of the walking', () => {
    for (const type of routingMessageTypes) {
      assert.throws(() => act(bed('00', ['80']), (fx) => fx.send(ref('80'), { type })), { code: 'ERR_INVARIANT' })
    }
  })

  it('decides on the first hop of its own by the cursor with which it has them set out', () => {
    const test = bed('00', ['80'])
    const asked: number[] = []
    const nextHop = test.overlay.nextHop.bind(test.overlay)
    test.overlay.nextHop = (key, cursor, avoid) => {
      asked.push(cursor)
      return nextHop(key, cursor, avoid)
    }
    act(test, (fx) => {
      fx.route(ref('80').id, bytes('own'))
      fx.route(ref('80').id, bytes('own'), 3)
    })
    assert.deepEqual(asked, [0, 3])
  })

  it('has its consequences after it has returned', () => {
    const test = bed('80', ['00'])
    act(test, (fx) => {
      fx.route(test.node.self.id, bytes('own'))
      assert.deepEqual(test.overlay.takeCalls(), [])
    })
    assert.deepEqual(test.overlay.takeCalls(), ['own 80 own 0 root'])
  })
})

describe('the timers of nobody', () => {
  it('find nothing to do', () => {
    const test = bed('00', ['80'])
    test.node.onTimer({ owner: 'gone', kind: 'tick', arg: 0 }, 0, test.fx)
    test.node.onTimer({ owner: 'routing', kind: 'other', arg: 0 }, 0, test.fx)
    test.node.onTimer({ owner: 'routing', kind: 'wake', arg: 7 }, 0, test.fx)
    test.node.onAnswer('gone', 1, { kind: 'written' }, 0, test.fx)
    assert.deepEqual(test.fx.take(), [])
  })
})
