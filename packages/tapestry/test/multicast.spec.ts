import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Message } from '@plaxton/kbr'
import { Recorder, byte, ref, someBytes } from '@plaxton/testbed'
import { Multicasts } from '../src/multicast.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'
import { memberState, shared } from './helpers.ts'

interface Multicast extends Message {
  readonly type: 'multicast'
  readonly seq: number
  readonly token: number
  readonly purpose: string
  readonly level: number
}

/** Lets a new node with this id join, and writes down the multicasts of its insertion. */
function insert(
  network: TestNetwork,
  id: Guid,
  react: (message: Multicast, to: Guid) => void = () => {},
): { joiner: TestHost; told: Guid[] } {
  const told: Guid[] = []
  network.passes = (_from, to, message) => {
    if (message.type === 'multicast' && (message as Multicast).purpose === 'insert') {
      told.push(to.id)
      react(message as Multicast, to.id)
    }
    return true
  }
  const joiner = network.add(id)
  joiner.join([network.members()[0]!])
  network.runUntil(() => joiner.node.ready, 60_000)
  network.passes = () => true
  return { joiner, told }
}

describe('acknowledged multicast', () => {
  it('tells everybody who shares the prefix, each once, and nobody else', () => {
    for (let seed = 0; seed < 8; seed++) {
      const network = new TestNetwork(`tells ${seed}`, { digitBits: 2, siblingsMin: 6 })
      const ids = someBytes(network.prng, 60)
      network.grow(ids)
      network.run(30_000)
      const id = byte(Array.from({ length: 256 }, (_, i) => i).find((value) => !ids.includes(byte(value)))!)
      const { told } = insert(network, id)
      const level = Math.max(...ids.map((other) => shared(other, id, 2)))
      const sharing = ids.filter((other) => shared(other, id, 2) >= level)
      assert.equal(new Set(told).size, told.length, 'each once')
      // The surrogate itself is not sent anything.
      assert.ok(sharing.filter((other) => !told.includes(other)).length <= 1, 'everybody who needs to know')
      const common = Math.min(...told.map((other) => shared(other, id, 2)))
      const group = ids.filter((other) => shared(other, id, 2) >= common)
      assert.equal(told.length, group.length - 1, 'all of a group')
    }
  })

  it('is acknowledged only when everybody below has been told', () => {
    const network = new TestNetwork('order', { digitBits: 2, siblingsMin: 30 })
    const ids = someBytes(network.prng, 24)
    network.grow(ids)
    network.run(30_000)
    const late = new Set<Guid>()
    // Whoever is told last is told late; the joiner must not be a member before.
    network.latencyMs = (_from, to, message) => (message.type === 'multicast' && late.size < 3 && late.add(to.id) ? 1_000 : 10)
    const id = byte(Array.from({ length: 256 }, (_, i) => i).find((value) => !ids.includes(byte(value)))!)
    const joiner = network.add(id)
    joiner.join([network.members()[0]!])
    assert.ok(network.runUntil(() => joiner.node.ready, 60_000))
    for (const host of network.members()) {
      if (host !== joiner)
        assert.ok(
          host.node.neighborSet(100).some((ref) => ref.id === id),
          `${host.ref.id} has been told`,
        )
    }
  })

  it('goes round nodes that are dead, and tells the others of their slots', () => {
    for (let seed = 0; seed < 5; seed++) {
      const network = new TestNetwork(`dead ${seed}`, { digitBits: 2, siblingsMin: 30 })
      const ids = someBytes(network.prng, 40)
      network.grow(ids)
      network.run(30_000)
      for (const victim of network.members().slice(1, 11)) victim.crash()
      const { joiner } = insert(network, byte(Array.from({ length: 256 }, (_, i) => i).find((value) => !ids.includes(byte(value)))!))
      assert.equal(joiner.node.ready, true)
      for (const host of network.members()) {
        if (host !== joiner)
          assert.ok(
            host.node.neighborSet(100).some((ref) => ref.id === joiner.ref.id),
            `${host.ref.id} has been told`,
          )
      }
    }
  })

  it('a node that hears it again says again that it is done, and does nothing twice', () => {
    const network = new TestNetwork('again', { siblingsMin: 30 })
    const [first, second] = network.grow([byte(0x11), byte(0x22)]) as [TestHost, TestHost]
    const stranger = ref('33')
    const message = { type: 'multicast', seq: 5, token: 77, purpose: 'insert', level: 8, subject: stranger, slots: [] }
    const heard: Message[] = []
    network.passes = (from, to, sent) => {
      if (from.id === second.ref.id && to.id === first.ref.id) heard.push(sent)
      return true
    }
    second.take(first.ref, message)
    second.take(stranger, { type: 'heartbeat', member: true, group: 0, points: false } as never)
    second.take(first.ref, message)
    const acks = heard.filter(({ type }) => type === 'multicast-ack')
    assert.deepEqual(acks, [
      { type: 'multicast-ack', seq: 5, done: true, ids: [second.ref.id], refs: [] },
      { type: 'multicast-ack', seq: 5, done: true, ids: [second.ref.id], refs: [] },
    ])
    assert.equal(second.neighbors.filter((change) => change === '+33').length, 1)
  })

  it('goes by those of a slot that have been there for long, not by one whose own insertion has just passed and who may not know the others yet', () => {
    const state = memberState(byte(0x11), [0x6c, 0x6f].map(byte))
    const multicasts = new Multicasts(state)
    const fx = new Recorder()
    const insertion = (subject: Guid) => ({ purpose: 'insert', subject: ref(subject), level: 0, slots: [] }) as const
    multicasts.begin(insertion(byte(0x72)), 0, fx)
    assert.deepEqual(fx.sent(), ['6c multicast'])
    multicasts.begin(insertion(byte(0x6c)), 100, fx)
    assert.deepEqual(fx.sent(), ['6f multicast'])
    multicasts.begin(insertion(byte(0x75)), 200, fx)
    assert.deepEqual(fx.sent(), ['6f multicast'])
    multicasts.begin(insertion(byte(0x78)), 100 + state.config.watchMs, fx)
    assert.deepEqual(fx.sent(), ['6c multicast'])
  })

  it('a node acknowledges an insertion at once when it has just heard from the joiner', () => {
    const network = new TestNetwork('heard before', { siblingsMin: 30 })
    const [first, second] = network.grow([byte(0x11), byte(0x22)]) as [TestHost, TestHost]
    const done: Message[] = []
    network.passes = (from, _to, sent) => {
      if (from.id === second.ref.id && sent.type === 'multicast-ack' && (sent as Message & { done: boolean }).done) done.push(sent)
      return true
    }
    second.take(ref('33'), { type: 'ping', seq: 1, member: false, group: 0, points: false } as never)
    second.take(first.ref, { type: 'multicast', seq: 5, token: 77, purpose: 'insert', level: 1, subject: ref('33'), slots: [] } as never)
    assert.equal(done.length, 1)
    assert.deepEqual(second.neighbors, ['+11', '+33'])
    // Of another incarnation it has heard nothing.
    second.take(first.ref, { type: 'multicast', seq: 6, token: 78, purpose: 'insert', level: 1, subject: ref('33', 2), slots: [] } as never)
    assert.equal(done.length, 1)
  })

  it('a node acknowledges an insertion, and takes the joiner in, when the joiner has answered it', () => {
    const network = new TestNetwork('contact first', { siblingsMin: 30 })
    const [first, second] = network.grow([byte(0x11), byte(0x22)]) as [TestHost, TestHost]
    const done: Message[] = []
    network.passes = (from, _to, sent) => {
      if (from.id === second.ref.id && sent.type === 'multicast-ack' && (sent as Message & { done: boolean }).done) done.push(sent)
      return true
    }
    const joiner = ref('33')
    second.take(first.ref, { type: 'multicast', seq: 5, token: 77, purpose: 'insert', level: 1, subject: joiner, slots: [] } as never)
    network.run(500)
    assert.equal(done.length, 0)
    assert.deepEqual(second.neighbors, ['+11'])
    second.take(joiner, { type: 'heartbeat', member: true, group: 0, points: false } as never)
    assert.equal(done.length, 1)
    assert.deepEqual(second.neighbors, ['+11', '+33'])
  })

  it('goes on without a joiner that does not answer, and forgets it', () => {
    const network = new TestNetwork('no answer', { siblingsMin: 30 })
    const [first, second] = network.grow([byte(0x11), byte(0x22)]) as [TestHost, TestHost]
    let done = 0
    network.passes = (from, _to, sent) => {
      if (from.id === second.ref.id && sent.type === 'multicast-ack' && (sent as Message & { done: boolean }).done) done++
      return true
    }
    second.take(first.ref, { type: 'multicast', seq: 5, token: 77, purpose: 'insert', level: 1, subject: ref('33'), slots: [] } as never)
    network.run(10_000)
    assert.equal(done, 1)
    assert.deepEqual(second.neighbors, ['+11'])
  })
})
