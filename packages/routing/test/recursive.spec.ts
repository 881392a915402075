import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { KbrEvent } from '@plaxton/kbr'
import type { RouteMessage } from '../src/index.ts'
import type { Bed } from './support.ts'
import { bed, bytes, events, ref, routeMessage, text } from './support.ts'

const key = '85' as Guid

/** A route in from c0 and what was sent on for it. */
function pass(bed: Bed, changes: Record<string, unknown> = {}, now = 0): { to: string; message: RouteMessage } {
  bed.receive('c0', routeMessage(changes), now)
  const [, onward] = bed.fx.sent()
  assert.ok(onward, 'nothing was sent on')
  return { to: onward[0], message: onward[1] as RouteMessage }
}

describe('recursive walking', () => {
  describe('a hop', () => {
    it('shows the application a handle only when a reply is wanted', () => {
      const test = bed('00', ['80'])
      const handles: number[] = []
      test.app.decide = (message) => {
        handles.push(message.reply)
        return { action: 'continue' }
      }
      pass(test)
      pass(test, { nonce: 2, replyWithinMs: 100 })
      assert.deepEqual(
        handles.map((handle) => handle > 0),
        [false, true],
      )
    })

    it('is acknowledged and sent on, under a number of its own', () => {
      const { receive, fx, app } = bed('00', ['40', '80'])
      receive('c0', routeMessage({ cursor: 3, replyWithinMs: 900 }), 0)
      const [ack, onward] = fx.sent()
      assert.deepEqual(ack, ['c0', { type: 'ack', seq: 7 }])
      const { seq, payload, ...rest } = onward![1] as RouteMessage
      assert.equal(onward![0], '80')
      assert.notEqual(seq, 7)
      assert.equal(text(payload), 'hello')
      assert.deepEqual(rest, {
        type: 'route',
        nonce: 4711,
        key,
        application: 'probe',
        hops: 2,
        cursor: 4,
        replyWithinMs: 900,
        keepPath: false,
        path: [],
      })
      assert.deepEqual(app.takeLog(), ['forward 85 hello hops=1 next=80'])
    })

    it('passes a message of an application that is not here', () => {
      const test = bed('00', ['80'])
      assert.equal(pass(test, { application: 'other' }).to, '80')
      assert.deepEqual(test.app.takeLog(), [])
    })

    it('adds its id to the path only when asked to', () => {
      assert.deepEqual(pass(bed('00', ['80']), { keepPath: true, path: ['c0'], hops: 2 }).message.path, ['c0', '00'])
    })

    it('measures the round trip to the next hop and tells the overlay', () => {
      const test = bed('00', ['80'])
      const { message } = pass(test)
      test.receive('80', { type: 'ack', seq: message.seq }, 30)
      assert.deepEqual(test.overlay.takeCalls(), ['rtt 80 30'])
      assert.equal(
        test.run(30, (fx) => fx.roundTripMs(ref('80'))),
        30,
      )
      assert.equal(
        test.run(30, (fx) => fx.roundTripMs(ref('40'))),
        undefined,
      )
    })

    it('forgets an acknowledged message that wants no reply', () => {
      const test = bed('00', ['80'])
      const { message } = pass(test)
      assert.equal(test.node.stats().inFlight, 1)
      test.receive('80', { type: 'ack', seq: message.seq }, 30)
      assert.deepEqual([test.node.stats().inFlight, test.node.stats().returnPaths], [0, 0])
    })

    it('starts one timer however many messages are under way, and none once they are acknowledged', () => {
      const test = bed('00', ['80'])
      for (let i = 0; i < 5; i++) test.receive('c0', routeMessage({ seq: i, nonce: 100 + i }), i)
      const effects = test.fx.take()
      const onward = effects.flatMap((effect) => (effect.effect === 'send' && effect.to === '80' ? [effect.message as RouteMessage] : []))
      assert.deepEqual(
        effects.filter(({ effect }) => effect === 'timer'),
        [{ effect: 'timer', timer: { owner: 'routing', kind: 'wake', arg: 0 }, delayMs: 1000 }],
      )
      for (const { seq } of onward) test.receive('80', { type: 'ack', seq }, 20)
      test.fx.take()
      test.wake(1000)
      assert.deepEqual(test.fx.take(), [])
    })
  })

  describe('a next hop that does not acknowledge', () => {
    it('is suspected after its timeout, and the message takes the next best hop at once', () => {
      const test = bed('00', ['80', '90', '60'])
      const { message } = pass(test)
      test.wake(1000)
      assert.deepEqual(test.overlay.takeCalls(), ['suspect 80'])
      const effects = test.fx.take()
      const [sent] = effects.filter(({ effect }) => effect === 'send')
      assert.deepEqual(sent, { effect: 'send', to: '90', message: { ...message, seq: message.seq + 1 } })
      assert.deepEqual(events(effects), [{ type: 'rerouted', key, from: ref('80'), to: ref('90') }])
    })

    it('is told of once: a message that goes on to be held and released is not rerouted again', () => {
      const test = bed('00', ['80', '90'])
      pass(test)
      const rerouted = [1000, 2000, 2500].flatMap((now) => {
        test.wake(now)
        return events(test.fx.take()).flatMap((event) => (event.type === 'rerouted' ? [`${event.from.id} ${event.to.id}`] : []))
      })
      assert.deepEqual(rerouted, ['80 90', '90 80'])
    })

    it('is not tried again for this message while others are left', () => {
      const test = bed('00', ['80', '90', '60'])
      pass(test)
      const tried: string[] = []
      for (const now of [1000, 2000]) {
        test.wake(now)
        tried.push(...test.fx.sent().map(([to]) => to))
      }
      assert.deepEqual(tried, ['90', '60'])
    })

    it('is waited for twice as long the next time', () => {
      const test = bed('00', ['80', '90'])
      pass(test)
      test.wake(1000)
      const [[, rerouted]] = test.fx.sent() as [[string, RouteMessage]]
      test.receive('90', { type: 'ack', seq: rerouted.seq }, 1000)
      pass(test, { nonce: 5 }, 1000)
      test.wake(2999)
      assert.equal(test.node.stats().timeouts, 1)
      test.wake(3000)
      assert.equal(test.node.stats().timeouts, 2)
    })

    it('may still answer: its late reply goes back like any other', () => {
      const test = bed('00', ['80', '90'])
      const { message } = pass(test, { replyWithinMs: 9000 })
      test.wake(1000)
      test.fx.take()
      test.receive('80', { type: 'reply', seq: message.seq, payload: bytes('late'), hops: 2, path: [] }, 1100)
      assert.deepEqual(test.fx.sent(), [['c0', { type: 'reply', seq: 7, payload: bytes('late'), hops: 2, path: [] }]])
    })

    it('has no say for another: only the peer that was asked can acknowledge', () => {
      const test = bed('00', ['80', '90'])
      const { message } = pass(test)
      test.receive('90', { type: 'ack', seq: message.seq }, 10)
      assert.deepEqual(events(test.fx.take()), [{ type: 'dropped', from: ref('90'), reason: 'ack from a peer that was not asked' }])
      assert.equal(test.node.stats().inFlight, 1)
    })
  })

  describe('a next hop that says no', () => {
    it('is gone around at once, and suspected when it is no member', () => {
      const test = bed('00', ['80', '90'])
      const { message } = pass(test)
      test.receive('80', { type: 'nack', seq: message.seq, reason: 'not ready' }, 20)
      assert.equal(test.fx.sent()[0]![0], '90')
      assert.deepEqual(test.overlay.takeCalls(), ['rtt 80 20', 'suspect 80'])
    })

    it('is not gone around again when it says so late', () => {
      const test = bed('00', ['80', '90', '60'])
      const { message } = pass(test, { replyWithinMs: 9000 })
      test.wake(1000)
      test.fx.take()
      test.receive('80', { type: 'nack', seq: message.seq, reason: 'overloaded' }, 1100)
      assert.deepEqual(test.fx.sent(), [])
    })

    it('is not suspected when it is merely overloaded', () => {
      const test = bed('00', ['80', '90'])
      const { message } = pass(test)
      test.receive('80', { type: 'nack', seq: message.seq, reason: 'overloaded' }, 20)
      assert.equal(test.fx.sent()[0]![0], '90')
      assert.deepEqual(test.overlay.takeCalls(), ['rtt 80 20'])
    })

    it('says so for a node that has not joined yet', () => {
      const { receive, fx } = bed('00', ['80'], {}, [], false)
      receive('c0', routeMessage(), 0)
      assert.deepEqual(fx.sent(), [['c0', { type: 'nack', seq: 7, reason: 'not ready' }]])
    })
  })

  describe('a next hop whose link breaks or that dies', () => {
    it('is gone around at once when the link breaks', () => {
      const test = bed('00', ['80', '90'])
      pass(test)
      test.node.onPeerDown(ref('80'), 'disconnected', 50, test.fx)
      assert.equal(test.fx.sent()[0]![0], '90')
      assert.deepEqual(test.overlay.takeCalls(), ['down 80 disconnected'])
    })

    it('is gone around even after it had acknowledged, when a reply is still awaited', () => {
      const test = bed('00', ['80', '90'])
      const { message } = pass(test, { replyWithinMs: 9000 })
      test.receive('80', { type: 'ack', seq: message.seq }, 20)
      test.receive('90', { type: 'ring-dead', peer: ref('80') }, 400)
      assert.equal(test.fx.sent()[0]![0], '90')
    })

    it('is not gone around while another has the message', () => {
      const test = bed('00', ['80', '90', '60'])
      const { message } = pass(test, { replyWithinMs: 9000 })
      test.wake(1000)
      test.receive('80', { type: 'ack', seq: message.seq }, 1100)
      test.fx.take()
      test.node.onPeerDown(ref('90'), 'disconnected', 1200, test.fx)
      assert.deepEqual(test.fx.sent(), [])
      test.node.onPeerDown(ref('80'), 'disconnected', 1300, test.fx)
      assert.equal(test.fx.sent()[0]![0], '60')
    })

    it('leaves the message here when this node becomes root by its death', () => {
      const test = bed('70', ['80', '40'])
      pass(test)
      test.app.takeLog()
      test.receive('40', { type: 'ring-dead', peer: ref('80') }, 400)
      assert.deepEqual(test.app.takeLog(), ['forward 85 hello hops=1 next=none', 'deliver 85 hello hops=1 from=c0'])
    })
  })

  describe('holding', () => {
    it('keeps a message whose closest node is only suspected, rather than deliver it here', () => {
      const test = bed('70', ['80', '40'])
      pass(test)
      test.app.takeLog()
      test.wake(1000)
      assert.deepEqual([test.fx.sent(), test.app.takeLog(), test.node.stats().holding], [[], [], 1])
    })

    it('sends it to the suspect as soon as that has answered', () => {
      const test = bed('70', ['80', '40'])
      const { message } = pass(test)
      test.wake(1000)
      test.fx.take()
      test.receive('80', { type: 'ring-alive', peer: ref('80') }, 1100)
      assert.deepEqual(test.fx.sent(), [['80', { ...message, seq: message.seq + 1 }]])
      assert.equal(test.node.stats().holding, 0)
    })

    it('tries the suspect again after a while even if the overlay says nothing', () => {
      const test = bed('70', ['80', '40'])
      pass(test)
      test.wake(1000)
      test.fx.take()
      test.wake(1499)
      assert.deepEqual(test.fx.sent(), [])
      test.wake(1500)
      assert.equal(test.fx.sent()[0]![0], '80')
    })

    it('tries each again at its own time', () => {
      const test = bed('70', ['80', '40'])
      pass(test, { nonce: 1 }, 0)
      pass(test, { nonce: 2 }, 300)
      const retried: Array<[number, number]> = []
      for (let now = 1000; now <= 1900; now += 100) {
        test.wake(now)
        retried.push(...test.fx.sent().map(([, message]) => [now, (message as RouteMessage).nonce] as [number, number]))
      }
      assert.deepEqual(retried, [
        [1500, 1],
        [1800, 2],
      ])
    })

    it('drops it when the suspect acknowledges after all', () => {
      const test = bed('70', ['80', '40'])
      const { message } = pass(test, { replyWithinMs: 9000 })
      test.wake(1000)
      test.receive('80', { type: 'ack', seq: message.seq }, 1200)
      assert.equal(test.node.stats().holding, 0)
    })

    it('keeps one of several copies, and answers them all', () => {
      const test = bed('70', ['80', '40'])
      test.overlay.ready = false
      for (const from of ['c0', '40', '40']) test.receive(from, routeMessage({ replyWithinMs: 9000 }), 0)
      assert.equal(test.node.stats().holding, 1)
      test.overlay.ready = true
      test.receive('40', { type: 'ring-dead', peer: ref('80') }, 100)
      const replies = test.fx.sent().filter(([, { type }]) => type === 'reply')
      assert.deepEqual(
        replies.map(([to]) => to),
        ['c0', '40'],
      )
      assert.equal(test.app.takeLog().filter((line) => line.startsWith('deliver')).length, 1)
    })

    it('gives up after the time a message may stay, with a reason', () => {
      const test = bed('70', ['80', '40'], { stayMs: 3000, rtoMaxMs: 1000 })
      pass(test, { replyWithinMs: 60_000 })
      const effects = []
      for (let now = 0; now <= 4000; now += 100) {
        test.wake(now)
        effects.push(...test.fx.take())
      }
      const [failure] = events(effects).filter(({ type }) => type === 'route-failed') as Array<KbrEvent & { type: 'route-failed' }>
      assert.equal(failure?.failure.reason, 'timed out')
      const refusals = effects.flatMap((effect) => (effect.effect === 'send' && effect.message.type === 'refusal' ? [effect] : []))
      assert.deepEqual(
        refusals.map(({ to }) => to),
        ['c0'],
      )
    })

    it('waits for this node to become a member, then goes on', () => {
      const test = bed('70', ['80', '40'])
      test.overlay.ready = false
      test.receive('c0', routeMessage(), 0)
      assert.deepEqual(test.fx.sent(), [['c0', { type: 'ack', seq: 7 }]])
      test.receive('40', { type: 'ring-ready' }, 10)
      assert.equal(test.fx.sent()[0]![0], '80')
    })
  })

  describe('limits', () => {
    it('fails a message that has made all the hops it may, naming the node', () => {
      const test = bed('00', ['80'], { hopLimit: 5 })
      test.receive('c0', routeMessage({ hops: 5, replyWithinMs: 9000 }), 0)
      const [, refusal] = test.fx.sent()
      assert.deepEqual(refusal, [
        'c0',
        { type: 'refusal', seq: 7, reason: 'hop limit', detail: '5 hops did not reach the root', at: [ref('00')], hops: 5, path: [] },
      ])
    })

    it('delivers a message that has made all the hops it may at its root', () => {
      const test = bed('80', ['00'], { hopLimit: 5 })
      test.receive('c0', routeMessage({ hops: 5 }), 0)
      assert.equal(test.node.stats().delivered, 1)
    })

    it('fails a message that comes by again and again on a long way', () => {
      const test = bed('00', ['80'], { looplessHops: 3, sightingsMax: 2 })
      for (const hops of [4, 7, 10]) test.receive('c0', routeMessage({ hops, replyWithinMs: 9000 }), 0)
      const refusals = test.fx.sent().filter(([, { type }]) => type === 'refusal')
      assert.equal(refusals.length, 1)
      assert.match((refusals[0]![1] as unknown as { detail: string }).detail, /passed here 2 times before/)
    })

    it('fails a message for which the overlay knows no way', () => {
      const test = bed('00', ['80'])
      test.overlay.nextHop = () => ({ action: 'none' })
      test.receive('c0', routeMessage({ replyWithinMs: 9000 }), 0)
      assert.deepEqual((test.fx.sent()[1]![1] as unknown as { reason: string }).reason, 'no route')
    })
  })

  it('is counted', () => {
    const test = bed('00', ['80', '90'])
    const first = pass(test)
    test.receive('80', { type: 'ack', seq: first.message.seq }, 10)
    test.receive('80', { type: 'ack', seq: first.message.seq }, 11)
    pass(test, { nonce: 2 }, 20)
    test.wake(1020)
    const { forwarded, timeouts, rerouted, late, inFlight } = test.node.stats()
    assert.deepEqual({ forwarded, timeouts, rerouted, late, inFlight }, { forwarded: 3, timeouts: 1, rerouted: 1, late: 1, inFlight: 1 })
  })

  describe("the overlay's own payloads", () => {
    it('are walked like any other, with the overlay asked on every node', () => {
      const test = bed('00', ['80'])
      test.receive('80', { type: 'ring-route', peer: ref('85') }, 0)
      assert.deepEqual(test.overlay.takeCalls(), ['own 85 own 0 80'])
      const [[to, message]] = test.fx.sent() as [[string, RouteMessage]]
      assert.deepEqual([to, message.application, message.replyWithinMs], ['80', 'overlay', 0])
    })

    it('end at the root, and are not acted on twice', () => {
      const test = bed('80', ['00'])
      for (const seq of [1, 2]) test.receive('00', routeMessage({ seq, application: 'overlay', hops: 2 }), 0)
      assert.deepEqual(test.overlay.takeCalls(), ['own 85 hello 2 root'])
    })

    it('end where the overlay says so', () => {
      const test = bed('00', ['80'])
      test.overlay.ownStops = true
      test.receive('c0', routeMessage({ application: 'overlay' }), 0)
      assert.deepEqual(test.fx.sent(), [['c0', { type: 'ack', seq: 7 }]])
    })
  })
})
