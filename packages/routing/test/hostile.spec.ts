import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import type { Message } from '@plaxton/kbr'
import { bed, bytes, events, ref, routeMessage } from './support.ts'

const id = fc.constantFrom('00', '40', '80', 'c0', 'ff', '8', '8080', '')
const number = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER))
const payload = fc.uint8Array({ maxLength: 8 })
const node = fc.record({ id, address: fc.constant('mem:x'), epoch: number })
const ids = fc.array(id, { maxLength: 40 })
const reason = fc.constantFrom('no route', 'timed out', 'hop limit', 'rejected by application', 'overloaded', 'left')
const application = fc.constantFrom('probe', 'overlay', 'routing', '', 'other')

/** Every message of the walking with any values its types allow. */
const message = fc.oneof(
  fc.record({
    type: fc.constant('route'),
    seq: number,
    nonce: number,
    key: id,
    application,
    payload,
    hops: number,
    cursor: number,
    replyWithinMs: fc.oneof(number, fc.constant(2 ** 32 - 1)),
    keepPath: fc.boolean(),
    path: ids,
  }),
  fc.record({ type: fc.constant('ack'), seq: number }),
  fc.record({ type: fc.constant('nack'), seq: number, reason: fc.constantFrom('not ready', 'overloaded', 'left') }),
  fc.record({ type: fc.constant('reply'), seq: number, payload, hops: number, path: ids }),
  fc.record({
    type: fc.constant('refusal'),
    seq: number,
    reason,
    detail: fc.string(),
    at: fc.array(node, { maxLength: 1 }),
    hops: number,
    path: ids,
  }),
  fc.record({ type: fc.constant('request'), seq: number, application, payload, withinMs: number }),
  fc.record({ type: fc.constant('response'), seq: number, payload }),
  fc.record({ type: fc.constant('request-refused'), seq: number, reason, detail: fc.string() }),
  fc.record({ type: fc.constant('tell'), application, payload }),
  fc.record({ type: fc.constant('find'), seq: number, key: id, num: number }),
  fc.record({ type: fc.constant('found'), seq: number, root: fc.boolean(), nodes: fc.array(node, { maxLength: 40 }) }),
)

describe('what a stranger sends', () => {
  it('never throws and never makes anything grow beyond its bound, whatever it is', () => {
    const bounds = { inFlightMax: 5, heldMax: 5, returnPathsMax: 5, endingsMax: 5, openRepliesMax: 5, responsesMax: 5, roundTripsMax: 5 }
    const inputs = fc.array(fc.tuple(fc.constantFrom('40', '80', 'c0'), message, fc.integer({ min: 0, max: 2000 })), { maxLength: 60 })
    fc.assert(
      fc.property(inputs, fc.boolean(), (sent, silent) => {
        const test = bed('00', ['40', '80', 'c0'], bounds)
        if (silent) test.app.onDeliver = () => {}
        let now = 0
        for (const [from, strange, later] of sent) {
          now += later
          test.receive(from, strange as Message & Record<string, unknown>, now)
          test.wake(now)
          test.node.assertInvariants()
          const { inFlight, holding, returnPaths, endings, openReplies, responses, roundTrips } = test.node.stats()
          assert.ok(inFlight + holding <= 2 * (bounds.inFlightMax + bounds.heldMax))
          for (const size of [returnPaths, endings, openReplies, responses, roundTrips]) assert.ok(size <= 5)
          test.fx.take()
        }
      }),
      { numRuns: 500 },
    )
  })

  it('may answer our numbers, which are known to it: only what was asked of it counts', () => {
    const test = bed('00', ['80'])
    const requestId = test.run(0, (fx) => fx.route('85' as Guid, bytes('x'), { replyWithinMs: 9000 }))
    const seq = (test.fx.sent()[0]![1] as unknown as { seq: number }).seq
    for (const type of ['response', 'request-refused', 'found']) {
      test.receive('80', { type, seq, payload: bytes('y'), reason: 'left', detail: '', nodes: [], root: true }, 5)
    }
    assert.equal(test.app.replies.length, 0)
    test.receive('80', { type: 'reply', seq, payload: bytes('y'), hops: 1, path: [] }, 6)
    assert.equal(test.app.replies[0]!.id, requestId)
  })

  for (const [what, changes] of [
    ['a key of another width', { key: '8500' }],
    ['no hops', { hops: 0 }],
    ['no nonce', { nonce: 0 }],
    ['a path longer than its hops', { hops: 2, path: ['40', '50'] }],
  ] as const) {
    it(`is dropped and counted: a route with ${what}`, () => {
      const test = bed('00', ['80'])
      test.receive('c0', routeMessage(changes), 0)
      assert.deepEqual(test.fx.take(), [{ effect: 'event', event: { type: 'dropped', from: ref('c0'), reason: 'malformed route' } }])
      assert.equal(test.node.stats().dropped, 1)
    })
  }

  it('is dropped and counted: a find for a key of another width', () => {
    const test = bed('00', ['80'])
    test.receive('c0', { type: 'find', seq: 1, key: '8500', num: 3 }, 0)
    assert.deepEqual(
      events(test.fx.take()).map(({ type }) => type),
      ['dropped'],
    )
  })

  it('is dropped and counted: anything under our own id', () => {
    const test = bed('00', ['80'])
    test.receive('00', routeMessage(), 0)
    assert.deepEqual(
      events(test.fx.take()).map((event) => event.type === 'dropped' && event.reason),
      ['a message from the own id'],
    )
  })

  it('is for the overlay to judge when its type is none of ours', () => {
    const test = bed('00', ['80'])
    test.receive('c0', { type: 'strange' }, 0)
    assert.deepEqual(test.overlay.takeCalls(), ['message strange from c0'])
  })
})
