import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { encodeMessage } from '../src/codec.ts'
import { messages } from './arbitrary.ts'
import { Script, bytesOf, nodeOf, recordOf } from './script.ts'

const guid = guidOf(bytesOf('object'))
const [liar, before, beyond, host] = ['liar', 'before', 'beyond', 'host'].map(nodeOf) as [
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
]

const input = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), message: messages, keyed: fc.boolean(), root: fc.boolean() }),
  fc.record({ kind: fc.constant('request' as const), message: messages, wantsReply: fc.boolean() }),
  fc.record({ kind: fc.constant('reply' as const), message: messages }),
  fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 60 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 20_000 }) }),
)

describe('whatever strangers send', () => {
  it('the node goes on, keeps its bounds, and ends its commands', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        const script = new Script('self', { pointersMax: 8, pointersPerGuid: 3, answersMax: 4, deliveriesMax: 4, checksMax: 2 })
        script.node.publish({ guid, answers: true }, script.now, script)
        script.node.send({ guid: guidOf(bytesOf('elsewhere')), message: bytesOf('x'), n: 3 }, script.now, script)
        for (const each of inputs) {
          feed(script, each)
          script.node.assertInvariants()
        }
        script.settle()
        script.run(120_000)
        const { commands, deliveries, pointers } = script.node.stats()
        assert.deepEqual([commands, deliveries], [0, 0])
        assert.ok(pointers <= 8)
      }),
      { numRuns: 300 },
    )
  })

  it('no pointer goes because a stranger wants it to', () => {
    const takeAway = fc.oneof(
      fc.record({
        type: fc.constant('retract' as const),
        guid: fc.constant(guid),
        host: fc.constant(host.id),
        salt: fc.nat({ max: 3 }),
        signedAt: fc.nat(),
      }),
      fc.record({ type: fc.constant('moved' as const), guid: fc.constant(guid) }),
      fc.record({
        type: fc.constant('locate' as const),
        guid: fc.constant(guid),
        salt: fc.constant(0),
        wanted: fc.nat({ max: 20 }),
        excluded: fc.constant<readonly Guid[]>([host.id]),
        found: fc.constant([]),
      }),
    )
    fc.assert(
      fc.property(fc.array(takeAway, { maxLength: 20 }), (attempts) => {
        const script = new Script('self')
        script.publishes(recordOf(guid, host, script.now), before, beyond)
        for (const message of attempts) {
          script.receives(message, liar, false)
          if (message.type === 'locate') script.passes(encodeMessage(message), guid, liar, beyond)
        }
        for (const { id } of script.requested) script.answers(id, { type: 'pong', hosts: true, state: 'unknown' })
        assert.deepEqual(script.hostsOf(guid), [host])
      }),
    )
  })

  it('a record of a host that it did not sign is kept in no guise', () => {
    fc.assert(
      fc.property(messages, fc.boolean(), (message, root) => {
        const script = new Script('self')
        if (message.type === 'publish') script.publishes(message.record, liar, root ? undefined : beyond, { salt: message.salt % 8 })
        else if (message.type === 'copy') script.receives(message, liar)
        script.settle()
        assert.equal(script.node.stats().pointers, 0)
      }),
    )
  })

  it('a record cannot be repeated beyond its life', () => {
    const script = new Script('self', { maxSkewMs: 1_000 })
    const record = recordOf(guid, host, script.now, { ttlMs: 10_000 })
    for (let i = 0; i < 10; i++) {
      script.publishes(record, liar, beyond)
      script.run(1_500)
    }
    assert.deepEqual(script.hostsOf(guid), [])
  })
})

function feed(script: Script, each: typeof input extends fc.Arbitrary<infer T> ? T : never): void {
  switch (each.kind) {
    case 'pass': {
      const { message } = each
      const about = 'guid' in message ? message.guid : message.type === 'publish' ? message.record.guid : guid
      script.passes(encodeMessage(message), each.keyed ? about : guid, liar, each.root ? undefined : beyond)
      return
    }
    case 'request':
      script.receives(each.message, liar, each.wantsReply)
      return
    case 'reply': {
      const sent = script.requested.at(-1) ?? script.routed.at(-1)
      if (sent !== undefined) script.answers(sent.id, each.message)
      return
    }
    case 'bytes':
      script.receives(each.bytes, liar)
      script.passes(each.bytes, guid, liar, beyond)
      return
    case 'wait':
      script.run(each.ms)
  }
}
