import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { encodeMessage } from '../src/codec.ts'
import type { DolrMessage } from '../src/messages.ts'
import { rootKey } from '../src/records.ts'
import { Script, bytesOf, nodeOf, recordOf } from './script.ts'

const guid = guidOf(bytesOf('object'))
const [host, other, before, between, beyond, elsewhere] = ['host', 'other', 'before', 'between', 'beyond', 'elsewhere'].map(nodeOf) as [
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
  ReturnType<typeof nodeOf>,
]

const recheck: DolrMessage = { type: 'recheck', guid, host: host.id, salt: 0 }
const release: DolrMessage = { type: 'release', guid, host: host.id, salt: 0 }
/** Who was asked since the last look whether a record still comes from there. */
const rechecked = (script: Script): string[] => {
  const asked = script.requested.splice(0)
  assert.ok(asked.every(({ message }) => JSON.stringify(message) === JSON.stringify(recheck)))
  return asked.map(({ to }) => to.address.slice('test:'.length))
}

describe('a node on the way of a record', () => {
  it('keeps a pointer once the signature has been checked, and lets the message pass meanwhile', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    const payload = encodeMessage({ type: 'publish', record, salt: 0, distanceMs: 0, stepMs: 0, step: 2, push: false })
    const { decision } = script.passes(payload, guid, before, beyond)
    assert.equal(decision.action, 'replace')
    assert.deepEqual(script.hostsOf(guid), [])
    script.settle()
    assert.deepEqual(script.hostsOf(guid), [host])
  })

  it('keeps nothing that somebody else has signed', () => {
    const script = new Script('self')
    const mine = recordOf(guid, host, script.now)
    const forged = { ...mine, signature: recordOf(guid, other, script.now).signature }
    const withOwnKey = { ...recordOf(guid, other, script.now), body: mine.body }
    const { handle } = script.publishes(forged, before, undefined)
    script.publishes(withOwnKey, before, beyond)
    assert.deepEqual(script.hostsOf(guid), [])
    assert.equal(script.node.stats().forged, 2)
    assert.match((script.replies.get(handle) as { detail: string }).detail, /not signed by .*, the host it names/)
  })

  it('keeps nothing of a host whose reference is not to be used', () => {
    const script = new Script('self')
    const { decision } = script.publishes(recordOf(guid, { ...host, address: 'wrong:host' }, script.now), before, beyond)
    assert.equal(decision.action, 'reject')
    assert.equal(script.node.stats().garbage, 1)
  })

  it('refuses records under a key that is not theirs, from the future, from the past, or for too long', () => {
    const script = new Script('self', { maxTtlMs: 300_000, maxSkewMs: 1_000 })
    const cases: Array<[ReturnType<typeof recordOf>, RegExp]> = [
      [recordOf(guid, host, script.now + 1_001), /dated 1001 ms ahead/],
      [recordOf(guid, host, script.now - 201_000), /expired 1000 ms ago/],
      [recordOf(guid, host, script.now, { ttlMs: 300_001 }), /is to hold 300001 ms, allowed are 300000/],
    ]
    for (const [record, reason] of cases) {
      const { decision } = script.publishes(record, before, beyond)
      assert.ok(decision.action === 'reject' && reason.test(decision.reason), JSON.stringify(decision))
    }
    const record = recordOf(guid, host, script.now)
    const wrongKey = script.passes(
      encodeMessage({ type: 'publish', record, salt: 1, distanceMs: 0, stepMs: 0, step: 1, push: false }),
      guid,
      before,
      beyond,
    )
    assert.equal(wrongKey.decision.action, 'reject')
    assert.equal(script.publishes(record, before, beyond, { salt: 8 }).decision.action, 'reject')
    assert.equal(script.openQuestions, 0)
    assert.deepEqual(script.hostsOf(guid), [])
  })

  it('takes the later record of a host, in whatever order they come', () => {
    const script = new Script('self')
    const at = script.now
    script.publishes(recordOf(guid, host, at + 2, { withdrawn: true }), before, beyond)
    script.publishes(recordOf(guid, host, at + 1), before, beyond)
    assert.deepEqual(script.hostsOf(guid), [], 'a republication under way does not undo the withdrawal')
    script.publishes(recordOf(guid, host, at + 3), before, beyond)
    assert.deepEqual(script.hostsOf(guid), [host])
    script.publishes(recordOf(guid, host, at + 2, { withdrawn: true }), before, beyond)
    assert.deepEqual(script.hostsOf(guid), [host], 'a withdrawal that is late does not undo the next publication')
  })

  it('remembers a withdrawal for as long as a record before it could be repeated', () => {
    const script = new Script('self', { maxSkewMs: 10_000, sweepMs: 1_000 })
    const at = script.now
    script.publishes(recordOf(guid, host, at + 1, { withdrawn: true }), before, beyond)
    script.run(209_000)
    script.publishes(recordOf(guid, host, at), before, beyond)
    assert.deepEqual(script.hostsOf(guid), [])
    script.run(3_000)
    assert.equal(script.node.stats().pointers, 0)
    assert.equal(script.publishes(recordOf(guid, host, at), before, beyond).decision.action, 'reject')
  })

  it('forgets what is not repeated, at the time it holds to', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    script.run(199_999)
    assert.deepEqual(script.hostsOf(guid), [host])
    script.run(1)
    assert.deepEqual(script.hostsOf(guid), [])
    script.run(60_000)
    assert.equal(script.node.stats().pointers, 0)
  })

  it('does not check a signature twice, whichever root the record goes to', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    const second = encodeMessage({ type: 'publish', record, salt: 1, distanceMs: 0, stepMs: 0, step: 1, push: false })
    script.passes(second, rootKey(guid, 1), before, beyond)
    assert.equal(script.openQuestions, 0)
  })

  it('adds the round trip of each hop to the distance, and once when the hop has to be taken another way', () => {
    const script = new Script('self')
    script.roundTrips.set(beyond.id, 7).set(elsewhere.id, 50)
    const record = recordOf(guid, host, script.now)
    const first = script.publishes(record, before, beyond, { distanceMs: 30, stepMs: 12, step: 2 })
    const onward = first.decision as { payload: Uint8Array }
    const again = script.passes(onward.payload, guid, before, elsewhere, 2)
    const next = new Script('next')
    next.passes((again.decision as { payload: Uint8Array }).payload, guid, script.self, beyond, 3)
    next.settle()
    next.publishes(recordOf(guid, other, next.now), before, beyond, { distanceMs: 79 })
    assert.deepEqual(next.hostsOf(guid), [other, host], 'the first is 30 + 50 away')
    next.roundTrips.set(host.id, 5)
    assert.deepEqual(next.hostsOf(guid), [host, other], 'a measured distance counts more')
  })
})

describe('the distance of a host', () => {
  it('is what came with the record first, and changes only with a newer one', () => {
    const script = new Script('self')
    const [near, far] = [recordOf(guid, host, script.now), recordOf(guid, other, script.now)]
    script.publishes(near, before, beyond, { distanceMs: 20 })
    script.publishes(far, before, beyond, { distanceMs: 50 })
    script.publishes(near, elsewhere, beyond, { distanceMs: 600_000 })
    script.publishes(near, before, beyond, { distanceMs: 600_000, salt: 1 })
    script.receives({ type: 'copy', records: [near], distanceMs: 600_000 }, elsewhere)
    assert.deepEqual(script.hostsOf(guid), [host, other])
    script.publishes(recordOf(guid, host, script.now + 1), before, beyond, { distanceMs: 90 })
    assert.deepEqual(script.hostsOf(guid), [other, host])
  })

  it('that only a copy has told gives way to that of a way', () => {
    const script = new Script('self')
    script.receives({ type: 'copy', records: [recordOf(guid, host, script.now)], distanceMs: 0 }, elsewhere)
    script.settle()
    script.publishes(recordOf(guid, other, script.now), before, beyond, { distanceMs: 50 })
    assert.deepEqual(script.hostsOf(guid), [host, other])
    script.publishes(recordOf(guid, host, script.now), before, beyond, { distanceMs: 90 })
    assert.deepEqual(script.hostsOf(guid), [other, host])
  })

  it('is ten minutes at most, whoever says more', () => {
    const script = new Script('self')
    const found = (): unknown => {
      const locate = encodeMessage({ type: 'locate', guid, salt: 0, wanted: 1, excluded: [], found: [] })
      return (script.replies.get(script.passes(locate, guid, before, beyond).handle) as { hosts: unknown } & DolrMessage).hosts
    }
    script.publishes(recordOf(guid, host, script.now), before, beyond, { distanceMs: 4_000_000_000 })
    assert.deepEqual(found(), [{ node: host, distanceMs: 600_000 }])
    script.receives({ type: 'copy', records: [recordOf(guid, host, script.now + 1)], distanceMs: 4_000_000_000 }, elsewhere)
    script.settle()
    assert.deepEqual(found(), [{ node: host, distanceMs: 600_000 }])
  })

  it('does not make room for a stranger because somebody repeats a record of a near host as if it were far', () => {
    const script = new Script('self', { pointersPerGuid: 2 })
    const near = recordOf(guid, host, script.now)
    script.publishes(near, before, beyond, { distanceMs: 5 })
    script.publishes(recordOf(guid, other, script.now), before, beyond, { distanceMs: 6 })
    script.publishes(near, elsewhere, beyond, { distanceMs: 4_000_000_000 })
    script.publishes(recordOf(guid, nodeOf('crowd'), script.now), elsewhere, beyond, { distanceMs: 5 })
    assert.ok(script.hostsOf(guid).some(({ id }) => id === host.id))
  })
})

describe('the root of an object', () => {
  it('says that it keeps a record when it does', () => {
    const script = new Script('self')
    const { handle } = script.publishes(recordOf(guid, host, script.now), before, undefined)
    assert.deepEqual(script.replies.get(handle), { type: 'published', root: script.self })
  })

  it('says when it has a newer one, and how much newer', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now + 5), before, undefined)
    const { handle } = script.publishes(recordOf(guid, host, script.now), before, undefined)
    assert.deepEqual(script.replies.get(handle), { type: 'refusal', detail: 'there is a newer record, by 5 ms', signedAt: script.now + 5 })
  })

  it('says when it checks too many already', () => {
    const script = new Script('self', { verificationsMax: 1, workShares: 1 })
    const stall = recordOf(guidOf(bytesOf('another')), host, script.now)
    script.passes(
      encodeMessage({ type: 'publish', record: stall, salt: 0, distanceMs: 0, stepMs: 0, step: 2, push: false }),
      stall.guid,
      before,
      beyond,
    )
    const { handle } = script.publishes(recordOf(guid, host, script.now), before, undefined)
    assert.match((script.replies.get(handle) as { detail: string }).detail, /too many records are being checked/)
    assert.ok(script.node.stats().overloads > 0)
  })
})

describe('when the way of a record changes', () => {
  it('a node where it arrives by another last hop too asks both whether they still send it', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    script.publishes(record, before, beyond)
    assert.deepEqual(rechecked(script), [])
    script.publishes(record, elsewhere, beyond, { push: true })
    assert.deepEqual(rechecked(script), ['before', 'elsewhere'])
    assert.deepEqual(script.takeTold(), [])
  })

  it('a record that is sent on ends where it meets the way as it was', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    assert.equal(script.publishes(record, elsewhere, beyond, { push: true }).decision.action, 'stop')
    assert.equal(
      script.publishes(record, elsewhere, between, { push: true }).decision.action,
      'replace',
      'not where the way goes on otherwise',
    )
    const newer = recordOf(guid, host, script.now + 1)
    assert.equal(script.publishes(newer, elsewhere, between, { push: true }).decision.action, 'replace', 'nor where it is news')
  })

  it('the question goes back hop by hop, to where the record does not go that way any more', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    const handle = script.receives(recheck, beyond)
    assert.deepEqual(script.replies.get(handle), { type: 'kept' })
    assert.deepEqual(rechecked(script), ['before'])
    script.publishes(record, before, elsewhere)
    script.run(500)
    script.receives(recheck, beyond)
    assert.deepEqual(script.takeTold(), [{ to: beyond, message: release, id: 0 }])
    assert.deepEqual(rechecked(script), [], 'the ways part here')
    assert.deepEqual(script.hostsOf(guid), [host])
  })

  it('a record that took another way once still goes where messages go', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.nextHops.set(guid, beyond)
    script.publishes(record, before, beyond)
    script.publishes(record, before, elsewhere)
    script.receives(recheck, beyond)
    script.receives(recheck, elsewhere)
    assert.deepEqual(script.takeTold(), [])
    script.publishes(recordOf(guid, host, script.now + 1), before, beyond)
    script.receives(recheck, elsewhere)
    assert.deepEqual(script.takeTold(), [{ to: elsewhere, message: release, id: 0 }])
  })

  it('a withdrawal goes by the ways that the record took before too, while it may be kept there', () => {
    const withdrawalsBy = (script: Script): unknown[] =>
      script.routed.flatMap(({ message, firstHop }) => (message.type === 'publish' && message.record.withdrawn ? [firstHop] : []))
    for (const [laterMs, expected] of [
      [1, [between, elsewhere]],
      [150_000, [elsewhere]],
    ] as const) {
      const script = new Script('self')
      script.publishes(recordOf(guid, host, script.now), before, between)
      script.publishes(recordOf(guid, host, script.now), before, elsewhere)
      script.run(100_000)
      script.publishes(recordOf(guid, host, script.now), before, elsewhere)
      script.publishes(recordOf(guid, host, script.now), before, beyond)
      script.run(laterMs)
      script.publishes(recordOf(guid, host, script.now, { withdrawn: true }), before, beyond)
      assert.deepEqual(withdrawalsBy(script), expected)
      script.publishes(recordOf(guid, host, script.now, { withdrawn: true }), before, beyond)
      assert.equal(withdrawalsBy(script).length, expected.length, 'once')
    }
  })

  it('a host that withdraws an object does so by the ways it published it before', () => {
    const script = new Script('self', { roots: 1 })
    script.node.publish({ guid }, script.now, script)
    script.settle()
    const { message } = script.routed[0]!
    for (const nextHop of [between, beyond]) script.passes(encodeMessage(message), guid, script.self, nextHop, 0)
    script.node.unpublish({ guid }, script.now, script)
    assert.deepEqual(script.hostsOf(guid), [])
    script.settle()
    script.passes(encodeMessage(script.routed[1]!.message), guid, script.self, beyond, 0)
    assert.deepEqual([script.routed[2]!.message.type, script.routed[2]!.firstHop], ['publish', between])
  })

  it('a pointer that nobody sends any more goes, and so do those beyond', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    script.receives(release, before, false)
    assert.deepEqual(script.hostsOf(guid), [])
    assert.deepEqual(script.takeTold(), [{ to: beyond, message: release, id: 0 }])
  })

  it('a pointer that still comes from elsewhere stays', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    script.publishes(record, elsewhere, beyond, { push: true })
    script.receives(release, before, false)
    assert.deepEqual(script.hostsOf(guid), [host])
    assert.deepEqual(script.takeTold(), [])
    script.receives(release, elsewhere, false)
    assert.deepEqual(script.hostsOf(guid), [], 'now it comes from nobody')
  })

  it('the last hop that is dead sends nothing any more, and one that is too busy to answer does', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    script.receives(recheck, beyond)
    const busy = { reason: 'overloaded', detail: 'too much to do', at: before } as const
    script.node.onReply(script.requested[0]!.id, { ok: false, failure: busy, elapsedMs: 1, path: [] }, script.now, script)
    assert.deepEqual(script.hostsOf(guid), [host])
    script.run(500)
    script.receives(recheck, beyond)
    script.fails(script.requested[1]!.id)
    assert.deepEqual(script.hostsOf(guid), [])
    assert.deepEqual(script.takeTold(), [{ to: beyond, message: release, id: 0 }])
  })

  it('nobody is asked again before routes can have changed again: questions that go round in a circle end', () => {
    const script = new Script('self', { settleMs: 500 })
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    for (let i = 0; i < 10; i++) script.receives(recheck, beyond)
    assert.deepEqual(rechecked(script), ['before'])
    script.run(500)
    script.receives(recheck, beyond)
    assert.deepEqual(rechecked(script), ['before'])
  })

  it('a node that has not brought the last two records is off the way', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    script.run(60_000)
    script.publishes(recordOf(guid, host, script.now), elsewhere, beyond)
    assert.deepEqual(rechecked(script), ['before', 'elsewhere'])
    script.run(60_000)
    script.publishes(recordOf(guid, host, script.now), elsewhere, beyond)
    assert.deepEqual(rechecked(script), [])
    script.receives(release, elsewhere, false)
    assert.deepEqual(script.hostsOf(guid), [])
  })

  it('where more nodes bring a record than are noted, nobody takes it away before it expires', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    const strangers = ['a', 'b', 'c', 'd'].map(nodeOf)
    for (const each of [...strangers, before]) script.publishes(record, each, beyond)
    for (const each of strangers) script.receives(release, each, false)
    assert.deepEqual(script.hostsOf(guid), [host])
    script.run(200_000)
    assert.deepEqual(script.hostsOf(guid), [])
  })

  it('nothing goes because of somebody who never sent it, nor on another way', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    script.receives(release, elsewhere, false)
    script.receives(release, beyond, false)
    script.receives({ ...release, salt: 1 } as DolrMessage, before, false)
    script.receives({ ...release, host: other.id } as DolrMessage, before, false)
    assert.deepEqual(script.hostsOf(guid), [host])
    assert.deepEqual(script.takeTold(), [])
  })

  it('a pointer that another way still needs stays', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    script.publishes(record, before, beyond, { salt: 1 })
    script.receives(release, before, false)
    assert.deepEqual(script.hostsOf(guid), [host])
  })

  it('a node sends its pointers on by the new way, after a pause and at most so many at a time', () => {
    const script = new Script('self', { settleMs: 500, movesPerTick: 2, tickMs: 50 })
    const guids = Array.from({ length: 5 }, (_, i) => guidOf(bytesOf(`object ${i}`)))
    for (const each of guids) script.publishes(recordOf(each, host, script.now), before, beyond)
    for (const each of guids) script.nextHops.set(each, elsewhere)
    script.node.routesChanged(script.now, script)
    script.node.update(other, true, script.now, script)
    script.run(499)
    assert.equal(script.routed.length, 0)
    script.run(1)
    assert.equal(script.routed.length, 2)
    script.run(50)
    assert.equal(script.routed.length, 4)
    script.run(50)
    assert.deepEqual(
      script.routed.map(({ to, message, id }) => [to, (message as { push: boolean }).push, id]),
      guids.map((each) => [each, true, 0]),
    )
    for (const { to, message } of script.routed) script.passes(encodeMessage(message), to, script.self, elsewhere, 0)
    script.node.routesChanged(script.now, script)
    script.run(1_000)
    assert.equal(script.routed.length, 5, 'once')
    script.receives({ ...recheck, guid: guids[0]! } as DolrMessage, beyond)
    assert.deepEqual(script.takeTold(), [{ to: beyond, message: { ...release, guid: guids[0]! }, id: 0 }], 'the ways part here')
  })

  it('a next hop that has been started anew gets the pointers it has lost, once', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond)
    const again = { ...beyond, epoch: 2 }
    script.nextHops.set(guid, again)
    script.node.update(again, true, script.now, script)
    script.run(1_000)
    assert.equal(script.routed.length, 1)
    const { decision } = script.passes(encodeMessage(script.routed[0]!.message), guid, script.self, again, 0)
    assert.equal(decision.action, 'replace')
    script.node.routesChanged(script.now, script)
    script.run(1_000)
    assert.equal(script.routed.length, 1, 'once')
    script.receives(recheck, again)
    assert.deepEqual(script.takeTold(), [], 'it is the one next hop')
  })

  it('a node that becomes the root keeps its pointers and sends nothing', () => {
    const script = new Script('self')
    script.publishes(recordOf(guid, host, script.now), before, beyond)
    script.node.routesChanged(script.now, script)
    script.run(1_000)
    assert.equal(script.routed.length, 0)
    assert.deepEqual(script.hostsOf(guid), [host])
  })
})

describe('copies beside the way', () => {
  it('are kept when they prove right, and are news', () => {
    const script = new Script('self')
    const record = recordOf(guid, host, script.now)
    const forged = { ...recordOf(guid, other, script.now), signature: record.signature }
    script.receives({ type: 'copy', records: [record, forged], distanceMs: 9 }, elsewhere)
    script.settle()
    assert.deepEqual(script.hostsOf(guid), [host])
    script.receives({ type: 'copy', records: [record], distanceMs: 9 }, elsewhere)
    assert.equal(script.openQuestions, 0)
  })

  it('go to backups of the next hop on the first hops, where that is wanted', () => {
    const script = new Script('self', { nearBackups: 1, nearHops: 2 })
    script.localLookup = () => [beyond, elsewhere]
    const record = recordOf(guid, host, script.now)
    script.publishes(record, before, beyond, { step: 1 })
    const told = script.takeTold()
    assert.deepEqual(
      told.map(({ to, message }) => [to, message.type]),
      [[elsewhere, 'copy']],
    )
    script.publishes(recordOf(guid, host, script.now + 1), before, beyond, { step: 2 })
    assert.deepEqual(script.takeTold(), [])
  })

  it('go out when the record has proved right, once for each way, and again with the next', () => {
    const script = new Script('self', { nearBackups: 1, nearHops: 2 })
    script.localLookup = () => [beyond, elsewhere]
    const record = recordOf(guid, host, script.now)
    const copies = (): number => script.takeTold().filter(({ message }) => message.type === 'copy').length
    script.publishes({ ...record, signature: recordOf(guid, other, script.now).signature }, before, beyond, { step: 1 })
    assert.equal(copies(), 0, 'not of what nobody has signed')
    for (const each of [record, record, recordOf(guid, host, script.now + 1)]) script.publishes(each, before, beyond, { step: 1 })
    assert.equal(copies(), 2)
    script.publishes(recordOf(guid, host, script.now + 1), before, beyond, { step: 1, salt: 1 })
    assert.equal(copies(), 1)
  })

  it('go to the nodes nearest to this one, where that is wanted', () => {
    const script = new Script('self', { nearNeighbors: 1, nearHops: 1 })
    script.localLookup = () => [beyond, elsewhere, between]
    script.roundTrips.set(elsewhere.id, 9).set(between.id, 4)
    script.publishes(recordOf(guid, host, script.now), before, beyond, { step: 0 })
    assert.deepEqual(
      script.takeTold().map(({ to }) => to),
      [between],
    )
  })

  it('go, beyond the host, to the nearest of those that share as many digits with this node as the record has hops behind it', () => {
    const script = new Script('self', { nearNeighbors: 1, nearHops: 3 })
    const own = nodeOf('self').id
    // The farther, the more digits it shares.
    const sharing = ['none', 'one', 'two'].map(nodeOf) as [NodeRef, NodeRef, NodeRef]
    sharing.forEach((node, i) => script.roundTrips.set(node.id, i + 1))
    script.localLookup = (key) => sharing.filter((_, i) => (i < 2 ? key[i] !== own[i] : true) && key.startsWith(own.slice(0, i)))
    for (const [step, nearest] of sharing.entries()) {
      script.publishes(recordOf(guid, host, script.now + step), before, beyond, { step })
      assert.deepEqual(
        script.takeTold().map(({ to }) => to),
        [nearest],
      )
    }
  })

  it('go to nodes nobody has measured when there are not enough others, those first that the overlay names first', () => {
    const script = new Script('self', { nearBackups: 0, nearNeighbors: 3, nearHops: 1 })
    const [remote, unknown, last] = ['remote', 'unknown', 'last'].map(nodeOf) as [NodeRef, NodeRef, NodeRef]
    script.localLookup = () => [unknown, last, elsewhere, remote]
    script.roundTrips.set(elsewhere.id, 9).set(remote.id, 200)
    script.publishes(recordOf(guid, host, script.now), before, beyond, { step: 0 })
    assert.deepEqual(
      script.takeTold().map(({ to }) => to),
      [elsewhere, remote, unknown],
    )
  })
})
