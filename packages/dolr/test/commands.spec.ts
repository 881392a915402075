import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { dolrConfig } from '../src/config.ts'
import type { DolrOutcome } from '../src/events.ts'
import { dolrDefaults } from '../src/index.ts'
import type { DolrMessage } from '../src/messages.ts'
import { encodeMessage } from '../src/codec.ts'
import type { SignedRecord } from '../src/records.ts'
import { rootKey } from '../src/records.ts'
import { Script, bytesOf, nodeOf, recordOf, textOf } from './script.ts'

const guid = guidOf(bytesOf('object'))
const [root, salted, first, second, third] = ['root', 'salted root', 'first', 'second', 'third'].map(nodeOf) as [
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
]

const outcomeOf = (script: Script): DolrOutcome | undefined => script.eventsOf('dolr:done').at(-1)?.outcome
const errorOf = (script: Script): string => {
  const outcome = outcomeOf(script)
  return outcome === undefined ? 'not ended' : outcome.ok ? 'no error' : `${outcome.error.name}: ${outcome.error.message}`
}
const absent = (who: typeof root): DolrMessage => ({ type: 'absent', root: who })
const found = (hosts: Array<typeof root>, isRoot = true): DolrMessage => ({
  type: 'found',
  hosts: hosts.map((node, i) => ({ node, distanceMs: 10 * i })),
  by: root,
  root: isRoot,
})
const answer = (text: string): DolrMessage => ({ type: 'answer', outcome: 'answered', detail: '', payload: bytesOf(text) })
const declined = (outcome: 'not hosted' | 'nobody answers' | 'busy'): DolrMessage => ({
  type: 'answer',
  outcome,
  detail: `it is ${outcome}`,
  payload: new Uint8Array(0),
})

/** A script whose publish is on its way. */
function publishing(script: Script): void {
  script.node.publish({ guid, answers: true }, script.now, script)
  script.settle()
}

describe('publish', () => {
  it('sends one signed record towards every root, and ends well when one has it', () => {
    const script = new Script('self', { roots: 3 })
    publishing(script)
    assert.deepEqual(
      script.routed.map(({ to }) => to),
      [0, 1, 2].map((salt) => rootKey(guid, salt)),
    )
    script.fails(script.routed[0]!.id)
    script.answers(script.routed[1]!.id, { type: 'refusal', detail: 'no room', signedAt: 0 })
    assert.equal(outcomeOf(script), undefined)
    script.answers(script.routed[2]!.id, { type: 'published', root: salted })
    assert.deepEqual(outcomeOf(script), { ok: true, value: { guid, roots: [salted], wanted: 3 } })
  })

  it('tries again until its time is up, says why it failed, and then does not host the object', () => {
    const script = new Script('self', { roots: 1 })
    script.node.publish({ guid, timeoutMs: 2_000 }, script.now, script)
    script.settle()
    script.answers(script.routed[0]!.id, { type: 'refusal', detail: 'no room for more', signedAt: 0 })
    script.run(1_000)
    assert.ok(script.routed.length > 1)
    script.run(1_500)
    assert.match(errorOf(script), /^RouteError: .*no room for more/)
    assert.equal(script.node.hosts(guid), false)
    assert.deepEqual(script.hostsOf(guid), [])
  })

  it('that fails takes back nothing that another of the same object has achieved', () => {
    const script = new Script('self', { roots: 1 })
    script.node.publish({ guid, timeoutMs: 1_000 }, script.now, script)
    script.node.publish({ guid }, script.now, script)
    script.settle()
    script.answers(script.routed[1]!.id, { type: 'published', root })
    assert.deepEqual(outcomeOf(script), { ok: true, value: { guid, roots: [root], wanted: 1 } })
    script.run(2_000)
    assert.match(errorOf(script), /^DeadlineError/, 'the first had less time')
    assert.equal(script.node.hosts(guid), true)
    script.run(60_000 * 1.1)
    assert.equal(script.routed.length, 3, 'and is repeated')
  })

  it('that fails leaves the object to another that is under way, but not its own promise that somebody answers', () => {
    const script = new Script('self', { roots: 1 })
    script.node.publish({ guid, timeoutMs: 1_000, answers: true }, script.now, script)
    script.node.publish({ guid, timeoutMs: 5_000 }, script.now, script)
    script.settle()
    const deliver: DolrMessage = { type: 'deliver', guid, id: 1, payload: bytesOf('hello') }
    script.run(1_000)
    assert.equal(script.node.hosts(guid), true)
    assert.equal((script.replies.get(script.receives(deliver, first)) as { outcome: string } & DolrMessage).outcome, 'nobody answers')
    script.run(4_000)
    assert.equal(script.node.hosts(guid), false, 'neither could make it known')
  })

  it('that is undone by unpublish fails, and leaves a later one alone', () => {
    const script = new Script('self', { roots: 1 })
    const outcomes = (): boolean[] => script.eventsOf('dolr:done').map(({ outcome }) => outcome.ok)
    publishing(script)
    script.node.unpublish({ guid }, script.now, script)
    script.settle()
    script.answers(script.routed[0]!.id, { type: 'published', root })
    assert.match(errorOf(script), /^RouteError: .*the object was unpublished meanwhile/)
    script.answers(script.routed[1]!.id, { type: 'published', root })
    assert.deepEqual(outcomes(), [false, true])
    script.node.publish({ guid, timeoutMs: 1_000 }, script.now, script)
    script.settle()
    script.node.unpublish({ guid }, script.now, script)
    publishing(script)
    script.answers(script.routed.at(-1)!.id, { type: 'published', root })
    script.run(2_000)
    assert.equal(script.node.hosts(guid), true)
  })

  it('that is abandoned ends, and is withdrawn where nobody else has published the object', () => {
    const script = new Script('self', { roots: 1 })
    const command = script.node.publish({ guid }, script.now, script)
    script.settle()
    script.node.abandon(command, script.now, script)
    assert.match(errorOf(script), /abandoned/)
    assert.equal(script.node.hosts(guid), false)
    script.settle()
    assert.equal((script.routed.at(-1)!.message as { record: SignedRecord } & DolrMessage).record.withdrawn, true)
    publishing(script)
    const second = script.node.publish({ guid }, script.now, script)
    const sent = script.routed.length
    script.node.abandon(second, script.now, script)
    script.node.abandon(second, script.now, script)
    script.settle()
    assert.equal(script.node.hosts(guid), true)
    assert.ok(script.routed.slice(sent).every(({ message }) => !(message as { record: SignedRecord } & DolrMessage).record.withdrawn))
  })

  it('leaps over a record of its own that is dated later: its clock was set back', () => {
    const script = new Script('self', { roots: 1 })
    publishing(script)
    const later = script.now + 60_000
    script.answers(script.routed[0]!.id, { type: 'refusal', detail: 'there is a newer record', signedAt: later })
    script.run(1_000)
    const { record } = script.routed[1]!.message as { record: { signedAt: number } } & DolrMessage
    assert.equal(record.signedAt, later + 1)
  })

  it('does not believe a root that dates such a record beyond what anybody accepts', () => {
    const script = new Script('self', { roots: 1, maxSkewMs: 1_000 })
    publishing(script)
    script.answers(script.routed[0]!.id, { type: 'refusal', detail: 'there is a newer record', signedAt: Number.MAX_SAFE_INTEGER })
    script.run(1_000)
    const { record } = script.routed[1]!.message as { record: { signedAt: number } } & DolrMessage
    assert.ok(record.signedAt <= script.now)
  })

  it('is repeated now and again until unpublish, which has the last word', () => {
    const script = new Script('self', { roots: 1 })
    publishing(script)
    script.answers(script.routed[0]!.id, { type: 'published', root })
    script.run(200_000)
    const published = script.routed.length
    assert.ok(published >= 3 && published <= 4, `${published} in 200 s`)
    script.node.unpublish({ guid }, script.now, script)
    script.settle()
    const dates = script.routed.map(({ message }) => (message as { record: { signedAt: number } } & DolrMessage).record.signedAt)
    assert.deepEqual(
      dates,
      [...new Set(dates)].toSorted((a, b) => a - b),
    )
    assert.equal((script.routed.at(-1)!.message as { record: { withdrawn: boolean } } & DolrMessage).record.withdrawn, true)
    script.run(200_000)
    assert.equal(script.routed.slice(published).filter(({ message }) => message.type === 'publish').length > 0, true)
    assert.ok(
      script.routed.slice(published).every(({ message }) => (message as { record: { withdrawn: boolean } } & DolrMessage).record.withdrawn),
    )
  })

  it('of more than may be hosted ends as overloaded, and unpublish of what is not hosted as not found', () => {
    const script = new Script('self', { publicationsMax: 1 })
    publishing(script)
    script.node.publish({ guid: guidOf(bytesOf('one more')) }, script.now, script)
    assert.match(errorOf(script), /^RouteError: overloaded: this node hosts 1 objects already/)
    script.node.unpublish({ guid: guidOf(bytesOf('one more')) }, script.now, script)
    assert.match(errorOf(script), /^NotFoundError: this node does not host the object/)
  })
})

describe('send', () => {
  const sending = (config = {}, n = 1): Script => {
    const script = new Script('self', { roots: 1, ...config })
    script.node.send({ guid, message: bytesOf('hello'), n }, script.now, script)
    return script
  }

  it('asks towards a root, sends to the host, and ends with its answer', () => {
    const script = sending()
    assert.deepEqual(script.routed[0]!.message, { type: 'locate', guid, salt: 0, wanted: 1, excluded: [], found: [] })
    script.answers(script.routed[0]!.id, found([first]))
    assert.equal(script.requested[0]!.to.id, first.id)
    script.answers(script.requested[0]!.id, answer('welcome'))
    assert.deepEqual(outcomeOf(script), { ok: true, value: [first] })
    assert.deepEqual(
      script.eventsOf('dolr:reply').map(({ payload }) => textOf(payload)),
      ['welcome'],
    )
  })

  it('measures before it chooses, and takes the first that answers', () => {
    const script = sending()
    script.answers(script.routed[0]!.id, found([first, second, third]))
    assert.deepEqual(
      script.requested.map(({ to, message }) => [to.id, message.type]),
      [first, second, third].map(({ id }) => [id, 'ping']),
    )
    script.answers(script.requested[1]!.id, { type: 'pong', hosts: true, state: 'unknown' })
    assert.equal(script.requested[3]!.to.id, second.id)
    assert.equal(script.requested[3]!.message.type, 'deliver')
  })

  it('does not wait for a pong longer than a measured host would take', () => {
    const script = new Script('self', { roots: 1 })
    script.roundTrips.set(third.id, 40)
    script.node.send({ guid, message: bytesOf('hello') }, script.now, script)
    script.answers(script.routed[0]!.id, found([first, second, third]))
    assert.equal(script.requested.length, 2)
    script.run(39)
    assert.equal(script.requested.length, 2)
    script.run(1)
    assert.equal(script.requested[2]!.to.id, third.id)
  })

  it('pings nobody when all are measured, or all are needed', () => {
    const script = new Script('self', { roots: 1 })
    script.roundTrips.set(first.id, 40).set(second.id, 9)
    script.node.send({ guid, message: bytesOf('hello') }, script.now, script)
    script.answers(script.routed[0]!.id, found([first, second]))
    assert.deepEqual(
      script.requested.map(({ to }) => to.id),
      [second.id],
    )
    const both = sending({}, 2)
    both.answers(both.routed[0]!.id, found([first, second]))
    assert.deepEqual(
      both.requested.map(({ message }) => message.type),
      ['deliver', 'deliver'],
    )
  })

  it('passes over a host that does not answer, and tells the next search of it', () => {
    const script = sending()
    script.answers(script.routed[0]!.id, found([first]))
    script.fails(script.requested[0]!.id)
    assert.deepEqual((script.routed[1]!.message as { excluded: readonly Guid[] } & DolrMessage).excluded, [first.id])
    script.answers(script.routed[1]!.id, found([second]))
    script.answers(script.requested[1]!.id, answer('welcome'))
    assert.deepEqual(outcomeOf(script), { ok: true, value: [second] })
  })

  it('gives a silent host up when a ping does not reach it, and waits on for one that is at it', () => {
    const script = sending({ commandMs: 60_000 })
    script.answers(script.routed[0]!.id, found([first]))
    for (let i = 1; i < 10; i++) {
      script.run(1_000)
      assert.equal(script.requested.length, i + 1)
      const ping = script.requested[i]!
      assert.equal(ping.message.type, 'ping')
      script.answers(ping.id, { type: 'pong', hosts: true, state: 'open' })
    }
    script.run(1_000)
    script.fails(script.requested[10]!.id)
    assert.equal(script.routed.length, 2)
    assert.equal(outcomeOf(script), undefined)
  })

  it('goes on at once when a host was started anew and does not host the object any more', () => {
    const script = sending()
    script.answers(script.routed[0]!.id, found([first]))
    script.run(1_000)
    script.answers(script.requested[1]!.id, { type: 'pong', hosts: false, state: 'unknown' })
    assert.deepEqual((script.routed[1]!.message as { excluded: readonly Guid[] } & DolrMessage).excluded, [first.id])
  })

  it('asks towards the next root too when the first is slow, and takes the first answer', () => {
    const script = sending({ roots: 3, hedgeMs: 400 })
    script.run(399)
    assert.equal(script.routed.length, 1)
    script.run(1)
    assert.equal(script.routed.length, 2)
    script.answers(script.routed[1]!.id, found([first]))
    script.run(500)
    script.answers(script.routed[0]!.id, found([second]))
    assert.equal(script.routed.length, 2)
    assert.deepEqual(
      script.requested.map(({ to }) => to.id),
      [first.id],
    )
    script.fails(script.requested[0]!.id)
    assert.equal(script.routed[2]!.to, script.routed[1]!.to, 'where one host was found there may be more')
  })

  it('waits for a slow root when a fast one knows no host', () => {
    const script = sending({ roots: 2, hedgeMs: 400 })
    script.run(400)
    script.answers(script.routed[1]!.id, absent(root))
    assert.equal(script.routed.length, 2)
    script.answers(script.routed[0]!.id, found([first]))
    script.answers(script.requested[0]!.id, answer('welcome'))
    assert.equal(outcomeOf(script)?.ok, true)
  })

  it('believes that there is no host when every root has said so in every round', () => {
    const script = sending({ roots: 2, searchRounds: 2, retryMs: 100 })
    for (const round of [0, 1]) {
      script.answers(script.routed[2 * round]!.id, absent(root))
      script.answers(script.routed[2 * round + 1]!.id, absent(salted))
      script.run(200)
    }
    assert.equal(script.routed.length, 4)
    assert.match(errorOf(script), /^NotFoundError: no host of .* was found: the root .* knows no host; the root .* knows no host$/)
  })

  it('looks on while a root cannot be reached, until its time is up', () => {
    const script = sending({ searchRounds: 1, commandMs: 7_000 })
    for (let i = 0; i < 4; i++) {
      script.fails(script.routed[i]!.id, 'nobody there')
      script.run(1_500)
    }
    assert.equal(outcomeOf(script), undefined)
    script.run(1_000)
    assert.match(errorOf(script), /^NotFoundError: .*nobody there/)
  })

  it('ends soon when the only host answers no messages', () => {
    for (const outcome of ['nobody answers', 'not hosted'] as const) {
      const script = sending({ searchRounds: 2, retryMs: 100 })
      script.answers(script.routed[0]!.id, found([first]))
      script.answers(script.requested[0]!.id, declined(outcome))
      for (let i = 1; i < script.routed.length; i++) {
        script.answers(script.routed[i]!.id, absent(root))
        script.run(200)
      }
      assert.match(errorOf(script), new RegExp(`^NotFoundError: .* did not take the message: it is ${outcome}; then no host`))
    }
  })

  it('tries a busy host again', () => {
    const script = sending({ retryMs: 100 })
    script.answers(script.routed[0]!.id, found([first]))
    script.answers(script.requested[0]!.id, declined('busy'))
    script.answers(script.routed[1]!.id, absent(root))
    script.run(200)
    assert.deepEqual((script.routed[2]!.message as { excluded: readonly Guid[] } & DolrMessage).excluded, [])
    script.answers(script.routed[2]!.id, found([first]))
    script.answers(script.requested[1]!.id, answer('now'))
    assert.equal(outcomeOf(script)?.ok, true)
    const ids = script.requested.map(({ message }) => (message as { id: number } & DolrMessage).id)
    assert.equal(ids[0], ids[1], 'under the same number, so that it is not handled twice')
  })

  it('takes a refusal of the handler for the answer', () => {
    const script = sending()
    script.answers(script.routed[0]!.id, found([first]))
    script.answers(script.requested[0]!.id, {
      type: 'answer',
      outcome: 'refused',
      detail: 'the room is closed',
      payload: new Uint8Array(0),
    })
    assert.match(errorOf(script), /^RouteError: .* refused the message to .*: the room is closed/)
  })

  it('ends with what there is when one of several has answered and time is up', () => {
    const script = sending({ commandMs: 2_000 }, 3)
    script.answers(script.routed[0]!.id, found([first, second]))
    script.answers(script.requested[0]!.id, answer('one'))
    script.run(3_000)
    assert.deepEqual(outcomeOf(script), { ok: true, value: [first] })
  })

  it('survives any reply, garbage included', () => {
    const strange: DolrMessage[] = [
      { type: 'kept' },
      { type: 'published', root },
      found([]),
      answer('not asked'),
      { type: 'pong', hosts: true, state: 'over' },
    ]
    for (const message of strange) {
      const script = sending()
      script.answers(script.routed[0]!.id, message)
      script.run(20_000)
      assert.equal(outcomeOf(script)?.ok, false)
    }
    const script = sending()
    script.node.onReply(
      script.routed[0]!.id,
      { ok: true, payload: Uint8Array.of(1, 2, 3), hops: 1, elapsedMs: 1, path: [] },
      script.now,
      script,
    )
    assert.equal(script.node.stats().garbage, 1)
    script.run(20_000)
    assert.equal(outcomeOf(script)?.ok, false)
    assert.equal(script.node.stats().commands, 0)
  })
})

describe('a search that passes', () => {
  it('is answered by the first node that knows enough hosts; one that knows fewer adds them', () => {
    const script = new Script('self')
    script.publishes(recordAt(script, first), second, third, { distanceMs: 30 })
    script.publishes(recordAt(script, second), second, third, { distanceMs: 10 })
    const one = locating(script, { wanted: 1 })
    assert.deepEqual((script.replies.get(one.handle) as { hosts: unknown[] } & DolrMessage).hosts, [
      { node: second, distanceMs: 10 },
      { node: first, distanceMs: 30 },
    ])
    const three = locating(script, { wanted: 3 })
    assert.equal(three.decision.action, 'replace')
    const excluding = locating(script, { wanted: 1, excluded: [first.id, second.id] })
    assert.equal(excluding.decision.action, 'continue')
  })

  it('is neither answered with nor stopped by a pointer that has expired and is still there', () => {
    const script = new Script('self', { sweepMs: 86_400_000 })
    script.publishes(recordOf(guid, first, script.now, { ttlMs: 10_000 }), root, salted)
    script.publishes(recordOf(guid, second, script.now), root, salted)
    script.run(10_000)
    assert.equal(script.node.stats().pointers, 2, 'nobody has swept')
    const one = locating(script, { wanted: 1 })
    assert.deepEqual(
      (script.replies.get(one.handle) as { hosts: Array<{ node: unknown }> } & DolrMessage).hosts.map(({ node }) => node),
      [second],
    )
    script.run(190_000)
    assert.equal(script.node.stats().pointers, 2, 'nobody has swept')
    const none = locating(script, { wanted: 1 })
    assert.equal(none.decision.action, 'continue')
    assert.equal(script.replies.get(none.handle), undefined)
    const held = encodeMessage({ type: 'send', guid, salt: 0, id: 9, attempt: 1, excluded: [], payload: bytesOf('hello') })
    assert.equal(script.passes(held, guid, root, salted).decision.action, 'continue')
  })

  it('makes a node ask the hosts it found of no use, and drop those that are', () => {
    const script = new Script('self')
    for (const host of [first, second, third]) script.publishes(recordAt(script, host), root, salted)
    locating(script, { wanted: 1, excluded: [first.id, second.id, third.id] })
    locating(script, { wanted: 1, excluded: [first.id, second.id, third.id] })
    assert.ok(script.requested.every(({ message }) => message.type === 'ping'))
    assert.deepEqual(script.requested.map(({ to }) => to.id).toSorted(), [first.id, second.id, third.id].toSorted(), 'once')
    const pings = new Map(script.requested.map(({ to, id }) => [to.id, id]))
    script.fails(pings.get(first.id)!)
    script.answers(pings.get(second.id)!, { type: 'pong', hosts: false, state: 'unknown' })
    script.answers(pings.get(third.id)!, { type: 'pong', hosts: true, state: 'unknown' })
    assert.deepEqual(script.hostsOf(guid), [third], 'a stranger only said so')
    assert.equal(script.node.stats().dropped, 2)
  })
})

describe('a host', () => {
  const deliver = (id: number, text = 'hello'): DolrMessage => ({ type: 'deliver', guid, id, payload: bytesOf(text) })
  const hosting = (config = {}): Script => {
    const script = new Script('self', config)
    publishing(script)
    for (const { id } of script.routed) script.answers(id, { type: 'published', root })
    return script
  }

  it('hands a message to its handler once, however often it comes, and the answer to all that wait', () => {
    const script = hosting()
    const handles = [script.receives(deliver(7), first), script.receives(deliver(7), first)]
    assert.equal(script.eventsOf('dolr:message').length, 1)
    script.node.answer(1, true, bytesOf('welcome'), script.now, script)
    handles.push(script.receives(deliver(7), first))
    for (const handle of handles) assert.deepEqual(script.replies.get(handle), answer('welcome'))
    assert.equal(script.eventsOf('dolr:message').length, 1)
    assert.deepEqual(script.replies.get(script.receives({ type: 'ping', guid, id: 7 }, first)), {
      type: 'pong',
      hosts: true,
      state: 'over',
    })
    script.run(61_000)
    assert.deepEqual(script.replies.get(script.receives({ type: 'ping', guid, id: 7 }, first)), {
      type: 'pong',
      hosts: true,
      state: 'unknown',
    })
  })

  it('takes the same number for another message when it comes from another sender, or is about another object', () => {
    const script = hosting()
    const lobby = guidOf(bytesOf('another object'))
    script.node.publish({ guid: lobby, answers: true }, script.now, script)
    script.settle()
    script.receives(deliver(7), first)
    script.node.answer(1, true, bytesOf('for the first only'), script.now, script)
    assert.equal(script.replies.get(script.receives(deliver(7), second)), undefined)
    assert.equal(script.replies.get(script.receives({ ...deliver(7), guid: lobby } as DolrMessage, first)), undefined)
    assert.equal(script.eventsOf('dolr:message').length, 3)
    const states = [first, second, third].map(
      (from) => (script.replies.get(script.receives({ type: 'ping', guid, id: 7 }, from)) as { state: string } & DolrMessage).state,
    )
    assert.deepEqual(states, ['over', 'open', 'unknown'])
  })

  it('does not keep long answers, but remembers that there was one', () => {
    const script = hosting({ keptAnswerBytesMax: 4 })
    script.receives(deliver(7), first)
    script.node.answer(1, true, bytesOf('a long answer'), script.now, script)
    assert.match((script.replies.get(script.receives(deliver(7), first)) as { detail: string } & DolrMessage).detail, /too long to be kept/)
  })

  it('takes no more messages than it may have open, and none twice as long as a handler may take', () => {
    const script = hosting({ deliveriesMax: 2, workShares: 1, handlerMs: 5_000 })
    const [kept, , refused] = [1, 2, 3].map((id) => script.receives(deliver(id), first))
    assert.equal((script.replies.get(refused!) as { outcome: string } & DolrMessage).outcome, 'busy')
    script.run(5_000)
    assert.match((script.replies.get(kept!) as { detail: string } & DolrMessage).detail, /did not answer within 5000 ms/)
    assert.equal(script.node.stats().deliveries, 0)
    script.node.answer(1, true, bytesOf('too late'), script.now, script)
  })

  it('does not let one sender keep the messages of others out', () => {
    const script = hosting({ deliveriesMax: 4, workShares: 2 })
    const outcome = (handle: number): unknown => (script.replies.get(handle) as ({ outcome: string } & DolrMessage) | undefined)?.outcome
    const handles = [1, 2, 3].map((id) => script.receives(deliver(id), first))
    assert.deepEqual(handles.map(outcome), [undefined, undefined, 'busy'])
    assert.equal(outcome(script.receives(deliver(4), second)), undefined)
    script.node.answer(1, true, bytesOf(''), script.now, script)
    assert.equal(outcome(script.receives(deliver(5), first)), undefined)
  })

  it('remembers no more answered messages than it may', () => {
    const script = hosting({ answersMax: 2 })
    for (let id = 1; id <= 4; id++) {
      script.receives(deliver(id), first)
      script.node.answer(id, true, bytesOf(`${id}`), script.now, script)
    }
    const states = [1, 2, 3, 4].map(
      (id) => (script.replies.get(script.receives({ type: 'ping', guid, id }, first)) as { state: string } & DolrMessage).state,
    )
    assert.deepEqual(states, ['unknown', 'unknown', 'over', 'over'])
  })

  it('may decline a message, which it then has never had', () => {
    const script = hosting()
    const handle = script.receives(deliver(7), first)
    script.node.decline(1, 'my other end has gone', script)
    assert.deepEqual(script.replies.get(handle), {
      type: 'answer',
      outcome: 'busy',
      detail: 'my other end has gone',
      payload: new Uint8Array(0),
    })
    script.receives(deliver(7), first)
    assert.equal(script.eventsOf('dolr:message').length, 2)
  })

  it('shortens what it cannot say in full, and says what cannot be written as text', () => {
    const script = hosting()
    const handle = script.receives(deliver(7), first)
    script.node.answer(1, false, `\ud800${'😀'.repeat(1000)}`, script.now, script)
    assert.match((script.replies.get(handle) as { detail: string } & DolrMessage).detail, /^\ufffd(?:😀)+/)
  })

  it('says so when it hosts something and nobody answers, or does not host it', () => {
    const script = new Script('self')
    const nothing = script.receives(deliver(1), first)
    script.node.publish({ guid }, script.now, script)
    const nobody = script.receives(deliver(1), first)
    const outcomes = [nothing, nobody].map((handle) => (script.replies.get(handle) as { outcome: string } & DolrMessage).outcome)
    assert.deepEqual(outcomes, ['not hosted', 'nobody answers'])
  })

  it('refuses what it cannot read and what is not for it, and counts the first', () => {
    const script = hosting()
    const handles = [script.receives(Uint8Array.of(1, 2), first), script.receives({ type: 'kept' }, first)]
    assert.deepEqual(
      handles.map((handle) => script.refusals.has(handle)),
      [true, true],
    )
    assert.equal(script.node.stats().garbage, 1)
    const routed = script.passes(Uint8Array.of(3), guid, first, second)
    assert.equal(routed.decision.action, 'reject')
  })
})

describe('a command', () => {
  it('ends at once when the node is no member, is leaving, or has too many', () => {
    const script = new Script('self', { maxCommands: 1 })
    script.ready = false
    script.node.locate({ guid }, script.now, script)
    assert.match(errorOf(script), /^NotReadyError: this node is not a member/)
    script.ready = true
    script.node.locate({ guid }, script.now, script)
    script.node.locate({ guid }, script.now, script)
    assert.match(errorOf(script), /^RouteError: overloaded: 1 commands are under way/)
    script.node.onLeave(script.now, script)
    assert.equal(script.handedOverAt, script.now)
    script.node.locate({ guid }, script.now, script)
    assert.match(errorOf(script), /^NotReadyError: this node is leaving/)
  })

  it('with a value out of its range is refused with the field, the value and what is allowed', () => {
    const script = new Script('self', { maxReplies: 3 })
    const { node, now } = script
    const calls: Array<[() => unknown, string]> = [
      [() => node.publish({ guid: 'abc' as Guid }, now, script), 'guid'],
      [() => node.send({ guid, message: new Uint8Array(1), n: 4 }, now, script), 'n'],
      [() => node.send({ guid, message: new Uint8Array(1024 * 1024 + 1) }, now, script), 'message'],
      [() => node.locate({ guid, n: 17 }, now, script), 'n'],
      [() => node.locate({ guid, timeoutMs: 0.5 }, now, script), 'timeoutMs'],
      [() => dolrConfig({ roots: 9 }), 'dolr.roots'],
      [() => dolrConfig({ choose: 'anybody' as never }), 'dolr.choose'],
      [() => dolrConfig({ republishMs: 200_000 }), 'dolr.republishMs'],
      [() => dolrConfig({ ttlMs: 400_000, maxTtlMs: 300_000 }), 'dolr.ttlMs'],
    ]
    for (const [call, field] of calls) assert.throws(call, { name: 'InvalidValueError', field })
    assert.deepEqual(dolrConfig({}), dolrDefaults)
  })

  it('to leave withdraws every object once its record is signed, and waits for the heirs', () => {
    const script = new Script('self', { roots: 1 })
    publishing(script)
    script.answers(script.routed[0]!.id, { type: 'published', root })
    const other = recordAt(script, first)
    script.publishes(other, second, undefined)
    script.node.onLeave(script.now, script)
    script.settle()
    assert.equal(script.handedOverAt, undefined)
    assert.deepEqual(
      script.requested.map(({ to, message }) => [to.address, message.type]),
      [['test:second', 'copy']],
    )
    script.answers(script.requested[0]!.id, { type: 'kept' })
    const withdrawal = script.routed.at(-1)!
    assert.equal((withdrawal.message as { record: { withdrawn: boolean } } & DolrMessage).record.withdrawn, true)
    script.fails(withdrawal.id)
    assert.equal(script.handedOverAt, script.now)
  })
})

function locating(script: Script, changes: { wanted: number; excluded?: readonly Guid[] }): ReturnType<Script['passes']> {
  return script.passes(encodeMessage({ type: 'locate', guid, salt: 0, excluded: [], found: [], ...changes }), guid, root, salted)
}

function recordAt(script: Script, host: typeof root): SignedRecord {
  return recordOf(guid, host, script.now)
}
