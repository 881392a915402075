import assert from 'node:assert/strict'
import type { ReplyHandle } from '@plaxton/kbr'
import type { RequestMessage } from '../src/index.ts'
import type { Bed } from './support.ts'
import { bed, bytes, events, ref } from './support.ts'

function ask(test: Bed, withinMs = 60_000, now = 0): { id: number; message: RequestMessage } {
  const id = test.run(now, (fx) => fx.request(ref('80'), bytes('q'), { withinMs }))
  const [[to, message]] = test.fx.sent() as [[string, RequestMessage]]
  assert.equal(to, '80')
  return { id, message }
}

function failures(test: Bed) {
  return test.app.replies.map(({ reply }) => !reply.ok && reply.failure)
}

/** When the request is sent again, looking every 10 ms from 0 to `until`. */
function repeats(test: Bed, until: number): number[] {
  const at: number[] = []
  for (let now = 0; now <= until; now += 10) {
    test.wake(now)
    if (test.fx.sent().some(([, { type }]) => type === 'request')) at.push(now)
  }
  return at
}

const request = { type: 'request', seq: 5, application: 'probe', payload: bytes('q'), withinMs: 60_000 }

describe('asking one node', () => {
  it('ends in its response', () => {
    const test = bed('00', ['80'])
    const { id, message } = ask(test)
    assert.deepEqual(message, { ...request, seq: message.seq })
    test.receive('80', { type: 'response', seq: message.seq, payload: bytes('a') }, 30)
    assert.deepEqual(test.app.replies, [{ id, reply: { ok: true, payload: bytes('a'), hops: 1, elapsedMs: 30, path: [] } }])
    test.receive('80', { type: 'response', seq: message.seq, payload: bytes('b') }, 40)
    assert.equal(test.app.replies.length, 1)
    assert.equal(
      test.run(40, (fx) => fx.roundTripMs(ref('80'))),
      30,
    )
  })

  it('ends in its refusal', () => {
    const test = bed('00', ['80'])
    const { message } = ask(test)
    test.receive('80', { type: 'request-refused', seq: message.seq, reason: 'overloaded', detail: 'full' }, 30)
    assert.deepEqual(failures(test), [{ reason: 'overloaded', detail: 'full', at: ref('80') }])
  })

  it('is repeated under the same number until it is heard of, waiting twice as long each time', () => {
    const test = bed('00', ['80'])
    ask(test)
    assert.deepEqual(repeats(test, 16_000), [1000, 3000, 7000, 15_000])
    assert.deepEqual(test.overlay.takeCalls(), ['suspect 80', 'suspect 80', 'suspect 80', 'suspect 80'])
  })

  it('is repeated now and then once it was acknowledged, in case the response got lost', () => {
    const test = bed('00', ['80'])
    const { message } = ask(test)
    test.receive('80', { type: 'ack', seq: message.seq }, 20)
    assert.deepEqual(repeats(test, 13_000), [4020, 12_020])
    assert.deepEqual(test.overlay.takeCalls(), ['rtt 80 20'])
  })

  it('waits for a long request as long as it takes to be sent, and does not take that for a round trip', () => {
    const test = bed('00', ['80'])
    test.run(0, (fx) => fx.request(ref('80'), new Uint8Array(1_048_576), { withinMs: 60_000 }))
    const [[, { seq }]] = test.fx.sent() as [[string, RequestMessage]]
    test.wake(2023)
    assert.deepEqual(test.fx.sent(), [])
    test.receive('80', { type: 'ack', seq }, 2023)
    assert.deepEqual(test.overlay.takeCalls(), [])
  })

  it('is repeated at once when the connection closes', () => {
    const test = bed('00', ['80'])
    const { message } = ask(test)
    test.receive('80', { type: 'ack', seq: message.seq }, 20)
    test.node.onPeerDown(ref('80'), 'disconnected', 50, test.fx)
    test.fx.take()
    test.wake(50)
    assert.equal(test.fx.sent().length, 1)
  })

  it('fails at once when the node cannot be reached', () => {
    const test = bed('00', ['80'])
    ask(test)
    test.node.onPeerDown(ref('80'), 'unreachable', 50, test.fx)
    assert.deepEqual(failures(test), [{ reason: 'no route', detail: '80 cannot be reached', at: ref('80') }])
  })

  it('fails at once when the overlay finds the node dead', () => {
    const test = bed('00', ['80'])
    ask(test)
    test.receive('40', { type: 'ring-dead', peer: ref('80') }, 50)
    assert.deepEqual(failures(test), [{ reason: 'no route', detail: '80 cannot be reached', at: ref('80') }])
  })

  it('fails at the deadline and says whether the node was heard of', () => {
    const silent = bed('00', ['80'])
    ask(silent, 500)
    silent.wake(500)
    assert.deepEqual(failures(silent), [
      { reason: 'timed out', detail: 'no answer from 80 within 500 ms; it was not heard of', at: ref('80') },
    ])
    const busy = bed('00', ['80'])
    const { message } = ask(busy, 500)
    busy.receive('80', { type: 'ack', seq: message.seq }, 20)
    busy.wake(500)
    assert.deepEqual(failures(busy), [
      { reason: 'timed out', detail: 'no answer from 80 within 500 ms; it has acknowledged the request', at: ref('80') },
    ])
  })

  it('is answered by nobody else', () => {
    const test = bed('00', ['80'])
    const { message } = ask(test)
    for (const type of ['response', 'request-refused', 'ack']) {
      test.receive('90', { type, seq: message.seq, payload: bytes('a'), reason: 'left', detail: '' }, 30)
    }
    assert.equal(events(test.fx.take()).filter(({ type }) => type === 'dropped').length, 3)
    assert.deepEqual(test.app.replies, [])
  })

  it('which is this node itself ends at the deadline like any other', () => {
    const test = bed('80', ['00'])
    test.app.answer = () => {}
    test.run(0, (fx) => fx.request(ref('80'), bytes('q'), { withinMs: 5000 }))
    test.wake(4999)
    assert.deepEqual([test.fx.sent(), test.app.replies], [[], []])
    test.wake(5000)
    assert.deepEqual(
      failures(test).map((failure) => failure !== false && failure.reason),
      ['timed out'],
    )
    assert.deepEqual([test.fx.sent(), test.node.stats().openReplies], [[], 0])
  })

  it('which is this node itself needs no message', () => {
    const test = bed('80', ['00'])
    const id = test.run(0, (fx) => fx.request(ref('80'), bytes('q'), { withinMs: 100 }))
    assert.deepEqual(test.app.takeLog(), ['request q from=80'])
    assert.deepEqual(test.app.replies, [{ id, reply: { ok: true, payload: bytes('re q'), hops: 0, elapsedMs: 0, path: [] } }])
    assert.deepEqual(test.fx.sent(), [])
  })
})

describe('answering one node', () => {
  it('in the same step needs no acknowledgement', () => {
    const test = bed('80', ['00'])
    test.receive('00', request, 0)
    assert.deepEqual(test.fx.sent(), [['00', { type: 'response', seq: 5, payload: bytes('re q') }]])
    assert.deepEqual(test.app.takeLog(), ['request q from=00'])
  })

  it('at length is acknowledged first, so that it is not repeated while the response is on its way', () => {
    const test = bed('80', ['00'])
    test.app.answer = (_from, _payload, reply, fx) => fx.reply(reply, new Uint8Array(5000))
    test.receive('00', request, 0)
    assert.deepEqual(
      test.fx.sent().map(([, { type }]) => type),
      ['ack', 'response'],
    )
  })

  it('later is acknowledged first', () => {
    const test = bed('80', ['00'])
    let handle: ReplyHandle = 0
    test.app.answer = (_from, _payload, reply) => void (handle = reply)
    test.receive('00', request, 0)
    assert.deepEqual(test.fx.sent(), [['00', { type: 'ack', seq: 5 }]])
    test.run(100, (fx) => fx.refuse(handle, 'the disk is full'))
    assert.deepEqual(test.fx.sent(), [
      ['00', { type: 'request-refused', seq: 5, reason: 'rejected by application', detail: 'the disk is full' }],
    ])
  })

  it('asks the application once, however often the request is repeated', () => {
    const test = bed('80', ['00'])
    let handle: ReplyHandle = 0
    test.app.answer = (_from, _payload, reply) => void (handle = reply)
    test.receive('00', request, 0)
    test.receive('00', request, 10)
    test.run(20, (fx) => fx.reply(handle, bytes('a')))
    test.receive('00', request, 30)
    assert.deepEqual(test.app.takeLog(), ['request q from=00'])
    assert.deepEqual(
      test.fx.sent().map(([, { type }]) => type),
      ['ack', 'ack', 'response', 'response'],
    )
  })

  it('tells the requests of two incarnations apart', () => {
    const test = bed('80', ['00'])
    test.node.onMessage(ref('00', 1), request, 0, test.fx)
    test.node.onMessage(ref('00', 2), request, 0, test.fx)
    assert.equal(test.app.takeLog().length, 2)
  })

  it('is expected for as long as the asker waits, and no longer', () => {
    const test = bed('80', ['00'])
    let handle: ReplyHandle = 0
    test.app.answer = (_from, _payload, reply) => void (handle = reply)
    test.receive('00', { ...request, withinMs: 500 }, 0)
    assert.equal(test.node.stats().openReplies, 1)
    test.wake(500)
    assert.equal(test.node.stats().openReplies, 0)
    test.fx.take()
    test.run(600, (fx) => fx.reply(handle, bytes('a')))
    assert.deepEqual(test.fx.sent(), [])
  })

  it('asks the application again when the response was too long to be kept', () => {
    const test = bed('80', ['00'], { keptReplyBytesMax: 3 })
    test.receive('00', request, 0)
    test.receive('00', request, 10)
    assert.equal(test.app.takeLog().length, 2)
  })

  it('keeps responses for a while only', () => {
    const test = bed('80', ['00'], { endingsMs: 1000 })
    test.receive('00', request, 0)
    assert.equal(test.node.stats().responses, 1)
    test.wake(1000)
    assert.equal(test.node.stats().responses, 0)
  })

  it('is refused when there is no such application', () => {
    const test = bed('80', ['00'])
    test.receive('00', { ...request, application: 'other' }, 0)
    assert.deepEqual(test.fx.sent(), [
      ['00', { type: 'request-refused', seq: 5, reason: 'rejected by application', detail: 'there is no application "other" here' }],
    ])
  })
})

describe('the counters of requests', () => {
  it('tell what was repeated, what came too late, and what there was no room for', () => {
    const test = bed('00', ['80'], { requestsMax: 1, responsesMax: 1 })
    const { message } = ask(test, 2000)
    test.run(0, (fx) => fx.request(ref('80'), bytes('q'), { withinMs: 100 }))
    test.wake(1000)
    test.wake(2000)
    test.receive('80', { type: 'response', seq: message.seq, payload: bytes('a') }, 2100)
    for (const seq of [1, 1, 2]) test.receive('80', { ...request, seq }, 2100)
    const { overloaded, repeatedRequests, timeouts, late, repeats, forgotten, responses } = test.node.stats()
    assert.deepEqual(
      { overloaded, repeatedRequests, timeouts, late, repeats, forgotten, responses },
      { overloaded: 1, repeatedRequests: 1, timeouts: 1, late: 1, repeats: 1, forgotten: 1, responses: 1 },
    )
  })
})

describe('telling one node', () => {
  it('is one message that wants no answer', () => {
    const test = bed('00', ['80'])
    test.run(0, (fx) => fx.tell(ref('80'), bytes('t')))
    assert.deepEqual(test.fx.take(), [{ effect: 'send', to: '80', message: { type: 'tell', application: 'probe', payload: bytes('t') } }])
  })

  it('reaches the application with no handle', () => {
    const test = bed('80', ['00'])
    test.receive('00', { type: 'tell', application: 'probe', payload: bytes('t') }, 0)
    test.receive('00', { type: 'tell', application: 'other', payload: bytes('t') }, 0)
    assert.deepEqual(test.app.takeLog(), ['tell t from=00'])
    assert.equal(test.node.stats().dropped, 1)
  })

  it('reaches this node itself too', () => {
    const test = bed('80', ['00'])
    test.run(0, (fx) => fx.tell(ref('80'), bytes('t')))
    assert.deepEqual(test.app.takeLog(), ['tell t from=80'])
  })
})
