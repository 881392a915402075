import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef } from '@plaxton/kbr'
import { Fuzz, byte, ref, someBytes } from '@plaxton/testbed'
import { encodeInsertPayload } from '../src/codec.ts'
import { tapestryDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

/** Every message, with anything in it. */
class TapestryFuzz extends Fuzz {
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
      { type: 'leave-ack' } as Message,
    ])!
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
      const fuzz = new TapestryFuzz(`fuzz ${digitBits}`)
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

  it('throws nothing in a node that leaves, and holds it up for `leaveMs` at most', () => {
    const network = new TestNetwork('fuzz leaver', { siblingsMin: 4 })
    const [leaver, ...others] = network.grow(someBytes(network.prng, 12)) as [TestHost, ...TestHost[]]
    const fuzz = new TapestryFuzz('leaver')
    network.passes = (_from, to, { type }) => type !== 'leave' || to.id !== others[0]!.ref.id
    leaver.leave()
    const startedAt = network.now
    while (leaver.alive) {
      const from = network.prng.chance(0.5) ? network.prng.pick(others)!.ref : fuzz.ref()
      if (from.id !== leaver.ref.id) leaver.take(from, fuzz.message())
      leaver.node.assertInvariants()
      network.run(20)
    }
    assert.ok(network.now - startedAt <= tapestryDefaults.leaveMs + 20)
  })

  it('takes a comparison of siblings from nobody that it has not asked', () => {
    const network = new TestNetwork('comparison')
    const [host, other] = network.grow(12) as [TestHost, TestHost]
    network.run(10_000)
    const before = network.sent
    const ids = someBytes(network.prng, 100)
    host.take(other.ref, {
      type: 'exchange-reply',
      member: true,
      group: 0,
      points: true,
      same: false,
      prefix: 0,
      ids,
      gone: ids,
      refs: [],
    } as Message)
    assert.equal(network.sent, before)
    assert.deepEqual(host.events.at(-1), { type: 'dropped', from: other.ref, reason: 'a comparison that nobody asked for' })
  })

  it('has a slot taken for empty only when more than half of those asked say so; otherwise everybody is asked', () => {
    for (const [liars, checks] of [
      [2, 1],
      [3, 0],
    ] as const) {
      const network = new TestNetwork(`liars ${liars}`, { siblingsMin: 2, redundancy: 1 })
      const hosts = network.grow([0x11, 0x12, 0x13, 0x21, 0x22, 0x31, 0x32, 0xa1].map(byte))
      const [host] = hosts as [TestHost]
      network.run(20_000)
      const [pointer] = host.node.slot(0, 0xa) as [NodeRef]
      const asked: NodeRef[] = []
      let everybody = 0
      network.passes = (from, to, { type }) => {
        if (from.id === host.ref.id && type === 'slot-request') asked.push(to)
        if (from.id === host.ref.id && type === 'multicast') everybody = 1
        return type !== 'slot-reply'
      }
      network.hosts.get(pointer.id)!.crash()
      for (let i = 0; i < 2; i++) host.peerDown(pointer, 'unreachable')
      assert.equal(asked.length, 4)
      for (const [i, from] of asked.entries()) {
        host.take(from, { type: 'slot-reply', member: true, group: 0, points: true, slot: 0xa, refs: [], checked: i < liars } as Message)
      }
      assert.equal(everybody, checks)
    }
  })

  it('sends its map to one joiner a few times, and to all together so often, whoever says that they want to join', () => {
    const network = new TestNetwork('maps')
    const [host] = network.grow(12) as [TestHost]
    network.run(10_000)
    let maps = 0
    network.passes = (from, _to, { type }) => {
      if (type === 'surrogate' && from.id === host.ref.id) maps++
      return true
    }
    const want = (joiner: NodeRef): void =>
      void host.node.forwardOwn(joiner.id, encodeInsertPayload({ purpose: 'join', joiner, attempt: 1 }), 3, undefined, network.now, host)
    const victim = network.add().ref
    for (let i = 0; i < 100; i++) want(victim)
    assert.equal(maps, 4)
    for (let i = 0; i < 1_000; i++) want(network.add().ref)
    assert.equal(maps, 256)
    network.run(1_000)
    for (let i = 0; i < 100; i++) want(network.add().ref)
    assert.equal(maps, 256 + 20)
  })

  it('throws nothing in a node that is joining', () => {
    const network = new TestNetwork('fuzz joiner', { siblingsMin: 4, joinMs: 600_000 })
    const [first] = network.grow(someBytes(network.prng, 6)) as [TestHost]
    const fuzz = new TapestryFuzz('joiner')
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

describe('multicasts of those who mean harm', () => {
  const ghost = ref('f7')

  /** Fifty members at rest, and what they send from now on. */
  function throng(seed: string): { network: TestNetwork; hosts: TestHost[]; sent: Array<{ from: Guid; to: Guid; type: string }> } {
    const network = new TestNetwork(seed, { siblingsMin: 4 })
    const hosts = network.grow(
      someBytes(network.prng, 60)
        .filter((id) => id !== ghost.id && id !== 'f8')
        .slice(0, 50),
    )
    network.run(60_000)
    const sent: Array<{ from: Guid; to: Guid; type: string }> = []
    // Also what is sent to nobody, so before the network.
    for (const host of hosts) {
      const send = host.send.bind(host)
      host.send = (to, message) => {
        sent.push({ from: host.ref.id, to: to.id, type: message.type })
        send(to, message)
      }
    }
    return { network, hosts, sent }
  }

  function multicast(purpose: string, subject: NodeRef, token: number, level = 1): Message {
    return { type: 'multicast', seq: token, token, purpose, level, subject, slots: [] } as Message
  }

  const about = (sent: ReadonlyArray<{ type: string }>): number => sent.filter(({ type }) => type.startsWith('multicast')).length
  const knows = (host: TestHost, id: Guid): boolean => host.node.localLookup(id, 3, false).some((other) => other.id === id)

  it('of a stranger change nothing and cost one frame, to the stranger', () => {
    const { network, hosts, sent } = throng('strange multicast')
    const stranger = ref('f8')
    for (const [i, purpose] of ['insert', 'obituary', 'check'].entries()) {
      for (const level of [0, 1, 2]) {
        const host = hosts[3 * i + level]!
        sent.length = 0
        host.take(stranger, multicast(purpose, purpose === 'insert' ? ghost : hosts[40]!.ref, 10 * i + level, level))
        assert.deepEqual(sent, [{ from: host.ref.id, to: stranger.id, type: 'ping' }])
      }
    }
    sent.length = 0
    network.run(5_000)
    assert.equal(about(sent), 0)
    assert.equal(sent.filter(({ to }) => to === ghost.id || to === stranger.id).length, 0)
    assert.ok(hosts.every((host) => !knows(host, ghost.id) && knows(host, hosts[40]!.ref.id) !== (host === hosts[40])))
    assert.deepEqual(network.complaints(), [])
  })

  it('of a member for more than its slot for the receiver are dropped', () => {
    const { hosts, sent } = throng('too wide')
    const [host, member] = [hosts[0]!, hosts.find(({ ref: other }) => other.id[0] !== hosts[0]!.ref.id[0])!]
    host.take(member.ref, multicast('insert', ghost, 1, 0))
    assert.deepEqual(host.events.at(-1), { type: 'dropped', from: member.ref, reason: 'a multicast to more than a slot' })
    assert.deepEqual(sent, [])
  })

  it('of a member bring no node into a table that does not answer, nor a message on the way to it', () => {
    const { network, hosts, sent } = throng('ghost')
    const member = hosts[0]!
    const reached = member.node.slot(0, 0xf)[0] ?? member.node.slot(0, 1)[0]!
    network.hosts.get(reached.id)!.take(member.ref, multicast('insert', ghost, 1))
    for (let i = 0; i < 30; i++) {
      network.run(1_000)
      for (const host of hosts) {
        const next = host.node.nextHop(ghost.id, 0, new Set())
        assert.ok(next.action === 'deliver' || (next.action === 'forward' && next.to.id !== ghost.id), next.action)
      }
    }
    // Three pings from each of the part of the network that the member may speak to, no more of anything.
    const part = hosts.filter(({ ref: other }) => other.id[0] === reached.id[0]).length
    const toGhost = sent.filter(({ to }) => to === ghost.id)
    assert.ok(toGhost.length > 0 && toGhost.length <= 3 * part, `${toGhost.length} to the ghost from ${part} nodes`)
    assert.ok(toGhost.every(({ type }) => type === 'ping'))
    network.run(300_000)
    assert.ok(sent.filter(({ to }) => to === ghost.id).length <= 3 * part)
    assert.deepEqual(network.complaints(), [])
  })

  it('of a member are taken on so many at once and then so often, whatever they are about', () => {
    const config = { siblingsMin: 4, multicastBurst: 8, multicastEveryMs: 10_000 }
    const network = new TestNetwork('flood', config)
    const [first, second] = network.grow([byte(0x11), byte(0x22), byte(0x33)]) as [TestHost, TestHost]
    let taken = 0
    second.send = (_to, message) => void (message.type === 'multicast-ack' && taken++)
    const flood = (): number => {
      taken = 0
      for (let i = 0; i < 200; i++) second.take(first.ref, multicast('check', first.ref, network.prng.nextUint32()))
      return taken
    }
    // What the insertions of the others have used up.
    network.now += 100_000
    assert.equal(flood(), 8)
    network.now += 30_000
    assert.equal(flood(), 3)
  })

  it('that say again and again that a live member is dead have it asked once in a while, and are not passed on', () => {
    const { network, hosts, sent } = throng('obituaries')
    const victim = hosts[20]!
    const member = hosts.find(({ ref: other }) => other.id[0] !== victim.ref.id[0])!
    const targets = hosts.filter((host) => host.ref.id[0] === victim.ref.id[0] && host !== victim)
    for (let i = 0; i < 50; i++) {
      for (const host of targets) host.take(member.ref, multicast('obituary', victim.ref, 1_000 * i + hosts.indexOf(host)))
      network.run(100)
    }
    const pings = sent.filter(({ to, type }) => to === victim.ref.id && type === 'ping').length
    assert.ok(pings <= 2 * targets.length, `${pings} pings by ${targets.length}`)
    const passed = sent.filter(({ type }) => type === 'multicast').length
    assert.ok(passed <= targets.length ** 2, `${passed} passed on by ${targets.length}`)
    assert.deepEqual(network.complaints(), [])
  })

  it('do not stay open for as long as somebody says that it is still at it', () => {
    const network = new TestNetwork('endless', { siblingsMin: 4, multicastsMax: 4 })
    const [first, second, third] = network.grow([byte(0x11), byte(0x22), byte(0x23)]) as [TestHost, TestHost, TestHost]
    network.passes = (from, _to, message) => {
      if (from.id !== third.ref.id || message.type !== 'multicast-ack') return true
      return (message as Message & { done: boolean }).done === false
    }
    third.send = (to, message) =>
      network.transmit(third, to, message.type === 'multicast-ack' ? ({ ...message, done: false } as Message) : message, (host) =>
        host.node.onMessage(
          third.ref,
          message.type === 'multicast-ack' ? ({ ...message, done: false } as Message) : message,
          network.now,
          host,
        ),
      )
    let done = 0
    const send = second.send.bind(second)
    second.send = (to, message) => {
      if (to.id === first.ref.id && message.type === 'multicast-ack' && (message as Message & { done: boolean }).done) done++
      send(to, message)
    }
    second.take(first.ref, multicast('check', first.ref, 9))
    network.run(15_000)
    assert.equal(done, 0)
    network.run(10_000)
    assert.equal(done, 1)
  })

  it('cannot be had of a surrogate as often as a joiner likes', () => {
    const network = new TestNetwork('inserts', { siblingsMin: 4 })
    const hosts = network.grow([byte(0x11), byte(0x22), byte(0x33)])
    let begun = 0
    const send = hosts[0]!.send.bind(hosts[0]!)
    hosts[0]!.send = (to, message) => {
      if (message.type === 'multicast') begun++
      send(to, message)
    }
    for (let attempt = 1; attempt <= 100; attempt++) hosts[0]!.take(ref('44'), { type: 'insert', attempt, holes: [] } as never)
    // Four at once, each to the two others.
    assert.equal(begun, 8)
  })
})
