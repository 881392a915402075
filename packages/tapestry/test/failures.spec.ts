import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { byte, itJoinsAgainWhenCutOff, itSurvivesCrashes, itTellsOfReplicaSets, ref, someBytes } from '@plaxton/testbed'
import { tapestryDefaults } from '../src/index.ts'
import { inOrder } from './helpers.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

const { heartbeatMs, probeTimeoutMs, exchangeMs } = tapestryDefaults

describe('when nodes crash', () => {
  itSurvivesCrashes({
    network: (seed) => new TestNetwork(seed),
    masses: [
      [3, 0.67],
      [12, 0.5],
      [40, 0.1],
      [60, 0.5],
    ],
    seeds: 3,
    oneMs: 1.3 * heartbeatMs + 4 * probeTimeoutMs + 10_000,
    sound: soundWithin,
    sane: oneRoot,
  })
  itTellsOfReplicaSets((seed) => new TestNetwork(seed, { siblingsMin: 4 }))

  it('a cousin that has gone without a word does not make its branch crowded for good', () => {
    const network = new TestNetwork('crowd', { digitBits: 2, siblingsMin: 4 })
    // Of those that begin with 10 there are three: a sparse branch, which knows all the others and is known to them.
    const hosts = network.grow([0x00, 0x10, 0x20, 0x30, 0x05, 0x80, 0x90, 0xa0].map(byte))
    network.run(30_000)
    assert.deepEqual(network.complaints(), [])
    hosts[0]!.take(ref('b0'), { type: 'pong', seq: 0, member: true, group: 0, points: false } as never)
    assert.equal(network.complaints().length, 1)
    network.run(2 * exchangeMs + 4 * probeTimeoutMs)
    assert.deepEqual(network.complaints(), [])
  })

  it('a message waits while the last pointer of a slot is suspected, and goes on by a backup while there is one', () => {
    const network = new TestNetwork('suspect', { siblingsMin: 2 })
    const hosts = network.grow([byte(0x11), byte(0x12), byte(0x21), byte(0xa1), byte(0xa2)])
    network.run(10_000)
    const first = hosts[0]!
    const [primary, backup] = first.node.slot(0, 0xa) as [NodeRef, NodeRef]
    assert.equal(decide(first, byte(0xa5)), primary.id)
    first.node.suspect(primary, network.now, first)
    assert.equal(decide(first, byte(0xa5)), backup.id)
    first.node.suspect(backup, network.now, first)
    assert.equal(decide(first, byte(0xa5)), 'hold')
    network.run(5_000)
    assert.notEqual(decide(first, byte(0xa5)), 'hold')
  })

  it('all of a slot at once: messages for it wait until it has been checked, and then go to the next digit', () => {
    const network = new TestNetwork('slot', { siblingsMin: 2 })
    const hosts = network.grow([0x11, 0x12, 0x13, 0x21, 0x22, 0x23, 0x24, 0xa1, 0xa2].map(byte))
    network.run(20_000)
    for (const dead of hosts.slice(7)) dead.crash()
    const [first] = hosts as [TestHost]
    const seen = new Set<string>()
    for (let i = 0; i < 600; i++) {
      for (const ref of first.node.slot(0, 0xa)) first.node.suspect(ref, network.now, first)
      network.run(100)
      seen.add(decide(first, byte(0xa5)))
    }
    assert.ok(seen.has('hold'))
    assert.equal(decide(first, byte(0xa5)), 'deliver')
    assert.deepEqual(network.complaints(), [])
  })

  it('a slot whose pointers have all died is filled by another node of the same prefix', () => {
    const network = new TestNetwork('refill', { siblingsMin: 4, redundancy: 1 })
    const ids = [0x11, 0x12, 0x13, 0x14, 0x15, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5].map(byte)
    const hosts = network.grow(ids)
    network.run(20_000)
    const [first] = hosts as [TestHost]
    const [pointer] = first.node.slot(0, 0xa) as [NodeRef]
    network.hosts.get(pointer.id)!.crash()
    first.node.suspect(pointer, network.now, first)
    network.run(12_000)
    const [other] = first.node.slot(0, 0xa)
    assert.ok(other !== undefined && other.id !== pointer.id)
  })

  it('no two nodes deliver for one key while deaths are being noticed', () => {
    for (let seed = 0; seed < 3; seed++) {
      const network = new TestNetwork(`deliver ${seed}`, { siblingsMin: 4 })
      const ids = someBytes(network.prng, 24)
      network.grow(ids)
      network.run(10_000)
      const victims = network.prng.shuffle(network.members()).slice(0, 8)
      for (const victim of victims) victim.crash()
      const left = ids.filter((id) => victims.every(({ ref }) => ref.id !== id))
      for (let i = 0; i < 240; i++) {
        network.run(500)
        for (let value = 0; value < 256; value += 7) {
          const delivering = network.members().filter(({ node }) => node.nextHop(byte(value), 0, new Set()).action === 'deliver')
          assert.ok(delivering.length <= 1, `${byte(value)} at ${network.now} ms`)
        }
      }
      for (let value = 0; value < 256; value++) {
        for (const host of network.members()) assert.equal(network.rootFor(byte(value), host), inOrder(left, byte(value), 4)[0])
      }
    }
  })

  it('a node that is alone afterwards in a small network answers for everything', () => {
    const network = new TestNetwork('last')
    const [last, ...others] = network.grow(3) as [TestHost, ...TestHost[]]
    for (const other of others) other.crash()
    network.run(2 * heartbeatMs + 5 * probeTimeoutMs)
    assert.deepEqual(last.node.neighborSet(16), [])
    assert.equal(decide(last, others[0]!.ref.id), 'deliver')
  })

  it('a node that has seen many others come and crash one after the other is not cut off when the last of them goes', () => {
    const network = new TestNetwork('one after the other', { siblingsMin: 4 })
    const [last] = network.grow(1) as [TestHost]
    for (let i = 0; i < 8; i++) {
      const [other] = network.grow(1) as [TestHost]
      network.run(1_000)
      other.crash()
      network.run(2 * heartbeatMs + 5 * probeTimeoutMs)
      assert.deepEqual(last.node.neighborSet(16), [])
      assert.ok(last.node.ready, `after ${i + 1}`)
      assert.equal(decide(last, other.ref.id), 'deliver')
    }
  })

  itJoinsAgainWhenCutOff((seed) => new TestNetwork(seed, { siblingsMin: 4 }), { cutMs: 1_800_000, soundMs: 240_000 }, soundWithin)
})

describe('when nodes leave', () => {
  it('the gaps are closed within a round trip or two', () => {
    for (const count of [2, 5, 17, 40]) {
      const network = new TestNetwork(`leave ${count}`)
      const members = network.grow(count)
      network.run(20_000)
      members[0]!.leave()
      soundWithin(network, 500)
      oneRoot(network)
    }
  })

  it('a slot that nobody else can fill is known to be empty from the good-bye alone', () => {
    const network = new TestNetwork('only one', { siblingsMin: 2 })
    const hosts = network.grow([byte(0x11), byte(0x12), byte(0x21), byte(0x22), byte(0xa1)])
    network.run(20_000)
    hosts[4]!.leave()
    network.run(60)
    for (const host of network.members()) assert.notEqual(decide(host, byte(0xa1)), 'hold')
  })

  it('they are not taken back on hearsay, nor when a late message of theirs arrives', () => {
    const network = new TestNetwork('late')
    const [leaver, other] = network.grow(10) as [TestHost, TestHost]
    leaver.leave()
    network.run(1_000)
    other.take(leaver.ref, { type: 'heartbeat', member: true, group: 0, points: false } as never)
    network.run(60_000)
    soundWithin(network, 0)
  })

  it('half of the network at once leaves no hole', () => {
    const network = new TestNetwork('half')
    const members = network.grow(40)
    network.run(20_000)
    for (const host of network.prng.shuffle(members).slice(0, 20)) host.leave()
    soundWithin(network, 180_000)
    oneRoot(network)
  })
})

describe('when the network is cut in two', () => {
  it('each part keeps one root per key, and they become one again when it heals', () => {
    for (let seed = 0; seed < 3; seed++) {
      const network = new TestNetwork(`cut ${seed}`)
      const members = network.grow(30)
      network.run(10_000)
      const side = new Set(
        network.prng
          .shuffle(members)
          .slice(0, 12)
          .map(({ ref }) => ref.id),
      )
      network.passes = (a, b) => side.has(a.id) === side.has(b.id)
      network.run(180_000)
      for (const inside of [true, false]) {
        const part = members.filter(({ ref }) => side.has(ref.id) === inside)
        const key = randomGuid(network.prng, 128)
        assert.equal(new Set(part.map((host) => network.rootFor(key, host))).size, 1)
      }
      network.passes = () => true
      soundWithin(network, 300_000)
      oneRoot(network)
    }
  })

  it('with lost messages on top it still heals', () => {
    const network = new TestNetwork('cut and loss')
    const members = network.grow(30)
    network.loss = 0.1
    const side = new Set(members.slice(0, 10).map(({ ref }) => ref.id))
    network.passes = (a, b) => side.has(a.id) === side.has(b.id)
    network.run(120_000)
    network.passes = () => true
    network.loss = 0
    soundWithin(network, 300_000)
  })
})

describe('at rest', () => {
  it('a node sends well below one message a second', () => {
    const network = new TestNetwork('rest')
    network.grow(80)
    network.run(900_000)
    const before = network.sent
    network.run(600_000)
    const rate = (network.sent - before) / 600 / 80
    assert.ok(rate < 0.3, `${rate} messages a second`)
  })

  it('exchanges mend what no message has told', () => {
    const network = new TestNetwork('mend')
    network.grow(25)
    // Nobody hears of the joiner but by its surrogate’s multicast, and that reaches nobody.
    const host = network.add()
    let deaf = true
    network.passes = (_a, _b, { type }) => !(deaf && (type === 'multicast' || type === 'contacts'))
    host.join([network.members()[0]!])
    network.runUntil(() => host.node.ready, 60_000)
    deaf = false
    soundWithin(network, 6 * exchangeMs + 120_000)
  })
})

/** What a node does with a message: an id to send to, `deliver` or `hold`. */
function decide(host: TestHost, key: Guid): string {
  const next = host.node.nextHop(key, 0, new Set())
  return next.action === 'forward' ? next.to.id : next.action
}

function soundWithin(network: TestNetwork, withinMs: number): void {
  const step = Math.max(500, withinMs / 20)
  const isSound = (): boolean => network.living().every(({ node }) => node.ready) && network.complaints().length === 0
  for (let elapsed = 0; elapsed < withinMs && !isSound(); elapsed += step) network.run(step)
  assert.deepEqual(network.complaints(), [])
  for (const { node } of network.members()) node.assertInvariants()
}

function oneRoot(network: TestNetwork): void {
  for (let i = 0; i < 20; i++) {
    const key = randomGuid(network.prng, 128)
    const roots = new Set(network.members().map((host) => network.rootFor(key, host)))
    assert.equal(roots.size, 1, key)
    assert.ok(!roots.has(undefined))
  }
}
