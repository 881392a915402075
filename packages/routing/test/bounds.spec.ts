import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { bed, bytes, ref, routeMessage } from './support.ts'

const key = '85' as Guid
const wanted = { replyWithinMs: 9000 }

describe('a full table', () => {
  it('of messages under way refuses those of peers and fails own ones', () => {
    const test = bed('00', ['80'], { inFlightMax: 2 })
    for (let i = 1; i <= 3; i++) test.receive('c0', routeMessage({ seq: i, nonce: i }), 0)
    assert.deepEqual(test.fx.sent().at(-1), ['c0', { type: 'nack', seq: 3, reason: 'overloaded' }])
    test.run(0, (fx) => fx.route(key, bytes('x'), wanted))
    assert.deepEqual(
      test.app.replies.map(({ reply }) => !reply.ok && reply.failure.reason),
      ['overloaded'],
    )
    assert.deepEqual([test.node.stats().inFlight, test.node.stats().overloaded], [2, 2])
  })

  it('of messages under way still takes those that end here', () => {
    const test = bed('00', ['80'], { inFlightMax: 1 })
    test.receive('c0', routeMessage({ nonce: 1 }), 0)
    test.receive('c0', routeMessage({ nonce: 2, key: '01' }), 0)
    assert.equal(test.node.stats().delivered, 1)
  })

  it('of held messages refuses the next', () => {
    const test = bed('00', ['80'], { heldMax: 1 })
    test.overlay.ready = false
    for (let i = 1; i <= 2; i++) test.receive('c0', routeMessage({ seq: i, nonce: i }), 0)
    assert.deepEqual(test.fx.sent(), [
      ['c0', { type: 'ack', seq: 1 }],
      ['c0', { type: 'nack', seq: 2, reason: 'overloaded' }],
    ])
  })

  it('of held messages fails one that was accepted and has nowhere else to go', () => {
    const test = bed('70', ['80'], { heldMax: 1 })
    for (let i = 1; i <= 2; i++) test.receive('c0', routeMessage({ seq: i, nonce: i, ...wanted }), 0)
    test.fx.take()
    test.wake(1000)
    const refusals = test.fx.sent().map(([to, message]) => [to, message.type, (message as unknown as { reason: string }).reason])
    assert.deepEqual(refusals, [['c0', 'refusal', 'overloaded']])
    test.node.assertInvariants()
  })

  it('of messages under way fails one that was held and could go on', () => {
    const test = bed('70', ['80', '40'], { inFlightMax: 1 })
    test.overlay.ready = false
    for (let i = 1; i <= 2; i++) test.receive('c0', routeMessage({ seq: i, nonce: i, ...wanted }), 0)
    test.fx.take()
    test.receive('40', { type: 'ring-ready' }, 10)
    assert.deepEqual(
      test.fx.sent().map(([to, { type }]) => [to, type]),
      [
        ['80', 'route'],
        ['c0', 'refusal'],
      ],
    )
    test.node.assertInvariants()
  })

  it('of return paths forgets the oldest', () => {
    const test = bed('00', ['80'], { returnPathsMax: 2 })
    const seqs: number[] = []
    for (let i = 1; i <= 3; i++) {
      test.receive('c0', routeMessage({ seq: i, nonce: i, ...wanted }), 0)
      const seq = (test.fx.sent()[1]![1] as unknown as { seq: number }).seq
      seqs.push(seq)
      test.receive('80', { type: 'ack', seq }, 1)
    }
    for (const seq of seqs) test.receive('80', { type: 'reply', seq, payload: bytes('y'), hops: 2, path: [] }, 2)
    assert.deepEqual(
      test.fx.sent().map(([, message]) => (message as unknown as { seq: number }).seq),
      [2, 3],
    )
    assert.equal(test.node.stats().forgotten, 1)
  })

  it('of endings forgets the oldest', () => {
    const test = bed('80', ['00'], { endingsMax: 2 })
    for (const nonce of [1, 2, 3, 1]) test.receive('00', routeMessage({ nonce }), 0)
    assert.deepEqual([test.node.stats().delivered, test.node.stats().endings, test.node.stats().forgotten], [4, 2, 2])
  })

  it('of own calls fails the next', () => {
    const test = bed('00', ['80'], { callsMax: 1 })
    const ids = [1, 2].map(() => test.run(0, (fx) => fx.route(key, bytes('x'), wanted)))
    assert.deepEqual(
      test.app.replies.map(({ id, reply }) => [id, !reply.ok && reply.failure.reason]),
      [[ids[1], 'overloaded']],
    )
  })

  it('of own requests fails the next', () => {
    const test = bed('00', ['80'], { requestsMax: 1 })
    const ids = [1, 2].map(() => test.run(0, (fx) => fx.request(ref('80'), bytes('x'), { withinMs: 9000 })))
    assert.deepEqual(
      test.app.replies.map(({ id, reply }) => [id, !reply.ok && reply.failure.reason]),
      [[ids[1], 'overloaded']],
    )
  })

  it('of unanswered messages and requests refuses the next', () => {
    const test = bed('80', ['00'], { openRepliesMax: 1 })
    test.app.onDeliver = () => {}
    test.receive('00', routeMessage({ nonce: 1, ...wanted }), 0)
    test.fx.take()
    test.receive('00', routeMessage({ nonce: 2, seq: 2, ...wanted }), 0)
    test.receive('00', { type: 'request', seq: 3, application: 'probe', payload: bytes('q'), withinMs: 9000 }, 0)
    const refusals = test.fx.sent().flatMap(([, message]) => ('reason' in message ? [[message.type, message.reason]] : []))
    assert.deepEqual(refusals, [
      ['refusal', 'overloaded'],
      ['request-refused', 'overloaded'],
    ])
    assert.deepEqual([test.node.stats().openReplies, test.node.stats().overloaded], [1, 2])
    assert.equal(test.app.takeLog().filter((line) => line.startsWith('deliver') || line.startsWith('request')).length, 1)
  })

  it('of responses forgets the oldest', () => {
    const test = bed('80', ['00'], { responsesMax: 1 })
    for (const seq of [1, 2, 1]) test.receive('00', { type: 'request', seq, application: 'probe', payload: bytes('q'), withinMs: 9000 }, 0)
    assert.equal(test.app.takeLog().length, 3)
  })

  it('of round trips forgets the peer measured first', () => {
    const test = bed('00', ['80', '40'], { roundTripsMax: 1 })
    for (const to of ['80', '40']) {
      const id = test.run(0, (fx) => fx.request(ref(to), bytes('q'), { withinMs: 9000 }))
      const seq = (test.fx.sent()[0]![1] as unknown as { seq: number }).seq
      test.receive(to, { type: 'response', seq, payload: bytes('a') }, 5)
      assert.ok(id > 0)
    }
    assert.deepEqual(
      test.run(5, (fx) => ['80', '40'].map((to) => fx.roundTripMs(ref(to)))),
      [undefined, 5],
    )
  })

  it('of lookups fails the next', () => {
    const test = bed('00', ['80'], { lookupsMax: 1 })
    test.node.lookup(key, {}, 0, test.fx)
    test.fx.take()
    test.node.lookup(key, {}, 0, test.fx)
    const [effect] = test.fx.take()
    assert.equal(
      effect?.effect === 'event' && 'outcome' in effect.event && JSON.stringify(effect.event.outcome).includes('overloaded'),
      true,
    )
  })
})
