import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref, someBytes } from '@plaxton/testbed'
import { encodeWalkPayload } from '../src/codec.ts'
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
    const any = { seq: this.number(), attempt: prng.nextInt(4), predecessors: this.refs(), successors: this.refs() }
    const report = { member: prng.chance(0.7), failed: this.refs().map(({ id }) => id), ...any }
    return prng.pick<Message>([
      { type: 'stabilize', ...report } as Message,
      { type: 'neighbors', counted: prng.chance(0.5), ...report } as Message,
      { type: 'ping', ...any } as Message,
      { type: 'pong', member: prng.chance(0.5), ...any } as Message,
      { type: 'finger-reply', index: this.number(), refs: this.refs() } as Message,
      { type: 'join-request', purpose: prng.chance(0.5) ? 'join' : 'seek', ...any } as Message,
      { type: 'join-refusal', ...any } as Message,
      { type: 'join-state', ...any } as Message,
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
}

describe('whatever strangers send', () => {
  it('throws nothing, keeps the tables in order and within bounds', () => {
    for (const fingerSuccessors of [0, 3]) {
      const config = { successors: 3, predecessors: 2, fingerSuccessors, probesMax: 16, candidatesMax: 20, failedMax: 8 }
      const network = new TestNetwork(`fuzz ${fingerSuccessors}`, config)
      const hosts = network.grow(someBytes(network.prng, 12))
      const fuzz = new Fuzz(`fuzz ${fingerSuccessors}`)
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
    const fuzz = new Fuzz('joiner')
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
    const fuzz = new Fuzz('lies')
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
      seq: 1,
      member: true,
      counted: true,
      failed: [],
      predecessors: invented,
      successors: invented,
    } as Message)
    network.run(60_000)
    const after = [victim.node.successors, victim.node.predecessors].flat().map(({ id }) => id)
    assert.deepEqual(after, before)
  })

  it('a finger that was not asked for is dropped, and said to be', () => {
    const network = new TestNetwork('finger')
    const [host] = network.grow(3) as [TestHost]
    host.take(ref('ff'.repeat(16)), { type: 'finger-reply', index: 127, refs: [] } as Message)
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
