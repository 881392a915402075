import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { AppEffects } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { KbrNode } from '../src/index.ts'
import type { RouteMessage } from '../src/index.ts'
import { bed, bytes, events, Probe, Recorder, ref, ringFactory, routeMessage } from './support.ts'

const key = '85' as Guid
const wanted = { replyWithinMs: 9000 }

describe('the life of a node', () => {
  it('begins with `onStart` of every application, in order', () => {
    const applications = [new Probe('one'), new Probe('two')]
    const node = new KbrNode({ self: ref('00'), overlay: ringFactory([]), applications, prng: Prng.fromSeed(1) })
    node.start(0, new Recorder())
    assert.deepEqual(
      applications.map((app) => app.takeLog()),
      [['start'], ['start']],
    )
    assert.equal(node.ready, false)
  })

  it('is ready when the overlay is', () => {
    const test = bed('00', ['80'], {}, [], false)
    assert.equal(test.node.ready, false)
    test.node.join([], 0, test.fx)
    assert.equal(test.node.ready, true)
  })

  it('holds what its applications route before it is a member, and sends it then', () => {
    const test = bed('00', ['80'], {}, [], false)
    test.run(0, (fx) => fx.route(key, bytes('x')))
    assert.deepEqual(test.fx.sent(), [])
    test.node.join([], 100, test.fx)
    assert.equal(test.fx.sent()[0]![0], '80')
  })

  describe('ends with leaving, which', () => {
    it('lets the applications hand over before the overlay goes', () => {
      const test = bed('00', ['80'])
      let effects: AppEffects | undefined
      test.app.leaving = (fx) => void (effects = fx)
      test.node.leave(0, test.fx)
      assert.deepEqual([test.app.takeLog(), test.overlay.takeCalls(), events(test.fx.take())], [['leave'], [], []])
      assert.equal(test.node.ready, true)
      test.run(300, () => effects!.handedOver())
      assert.deepEqual([test.overlay.takeCalls(), events(test.fx.take())], [['leave'], [{ type: 'left' }]])
      assert.equal(test.node.ready, false)
    })

    it('waits for all of them, but not for ever', () => {
      const slow = new Probe('slow')
      slow.leaving = () => {}
      const test = bed('00', ['80'], { leaveMs: 5000 }, [slow])
      test.node.leave(0, test.fx)
      test.wake(4999)
      assert.deepEqual(test.overlay.takeCalls(), [])
      test.wake(5000)
      assert.deepEqual(test.overlay.takeCalls(), ['leave'])
    })

    it('happens at once without applications, and once', () => {
      const overlays = ringFactory([])
      const node = new KbrNode({ self: ref('00'), overlay: overlays, applications: [], prng: Prng.fromSeed(1) })
      const fx = new Recorder()
      node.join([], 0, fx)
      node.leave(0, fx)
      node.leave(0, fx)
      assert.deepEqual(overlays.made[0]!.takeCalls(), ['leave'])
      assert.deepEqual(events(fx.take()), [{ type: 'left' }])
    })

    it('lets an overlay that stays routable pass on what comes until nobody counts on the node, and what it has accepted', () => {
      const test = bed('80', ['00', '90'])
      const overlay = Object.assign(test.overlay, { retired: false, retire: () => void test.overlay.calls.push('retire') })
      test.node.leave(0, test.fx)
      assert.deepEqual([overlay.takeCalls(), events(test.fx.take())], [['retire'], []])
      test.receive('00', routeMessage({ seq: 1, key: '8f' }), 10)
      const [[, onward]] = test.fx.sent().filter(([to]) => to === '90') as [[string, RouteMessage]]
      overlay.retired = true
      test.wake(20)
      assert.deepEqual(overlay.takeCalls(), [])
      test.receive('90', { type: 'ack', seq: onward.seq }, 30)
      assert.deepEqual([overlay.takeCalls().at(-1), events(test.fx.take()).at(-1)], ['leave', { type: 'left' }])
    })

    it('waits for the overlay no longer than it does for the applications', () => {
      const test = bed('80', ['00'], { leaveMs: 5000 })
      const overlay = Object.assign(test.overlay, { retired: false, retire: () => {} })
      test.node.leave(0, test.fx)
      test.wake(4999)
      assert.deepEqual(overlay.takeCalls(), [])
      test.wake(5000)
      assert.deepEqual(overlay.takeCalls(), ['leave'])
    })

    it('ends every own route and request, once', () => {
      const test = bed('00', ['80'])
      const ids = [
        test.run(0, (fx) => fx.route(key, bytes('x'), wanted)),
        test.run(0, (fx) => fx.request(ref('80'), bytes('x'), { withinMs: 9000 })),
      ]
      test.node.leave(10, test.fx)
      const ended = new Map(test.app.replies.map(({ id, reply }) => [id, !reply.ok && reply.failure.reason]))
      assert.deepEqual(ended, new Map(ids.map((id) => [id, 'left'])))
      test.wake(20_000)
      assert.equal(test.app.replies.length, 2)
    })

    it('ends a route that was accepted elsewhere, too', () => {
      const test = bed('00', ['80'])
      test.run(0, (fx) => fx.route(key, bytes('x'), wanted))
      const [[, { seq }]] = test.fx.sent() as [[string, RouteMessage]]
      test.receive('80', { type: 'ack', seq }, 5)
      test.node.leave(10, test.fx)
      assert.deepEqual(
        test.app.replies.map(({ reply }) => !reply.ok && reply.failure.reason),
        ['left'],
      )
    })

    it('refuses what it has accepted and not passed on, and what its applications have not answered', () => {
      const test = bed('80', ['90'])
      test.app.onDeliver = () => {}
      test.receive('c0', routeMessage({ seq: 1, nonce: 1, key: '8f', ...wanted }), 0)
      test.receive('c0', routeMessage({ seq: 2, nonce: 2, ...wanted }), 0)
      test.fx.take()
      test.node.leave(10, test.fx)
      assert.deepEqual([test.node.stats().inFlight, test.node.stats().openReplies], [0, 0])
      const refused = test.fx.sent().map(([to, message]) => [to, message.type, (message as unknown as { seq: number }).seq])
      assert.deepEqual(refused, [
        ['c0', 'refusal', 2],
        ['c0', 'refusal', 1],
      ])
    })

    it('sends later messages on their way elsewhere', () => {
      const test = bed('80', ['00'])
      test.node.leave(0, test.fx)
      test.fx.take()
      test.app.takeLog()
      test.receive('00', routeMessage(), 10)
      test.receive('00', { type: 'request', seq: 3, application: 'probe', payload: bytes('q'), withinMs: 9000 }, 10)
      test.receive('00', { type: 'ring-alive', peer: ref('40') }, 10)
      assert.deepEqual(test.fx.sent(), [
        ['00', { type: 'nack', seq: 7, reason: 'left' }],
        ['00', { type: 'request-refused', seq: 3, reason: 'left', detail: 'the node has left the overlay' }],
      ])
      assert.deepEqual(test.app.takeLog(), [])
    })

    it('fails what its applications ask for afterwards', () => {
      const test = bed('00', ['80'])
      test.node.leave(0, test.fx)
      test.run(1, (fx) => {
        fx.route(key, bytes('x'), wanted)
        fx.request(ref('80'), bytes('x'), { withinMs: 9000 })
      })
      assert.deepEqual(
        test.app.replies.map(({ reply }) => !reply.ok && reply.failure.reason),
        ['left', 'left'],
      )
      test.fx.take()
      test.run(2, (fx) => fx.route(key, bytes('x')))
      assert.deepEqual(
        events(test.fx.take()).map(({ type }) => type),
        ['route-failed'],
      )
    })
  })

  it('never repeats a nonce or number of an earlier incarnation, even from the same seed', () => {
    const drawn = [1, 2].map((epoch) => {
      const overlays = ringFactory([ref('80')])
      const app = new Probe()
      const node = new KbrNode({ self: ref('00', epoch), overlay: overlays, applications: [app], prng: Prng.fromSeed('same') })
      const fx = new Recorder()
      node.join([], 0, fx)
      node.command(app, 0, fx, (effects) => effects.route(key, bytes('x')))
      const [[, { nonce, seq }]] = fx.sent() as [[string, RouteMessage]]
      return { nonce, seq }
    })
    assert.notEqual(drawn[0]!.nonce, drawn[1]!.nonce)
    assert.notEqual(drawn[0]!.seq, drawn[1]!.seq)
  })
})
