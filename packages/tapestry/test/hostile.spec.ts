import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { encodeInsertPayload } from '../src/codec.ts'
import { byte, guid, ref, someBytes } from './helpers.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

/** Everything a message may hold, drawn at random but within what the codec lets pass. */
class Fuzz {
  private readonly prng: Prng

  constructor(seed: string) {
    this.prng = Prng.fromSeed(seed)
  }

  message(): Message {
    const { prng } = this
    const status = { member: prng.chance(0.7), group: this.number(), points: prng.chance(0.5) }
    const any = { seq: this.number(), refs: this.refs(), ids: this.ids(), attempt: prng.nextInt(4) }
    return prng.pick<Message>([
      { type: 'ping', ...status, ...any } as Message,
      { type: 'pong', ...status, ...any } as Message,
      { type: 'heartbeat', ...status } as Message,
      { type: 'pointer', rttMs: this.number(), ...status } as Message,
      { type: 'contacts', gone: this.ids(), ...any } as Message,
      { type: 'fetch', ...any } as Message,
      { type: 'exchange', prefix: this.number(), count: 3, digest: 9, holes: this.slots(), ...status } as Message,
      { type: 'exchange-reply', same: prng.chance(0.3), prefix: this.number(), gone: this.ids(), ...any, ...status } as Message,
      { type: 'level-request', level: this.number(), back: true, ...any, ...status } as Message,
      { type: 'level-reply', level: this.number(), ...any, ...status } as Message,
      { type: 'slot-request', slot: this.number(), ...status } as Message,
      { type: 'slot-reply', slot: this.number(), checked: true, ...any, ...status } as Message,
      { type: 'group-request', prefix: this.number(), ...status } as Message,
      { type: 'group-reply', prefix: this.number(), branches: this.refs(), ...any, ...status } as Message,
      { type: 'insert-request', purpose: prng.chance(0.5) ? 'join' : 'seek', ...any } as Message,
      { type: 'insert-refusal', member: prng.chance(0.5), ...any } as Message,
      { type: 'surrogate', ...any, ...status } as Message,
      { type: 'insert', holes: this.slots(), ...any } as Message,
      { type: 'inserted', level: this.number(), ...any } as Message,
      {
        type: 'multicast',
        token: prng.nextInt(50),
        purpose: prng.pick(['insert', 'obituary', 'check']),
        level: this.number(),
        subject: this.ref(),
        slots: this.slots(),
        ...any,
      } as Message,
      { type: 'multicast-ack', done: prng.chance(0.5), ...any } as Message,
      { type: 'leave', ...any } as Message,
    ])!
  }

  ref(): NodeRef {
    const { prng } = this
    const id = prng.chance(0.05) ? guid('1234') : byte(prng.nextInt(256))
    return { id, address: 'test:nowhere', epoch: prng.nextInt(4) }
  }

  private number(): number {
    return this.prng.chance(0.7) ? this.prng.nextInt(12) : this.prng.nextUint32()
  }

  private refs(): NodeRef[] {
    return Array.from({ length: this.prng.nextInt(8) }, () => this.ref())
  }

  private ids(): Guid[] {
    return this.refs().map(({ id }) => id)
  }

  private slots(): number[] {
    return Array.from({ length: this.prng.nextInt(6) }, () => this.number())
  }
}

describe('whatever strangers send', () => {
  it('throws nothing, keeps the tables in order and within bounds', () => {
    for (const digitBits of [2, 4]) {
      const config = {
        digitBits,
        siblingsMin: 4,
        probesMax: 16,
        candidatesMax: 20,
        multicastsMax: 8,
        failedMax: 8,
        watchMax: 4,
        backpointersMax: 10,
      }
      const network = new TestNetwork(`fuzz ${digitBits}`, config)
      const hosts = network.grow(someBytes(network.prng, 12))
      const fuzz = new Fuzz(`fuzz ${digitBits}`)
      for (let round = 0; round < 4_000; round++) {
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
    const network = new TestNetwork('fuzz joiner', { siblingsMin: 4, joinMs: 600_000 })
    const [first] = network.grow(someBytes(network.prng, 6)) as [TestHost]
    const fuzz = new Fuzz('joiner')
    for (let i = 0; i < 40; i++) {
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
      joiner.crash()
    }
  })

  it('is dropped and counted when the id has another width', () => {
    const network = new TestNetwork('width')
    const [host] = network.grow([byte(1)]) as [TestHost]
    host.take(ref('1234'), { type: 'heartbeat' })
    assert.deepEqual(host.events.at(-1), { type: 'dropped', from: ref('1234'), reason: 'an id of another width' })
  })

  it('is dropped and counted when an insertion that walks here cannot be read or is of another id', () => {
    const network = new TestNetwork('payload')
    const [host] = network.grow([byte(1)]) as [TestHost]
    assert.equal(host.node.forwardOwn(byte(2), new Uint8Array([255, 1]), 1, undefined, 0, host), false)
    const payload = encodeInsertPayload({ purpose: 'join', joiner: ref('33'), attempt: 1 })
    assert.equal(host.node.forwardOwn(byte(2), payload, 1, undefined, 0, host), false)
    assert.deepEqual(
      host.events.slice(-2).map((event) => (event.type === 'dropped' ? event.reason : '')),
      ['an insertion that cannot be read', 'an insertion of another id'],
    )
  })

  it('does not bring a node into a table that only others speak of', () => {
    const network = new TestNetwork('hearsay')
    const [first, second] = network.grow([byte(0x11), byte(0x22)]) as [TestHost, TestHost]
    first.take(second.ref, { type: 'contacts', refs: [ref('a5')], gone: [] } as never)
    first.take(second.ref, { type: 'level-reply', level: 0, refs: [ref('b5')], member: true, group: 0, points: false } as never)
    network.run(30_000)
    assert.deepEqual(
      first.node.neighborSet(10).map(({ id }) => id),
      ['22'],
    )
  })

  it('a neighbour that says it is no member is asked once, and believed when it says so again', () => {
    const network = new TestNetwork('no member', { siblingsMin: 2 })
    const [first, second] = network.grow([byte(0x11), byte(0x22), byte(0x33)]) as [TestHost, TestHost]
    const asked: Message[] = []
    network.passes = (from, to, message) => {
      if (from.id === first.ref.id && to.id === second.ref.id) asked.push(message)
      return false
    }
    const outside = { member: false, group: 0, points: false }
    for (let i = 0; i < 5; i++) first.take(second.ref, { type: 'heartbeat', ...outside } as never)
    assert.deepEqual(
      asked.map(({ type }) => type),
      ['ping'],
    )
    assert.ok(first.node.neighborSet(10).some(({ id }) => id === second.ref.id))
    const { seq } = asked[0] as Message & { seq: number }
    first.take(second.ref, { type: 'pong', seq, ...outside } as never)
    assert.ok(!first.node.neighborSet(10).some(({ id }) => id === second.ref.id))
    assert.equal(asked.length, 1)
  })

  it('that a node is dead does not harm it while it answers', () => {
    const network = new TestNetwork('slander')
    const [first, second, third] = network.grow([byte(0x11), byte(0x22), byte(0x33)]) as [TestHost, TestHost, TestHost]
    first.take(second.ref, { type: 'contacts', refs: [], gone: [third.ref.id] } as never)
    network.run(20_000)
    assert.ok(first.node.neighborSet(10).some(({ id }) => id === third.ref.id))
    assert.deepEqual(network.complaints(), [])
  })
})
