import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { RouteMessage } from '../src/index.ts'
import { bed, bytes, routeMessage, text } from './support.ts'

const key = '85' as Guid

describe('recursive walking', () => {
  it('acknowledges a message and sends it on to the next hop', () => {
    const { receive, fx, app } = bed('00', ['40', '80'])
    receive('c0', routeMessage(), 0)
    const [ack, onward] = fx.sent()
    assert.deepEqual(ack, ['c0', { type: 'ack', seq: 7 }])
    const message = onward![1] as RouteMessage
    assert.equal(onward![0], '80')
    assert.deepEqual([message.hops, message.nonce, text(message.payload)], [2, 4711, 'hello'])
    assert.deepEqual(app.takeLog(), ['forward 85 hello hops=1 next=80'])
  })

  it('delivers at the root and sends the reply back to the previous hop, under its number', () => {
    const { receive, fx, app } = bed('80', ['40', 'c0'])
    receive('40', routeMessage({ replyWithinMs: 5000, hops: 3 }), 0)
    assert.deepEqual(app.takeLog(), ['forward 85 hello hops=3 next=none', 'deliver 85 hello hops=3 from=40'])
    const [ack, reply] = fx.sent()
    assert.deepEqual(ack, ['40', { type: 'ack', seq: 7 }])
    assert.deepEqual(reply, ['40', { type: 'reply', seq: 7, payload: bytes('re hello'), hops: 3, path: [] }])
  })

  it('gives the source exactly one reply', () => {
    const { run, receive, fx, app } = bed('00', ['80'])
    const id = run(0, (app) => app.route(key, bytes('x'), { replyWithinMs: 5000 }))
    const [[to, message]] = fx.sent() as [[string, RouteMessage]]
    assert.equal(to, '80')
    receive('80', { type: 'ack', seq: message.seq }, 20)
    receive('80', { type: 'reply', seq: message.seq, payload: bytes('y'), hops: 1, path: [] }, 50)
    receive('80', { type: 'reply', seq: message.seq, payload: bytes('z'), hops: 1, path: [] }, 60)
    assert.deepEqual(app.replies, [{ id, reply: { ok: true, payload: bytes('y'), hops: 1, elapsedMs: 50, path: [] } }])
  })
})
