import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { encodeMessage } from '../src/codec.ts'
import { messages } from './arbitrary.ts'
import type { DolrParts } from '../src/parts.ts'
import { rootKey } from '../src/records.ts'
import { Network } from './network.ts'
import { Script, bytesOf, nodeOf, recordOf } from './script.ts'

const guid = guidOf(bytesOf('object'))
const [liar, before, beyond, host] = ['liar', 'before', 'beyond', 'host'].map(nodeOf) as [
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
]

/** Signed by the host, and known to all. */
const genuine = recordOf(guid, host, new Script('any').now)
const liars = ['liar', 'another liar', 'third liar'].map(nodeOf)

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
        type: fc.constantFrom('recheck' as const, 'release' as const),
        guid: fc.constant(guid),
        host: fc.constant(host.id),
        salt: fc.nat({ max: 3 }),
      }),
      fc.record({
        type: fc.constant('publish' as const),
        record: fc.constant(genuine),
        salt: fc.constant(0),
        distanceMs: fc.nat({ max: 2 ** 32 - 1 }),
        stepMs: fc.nat({ max: 2 ** 32 - 1 }),
        step: fc.nat({ max: 5 }),
        push: fc.boolean(),
      }),
      fc.record({ type: fc.constant('copy' as const), records: fc.constant([genuine]), distanceMs: fc.nat({ max: 2 ** 32 - 1 }) }),
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
    const attempt = fc.record({ message: takeAway, from: fc.constantFrom(...liars), pauseMs: fc.nat({ max: 2_000 }) })
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 20 }), (attempts) => {
        const script = new Script('self')
        script.publishes(genuine, before, beyond)
        for (const { message, from, pauseMs } of attempts) {
          script.receives(message, from, false)
          if (message.type === 'locate' || message.type === 'publish') script.passes(encodeMessage(message), guid, from, beyond)
          script.run(pauseMs)
        }
        for (const { id, to, message } of script.requested) {
          if (message.type !== 'recheck') script.answers(id, { type: 'pong', hosts: true, state: 'unknown' })
          else if (to.id === before.id) script.answers(id, { type: 'kept' })
          else script.fails(id)
        }
        assert.deepEqual(script.hostsOf(guid), [host])
        assert.deepEqual(
          script.takeTold().filter(({ to }) => to.id === before.id || to.id === beyond.id),
          [],
          'nor do the pointers of others',
        )
      }),
    )
  })

  it('a genuine record repeated from off its way takes no pointer from the nodes on it, as often as it is repeated', () => {
    for (const victim of [0, 1, 2]) {
      const way = ['a', 'b', 'root'].map((name) => new Script(name)) as [Script, Script, Script]
      const next = (i: number): NodeRef | undefined => way[i + 1]?.self
      const record = recordOf(guid, host, way[0].now)
      for (const [i, node] of way.entries()) node.publishes(record, way[i - 1]?.self ?? host, next(i))
      for (let i = 0; i < 20; i++) {
        way[victim]!.publishes(record, liars[i % liars.length]!, next(victim), { distanceMs: i })
        carry(way)
        for (const node of way) node.run(700)
      }
      for (const node of way) assert.deepEqual(node.hostsOf(guid), [host])
    }
  })

  it('a whole network repeats a record and nobody on its way loses a pointer, nor does unpublishing leave one for longer than it may', () => {
    const config = { republishMs: 190_000, maxSkewMs: 1_000 }
    const network = new Network(50, config)
    const nodes = network.grow(60)
    network.run(5_000)
    const owner = nodes[0]!
    owner.host(guid)
    const onTheWay = nodes.filter((node) => node.pointers(guid).length > 0)
    assert.ok(onTheWay.length > 3, 'there are nodes between the host and the roots')
    const { record } = (owner.dolr as unknown as { parts: DolrParts }).parts.pointers.get(guid, owner.ref.id)!
    for (const stranger of nodes.slice(1)) {
      for (const salt of [0, 1]) {
        const repeated = encodeMessage({ type: 'publish', record, salt, distanceMs: 0, stepMs: 0, step: 0, push: false })
        stranger.command((_, fx) => (fx.route(rootKey(guid, salt), repeated), 0))
      }
      network.run(700)
      for (const node of onTheWay) assert.deepEqual(node.pointers(guid), [owner.name], node.name)
    }
    owner.unpublish(guid)
    network.run(210_000)
    assert.deepEqual(
      nodes.flatMap((node) => node.pointers(guid)),
      [],
    )
  }).timeout(30_000)

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

/** Brings what these nodes tell and ask each other, until they are silent. Nobody else answers. */
function carry(nodes: readonly Script[]): void {
  for (let work = true; work;) {
    work = false
    for (const from of nodes) {
      for (const { to, message, id } of [...from.takeTold(), ...from.requested.splice(0)]) {
        const target = nodes.find(({ self }) => self.id === to.id)
        work ||= target !== undefined
        const handle = target?.receives(message, from.self, id !== 0)
        if (handle !== undefined && handle !== 0) from.answers(id, target!.replies.get(handle)!)
        else if (id !== 0 && to.id === host.id) from.answers(id, { type: 'kept' })
        else if (id !== 0) from.fails(id)
      }
    }
  }
}

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
