import assert from 'node:assert/strict'
import { compareClockwise } from '@plaxton/guid'
import { pastryDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

const { leafSetSize, heartbeatMs, probeTimeoutMs } = pastryDefaults

describe('when nodes crash', () => {
  for (const [count, share] of [
    [3, 0.67],
    [12, 0.5],
    [40, 0.1],
    [60, 0.5],
  ] as const) {
    it(`${Math.round(share * count)} of ${count} at once, all leaf sets are exact again within three heartbeats`, () => {
      for (let seed = 0; seed < 8; seed++) {
        const network = new TestNetwork(`crash ${count} ${seed}`)
        network.grow(count)
        network.run(10_000)
        for (const victim of network.prng.shuffle(network.members()).slice(0, Math.round(share * count))) victim.crash()
        exactWithin(network, 3 * heartbeatMs)
      }
    })
  }

  it('with all of one side of a leaf set and more among them, the two edges of the gap find each other', () => {
    for (let seed = 0; seed < 8; seed++) {
      const network = new TestNetwork(`gap ${seed}`)
      const members = network.grow(80)
      network.run(10_000)
      const origin = members[0]!.ref.id
      const ring = members.toSorted((a, b) => compareClockwise(a.ref.id, b.ref.id, origin))
      for (const victim of ring.slice(1, leafSetSize + 4)) victim.crash()
      exactWithin(network, 3 * heartbeatMs)
    }
  })

  it('is noticed at once where a refused connection tells', () => {
    const network = new TestNetwork('refused')
    network.tellsUnreachable = true
    network.grow(30)
    network.run(10_000)
    const victim = network.members()[3]!
    victim.crash()
    for (const host of network.members()) host.peerDown(victim.ref, 'disconnected')
    exactWithin(network, 1_000)
  })

  it('no node answers for keys next to a side it has lost', () => {
    const network = new TestNetwork('edge')
    const members = network.grow(60)
    network.run(10_000)
    const ring = members.toSorted((a, b) => compareClockwise(a.ref.id, b.ref.id, members[0]!.ref.id))
    const victims = ring.slice(1, leafSetSize + 4)
    for (const victim of victims) victim.crash()
    const edges = [ring[0]!, ring[leafSetSize + 4]!]
    const middle = victims[victims.length >> 1]!.ref.id
    for (let i = 0; i < 200; i++) {
      network.run(500)
      assert.ok(edges.filter(({ node }) => node.nextHop(middle, 0, new Set()).action === 'deliver').length <= 1)
    }
    assert.equal(network.answering(middle).length, 1)
  })

  it('a node that is alone afterwards in a small ring answers for everything', () => {
    const network = new TestNetwork('last')
    const [last, ...others] = network.grow(3) as [TestHost, ...TestHost[]]
    for (const other of others) other.crash()
    network.run(2 * heartbeatMs + 5 * probeTimeoutMs)
    assert.deepEqual(last.node.neighborSet(leafSetSize), [])
    assert.equal(last.node.nextHop(others[0]!.ref.id, 0, new Set()).action, 'deliver')
  })

  it('a node cut off from a large ring answers for nothing, and joins again', () => {
    const network = new TestNetwork('isolated')
    const [lonely] = network.grow(40) as [TestHost]
    network.run(10_000)
    network.passes = (a, b) => a.id !== lonely.ref.id && b.id !== lonely.ref.id
    // Longer than one attempt to join lasts.
    network.run(600_000)
    assert.equal(lonely.node.ready, false)
    assert.ok(!lonely.events.some(({ type }) => type === 'join-failed'))
    network.passes = () => true
    assert.ok(network.runUntil(() => lonely.node.ready, 150_000))
    exactWithin(network, 60_000)
  })
})

describe('when nodes leave', () => {
  it('the gap is closed within a round trip or two', () => {
    for (const count of [2, 5, 17, 40]) {
      const network = new TestNetwork(`leave ${count}`)
      const members = network.grow(count)
      network.run(10_000)
      members[0]!.leave()
      exactWithin(network, 500)
    }
  })

  it('they are not taken back on hearsay, nor when a late message of theirs arrives', () => {
    const network = new TestNetwork('late')
    const members = network.grow(10)
    const [leaver, other] = members as [TestHost, TestHost]
    leaver.leave()
    network.run(1_000)
    other.node.onContact(leaver.ref, network.now, other)
    other.node.onMessage(leaver.ref, { type: 'heartbeat' }, network.now, other)
    network.run(60_000)
    assert.deepEqual(network.complaints(), [])
  })

  it('a node that has left says nothing more', () => {
    const network = new TestNetwork('silent')
    const [leaver] = network.grow(5) as [TestHost]
    leaver.node.leave(network.now, leaver)
    const { sent } = network
    leaver.node.onMessage(network.members()[1]!.ref, { type: 'ping', seq: 1 } as never, network.now, leaver)
    leaver.node.onTimer('heartbeat', 0, network.now, leaver)
    assert.equal(network.sent, sent)
  })
})

describe('when the network is split', () => {
  for (const [count, splitMs] of [
    [12, 60_000],
    [12, 1_800_000],
    [50, 45_000],
    [50, 300_000],
  ] as const) {
    it(`${count} nodes for ${splitMs / 1_000} s, both parts go on, and become one again within three minutes, without a storm`, () => {
      for (let seed = 0; seed < 3; seed++) {
        const network = new TestNetwork(`split ${count} ${splitMs} ${seed}`)
        network.grow(count)
        network.run(10_000)
        const side = new Map([...network.hosts.keys()].map((id) => [id, network.prng.chance(0.5)]))
        network.passes = (a, b) => side.get(a.id) === side.get(b.id)
        network.run(splitMs)
        for (const part of [true, false]) {
          const nodes = network.members().filter(({ ref }) => side.get(ref.id) === part)
          for (const key of nodes.map(({ ref }) => ref.id))
            assert.equal(network.answering(key).filter((host) => nodes.includes(host)).length, 1)
        }
        network.passes = () => true
        const { sent } = network
        exactWithin(network, 180_000)
        assert.ok(network.sent - sent < count * 200, `${(network.sent - sent) / count} messages a node`)
      }
    })
  }

  it('in one direction only, nobody is declared dead to others: they look for themselves', () => {
    const network = new TestNetwork('non-transitive')
    const members = network.grow(12)
    network.run(10_000)
    const [one, other] = members as [TestHost, TestHost]
    network.passes = (a, b) => !(a.id === one.ref.id && b.id === other.ref.id) && !(b.id === one.ref.id && a.id === other.ref.id)
    network.run(300_000)
    for (const { node, ref } of members.slice(2)) {
      const neighbors = node.neighborSet(leafSetSize).map(({ id }) => id)
      assert.ok(neighbors.includes(one.ref.id) && neighbors.includes(other.ref.id), `${ref.id} lost a node`)
    }
  })
})

describe('under churn', () => {
  it('all leaf sets are exact after quiet, no two nodes ever answer for one key, and every node joins', () => {
    for (let seed = 0; seed < 10; seed++) {
      const network = new TestNetwork(`churn ${seed}`)
      network.grow(25)
      const { prng } = network
      for (let i = 0; i < 40; i++) {
        const members = network.members()
        const draw = prng.nextFloat()
        if (draw < 0.45) network.add().join(prng.shuffle(members).slice(0, 4))
        else if (draw < 0.7 && members.length > 10) prng.pick(members)!.crash()
        else if (draw < 0.9 && members.length > 10) prng.pick(members)!.leave()
        network.run(prng.nextInt(4_000))
        for (const key of [...network.hosts.keys()].slice(-10)) assert.ok(network.answering(key).length <= 1)
      }
      assert.ok(network.runUntil(() => network.living().every(({ node }) => node.ready), 130_000))
      exactWithin(network, 3 * heartbeatMs)
    }
  })

  it('with messages lost, all leaf sets are exact after quiet', () => {
    for (let seed = 0; seed < 6; seed++) {
      const network = new TestNetwork(`lossy churn ${seed}`)
      network.grow(25)
      network.loss = 0.05
      const { prng } = network
      for (let i = 0; i < 30; i++) {
        const members = network.members()
        if (prng.chance(0.6)) network.add().join(prng.shuffle(members).slice(0, 4))
        else if (members.length > 10) prng.pick(members)!.crash()
        network.run(prng.nextInt(6_000))
      }
      network.loss = 0
      assert.ok(network.runUntil(() => network.living().every(({ node }) => node.ready), 130_000))
      exactWithin(network, 180_000)
    }
  })

  it('a quiet network says less than half a message a second and node', () => {
    const network = new TestNetwork('idle')
    network.grow(100)
    network.run(60_000)
    const { sent } = network
    network.run(600_000)
    assert.ok((network.sent - sent) / 600 / 100 < 0.5)
  })

  it('is the same again from the same seed', () => {
    const trace = (): string => {
      const network = new TestNetwork('replay')
      network.grow(20)
      network.members()[4]!.crash()
      network.add().join(network.members().slice(0, 2))
      network.run(100_000)
      return JSON.stringify([network.sent, network.members().map(({ node }) => node.neighborSet(leafSetSize))])
    }
    assert.equal(trace(), trace())
  })
})

function exactWithin(network: TestNetwork, ms: number): void {
  const start = network.now
  while (network.complaints().length > 0 && network.now - start < ms) network.run(Math.min(1_000, ms))
  assert.deepEqual(network.complaints(), [])
  for (const { node } of network.living()) node.assertInvariants()
}
