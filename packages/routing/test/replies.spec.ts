import assert from 'node:assert/strict'
import type { RouteMessage } from '../src/index.ts'
import type { Bed } from './support.ts'
import { bed, bytes, events, ref, routeMessage } from './support.ts'

const wanted = { replyWithinMs: 9000 }

function pass(bed: Bed, changes: Record<string, unknown> = {}, now = 0): RouteMessage {
  bed.receive('c0', routeMessage({ ...wanted, ...changes }), now)
  return bed.fx.sent()[1]![1] as RouteMessage
}

function reply(seq: number, payload = 'y') {
  return { type: 'reply', seq, payload: bytes(payload), hops: 4, path: ['80'] }
}

function refusal(seq: number, reason: string, at = 'a0') {
  return { type: 'refusal', seq, reason, detail: 'why', at: [ref(at)], hops: 4, path: [] as string[] }
}

describe('the way back', () => {
  it('of a reply is the way the message came, under the number of the previous hop', () => {
    const test = bed('00', ['80'])
    const { seq } = pass(test)
    test.receive('80', { type: 'ack', seq }, 20)
    test.receive('80', reply(seq), 50)
    assert.deepEqual(test.fx.sent(), [['c0', { type: 'reply', seq: 7, payload: bytes('y'), hops: 4, path: ['80'] }]])
    assert.equal(test.node.stats().returnPaths, 0)
  })

  it('is taken by the first reply alone', () => {
    const test = bed('00', ['80', '90'])
    const first = pass(test)
    test.wake(1000)
    const [[, second]] = test.fx.sent() as [[string, RouteMessage]]
    test.receive('90', reply(second.seq), 1050)
    test.receive('80', reply(first.seq), 1060)
    assert.equal(test.fx.sent().length, 1)
    assert.equal(test.node.stats().late, 1)
  })

  it('is closed to peers that were not asked', () => {
    const test = bed('00', ['80'])
    const { seq } = pass(test)
    test.receive('90', reply(seq), 50)
    test.receive('90', refusal(seq, 'no route'), 50)
    assert.deepEqual(
      events(test.fx.take()).map((event) => event.type === 'dropped' && event.reason),
      ['answer from a peer that was not asked', 'answer from a peer that was not asked'],
    )
  })

  it('ends when the source has given up', () => {
    const test = bed('00', ['80'])
    const { seq } = pass(test)
    test.receive('80', { type: 'ack', seq }, 20)
    test.wake(9000)
    test.wake(20_000)
    assert.equal(test.node.stats().returnPaths, 0)
    test.receive('80', reply(seq), 20_000)
    assert.deepEqual(test.fx.sent(), [])
  })

  it('of a refusal tells reason and node unchanged', () => {
    const test = bed('00', ['80', '90'])
    const { seq } = pass(test)
    test.receive('80', { type: 'ack', seq }, 20)
    test.receive('80', refusal(seq, 'no route'), 50)
    assert.deepEqual(test.fx.sent(), [['c0', { ...refusal(7, 'no route') }]])
  })

  it('of a refusal is not taken while another copy is under way', () => {
    const test = bed('00', ['80', '90'])
    const first = pass(test)
    test.wake(1000)
    const [[, second]] = test.fx.sent() as [[string, RouteMessage]]
    test.receive('80', { type: 'ack', seq: first.seq }, 1010)
    test.receive('90', refusal(second.seq, 'hop limit'), 1050)
    assert.deepEqual(test.fx.sent(), [])
    test.receive('80', refusal(first.seq, 'no route'), 1060)
    assert.deepEqual(test.fx.sent(), [['c0', refusal(7, 'no route')]])
  })

  it('of a refusal is taken at once when the application rejected the message', () => {
    const test = bed('00', ['80', '90'])
    pass(test)
    test.wake(1000)
    const [[, second]] = test.fx.sent() as [[string, RouteMessage]]
    test.receive('90', refusal(second.seq, 'rejected by application'), 1050)
    assert.deepEqual(test.fx.sent(), [['c0', refusal(7, 'rejected by application')]])
  })

  it('is not needed when the next hop itself has left: there may be another', () => {
    const test = bed('00', ['80', '90'])
    const { seq } = pass(test)
    test.receive('80', { type: 'ack', seq }, 20)
    test.receive('80', refusal(seq, 'left', '80'), 50)
    assert.equal(test.fx.sent()[0]![0], '90')
  })
})

describe('a copy of a message that ended here', () => {
  it('is acknowledged, not delivered again, and told the answer that was given', () => {
    const test = bed('80', ['00'])
    test.receive('c0', routeMessage(wanted), 0)
    test.fx.take()
    test.app.takeLog()
    test.receive('40', routeMessage({ ...wanted, seq: 9, hops: 5 }), 100)
    assert.deepEqual(test.app.takeLog(), [])
    assert.deepEqual(test.fx.sent(), [
      ['40', { type: 'ack', seq: 9 }],
      ['40', { type: 'reply', seq: 9, payload: bytes('re hello'), hops: 1, path: [] }],
    ])
    assert.equal(test.node.stats().repeats, 1)
  })

  it('waits with the first for an answer still to come', () => {
    const test = bed('80', ['00'])
    let handle = 0
    test.app.onDeliver = (message) => void (handle = message.reply)
    test.receive('c0', routeMessage(wanted), 0)
    test.receive('40', routeMessage({ ...wanted, seq: 9 }), 100)
    test.receive('40', routeMessage({ ...wanted, seq: 9 }), 200)
    test.fx.take()
    test.run(300, (fx) => fx.reply(handle, bytes('done')))
    assert.deepEqual(
      test.fx.sent().map(([to, { type }]) => [to, type]),
      [
        ['c0', 'reply'],
        ['40', 'reply'],
      ],
    )
  })

  it('is told of a rejection too', () => {
    const test = bed('80', ['00'])
    test.app.decide = () => ({ action: 'reject', reason: 'no' })
    for (const from of ['c0', '40']) test.receive(from, routeMessage(wanted), 0)
    assert.deepEqual(
      test.fx
        .sent()
        .filter(([, { type }]) => type === 'refusal')
        .map(([to]) => to),
      ['c0', '40'],
    )
    assert.equal(test.app.takeLog().length, 1)
  })

  it('goes to the application again when the answer was too long to be kept', () => {
    const test = bed('80', ['00'], { keptReplyBytesMax: 5 })
    for (const from of ['c0', '40']) test.receive(from, routeMessage(wanted), 0)
    assert.equal(test.app.takeLog().filter((line) => line.startsWith('deliver')).length, 2)
  })

  it('is a new message when its key is another', () => {
    const test = bed('80', ['00'])
    test.receive('c0', routeMessage(wanted), 0)
    test.receive('40', routeMessage({ ...wanted, key: '84' }), 0)
    assert.equal(test.app.takeLog().filter((line) => line.startsWith('deliver')).length, 2)
  })

  it('is recognised for as long as sources may try, and then forgotten', () => {
    const test = bed('80', ['00'], { endingsMs: 1000 })
    test.receive('c0', routeMessage(), 0)
    assert.equal(test.node.stats().endings, 1)
    test.wake(1000)
    test.wake(2000)
    assert.equal(test.node.stats().endings, 0)
  })
})

describe('an answer of the application', () => {
  it('may come in a later step', () => {
    const test = bed('80', ['00'])
    let handle = 0
    test.app.onDeliver = (message) => void (handle = message.reply)
    test.receive('c0', routeMessage(wanted), 0)
    test.fx.take()
    test.run(500, (fx) => fx.reply(handle, bytes('later')))
    assert.deepEqual(test.fx.sent(), [['c0', { type: 'reply', seq: 7, payload: bytes('later'), hops: 1, path: [] }]])
  })

  it('counts once', () => {
    const test = bed('80', ['00'])
    test.app.onDeliver = (message, fx) => {
      fx.reply(message.reply, bytes('first'))
      fx.refuse(message.reply, 'second')
    }
    test.receive('c0', routeMessage(wanted), 0)
    assert.deepEqual(
      test.fx.sent().map(([, { type }]) => type),
      ['ack', 'reply'],
    )
  })

  it('comes to nothing once the source has given up', () => {
    const test = bed('80', ['00'])
    let handle = 0
    test.app.onDeliver = (message) => void (handle = message.reply)
    test.receive('c0', routeMessage(wanted), 0)
    test.wake(9000)
    test.fx.take()
    test.run(9001, (fx) => fx.reply(handle, bytes('later')))
    assert.deepEqual(test.fx.sent(), [])
    assert.deepEqual([test.node.stats().openReplies, test.node.stats().late], [0, 1])
  })

  it('may be that none will come', () => {
    const test = bed('80', ['00'])
    test.app.onDeliver = (message, fx) => fx.refuse(message.reply, 'the disk is full')
    test.receive('c0', routeMessage(wanted), 0)
    const [, refused] = test.fx.sent()
    assert.deepEqual(refused, [
      'c0',
      { type: 'refusal', seq: 7, reason: 'rejected by application', detail: 'the disk is full', at: [ref('80')], hops: 1, path: [] },
    ])
  })

  it('to a message that wants none is ignored', () => {
    const test = bed('80', ['00'])
    test.app.onDeliver = (message, fx) => {
      fx.reply(message.reply, bytes('x'))
      fx.refuse(message.reply, 'x')
    }
    test.receive('c0', routeMessage(), 0)
    assert.deepEqual([test.fx.sent().length, test.node.stats().late], [1, 0])
  })
})
