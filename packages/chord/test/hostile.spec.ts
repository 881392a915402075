import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef } from '@plaxton/kbr'
import { Fuzz, byte, guid, ref, someBytes } from '@plaxton/testbed'
import { encodeWalkPayload } from '../src/codec.ts'
import type { Stabilize } from '../src/messages.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

/** A node in a ring of eight, which awaits the answers about all its fingers. */
function besieged(): { network: TestNetwork; victim: TestHost } {
  const network = new TestNetwork('besieged', { successors: 2, predecessors: 2 })
  const hosts = network.grow(['00', '20', '40', '60', '80', 'a0', 'd0', 'e0'].map(guid))
  network.passes = (_from, _to, { type }) => type !== 'finger-reply'
  network.run(300_000)
  return { network, victim: hosts[2]! }
}

/** The number of a question that `host` has put to `to` and that has not been answered. */
function asked(network: TestNetwork, host: TestHost, to: NodeRef): number {
  let seq: number | undefined
  network.onSent = (from, peer, message) => {
    if (from.id === host.ref.id && peer.id === to.id && message.type === 'stabilize') seq = (message as Stabilize).seq
  }
  host.node.suspect(to, network.now, host)
  network.onSent = () => {}
  assert.ok(seq !== undefined)
  return seq
}

/** Every message, with anything in it. */
class ChordFuzz extends Fuzz {
  message(): Message {
    const { prng } = this
    const any = { seq: this.number(), ticket: this.number(), attempt: prng.nextInt(4), predecessors: this.refs(), successors: this.refs() }
    const versions = { version: this.number(), known: this.number(), unchanged: prng.chance(0.2) }
    const report = { member: prng.chance(0.7), failed: this.refs().map(({ id }) => id), ...versions, ...any }
    return prng.pick<Message>([
      { type: 'stabilize', ...report } as Message,
      { type: 'neighbors', counted: prng.chance(0.5), ...report } as Message,
      { type: 'ping', ...any } as Message,
      { type: 'pong', member: prng.chance(0.5), ...any } as Message,
      { type: 'finger-reply', number: this.number(), refs: this.refs() } as Message,
      { type: 'join-request', purpose: prng.chance(0.5) ? 'join' : 'seek', ...any } as Message,
      { type: 'join-refusal', ...any } as Message,
      { type: 'join-state', ...any } as Message,
      { type: 'leave', ...any } as Message,
    ])!
  }
}

describe('whatever strangers send', () => {
  it('throws nothing, keeps the tables in order and within bounds', () => {
    for (const fingerSuccessors of [0, 3]) {
      const config = { successors: 3, predecessors: 2, fingerSuccessors, probesMax: 16, candidatesMax: 20, failedMax: 8 }
      const network = new TestNetwork(`fuzz ${fingerSuccessors}`, config)
      const hosts = network.grow(someBytes(network.prng, 12))
      const fuzz = new ChordFuzz(`fuzz ${fingerSuccessors}`)
      for (let round = 0; round < 1_500; round++) {
        const host = network.prng.pick(hosts)!
        const from = network.prng.chance(0.5) ? network.prng.pick(hosts)!.ref : fuzz.ref()
        if (from.id === host.ref.id) continue
        host.take(from, fuzz.message())
        host.node.assertInvariants()
        if (round % 20 === 0) network.run(200)
      }
    }
  })

  it('throws nothing in a node that is joining', () => {
    const network = new TestNetwork('fuzz joiner', { successors: 3, predecessors: 3, joinMs: 600_000 })
    const [first] = network.grow(someBytes(network.prng, 6)) as [TestHost]
    const fuzz = new ChordFuzz('joiner')
    for (let i = 0; i < 20; i++) {
      const taken = new Set(network.hosts.keys())
      const id = someBytes(network.prng, 256).find((candidate) => !taken.has(candidate))!
      const joiner = network.add(id)
      joiner.join([first])
      for (let round = 0; round < 40; round++) {
        const from = network.prng.chance(0.5) ? first.ref : fuzz.ref()
        if (from.id !== id) joiner.take(from, fuzz.message())
        joiner.node.assertInvariants()
        network.run(20)
      }
    }
  })

  it('heals: an hour after the last lie the ring is as it should be', () => {
    const network = new TestNetwork('lies', { successors: 4, predecessors: 4 })
    const hosts = network.grow(20)
    const fuzz = new ChordFuzz('lies')
    for (let round = 0; round < 500; round++) {
      const [host, from] = network.prng.shuffle(hosts) as [TestHost, TestHost]
      const message = fuzz.message()
      // Nobody can say good-bye for another, and what a node says of itself is true.
      if (message.type !== 'leave' && !('member' in message)) host.take(from.ref, message)
      network.run(100)
    }
    network.run(3_600_000)
    assert.deepEqual(network.complaints(), [])
  })

  it('a node is not moved out of the lists by hearsay: whoever is named must answer first', () => {
    const network = new TestNetwork('hearsay', { successors: 3, predecessors: 3 })
    const [victim, liar] = network.grow(['10', '20', '40', '60', '80', 'a0'].map(guid)) as [TestHost, TestHost]
    network.run(5_000)
    const before = [victim.node.successors, victim.node.predecessors].flat().map(({ id }) => id)
    const invented = ['11', '12', '13', '0f', '0e'].map((id) => ref(id))
    victim.take(liar.ref, {
      type: 'neighbors',
      seq: asked(network, victim, liar.ref),
      ticket: 0,
      member: true,
      counted: true,
      version: 1,
      known: 0,
      unchanged: false,
      failed: [],
      predecessors: invented,
      successors: invented,
    } as Message)
    network.run(60_000)
    const after = [victim.node.successors, victim.node.predecessors].flat().map(({ id }) => id)
    assert.deepEqual(after, before)
  })

  describe('a stranger that says unasked that it is a member', () => {
    /** What the highest finger of 40 looks for, and its nearest successor and predecessor. */
    const strangers = ['c0', '41', '3f'].map((id) => ref(id))
    const lists = { predecessors: strangers, successors: strangers }
    const versions = { version: 1, known: 0, unchanged: false }
    const says: Record<string, object> = {
      stabilize: { seq: 7, ticket: 0, member: true, failed: [], ...lists, ...versions },
      'stabilize with a ticket of its own making': {
        type: 'stabilize',
        seq: 7,
        ticket: 7,
        member: true,
        failed: [],
        ...lists,
        ...versions,
      },
      neighbors: { seq: 7, ticket: 0, member: true, counted: true, failed: [], ...lists, ...versions },
      'neighbors with a ticket': { type: 'neighbors', seq: 7, ticket: 7, member: true, counted: true, failed: [], ...lists, ...versions },
      ping: { seq: 7 },
      pong: { seq: 7, member: true },
      'finger-reply': { number: 7, refs: strangers },
      'join-request': { purpose: 'join', attempt: 1 },
      'join-refusal': { attempt: 1 },
      'join-state': { attempt: 1, ...lists },
      leave: lists,
    }

    for (const [kind, fields] of Object.entries(says)) {
      it(`by ${kind} stands in no table and is sent no message of anybody`, () => {
        const { network, victim } = besieged()
        const names = new Set(strangers.map(({ id }) => id))
        for (let round = 0; round < 5; round++) {
          for (const stranger of strangers) victim.take(stranger, { type: kind, ...fields } as Message)
          for (let key = 0; key < 256; key++) {
            const next = victim.node.nextHop(byte(key), 0, new Set())
            assert.ok(next.action !== 'forward' || !names.has(next.to.id))
            assert.ok(victim.node.replicaSet(byte(key), 7).every(({ id }) => !names.has(id)))
          }
          network.run(2_000)
        }
        assert.deepEqual(network.complaints(), [])
      })
    }

    it('does not get in by what a neighbour has just said, sent again', () => {
      const { network, victim } = besieged()
      const overheard: Message[] = []
      network.onSent = (_from, to, message) => void (to.id === victim.ref.id && message.type !== 'route' && overheard.push(message))
      network.run(60_000)
      const joiner = network.add(guid('50'))
      joiner.join([victim])
      network.run(5_000)
      assert.ok(
        overheard.some(({ type }) => type === 'neighbors') && overheard.some((message) => 'ticket' in message && message.ticket !== 0),
      )
      for (const message of overheard) for (const stranger of strangers) victim.take(stranger, message)
      assert.deepEqual(network.complaints(), [])
    })

    it('gets in when it answers: with the ticket that the answer to its question gave it', () => {
      const { network, victim } = besieged()
      const tickets: number[] = []
      network.onSent = (from, to, message) =>
        void (from.id === victim.ref.id && to.id === '41' && 'ticket' in message && tickets.push(message.ticket as number))
      const question = { type: 'stabilize', seq: 7, member: true, failed: [], predecessors: [], successors: [], ...versions }
      victim.take(ref('41'), { ...question, ticket: 0 } as Message)
      assert.equal(tickets.length, 1)
      victim.take(ref('42'), { ...question, ticket: tickets[0] } as Message)
      victim.take(ref('41'), { ...question, ticket: tickets[0]! + 1 } as Message)
      assert.equal(victim.node.successors[0]!.id, '60')
      victim.take(ref('41'), { ...question, ticket: tickets[0] } as Message)
      assert.deepEqual(victim.node.successors[0], ref('41'))
    })
  })

  it('a finger that was not asked for is dropped, and said to be', () => {
    const network = new TestNetwork('finger')
    const [host] = network.grow(3) as [TestHost]
    host.take(ref('ff'.repeat(16)), { type: 'finger-reply', number: 127, refs: [] } as Message)
    assert.ok(host.events.some((event) => event.type === 'dropped' && event.reason === 'a finger that was not asked for'))
  })

  it('a question that cannot be read, or asks to join in another’s place, ends where it is', () => {
    const network = new TestNetwork('payloads')
    const [host] = network.grow(3) as [TestHost]
    const key: Guid = guid('00'.repeat(16))
    const asker = ref('11'.repeat(16))
    const passes = (payload: Uint8Array) => host.node.forwardOwn(key, payload, 0, asker, network.now, host)
    assert.equal(passes(Uint8Array.of(1, 2, 3)), false)
    assert.equal(passes(encodeWalkPayload({ purpose: 'join', asker, number: 1 })), false)
    assert.equal(host.events.filter(({ type }) => type === 'dropped').length, 2)
  })

  it('an id of another width is dropped', () => {
    const network = new TestNetwork('width')
    const [host] = network.grow(2) as [TestHost]
    host.take(ref('1234'), { type: 'ping', seq: 1 } as Message)
    assert.ok(host.events.some((event) => event.type === 'dropped' && event.reason === 'an id of another width'))
  })
})
