import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { RouteOptions } from '@plaxton/kbr'
import type { RouteMessage } from '../src/index.ts'
import type { Bed } from './support.ts'
import { bed, bytes, events, ref, text } from './support.ts'

const key = '85' as Guid
const within: RouteOptions = { replyWithinMs: 20_000 }

/** Routes `x` towards 85 and returns what was sent. */
function route(test: Bed, options: RouteOptions = within, now = 0): { id: number; to: string; message: RouteMessage } {
  const id = test.run(now, (fx) => fx.route(key, bytes('x'), options))
  const [[to, message]] = test.fx.sent() as [[string, RouteMessage]]
  return { id, to, message }
}

function reply(seq: number, payload = 'y') {
  return { type: 'reply', seq, payload: bytes(payload), hops: 3, path: [] as string[] }
}

function refusal(seq: number, reason: string, at = '90') {
  return { type: 'refusal', seq, reason, detail: 'no', at: [ref(at)], hops: 2, path: [] as string[] }
}

describe('the source of a routed message', () => {
  it('gets exactly one outcome, the first reply', () => {
    const test = bed('00', ['80'])
    const { id, message } = route(test)
    test.receive('80', { type: 'ack', seq: message.seq }, 20)
    test.receive('80', reply(message.seq), 50)
    test.receive('80', reply(message.seq, 'z'), 60)
    test.wake(20_000)
    assert.deepEqual(test.app.replies, [{ id, reply: { ok: true, payload: bytes('y'), hops: 3, elapsedMs: 50, path: [] } }])
  })

  it('needs no acknowledgement for a message that was answered', () => {
    const test = bed('00', ['80'])
    const { message } = route(test)
    test.receive('80', reply(message.seq), 50)
    test.wake(1000)
    assert.deepEqual([test.fx.sent(), test.node.stats().timeouts], [[], 0])
  })

  it('is told the path when it asked for it, itself first', () => {
    const test = bed('00', ['80'])
    const { message } = route(test, { ...within, keepPath: true })
    assert.deepEqual([message.keepPath, message.path], [true, []])
    test.receive('80', { ...reply(message.seq), path: ['80', '90'] }, 50)
    assert.deepEqual(test.app.replies[0]!.reply.path, ['00', '80', '90'])
  })

  it('says whether another than the root will do, to overlays that can tell who is near', () => {
    const cursorOf = (options: RouteOptions, canTell: boolean): number => {
      const test = bed('00', ['80'])
      const asked: number[] = []
      const { overlay } = test
      const nextHop = overlay.nextHop.bind(overlay)
      overlay.nextHop = (to, cursor, avoid) => {
        asked.push(cursor)
        return nextHop(to, cursor, avoid)
      }
      if (canTell) Object.assign(overlay, { nearestOf: (count: number) => 10 * count })
      route(test, options)
      return asked[0]!
    }
    for (const options of [within, {}]) {
      assert.equal(cursorOf(options, true), 0)
      assert.equal(cursorOf({ ...options, nearestOf: 3 }, true), 30)
      assert.equal(cursorOf({ ...options, nearestOf: 3 }, false), 0)
    }
    for (const nearestOf of [0, -1, 1.5, 65, NaN]) {
      assert.throws(() => route(bed('00', ['80']), { nearestOf }), { code: 'ERR_INVALID_VALUE', message: /options\.nearestOf.*1 to 64/ })
    }
  })

  it('is the root itself when it is closest, in the same step', () => {
    const test = bed('80', ['00'])
    const id = test.run(0, (fx) => fx.route(key, bytes('x'), { ...within, keepPath: true }))
    assert.deepEqual(test.app.takeLog(), ['forward 85 x hops=0 next=none', 'deliver 85 x hops=0 from=80'])
    assert.deepEqual(test.app.replies, [{ id, reply: { ok: true, payload: bytes('re x'), hops: 0, elapsedMs: 0, path: ['80'] } }])
  })

  it('hears nothing of a message that wants no reply, and its id is 0', () => {
    const test = bed('00', ['80'])
    const { id, message } = route(test, {})
    assert.deepEqual([id, message.replyWithinMs], [0, 0])
    test.wake(60_000)
    assert.deepEqual(test.app.replies, [])
  })

  it('is told `timed out` at the deadline, once, and what the last refusal was', () => {
    const test = bed('00', ['80', '90'], { attempts: 2 })
    const { id, message } = route(test, { replyWithinMs: 5000 })
    test.receive('80', refusal(message.seq, 'no route', '81'), 100)
    const [[, second]] = test.fx.sent() as [[string, RouteMessage]]
    test.receive('90', { type: 'ack', seq: second.seq }, 120)
    test.wake(5000)
    test.wake(6000)
    assert.equal(test.app.replies.length, 1)
    const [{ reply: outcome, id: of }] = test.app.replies as [(typeof test.app.replies)[0]]
    assert.deepEqual([of, outcome.ok, outcome.elapsedMs], [id, false, 5000])
    assert.deepEqual(!outcome.ok && outcome.failure, {
      reason: 'timed out',
      detail: 'no reply for 85 within 5000 ms, 2 attempts; the last refusal was no route: no',
      at: ref('81'),
    })
  })

  describe('tries again', () => {
    it('by another first hop when the first attempt is refused', () => {
      const test = bed('00', ['80', '90'])
      const first = route(test)
      test.receive('80', refusal(first.message.seq, 'hop limit'), 100)
      const [[to, message]] = test.fx.sent() as [[string, RouteMessage]]
      assert.equal(to, '90')
      assert.equal(message.nonce, first.message.nonce)
      assert.equal(message.replyWithinMs, 19_900)
    })

    it('no more often than it wants to', () => {
      const test = bed('00', ['80', '90'])
      const { message } = route(test, { replyWithinMs: 5000, attempts: 1 })
      test.receive('80', { type: 'ack', seq: message.seq }, 10)
      test.wake(4999)
      assert.deepEqual(test.fx.sent(), [])
      const refused = route(test, { replyWithinMs: 5000, attempts: 1 })
      test.receive('80', refusal(refused.message.seq, 'no route'), 100)
      assert.deepEqual(test.fx.sent(), [])
      assert.equal(test.app.replies.at(-1)?.reply.ok, false)
    })

    it('by the same first hop when there is no other', () => {
      const test = bed('00', ['80'])
      const first = route(test)
      test.receive('80', refusal(first.message.seq, 'no route'), 100)
      assert.equal(test.fx.sent()[0]![0], '80')
    })

    it('when the reply takes longer than replies usually do, waiting twice as long each time', () => {
      const test = bed('00', ['80', '90'])
      for (let now = 0; now < 10; now++) {
        const { message } = route(test, within, now * 1000)
        test.receive('80', { type: 'ack', seq: message.seq }, now * 1000 + 10)
        test.receive('80', reply(message.seq), now * 1000 + 10)
      }
      const { message } = route(test, within, 10_000)
      test.receive('80', { type: 'ack', seq: message.seq }, 10_010)
      const sentAt: number[] = []
      for (let now = 10_000; now < 30_000; now += 10) {
        test.wake(now)
        for (const [to, again] of test.fx.sent()) {
          sentAt.push(now - 10_000)
          test.receive(to, { type: 'ack', seq: (again as RouteMessage).seq }, now + 5)
        }
      }
      assert.deepEqual(sentAt, [250, 750, 1750, 3750])
    })

    it('and takes the reply to an earlier attempt all the same', () => {
      const test = bed('00', ['80', '90'])
      const { message } = route(test)
      test.receive('80', { type: 'ack', seq: message.seq }, 20)
      test.wake(2000)
      assert.equal(test.fx.sent().length, 1)
      test.receive('80', reply(message.seq), 2100)
      assert.equal(test.app.replies.length, 1)
    })

    it('but not after its application was rejected, which every way would be', () => {
      const test = bed('00', ['80', '90'])
      const { message } = route(test)
      test.receive('80', refusal(message.seq, 'rejected by application'), 100)
      assert.deepEqual(test.fx.sent(), [])
      assert.deepEqual(
        test.app.replies.map(({ reply: outcome }) => !outcome.ok && outcome.failure),
        [{ reason: 'rejected by application', detail: 'no', at: ref('90') }],
      )
    })

    it('no more often than allowed, and is then told the last reason', () => {
      const test = bed('00', ['80', '90'], { attempts: 3 })
      let { message } = route(test)
      for (const from of ['80', '90', '80']) {
        test.receive(from, refusal(message.seq, 'overloaded'), 100)
        message = (test.fx.sent()[0]?.[1] as RouteMessage | undefined) ?? message
      }
      const failures = test.app.replies.map(({ reply: outcome }) => !outcome.ok && outcome.failure.reason)
      assert.deepEqual(failures, ['overloaded'])
    })
  })

  describe('with several attempts under way', () => {
    it('fails only when all have failed', () => {
      const test = bed('00', ['80', '90'], { attempts: 2 })
      const { message } = route(test)
      test.receive('80', { type: 'ack', seq: message.seq }, 20)
      test.wake(2000)
      const [[to, second]] = test.fx.sent() as [[string, RouteMessage]]
      test.receive(to, refusal(second.seq, 'no route'), 2100)
      assert.equal(test.app.replies.length, 0)
      test.receive('80', reply(message.seq), 3000)
      assert.equal(test.app.replies[0]!.reply.ok, true)
    })

    it('fails at once when the last of them fails', () => {
      const test = bed('00', ['80', '90'], { attempts: 2 })
      const { message } = route(test)
      test.receive('80', { type: 'ack', seq: message.seq }, 20)
      test.wake(2000)
      const [[to, second]] = test.fx.sent() as [[string, RouteMessage]]
      test.receive(to, refusal(second.seq, 'no route'), 2100)
      test.receive('80', refusal(message.seq, 'hop limit'), 2200)
      assert.deepEqual(
        test.app.replies.map(({ reply: outcome }) => !outcome.ok && outcome.failure.reason),
        ['hop limit'],
      )
    })
  })

  describe('says how the message leaves', () => {
    it('by its first hop, whatever the overlay says', () => {
      assert.equal(route(bed('00', ['80', '40']), { ...within, firstHop: ref('40') }).to, '40')
    })

    it('also when it wants no reply', () => {
      assert.equal(route(bed('00', ['80', '40']), { firstHop: ref('40') }).to, '40')
      assert.equal(route(bed('00', ['80', '90', '40']), { avoid: ['80' as Guid] }).to, '90')
    })

    it('by the overlay once that first hop has failed', () => {
      const test = bed('00', ['80', '40'])
      route(test, { ...within, firstHop: ref('40') })
      test.wake(1000)
      assert.equal(test.fx.sent()[0]![0], '80')
    })

    it('not by the nodes to avoid', () => {
      assert.equal(route(bed('00', ['80', '90', '40']), { ...within, avoid: ['80' as Guid] }).to, '90')
    })

    it('and is told `no route` when all ways are ruled out', () => {
      const test = bed('00', ['80', '90'])
      test.run(0, (fx) => fx.route(key, bytes('x'), { ...within, avoid: ['80', '90'] as Guid[] }))
      assert.deepEqual(
        test.app.replies.map(({ reply: outcome }) => !outcome.ok && outcome.failure),
        [{ reason: 'no route', detail: 'no way on towards 85', at: ref('00') }],
      )
    })
  })

  it('is told a refusal of its own application without any message', () => {
    const test = bed('00', ['80'])
    test.app.decide = () => ({ action: 'reject', reason: 'not today' })
    test.run(0, (fx) => fx.route(key, bytes('x'), within))
    assert.deepEqual(
      test.app.replies.map(({ reply: outcome }) => !outcome.ok && outcome.failure),
      [{ reason: 'rejected by application', detail: 'not today', at: ref('00') }],
    )
    assert.deepEqual(
      events(test.fx.take()).map(({ type }) => type),
      ['route-failed'],
    )
  })

  it('may route again from inside `onReply`', () => {
    const test = bed('00', ['80'])
    test.app.replied = (_id, _reply, fx) => void fx.route(key, bytes('again'))
    const { message } = route(test)
    test.receive('80', reply(message.seq), 50)
    const [[, again]] = test.fx.sent() as [[string, RouteMessage]]
    assert.equal(text(again.payload), 'again')
  })
})
