import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { encodeMessage } from '../src/codec.ts'
import type { DeliveryOutcome, DolrMessage, SendCall } from '../src/messages.ts'
import { Script, bytesOf, nodeOf, recordOf, textOf } from './script.ts'

const guid = guidOf(bytesOf('object'))
const [root, first, second, before, beyond] = ['root', 'first', 'second', 'before', 'beyond'].map(nodeOf) as [
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
]

const sendCall = (changes: Partial<SendCall> = {}): Uint8Array =>
  encodeMessage({ type: 'send', guid, salt: 0, id: 7, attempt: 1, excluded: [], payload: bytesOf('hello'), ...changes })
const answer = (outcome: DeliveryOutcome, detail = '', text = ''): DolrMessage => ({
  type: 'answer',
  outcome,
  detail,
  payload: bytesOf(text),
})

describe("with the holder's choice", () => {
  describe('a node with pointers', () => {
    const holder = (): Script => {
      const script = new Script('self')
      script.publishes(recordOf(guid, first, script.now), before, beyond, { distanceMs: 10 })
      script.publishes(recordOf(guid, second, script.now), before, beyond, { distanceMs: 30 })
      return script
    }

    it('sends the message on to the host nearest to itself, but not to one that is ruled out', () => {
      const script = holder()
      assert.deepEqual(script.passes(sendCall(), guid, before, beyond).decision, { action: 'redirect', nextHop: first })
      assert.deepEqual(script.passes(sendCall({ id: 8, excluded: [first.id] }), guid, before, beyond).decision, {
        action: 'redirect',
        nextHop: second,
      })
      assert.equal(script.passes(sendCall({ id: 9, excluded: [first.id, second.id] }), guid, before, beyond).decision.action, 'continue')
      assert.deepEqual(new Set(script.requested.map(({ to }) => to.id)), new Set([first.id, second.id]), 'and asks those itself')
    })

    it('names a host that did not acknowledge it to the sender, instead of trying another', () => {
      const script = holder()
      script.passes(sendCall(), guid, before, beyond)
      const { decision, handle } = script.passes(sendCall(), guid, before, beyond)
      assert.equal(decision.action, 'stop')
      assert.deepEqual(script.replies.get(handle), {
        type: 'found',
        hosts: [{ node: first, distanceMs: 10 }],
        by: script.self,
        root: false,
      })
    })

    it('sends it to the same host when the sender tries again, though another is nearer by now', () => {
      const script = holder()
      script.passes(sendCall(), guid, before, beyond)
      script.roundTrips.set(second.id, 1)
      assert.deepEqual(script.passes(sendCall({ attempt: 2 }), guid, before, beyond).decision, { action: 'redirect', nextHop: first })
      assert.deepEqual(script.passes(sendCall({ id: 8 }), guid, before, beyond).decision, { action: 'redirect', nextHop: second })
    })

    it('ends a message whose next hop does not take it, and says so, instead of trying another way', () => {
      const script = new Script('self')
      assert.equal(script.passes(sendCall(), guid, before, beyond).decision.action, 'continue')
      const { decision, handle } = script.passes(sendCall(), guid, before, second)
      assert.equal(decision.action, 'stop')
      assert.deepEqual(script.replies.get(handle), { type: 'late', hop: beyond })
      assert.equal(script.passes(sendCall({ attempt: 2 }), guid, before, second).decision.action, 'continue')
      assert.equal(script.passes(sendCall({ id: 8 }), guid, before, second).decision.action, 'continue')
    })

    it('says what has become of a message, and takes none that it has said has not come', () => {
      const script = holder()
      const trace = (id: number, attempt: number): unknown =>
        script.replies.get(script.receives({ type: 'trace', guid, id, attempt }, before))
      script.passes(sendCall({ excluded: [first.id, second.id] }), guid, before, beyond)
      assert.deepEqual(trace(7, 1), { type: 'traced', state: 'onward', to: [beyond] })
      script.passes(sendCall({ id: 8 }), guid, before, beyond)
      assert.deepEqual(trace(8, 1), { type: 'traced', state: 'host', to: [first] })
      for (const [id, attempt] of [
        [9, 1],
        [8, 2],
      ] as const) {
        assert.deepEqual(trace(id, attempt), { type: 'traced', state: 'unknown', to: [] })
        assert.equal(script.passes(sendCall({ id, attempt }), guid, before, beyond).decision.action, 'reject')
        assert.equal(script.passes(sendCall({ id, attempt: attempt + 1 }), guid, before, beyond).decision.action, 'redirect')
      }
    })

    it('drops a pointer to a host that says it hosts the object no more, and to no other', () => {
      const script = holder()
      script.receives({ type: 'moved', guid }, first, false)
      assert.deepEqual(script.hostsOf(guid), [second])
    })
  })

  describe('a host', () => {
    it('answers the message back along its way', () => {
      const script = new Script('self')
      script.node.publish({ guid, answers: true }, script.now, script)
      script.settle()
      const { decision, handle } = script.passes(sendCall(), guid, before, beyond)
      assert.equal(decision.action, 'stop')
      script.node.answer(1, true, bytesOf('welcome'), script.now, script)
      assert.deepEqual(script.replies.get(handle), answer('answered', '', 'welcome'))
    })

    it('handles a message once that came by a holder first and directly then, or the other way round', () => {
      const script = new Script('self')
      script.node.publish({ guid, answers: true }, script.now, script)
      script.settle()
      script.passes(sendCall(), guid, before, beyond)
      script.receives({ type: 'deliver', guid, id: 7, payload: bytesOf('hello') }, first)
      script.receives({ type: 'deliver', guid, id: 8, payload: bytesOf('hello') }, first)
      script.node.answer(2, true, bytesOf('welcome'), script.now, script)
      const { handle } = script.passes(sendCall({ id: 8 }), guid, before, beyond)
      assert.deepEqual(script.replies.get(handle), answer('answered', '', 'welcome'))
      assert.equal(script.eventsOf('dolr:message').length, 2)
    })

    it('says that it has a message, or that it has not and will not take it but from its sender', () => {
      const script = new Script('self')
      script.node.publish({ guid, answers: true }, script.now, script)
      script.settle()
      script.passes(sendCall(), guid, before, beyond)
      const states = [7, 8].map((id) => script.replies.get(script.receives({ type: 'trace', guid, id, attempt: 1 }, root)))
      assert.deepEqual(states, [
        { type: 'traced', state: 'here', to: [] },
        { type: 'traced', state: 'unknown', to: [] },
      ])
      assert.equal(script.passes(sendCall({ id: 8 }), guid, before, beyond).decision.action, 'reject')
      assert.equal(script.eventsOf('dolr:message').length, 1)
      script.receives({ type: 'deliver', guid, id: 8, payload: bytesOf('hello') }, root)
      assert.equal(script.eventsOf('dolr:message').length, 2)
    })

    it('that hosts it no more says so to whoever sent the message on, and lets it go on', () => {
      const script = new Script('self', { roots: 1 })
      script.node.publish({ guid, answers: true }, script.now, script)
      script.settle()
      script.node.unpublish({ guid }, script.now, script)
      script.settle()
      assert.equal(script.passes(sendCall(), guid, before, beyond).decision.action, 'continue')
      assert.deepEqual(script.takeTold(), [{ to: before, message: { type: 'moved', guid }, id: 0 }])
    })

    it('refuses a message under a key that is not its own', () => {
      const script = new Script('self')
      assert.equal(script.passes(sendCall(), guidOf(bytesOf('another')), before, beyond).decision.action, 'reject')
    })
  })

  describe('a sender', () => {
    const sending = (config = {}): Script => {
      const script = new Script('self', { roots: 1, choose: 'holder', retryMs: 100, ...config })
      script.node.send({ guid, message: bytesOf('hello') }, script.now, script)
      return script
    }
    const outcome = (script: Script) => script.eventsOf('dolr:done').at(-1)?.outcome

    it('gets the answer and does not learn whose it is', () => {
      const script = sending()
      assert.equal(script.routed[0]!.message.type, 'send')
      script.answers(script.routed[0]!.id, answer('answered', '', 'welcome'))
      assert.deepEqual(
        script.eventsOf('dolr:reply').map(({ host, payload }) => [host, textOf(payload)]),
        [[undefined, 'welcome']],
      )
      assert.deepEqual(outcome(script), { ok: true, value: [] })
    })

    it('asks a host that may have the message directly, under the same number, and goes on without it when it is dead', () => {
      const script = sending()
      const { id } = script.routed[0]!.message as SendCall
      script.answers(script.routed[0]!.id, { type: 'found', hosts: [{ node: first, distanceMs: 1 }], by: root, root: false })
      assert.deepEqual(script.requested[0]!.message, { type: 'deliver', guid, id, payload: bytesOf('hello') })
      script.fails(script.requested[0]!.id)
      assert.deepEqual((script.routed[1]!.message as SendCall).excluded, [first.id])
      script.answers(script.routed[1]!.id, { type: 'found', hosts: [{ node: second, distanceMs: 1 }], by: root, root: false })
      script.answers(script.requested[1]!.id, answer('answered', '', 'late'))
      assert.deepEqual(outcome(script), { ok: true, value: [second] })
    })

    it('tries again by the same root when nothing comes back, under the next attempt', () => {
      const script = sending({ roots: 2 })
      script.fails(script.routed[0]!.id)
      const [one, two] = script.routed.map(({ message }) => message as SendCall)
      assert.deepEqual([two!.salt, two!.id, two!.attempt], [one!.salt, one!.id, one!.attempt + 1])
    })

    it('follows a message whose way ended to the host that has it, from node to node', () => {
      const script = sending()
      const { id } = script.routed[0]!.message as SendCall
      script.answers(script.routed[0]!.id, { type: 'late', hop: before })
      assert.deepEqual([script.requested[0]!.to, script.requested[0]!.message], [before, { type: 'trace', guid, id, attempt: 1 }])
      script.answers(script.requested[0]!.id, { type: 'traced', state: 'onward', to: [beyond] })
      assert.deepEqual(script.requested[1]!.to, beyond)
      script.answers(script.requested[1]!.id, { type: 'traced', state: 'host', to: [first] })
      assert.deepEqual([script.requested[2]!.to, script.requested[2]!.message.type], [first, 'deliver'])
      script.answers(script.requested[2]!.id, answer('answered', '', 'welcome'))
      assert.deepEqual(outcome(script), { ok: true, value: [first] })
      assert.equal(script.routed.length, 1)
    })

    it('sends it again when it has not come, or when whoever had it cannot be asked', () => {
      for (const isSilent of [false, true]) {
        const script = sending()
        script.answers(script.routed[0]!.id, { type: 'late', hop: before })
        if (isSilent) script.fails(script.requested[0]!.id)
        else script.answers(script.requested[0]!.id, { type: 'traced', state: 'unknown', to: [] })
        script.run(200)
        assert.equal((script.routed[1]!.message as SendCall).attempt, 2)
      }
    })

    it('begins with its own next hop when nothing comes back at all', () => {
      const script = sending()
      const call = script.routed[0]!.message as SendCall
      script.passes(encodeMessage(call), guid, script.self, before, 0)
      script.fails(script.routed[0]!.id)
      assert.deepEqual([script.requested[0]!.to, script.requested[0]!.message.type], [before, 'trace'])
      assert.equal(script.routed.length, 1)
    })

    it('looks where a host that is none has sent the message on to', () => {
      const script = sending()
      script.answers(script.routed[0]!.id, { type: 'found', hosts: [{ node: first, distanceMs: 1 }], by: root, root: false })
      script.answers(script.requested[0]!.id, answer('not hosted'))
      assert.deepEqual([script.requested[1]!.to, script.requested[1]!.message.type], [first, 'trace'])
      script.answers(script.requested[1]!.id, { type: 'traced', state: 'host', to: [second] })
      assert.deepEqual([script.requested[2]!.to, script.requested[2]!.message.type], [second, 'deliver'])
    })

    it('ends with what the handler refused, and tries on where nobody took the message', () => {
      const refused = sending()
      refused.answers(refused.routed[0]!.id, answer('refused', 'the room is closed'))
      const end = outcome(refused)
      assert.ok(end?.ok === false && /the room is closed/.test(end.error.message))
      const busy = sending()
      busy.answers(busy.routed[0]!.id, answer('busy', 'too many'))
      busy.run(200)
      assert.equal(busy.routed.length, 2)
      const none = sending({ searchRounds: 1 })
      none.answers(none.routed[0]!.id, { type: 'absent', root })
      assert.equal(outcome(none)?.ok, false)
    })

    it('sends long messages, and those to several hosts, itself', () => {
      const script = new Script('self', { roots: 1, choose: 'holder', holderBytesMax: 4 })
      script.node.send({ guid, message: bytesOf('hello') }, script.now, script)
      script.node.send({ guid, message: bytesOf('x'), n: 2 }, script.now, script)
      assert.deepEqual(
        script.routed.map(({ message }) => message.type),
        ['locate', 'locate'],
      )
    })
  })
})

describe('locate', () => {
  const locating = (n: number, checked = true): Script => {
    const script = new Script('self', { roots: 1, searchRounds: 1 })
    script.node.locate({ guid, n, checked }, script.now, script)
    return script
  }
  const found = (hosts: Array<typeof root>): DolrMessage => ({
    type: 'found',
    hosts: hosts.map((node, i) => ({ node, distanceMs: 10 * i })),
    by: root,
    root: true,
  })
  const names = (script: Script): string[] => {
    const outcome = script.eventsOf('dolr:done').at(-1)?.outcome
    if (outcome?.ok !== true) return [outcome?.error.name ?? 'not ended']
    return (outcome.value as Array<typeof root>).map(({ address }) => address)
  }

  it('names hosts nearest to this node first, then as whoever found them measured', () => {
    const script = locating(3, false)
    script.roundTrips.set(beyond.id, 5)
    script.answers(script.routed[0]!.id, found([first, second, beyond]))
    assert.deepEqual(names(script), ['test:beyond', 'test:first', 'test:second'])
  })

  it('asks the hosts first if it is to check them, names those that are, and looks on without the others', () => {
    const script = locating(2)
    script.answers(script.routed[0]!.id, found([first, second]))
    assert.deepEqual(
      script.requested.map(({ message }) => message.type),
      ['ping', 'ping'],
    )
    script.fails(script.requested[0]!.id)
    script.answers(script.requested[1]!.id, { type: 'pong', hosts: true, state: 'unknown' })
    assert.deepEqual(
      new Set((script.routed[1]!.message as { excluded: readonly Guid[] } & DolrMessage).excluded),
      new Set([first.id, second.id]),
    )
    script.answers(script.routed[1]!.id, { type: 'absent', root })
    assert.deepEqual(names(script), ['test:second'])
  })

  it('finds nobody when none of them says that it hosts the object', () => {
    const script = locating(1)
    script.answers(script.routed[0]!.id, found([first]))
    script.answers(script.requested[0]!.id, { type: 'pong', hosts: false, state: 'unknown' })
    script.answers(script.routed[1]!.id, { type: 'absent', root })
    assert.deepEqual(names(script), ['NotFoundError'])
  })

  it('names those it has when its time is up', () => {
    const script = locating(2)
    script.answers(script.routed[0]!.id, found([first, second]))
    script.answers(script.requested[0]!.id, { type: 'pong', hosts: true, state: 'unknown' })
    script.run(10_000)
    assert.deepEqual(names(script), ['test:first'])
  })
})
