import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import type { Message, NodeRef } from '@plaxton/kbr'
import { byte, ref, someBytes } from '@plaxton/testbed'
import type { KademliaMessage } from '../src/messages.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

const member = true

/** Everything that says unasked that its sender is a member. */
function greetings(from: NodeRef): KademliaMessage[] {
  return [
    { type: 'ping', seq: 7, member },
    { type: 'pong', seq: 7, member },
    { type: 'heartbeat', member },
    { type: 'find-node', seq: 7, member, key: from.id, count: 20, known: [] },
    { type: 'find-node', seq: 7, member, key: byte(0x55), count: 20, known: [] },
    { type: 'nodes', seq: 7, member, refs: [from], gone: [] },
    { type: 'obituary', member, gone: [] },
  ]
}

/** Where a node has `id`. */
function placesOf(host: TestHost, id: NodeRef['id']): string[] {
  const { node } = host
  const contacts = Array.from({ length: 8 }, (_, level) => node.bucket(level)?.contacts ?? []).flat()
  return [
    ...(node.neighborSet(99).some((each) => each.id === id) ? ['siblings'] : []),
    ...(contacts.some((contact) => contact.ref.id === id) ? ['bucket'] : []),
    ...(node.replicaSet(id, 9).some((each) => each.id === id) ? ['replica set'] : []),
    ...(node.localLookup(id, 9, false).some((each) => each.id === id) ? ['routes'] : []),
  ]
}

describe('a stranger that says unasked that it is a member', () => {
  for (const [index, { type }] of greetings(ref('0f')).entries()) {
    it(`and cannot be reached gets no place (${type}, ${index + 1})`, () => {
      for (const stranger of [ref('0f'), ref('f0')]) {
        const network = new TestNetwork('stranger')
        const [host] = network.grow([byte(0x10), byte(0x80), byte(0xc0)]) as [TestHost]
        for (let i = 0; i < 20; i++) {
          host.take(stranger, greetings(stranger)[index]!)
          assert.deepEqual(placesOf(host, stranger.id), [])
          network.run(1_000)
          assert.deepEqual(placesOf(host, stranger.id), [])
        }
      }
    })
  }

  it('is pinged; the pong with the number of that ping brings it in, another does not', () => {
    const network = new TestNetwork('pong')
    const [host] = network.grow([byte(0x10), byte(0x80)]) as [TestHost]
    const stranger = ref('0f')
    const pings = sentTo(network, stranger, 'ping')
    host.take(stranger, { type: 'heartbeat', member } as Message)
    const { seq } = pings[0]!
    for (const other of [0, 1, seq + 1]) host.take(stranger, { type: 'pong', seq: other, member } as Message)
    host.take(ref('0e'), { type: 'pong', seq, member } as Message)
    host.take(ref('0f', 2), { type: 'pong', seq, member } as Message)
    assert.deepEqual([...placesOf(host, stranger.id), ...placesOf(host, byte(0x0e))], [])
    host.take(stranger, { type: 'pong', seq, member: false } as Message)
    assert.deepEqual(placesOf(host, stranger.id), [])
    host.take(stranger, { type: 'heartbeat', member } as Message)
    host.take(stranger, { type: 'pong', seq: pings.at(-1)!.seq, member } as Message)
    assert.deepEqual(placesOf(host, stranger.id), ['siblings', 'bucket', 'replica set', 'routes'])
  })

  it('and claims a place among the siblings is answered after its pong, however often it asks before', () => {
    const network = new TestNetwork('claim')
    const [host] = network.grow([byte(0x10), byte(0x80)]) as [TestHost]
    const stranger = ref('0f')
    const [pings, answers] = [sentTo(network, stranger, 'ping'), sentTo(network, stranger, 'nodes')]
    for (let i = 0; i < 3; i++)
      host.take(stranger, { type: 'find-node', seq: 7, member, key: stranger.id, count: 20, known: [] } as Message)
    assert.equal(new Set(pings.map(({ seq }) => seq)).size, 1)
    assert.deepEqual(answers, [])
    host.take(stranger, { type: 'pong', seq: pings[0]!.seq, member } as Message)
    assert.deepEqual(
      answers.map(({ seq }) => seq),
      [7],
    )
    assert.deepEqual(placesOf(host, stranger.id), ['siblings', 'bucket', 'replica set', 'routes'])
  })

  it('is pinged no more often than it speaks, nor more than twice a second for nothing', () => {
    const network = new TestNetwork('flood')
    const [host] = network.grow([byte(0x10), byte(0x80)]) as [TestHost]
    const stranger = ref('0f')
    const pings = sentTo(network, stranger, 'ping')
    for (let i = 0; i < 1_000; i++, network.run(2)) host.take(stranger, { type: 'heartbeat', member } as Message)
    assert.ok(pings.length <= 5, `${pings.length}`)
  })

  it('and waits for a place in a full bucket does not keep those from it that can be reached', () => {
    const hourly = { heartbeatMs: 3_600_000, contactMs: 3_600_000, exchangeMs: 3_600_000, seekMs: 3_600_000, vacantMs: 3_600_000 }
    const network = new TestNetwork('flushed', { bucketSize: 4, siblingsSure: 2, siblings: 2, ...hourly })
    network.grow([0x01, 0x02, 0x03, 0x80, 0x90, 0xa0, 0xb0, 0xc0].map(byte))
    network.run(60_000)
    const host = network.hosts.get(byte(0x01))!
    const [waiting] = host.node.bucket(0)!.waiting
    assert.ok(waiting !== undefined)
    for (const id of ['e0', 'e1']) host.take(ref(id), { type: 'heartbeat', member } as Message)
    const victim = network.hosts.get(host.node.bucket(0)!.contacts[0]!.ref.id)!
    victim.crash()
    host.node.suspect(victim.ref, network.now, host)
    network.run(60_000)
    const contacts = host.node.bucket(0)!.contacts.map((contact) => contact.ref.id)
    assert.equal(contacts.length, 4)
    assert.ok(contacts.includes(waiting.id))
  })

  it('and has started again is another stranger', () => {
    const network = new TestNetwork('epoch')
    const [host, other] = network.grow([byte(0x10), byte(0x0f)]) as [TestHost, TestHost]
    assert.notDeepEqual(placesOf(host, other.ref.id), [])
    other.crash()
    host.take(ref('0f', 2), { type: 'heartbeat', member } as Message)
    network.run(60_000)
    assert.deepEqual(placesOf(host, other.ref.id), [])
  })
})

describe('whatever strangers send', () => {
  it('throws nothing, keeps the tables in order and within bounds, of members and of joiners', () => {
    const config = { bucketSize: 3, siblingsSure: 2, siblings: 4, probesMax: 16, failedMax: 8, joinMs: 600_000 }
    for (let seed = 0; seed < 3; seed++) {
      const network = new TestNetwork(`fuzz ${seed}`, config)
      const hosts = network.grow(someBytes(network.prng, 12))
      const fuzz = new Fuzz(`fuzz ${seed}`)
      const joiner = network.add(someBytes(network.prng, 256).find((id) => !network.hosts.has(id))!)
      joiner.join([hosts[0]!])
      for (let round = 0; round < 1_500; round++) {
        const host = network.prng.chance(0.2) ? joiner : network.prng.pick(hosts)!
        const from = network.prng.chance(0.5) ? network.prng.pick(hosts)!.ref : fuzz.ref()
        if (from.id !== host.ref.id) host.take(from, fuzz.message())
        if (round % 20 === 0) network.run(200)
      }
    }
  })
})

/** Everything a message may hold, drawn at random but within what the codec lets pass. */
class Fuzz {
  private readonly prng: Prng

  constructor(seed: string) {
    this.prng = Prng.fromSeed(seed)
  }

  message(): Message {
    const { prng } = this
    const said = { member: prng.chance(0.7), seq: prng.nextInt(12) }
    const message: KademliaMessage = prng.pick<KademliaMessage>([
      { type: 'ping', ...said },
      { type: 'pong', ...said },
      { type: 'heartbeat', ...said },
      { type: 'find-node', key: this.ref().id, count: prng.nextInt(300), known: this.ids(), ...said },
      { type: 'nodes', refs: this.refs(), gone: this.ids(), ...said },
      { type: 'obituary', gone: this.ids(), ...said },
      { type: 'leave', refs: this.refs() },
    ])!
    return message
  }

  ref(): NodeRef {
    const { prng } = this
    return ref(prng.chance(0.05) ? '1234' : byte(prng.nextInt(256)), prng.nextInt(4))
  }

  private refs(): NodeRef[] {
    return Array.from({ length: this.prng.nextInt(8) }, () => this.ref())
  }

  private ids(): NodeRef['id'][] {
    return this.refs().map(({ id }) => id)
  }
}

/** What goes to `to` from now on, of one type. */
function sentTo(network: TestNetwork, to: NodeRef, type: Message['type']): Array<Message & { readonly seq: number }> {
  const found: Array<Message & { readonly seq: number }> = []
  const before = network.onSent
  network.onSent = (from, target, message, arrives) => {
    before(from, target, message, arrives)
    if (target.id === to.id && message.type === type) found.push(message as Message & { readonly seq: number })
  }
  return found
}
