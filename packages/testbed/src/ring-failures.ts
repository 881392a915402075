import assert from 'node:assert/strict'
import { compareClockwise } from '@plaxton/guid'
import { itJoinsAgainWhenCutOff, itNoticesRefusals, itTellsOfReplicaSets } from './crashes.ts'
import type { Host, Network, Ring } from './ring.ts'

/** What holds, in every overlay whose tables are the next nodes on a ring, of nodes that crash, leave, are cut off, and come and go. */
export function describeRingFailures(ring: Ring): void {
  describe('when nodes crash', () => {
    for (const [count, share] of [
      [3, 0.67],
      [12, 0.5],
      [40, 0.1],
      [60, 0.5],
    ] as const) {
      it(`${Math.round(share * count)} of ${count} at once, all ${ring.tables} are exact again within ${ring.repairMs / 1_000} s`, () => {
        for (let seed = 0; seed < 8; seed++) {
          const network = ring.network(`crash ${count} ${seed}`)
          network.grow(count)
          network.run(10_000)
          for (const victim of network.prng.shuffle(network.members()).slice(0, Math.round(share * count))) victim.crash()
          exactWithin(network, ring.repairMs)
        }
      })
    }

    it('with all that a node knows on one side and more among them, the two edges of the gap find each other', () => {
      for (let seed = 0; seed < 8; seed++) {
        const network = ring.network(`gap ${seed}`)
        const members = network.grow(80)
        network.run(10_000)
        const origin = members[0]!.ref.id
        const order = members.toSorted((a, b) => compareClockwise(a.ref.id, b.ref.id, origin))
        for (const victim of order.slice(1, ring.side + 4)) victim.crash()
        exactWithin(network, ring.repairMs)
      }
    })

    itTellsOfReplicaSets((seed) => ring.few(seed))

    itNoticesRefusals((seed) => ring.network(seed), exactWithin)

    it('no two nodes answer for the keys of a gap wider than what a node knows on one side', () => {
      const network = ring.network('edge')
      const members = network.grow(60)
      network.run(10_000)
      const order = members.toSorted((a, b) => compareClockwise(a.ref.id, b.ref.id, members[0]!.ref.id))
      const victims = order.slice(1, ring.side + 4)
      for (const victim of victims) victim.crash()
      const edges = [order[0]!, order[ring.side + 4]!]
      const middle = victims[victims.length >> 1]!.ref.id
      for (let i = 0; i < 200; i++) {
        network.run(500)
        assert.ok(edges.filter(({ node }) => node.nextHop(middle, 0, new Set()).action === 'deliver').length <= 1)
      }
      assert.equal(network.answering(middle).length, 1)
    })

    it('a node that is alone afterwards in a small ring answers for everything', () => {
      const network = ring.network('last')
      const [last, ...others] = network.grow(3) as [Host, ...Host[]]
      for (const other of others) other.crash()
      network.run(ring.lossMs)
      assert.deepEqual(last.node.neighborSet(ring.neighbors), [])
      assert.equal(last.node.nextHop(others[0]!.ref.id, 0, new Set()).action, 'deliver')
    })

    itJoinsAgainWhenCutOff((seed) => ring.network(seed), { cutMs: 600_000, soundMs: 60_000 }, exactWithin)
  })

  describe('when nodes leave', () => {
    it('the gap is closed within a round trip or two', () => {
      for (const count of [2, 5, 17, 40]) {
        const network = ring.network(`leave ${count}`)
        const members = network.grow(count)
        network.run(10_000)
        members[0]!.leave()
        exactWithin(network, 500)
      }
    })

    it('they are not taken back on hearsay, nor when a late message of theirs arrives', () => {
      const network = ring.network('late')
      const members = network.grow(10)
      const [leaver, other] = members as [Host, Host]
      leaver.leave()
      network.run(1_000)
      other.node.onContact(leaver.ref, network.now, other)
      other.node.onMessage(leaver.ref, ring.late, network.now, other)
      network.run(60_000)
      assert.deepEqual(network.complaints(), [])
    })

    it('a node that has left says nothing more', () => {
      const network = ring.network('silent')
      const [leaver] = network.grow(5) as [Host]
      leaver.node.leave(network.now, leaver)
      const { sent } = network
      leaver.node.onMessage(network.members()[1]!.ref, ring.question, network.now, leaver)
      leaver.node.onTimer(ring.timer, 0, network.now, leaver)
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
          const network = ring.network(`split ${count} ${splitMs} ${seed}`)
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
          assert.ok(network.sent - sent < count * ring.mergeMessages, `${(network.sent - sent) / count} messages a node`)
        }
      })
    }

    it('in one direction only, nobody is declared dead to others: they look for themselves', () => {
      const network = ring.network('non-transitive')
      const members = network.grow(12)
      network.run(10_000)
      const [one, other] = members as [Host, Host]
      network.passes = (a, b) => !(a.id === one.ref.id && b.id === other.ref.id) && !(b.id === one.ref.id && a.id === other.ref.id)
      network.run(300_000)
      for (const { node, ref } of members.slice(2)) {
        const neighbors = node.neighborSet(ring.neighbors).map(({ id }) => id)
        assert.ok(neighbors.includes(one.ref.id) && neighbors.includes(other.ref.id), `${ref.id} lost a node`)
      }
    })

    it('from one node to another only, while others die, the two know each other again within 100 s of the end', () => {
      for (let seed = 0; seed < 20; seed++) {
        const network = ring.network(`one way ${seed}`)
        const [one, other, ...others] = network.grow(16) as [Host, Host, ...Host[]]
        network.run(10_000)
        network.passes = (a, b) => a.id !== one.ref.id || b.id !== other.ref.id
        network.run(60_000)
        for (const victim of others.slice(0, 5)) victim.crash()
        // Long enough that nobody is looked for any more because others speak of it.
        network.run(640_000)
        network.passes = () => true
        exactWithin(network, 100_000)
      }
    })
  })

  describe('under churn', () => {
    it(`all ${ring.tables} are exact after quiet, no two nodes ever answer for one key, and every node joins`, () => {
      for (let seed = 0; seed < 10; seed++) {
        const network = ring.network(`churn ${seed}`)
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
        exactWithin(network, ring.repairMs)
      }
    })

    it(`with messages lost, all ${ring.tables} are exact after quiet`, () => {
      for (let seed = 0; seed < 6; seed++) {
        const network = ring.network(`lossy churn ${seed}`)
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
      const network = ring.network('idle')
      network.grow(100)
      network.run(60_000)
      const { sent } = network
      network.run(600_000)
      assert.ok((network.sent - sent) / 600 / 100 < 0.5)
    })

    it('is the same again from the same seed', () => {
      const trace = (): string => {
        const network = ring.network('replay')
        network.grow(20)
        network.members()[4]!.crash()
        network.add().join(network.members().slice(0, 2))
        network.run(100_000)
        return JSON.stringify([network.sent, network.members().map(({ node }) => node.neighborSet(ring.neighbors))])
      }
      assert.equal(trace(), trace())
    })
  })
}

function exactWithin(network: Network, ms: number): void {
  const start = network.now
  while (network.complaints().length > 0 && network.now - start < ms) network.run(Math.min(1_000, ms))
  assert.deepEqual(network.complaints(), [])
  for (const { node } of network.living()) node.assertInvariants()
}
