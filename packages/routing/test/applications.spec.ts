import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { AppEffects } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import type { RouteMessage } from '../src/index.ts'
import { KbrNode } from '../src/index.ts'
import { bed, bytes, events, Probe, ref, ringFactory, routeMessage, text } from './support.ts'

const key = '85' as Guid
const wanted = { replyWithinMs: 9000 }

describe('an application that is asked to forward', () => {
  it('is asked on the source, on every node that passes the message, and on the root before the delivery', () => {
    const source = bed('00', ['80'])
    source.run(0, (fx) => fx.route(key, bytes('x')))
    const passing = bed('00', ['80'])
    passing.receive('c0', routeMessage(), 0)
    const root = bed('80', ['00'])
    root.receive('c0', routeMessage(), 0)
    assert.deepEqual(source.app.takeLog(), ['forward 85 x hops=0 next=80'])
    assert.deepEqual(passing.app.takeLog(), ['forward 85 hello hops=1 next=80'])
    assert.deepEqual(root.app.takeLog(), ['forward 85 hello hops=1 next=none', 'deliver 85 hello hops=1 from=c0'])
  })

  it('is asked again when the message takes another way', () => {
    const test = bed('00', ['80', '90'])
    test.receive('c0', routeMessage(), 0)
    test.wake(1000)
    assert.deepEqual(test.app.takeLog(), ['forward 85 hello hops=1 next=80', 'forward 85 hello hops=1 next=90'])
  })

  for (const [where, self, known] of [
    ['on the way', '00', ['80']],
    ['at the root', '80', ['00']],
  ] as const) {
    describe(where, () => {
      it('may stop the message and answer it at once', () => {
        const test = bed(self, known)
        test.app.decide = (message, _nextHop, fx) => {
          fx.reply(message.reply, bytes('here'))
          return { action: 'stop' }
        }
        test.receive('c0', routeMessage(wanted), 0)
        assert.deepEqual(test.fx.sent(), [
          ['c0', { type: 'ack', seq: 7 }],
          ['c0', { type: 'reply', seq: 7, payload: bytes('here'), hops: 1, path: [] }],
        ])
        assert.equal(test.node.stats().delivered, 0)
      })

      it('may stop the message and answer it later', () => {
        const test = bed(self, known)
        let handle = 0
        test.app.decide = (message) => {
          handle = message.reply
          return { action: 'stop' }
        }
        test.receive('c0', routeMessage(wanted), 0)
        test.fx.take()
        test.run(10, (fx) => fx.reply(handle, bytes('here')))
        assert.deepEqual(
          test.fx.sent().map(([to, { type }]) => [to, type]),
          [['c0', 'reply']],
        )
      })

      it('is not asked again about a copy of what it has stopped', () => {
        const test = bed(self, known)
        test.app.decide = () => ({ action: 'stop' })
        for (const from of ['c0', '40']) test.receive(from, routeMessage(wanted), 0)
        assert.equal(test.app.takeLog().length, 1)
      })

      it('may reject the message, and the source is told why', () => {
        const test = bed(self, known)
        test.app.decide = () => ({ action: 'reject', reason: 'too big' })
        test.receive('c0', routeMessage(wanted), 0)
        assert.deepEqual(test.fx.sent()[1], [
          'c0',
          { type: 'refusal', seq: 7, reason: 'rejected by application', detail: 'too big', at: [ref(self)], hops: 1, path: [] },
        ])
      })

      it('may send it to another node, where the walk begins anew', () => {
        const test = bed(self, known)
        test.app.decide = () => ({ action: 'redirect', nextHop: ref('40') })
        test.receive('c0', routeMessage({ cursor: 5 }), 0)
        const [, [to, message]] = test.fx.sent() as [unknown, [string, RouteMessage]]
        assert.deepEqual([to, message.cursor, message.hops], ['40', 0, 2])
      })

      it('does not redirect it by naming this node', () => {
        const test = bed(self, known)
        test.app.decide = () => ({ action: 'redirect', nextHop: ref(self) })
        test.receive('c0', routeMessage(), 0)
        assert.deepEqual(
          test.fx
            .sent()
            .slice(1)
            .map(([to]) => to),
          self === '00' ? ['80'] : [],
        )
      })
    })
  }

  it('may replace the payload for the nodes that follow', () => {
    const test = bed('00', ['80'])
    test.app.decide = () => ({ action: 'replace', payload: bytes('other') })
    test.receive('c0', routeMessage(), 0)
    assert.equal(text((test.fx.sent()[1]![1] as RouteMessage).payload), 'other')
  })

  it('may replace the payload for its own delivery', () => {
    const test = bed('80', ['00'])
    test.app.decide = () => ({ action: 'replace', payload: bytes('other') })
    test.receive('c0', routeMessage(), 0)
    assert.equal(test.app.takeLog().at(-1), 'deliver 85 other hops=1 from=c0')
  })

  it('may answer and let the message go on; the first answer counts', () => {
    const test = bed('00', ['80'])
    test.app.decide = (message, _nextHop, fx) => {
      fx.reply(message.reply, bytes('cached'))
      return { action: 'continue' }
    }
    test.receive('c0', routeMessage(wanted), 0)
    assert.deepEqual(
      test.fx.sent().map(([to, { type }]) => [to, type]),
      [
        ['c0', 'ack'],
        ['80', 'route'],
        ['c0', 'reply'],
      ],
    )
  })

  it('loses its handle when it lets a message go on unanswered', () => {
    const test = bed('00', ['80'])
    test.app.decide = (message, _nextHop, fx) => {
      if (text(message.payload) === 'cached') fx.reply(message.reply, bytes('here'))
      return { action: 'continue' }
    }
    for (const [nonce, payload] of [
      [1, 'cached'],
      [2, 'other'],
    ] as const) {
      test.receive('c0', routeMessage({ nonce, payload: bytes(payload), ...wanted }), 0)
    }
    assert.equal(test.node.stats().openReplies, 0)
  })

  it('does not redirect to a node that failed this message already', () => {
    const test = bed('00', ['80', '90'])
    test.app.decide = () => ({ action: 'redirect', nextHop: ref('40') })
    test.receive('c0', routeMessage(), 0)
    test.fx.take()
    test.wake(1000)
    assert.equal(test.fx.sent()[0]![0], '80')
  })
})

describe('several applications on one overlay', () => {
  it('get their own messages, requests, timers and answers', () => {
    const other = new Probe('other')
    const test = bed('80', ['00'], {}, [other])
    other.takeLog()
    test.receive('00', routeMessage({ application: 'other' }), 0)
    test.receive('00', { type: 'request', seq: 1, application: 'other', payload: bytes('q'), withinMs: 9000 }, 0)
    test.node.onTimer({ owner: 'other', kind: 'tick', arg: 3 }, 0, test.fx)
    test.node.onAnswer('other', 9, { kind: 'written' }, 0, test.fx)
    assert.deepEqual(test.app.takeLog(), [])
    assert.deepEqual(other.takeLog(), [
      'forward 85 hello hops=1 next=none',
      'deliver 85 hello hops=1 from=00',
      'request q from=00',
      'timer tick 3',
      'answer 9 written',
    ])
  })

  it('all hear of the neighbours, and so does whoever listens; and once in a step that routes have changed', () => {
    const other = new Probe('other')
    const test = bed('80', ['00'], {}, [other])
    other.takeLog()
    test.receive('00', { type: 'ring-neighbor', peer: ref('40') }, 0)
    assert.deepEqual(events(test.fx.take()), [{ type: 'neighbor', node: ref('40'), joined: true }])
    assert.deepEqual(
      [test.app.takeLog(), other.takeLog()],
      [
        ['update 40 joined', 'routes changed'],
        ['update 40 joined', 'routes changed'],
      ],
    )
  })

  it('may not share a name, nor take one of the walking or the overlay', () => {
    for (const names of [['a', 'a'], ['overlay'], ['routing'], [''], ['A'], ['a'.repeat(33)]]) {
      const applications = names.map((name) => new Probe(name))
      const init = { self: ref('00'), overlay: ringFactory([]), applications, prng: Prng.fromSeed(1) }
      assert.throws(() => new KbrNode(init), { code: 'ERR_INVALID_VALUE', field: 'application.name' })
    }
  })
})

describe('what an application may do', () => {
  it('is what the overlay answers and the driver carries out', () => {
    const test = bed('00', ['40', '80'])
    test.run(5, (fx) => {
      assert.deepEqual([fx.self.id, fx.ready], ['00', true])
      assert.deepEqual(
        fx.neighborSet(1).map(({ id }) => id),
        ['40'],
      )
      assert.deepEqual(
        fx.replicaSet(key, 2).map(({ id }) => id),
        ['80', '40'],
      )
      assert.deepEqual(
        fx.localLookup(key, 1, true).map(({ id }) => id),
        ['80'],
      )
      assert.equal(fx.range(fx.self, 0, key), undefined)
      fx.startTimer('tick', 3, 100)
      fx.ask(8, { kind: 'read', key: 'k' })
      fx.emit({ type: 'probe:hello' })
    })
    assert.deepEqual(test.fx.take(), [
      { effect: 'timer', timer: { owner: 'probe', kind: 'tick', arg: 3 }, delayMs: 100 },
      { effect: 'ask', application: 'probe', token: 8, question: { kind: 'read', key: 'k' } },
      { effect: 'event', event: { type: 'probe:hello' } },
    ])
  })

  it('never enters it again while it is busy: what it asks for is done after it has returned', () => {
    const test = bed('80', ['00'])
    const order: string[] = []
    test.app.onDeliver = () => void order.push('delivered')
    test.run(0, (fx) => {
      fx.route(key, bytes('x'))
      order.push('returned')
    })
    assert.deepEqual(order, ['returned', 'delivered'])
  })

  it('ends with the step: effects kept for later throw', () => {
    const test = bed('80', ['00'])
    let kept: AppEffects | undefined
    test.run(0, (fx) => void (kept = fx))
    assert.throws(() => kept!.route(key, bytes('x')), { code: 'ERR_INVARIANT' })
    assert.throws(() => kept!.startTimer('tick', 0, 0), { code: 'ERR_INVARIANT' })
  })

  it('is checked: a key of another width, a payload too long, a wait of no time', () => {
    const test = bed('80', ['00'], { payloadBytesMax: 3 })
    const thrown = (run: (fx: AppEffects) => void) => assert.throws(() => test.run(0, run), { code: 'ERR_INVALID_VALUE' })
    thrown((fx) => fx.route('8500' as Guid, bytes('x')))
    thrown((fx) => fx.route(key, bytes('long')))
    thrown((fx) => fx.route(key, bytes('x'), { replyWithinMs: 0 }))
    thrown((fx) => fx.request(ref('00'), bytes('x'), { withinMs: 1.5 }))
    thrown((fx) => fx.tell(ref('00'), bytes('long')))
    thrown((fx) => fx.reply(1, bytes('long')))
  })

  it('goes on after an exception of its own', () => {
    const test = bed('80', ['00'])
    assert.throws(() => test.run(0, () => assert.fail('a bug')), /a bug/)
    assert.equal(
      test.run(0, () => 'well'),
      'well',
    )
  })
})

describe('a driver that lets steps nest', () => {
  it('is told so', () => {
    const test = bed('80', ['00'])
    assert.throws(() => test.run(0, () => test.receive('00', { type: 'ack', seq: 1 }, 0)), /an input arrived while a step was running/)
  })
})

describe('an application that answers itself for ever', () => {
  it('is found out', () => {
    const test = bed('80', ['00'], { endingsMax: 1 })
    test.app.onDeliver = (_message, fx) => void fx.route(key, bytes('x'))
    assert.throws(() => test.run(0, (fx) => fx.route(key, bytes('x'))), /answers itself for ever/)
  })
})
