import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { byte, guid, someBytes } from '@plaxton/testbed'
import type { LevelRequest } from '../src/messages.ts'
import { inOrder } from './helpers.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

const everyKey = Array.from({ length: 256 }, (_, i) => byte(i))

describe('joining', () => {
  it('the first node is a member at once and answers for every key', () => {
    const network = new TestNetwork('first')
    const host = network.add(byte(9))
    host.join([])
    assert.equal(host.node.ready, true)
    for (const key of everyKey) assert.equal(network.rootFor(key, host), byte(9))
  })

  it('two and three nodes make a network at once', () => {
    for (const count of [2, 3]) {
      const network = new TestNetwork(`few ${count}`)
      const hosts = network.grow(count)
      assert.ok(hosts.every(({ node }) => node.ready))
      assert.ok(network.now < 5_000, `${network.now} ms`)
      assert.deepEqual(network.complaints(), [])
    }
  })

  for (const digitBits of [1, 2, 3, 4, 5]) {
    it(`in digits of ${digitBits} bits: every key has one root from everywhere, the first in order`, () => {
      for (let seed = 0; seed < 3; seed++) {
        const network = new TestNetwork(`roots ${digitBits} ${seed}`, { digitBits, siblingsMin: 5 })
        const ids = someBytes(network.prng, 30)
        network.grow(ids)
        // Who was told late that a branch is no longer sparse finds out by an exchange.
        network.run(90_000)
        assert.deepEqual(network.complaints(), [])
        for (const key of everyKey) {
          const root = inOrder(ids, key, digitBits)[0]
          for (const host of network.members()) assert.equal(network.rootFor(key, host), root, `${key} from ${host.ref.id}`)
        }
        for (const host of network.members()) host.node.assertInvariants()
      }
    })
  }

  it('while nodes join one after the other, no two nodes deliver for one key at any moment', () => {
    const network = new TestNetwork('consistent', { siblingsMin: 3 })
    const ids = someBytes(network.prng, 24)
    for (const id of ids) {
      const bootstrap = network.prng.pick(network.members())
      const host = network.add(id)
      host.join(bootstrap === undefined ? [] : [bootstrap])
      while (!host.node.ready) {
        network.run(15)
        for (const key of everyKey.filter((_, at) => at % 2 === 0)) atMostOneDelivers(network, key)
      }
    }
  })

  it('nodes that join all at once leave no hole and know their siblings', () => {
    for (let seed = 0; seed < 6; seed++) {
      const network = new TestNetwork(`parallel ${seed}`)
      const [first] = network.grow(1 + network.prng.nextInt(20)) as [TestHost]
      for (let i = 0; i < 30; i++) network.add().join([first])
      assert.ok(
        network.runUntil(() => network.living().every(({ node }) => node.ready), 60_000),
        `seed ${seed}`,
      )
      network.run(20_000)
      assert.deepEqual(network.complaints(), [], `seed ${seed}`)
    }
  })

  it('nodes that join all at once deliver no key twice meanwhile', () => {
    for (let seed = 0; seed < 2; seed++) {
      const network = new TestNetwork(`parallel roots ${seed}`, { siblingsMin: 3 })
      const ids = someBytes(network.prng, 26)
      const [first] = network.grow(ids.slice(0, 6)) as [TestHost]
      for (const id of ids.slice(6)) network.add(id).join([first])
      for (let i = 0; i < 160; i++) {
        network.run(25)
        for (const key of everyKey.filter((_, at) => at % 3 === i % 3)) atMostOneDelivers(network, key)
      }
      assert.equal(network.members().length, 26)
    }
  })

  it('two joiners that fill each other’s hole learn of each other, whichever message is first', () => {
    // Both share no digit with anybody else, and the first one with each other.
    for (const [slowA, slowB] of [
      [0, 0],
      [200, 0],
      [0, 200],
      [0, 60],
      [60, 0],
    ] as const) {
      const network = new TestNetwork('hole', { siblingsMin: 2 })
      network.grow([byte(0x11), byte(0x12), byte(0x21), byte(0x22), byte(0x31)])
      const [a, b] = [network.add(byte(0xa1)), network.add(byte(0xa7))]
      network.latencyMs = (from, _to, message) =>
        10 + (message.type !== 'multicast' ? 0 : subjectOf(message) === a.ref.id ? slowA : slowB) + (from.id.charCodeAt(1) % 7)
      const known = network.members()
      a.join([known[0]!])
      b.join([known[3]!])
      assert.ok(network.runUntil(() => a.node.ready && b.node.ready, 10_000))
      assert.deepEqual(
        [a.node.slot(1, 7), b.node.slot(1, 1)].map(([ref]) => ref?.id),
        [b.ref.id, a.ref.id],
      )
    }
  })

  it('asks for the lists of those levels only that its surrogate does not know in full, all at once, and is a member nine round trips later', () => {
    for (let seed = 0; seed < 5; seed++) {
      const network = new TestNetwork(`round trips ${seed}`, { digitBits: 2 })
      network.latencyMs = () => 50
      // Groups share one digit: of some 15 with the same first digit, fewer than 10 have the same second.
      const hosts = network.grow(60)
      network.run(60_000)
      const asked = new Set<number>()
      network.passes = (from, _to, message) => {
        if (message.type === 'level-request' && from.id === joiner.ref.id) asked.add((message as LevelRequest).level)
        return true
      }
      const joiner = network.add()
      joiner.join([hosts[seed]!])
      assert.ok(
        network.runUntil(() => joiner.node.ready, 1_000),
        `seed ${seed}`,
      )
      assert.deepEqual([...asked], [0])
    }
  })

  it('a joiner that dies before it is announced is in nobody’s table', () => {
    const network = new TestNetwork('dies early')
    network.grow(20)
    const sent = new Set<string>()
    network.passes = (_from, _to, message) => {
      sent.add(message.type)
      return true
    }
    const host = network.add()
    host.join([network.members()[0]!])
    network.runUntil(() => sent.has('surrogate'), 5_000)
    host.crash()
    network.run(5_000)
    for (const { node } of network.members()) assert.ok(!node.neighborSet(100).some(({ id }) => id === host.ref.id))
  })

  it('a joiner that dies while it is being announced leaves no key without a root for longer than its death takes to be noticed', () => {
    const network = new TestNetwork('dies late')
    network.grow(20)
    const host = network.add()
    host.join([network.members()[0]!])
    network.runUntil(() => network.members().some(({ node }) => node.neighborSet(100).some(({ id }) => id === host.ref.id)), 5_000)
    assert.equal(host.node.ready, false)
    host.crash()
    network.run(15_000)
    for (const asker of network.members()) assert.ok(network.rootFor(host.ref.id, asker) !== undefined)
    assert.deepEqual(network.complaints(), [])
  })

  it('messages lost on the way only delay it', () => {
    const network = new TestNetwork('loss')
    network.grow(25)
    network.loss = 0.1
    for (let i = 0; i < 10; i++) {
      const host = network.add()
      host.join([network.prng.pick(network.members())!])
      assert.ok(network.runUntil(() => host.node.ready, 120_000))
    }
    network.loss = 0
    network.run(120_000)
    assert.deepEqual(network.complaints(), [])
  })

  it('another bootstrap node is asked when the first does not answer', () => {
    const network = new TestNetwork('second')
    const [first, second] = network.grow(5) as [TestHost, TestHost]
    first.crash()
    const host = network.add()
    host.join([first, second])
    assert.ok(network.runUntil(() => host.node.ready, 30_000))
  })

  it('gives up after joinMs, with a reason', () => {
    const network = new TestNetwork('alone', { joinMs: 20_000 })
    const [gone] = network.grow(1) as [TestHost]
    gone.crash()
    const host = network.add()
    host.join([gone])
    network.run(60_000)
    assert.deepEqual(host.events, [{ type: 'join-failed', reason: 'None of 1 bootstrap nodes could be joined through within 20000 ms.' }])
  })

  it('a network in which everybody was restarted at once comes up again', () => {
    const network = new TestNetwork('restart')
    const hosts = Array.from({ length: 6 }, () => network.add())
    hosts.forEach((host, i) => host.join([hosts[(i + 1) % 6]!, hosts[(i + 2) % 6]!]))
    assert.ok(network.runUntil(() => hosts.every(({ node }) => node.ready), 120_000))
    network.run(180_000)
    assert.deepEqual(network.complaints(), [])
  })

  it('begins no network of its own while the only ones it knows, joiners too, have heard a member', () => {
    const network = new TestNetwork('fellow')
    const [member] = network.grow([byte(0x80)]) as [TestHost]
    const [fellow, joiner] = [network.add(byte(0x90)), network.add(byte(0x10))]
    // The fellow's insertion takes longer than three rounds of the joiner, who has the least id.
    let isSlow = true
    network.passes = (_from, to, message) => !(isSlow && message.type === 'inserted' && to.id === fellow.ref.id)
    fellow.join([member])
    network.run(200)
    joiner.join([fellow])
    assert.ok(network.runUntil(() => joiner.node.ready, 1_000))
    assert.equal(fellow.node.ready, false)
    assert.deepEqual(
      joiner.node.neighborSet(1).map(({ id }) => id),
      [member.ref.id],
    )
    isSlow = false
    assert.ok(network.runUntil(() => fellow.node.ready, 10_000))
    assert.deepEqual(network.complaints(), [])
  })

  it('a node comes back under the same id in a new incarnation, noticed or not', () => {
    for (const noticed of [false, true]) {
      const network = new TestNetwork(`again ${noticed}`)
      const hosts = network.grow(15)
      hosts[4]!.crash()
      if (noticed) network.run(120_000)
      const again = network.add(hosts[4]!.ref.id, 2)
      again.join([hosts[7]!])
      assert.ok(network.runUntil(() => again.node.ready, 60_000))
      network.run(60_000)
      assert.deepEqual(network.complaints(), [])
      for (const { node } of network.members()) {
        for (const ref of node.neighborSet(100)) if (ref.id === again.ref.id) assert.equal(ref.epoch, 2)
      }
    }
  })

  it('one of several that died at once comes back as fast as a node joins that was never there', () => {
    const network = new TestNetwork('four of twelve')
    network.tellsUnreachable = true
    const hosts = network.grow(12)
    // Who has only just come is not named to joiners.
    network.run(25_000)
    const dead = hosts.splice(4, 4)
    for (const host of dead) host.crash()
    for (const host of hosts) for (const { ref } of dead) host.peerDown(ref, 'disconnected')
    network.run(300)
    for (const { ref } of dead) {
      const again = network.add(ref.id, 2)
      again.join([hosts[0]!])
      assert.ok(network.runUntil(() => again.node.ready, 1_000))
    }
    assert.deepEqual(network.complaints(), [])
  })

  it('nodes that cannot be reached are not waited for: nor by a joiner, nor by a multicast that names it', () => {
    for (let seed = 0; seed < 4; seed++) {
      const network = new TestNetwork(`unnoticed ${seed}`)
      network.tellsUnreachable = true
      const hosts = network.grow(40)
      network.run(25_000)
      for (const host of hosts.splice(10, 8)) host.crash()
      // Nobody has noticed: the surrogate's map names them, and they stand in the slots through which the multicast goes.
      const joiner = network.add()
      joiner.join([hosts[0]!])
      assert.ok(
        network.runUntil(() => joiner.node.ready, 1_500),
        `seed ${seed}`,
      )
      network.run(20_000)
      assert.deepEqual(network.complaints(), [])
    }
  })

  it('a member that is given nodes of another network makes one of the two', () => {
    const network = new TestNetwork('merge')
    const here = network.grow(12)
    const founder = network.add()
    founder.join([])
    const there = [founder]
    for (let i = 0; i < 11; i++) {
      const host = network.add()
      there.push(host)
      host.join([founder])
      network.runUntil(() => host.node.ready, 30_000)
    }
    here[3]!.node.join([there[5]!.ref], network.now, here[3]!)
    network.run(240_000)
    assert.deepEqual(network.complaints(), [])
    assert.equal(network.rootFor(guid('7'.repeat(32)), here[0]!), network.rootFor(guid('7'.repeat(32)), there[0]!))
  })

  it('tells its application of its siblings, and that routes have changed', () => {
    const network = new TestNetwork('upcalls')
    const [first, second] = network.grow([byte(0x10), byte(0x20)]) as [TestHost, TestHost]
    assert.deepEqual([first.neighbors, second.neighbors], [['+20'], ['+10']])
    assert.ok(first.routeChanges > 0 && second.routeChanges > 0)
  })
})

function atMostOneDelivers(network: TestNetwork, key: Guid): void {
  const delivering = network.living().filter(({ node }) => node.nextHop(key, 0, new Set()).action === 'deliver')
  assert.ok(delivering.length <= 1, `${key} at ${delivering.map(({ ref }) => ref.id).join(', ')} at ${network.now} ms`)
}

function subjectOf(message: object): string | undefined {
  return (message as { subject?: { id: string } }).subject?.id
}
