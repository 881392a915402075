import assert from 'node:assert/strict'
import { guid } from './ids.ts'
import type { Host, Network, Ring } from './ring.ts'

/** What holds of joining in every overlay whose tables are the next nodes on a ring. */
export function describeRingJoins(ring: Ring): void {
  describe('joining', () => {
    it('is done at once for the first node', () => {
      const network = ring.network('first')
      const host = network.add()
      host.join([])
      assert.equal(host.node.ready, true)
      assert.deepEqual(host.events, [{ type: 'ready', elapsedMs: 0 }])
      assert.equal(network.sent, 0)
    })

    it('ignores a bootstrap list that names nobody but the node itself', () => {
      const network = ring.network('self')
      const host = network.add()
      host.join([host])
      assert.equal(host.node.ready, true)
    })

    for (const count of ring.sizes) {
      it(`one after the other, ${count} nodes know exactly their ${ring.tables} at once`, () => {
        for (let seed = 0; seed < 4; seed++) {
          const network = ring.network(`${count} ${seed}`)
          network.grow(count)
          network.run(1_000)
          assert.equal(network.members().length, count)
          exact(network)
        }
      })
    }

    it(`takes seconds for 40 nodes at once through one, and fewer than ${ring.joinMessages} messages for each`, () => {
      for (let seed = 0; seed < 6; seed++) {
        const network = ring.network(`at once ${seed}`)
        const [first] = network.grow(1) as [Host]
        const joiners = Array.from({ length: 40 }, () => network.add())
        for (const joiner of joiners) joiner.join([first])
        assert.ok(network.runUntil(() => joiners.every(({ node }) => node.ready), 10_000))
        exact(network)
        assert.ok(network.sent / 41 < ring.joinMessages, `${network.sent / 41} messages a node`)
      }
    })

    it('is settled between two neighbours that join at the same time', () => {
      for (let seed = 0; seed < 20; seed++) {
        const network = ring.network(`neighbours ${seed}`)
        const members = network.grow(30)
        const id = members[0]!.ref.id
        const [one, other] = [
          network.add(guid(`${id.slice(0, -1)}${id.endsWith('1') ? '2' : '1'}`)),
          network.add(guid(`${id.slice(0, -1)}${id.endsWith('3') ? '4' : '3'}`)),
        ]
        one.join([members[5]!])
        other.join([members[9]!])
        assert.ok(network.runUntil(() => one.node.ready && other.node.ready, 10_000))
        for (const host of [one, other]) assert.ok(host.node.neighborSet(2).length === 2)
        network.run(100)
        exact(network)
      }
    })

    it('never makes two nodes answer for one key, not even for a moment', () => {
      for (let seed = 0; seed < 6; seed++) {
        const network = ring.network(`consistent ${seed}`)
        const members = network.grow(12)
        const joiners = Array.from({ length: 12 }, () => network.add())
        for (const joiner of joiners) network.at(network.prng.nextInt(400), () => joiner.join([network.prng.pick(members)!]))
        const keys = [...network.hosts.keys()]
        while (joiners.some(({ node }) => !node.ready)) {
          network.run(5)
          for (const key of keys) assert.ok(network.answering(key).length <= 1)
        }
      }
    })

    it('succeeds on a lossy network', () => {
      for (let seed = 0; seed < 6; seed++) {
        const network = ring.network(`lossy ${seed}`)
        const [first] = network.grow(1) as [Host]
        network.loss = 0.1
        const joiners = Array.from({ length: 20 }, () => network.add())
        for (const joiner of joiners) joiner.join([first])
        assert.ok(network.runUntil(() => joiners.every(({ node }) => node.ready), 110_000))
        network.loss = 0
        assert.ok(network.runUntil(() => network.complaints().length === 0, 180_000))
      }
    })

    it('goes by the next bootstrap node when one does not answer or cannot be reached', () => {
      for (const tellsUnreachable of [false, true]) {
        const network = ring.network('dead bootstraps')
        network.tellsUnreachable = tellsUnreachable
        const members = network.grow(20)
        for (const dead of members.slice(0, 2)) dead.crash()
        const joiner = network.add()
        joiner.join(members.slice(0, 3))
        assert.ok(network.runUntil(() => joiner.node.ready, tellsUnreachable ? 5_000 : 20_000))
      }
    })

    it(`goes on when some nodes in the ${ring.tables} it was given are dead`, () => {
      const network = ring.network('dead neighbours')
      const members = network.grow(40)
      network.run(5_000)
      for (const dead of network.prng.shuffle(members.slice(1)).slice(0, 12)) dead.crash()
      const joiner = network.add()
      joiner.join([members[0]!])
      assert.ok(network.runUntil(() => joiner.node.ready, 60_000))
      assert.ok(network.runUntil(() => network.complaints().length === 0, 120_000))
    })

    it('fails with a reason when no bootstrap node helps in the time given', () => {
      const network = ring.network('nobody', { joinMs: 20_000 })
      const [gone] = network.grow(1) as [Host]
      gone.crash()
      const joiner = network.add()
      joiner.join([gone])
      network.run(60_000)
      assert.deepEqual(joiner.events, [
        { type: 'join-failed', reason: 'None of 1 bootstrap nodes could be joined through within 20000 ms.' },
      ])
      assert.equal(joiner.node.ready, false)
    })

    it('may be tried again after it failed', () => {
      const network = ring.network('again', { joinMs: 5_000 })
      const [gone, here] = network.grow(2) as [Host, Host]
      gone.crash()
      const joiner = network.add()
      joiner.join([gone])
      network.run(30_000)
      joiner.join([here])
      assert.ok(network.runUntil(() => joiner.node.ready, 10_000))
    })

    it('is begun by one of them when all nodes of a network are restarted at once', () => {
      for (let seed = 0; seed < 8; seed++) {
        const network = ring.network(`restart ${seed}`)
        const ids = network.grow(12).map(({ ref }) => ref.id)
        for (const host of network.living()) host.crash()
        const again = ids.map((id) => network.add(id, 2))
        for (const host of again) {
          const others = network.prng.shuffle(again.filter((other) => other !== host))
          network.at(network.prng.nextInt(2_000), () => host.join(others.slice(0, 3 + (seed % 4))))
        }
        assert.ok(network.runUntil(() => again.every(({ node }) => node.ready), 60_000))
        assert.ok(network.runUntil(() => network.complaints().length === 0, 300_000))
      }
    })

    it('under the id of a crashed node works before anybody has noticed the crash', () => {
      const network = ring.network('incarnation')
      const members = network.grow(24)
      const id = members[7]!.ref.id
      members[7]!.crash()
      const again = network.add(id, 2)
      again.join([members[0]!])
      assert.ok(network.runUntil(() => again.node.ready, 10_000))
      network.run(1_000)
      exact(network)
      for (const { node } of network.members()) {
        for (const neighbor of node.neighborSet(ring.neighbors)) if (neighbor.id === id) assert.equal(neighbor.epoch, 2)
      }
    })
  })
}

function exact(network: Network): void {
  assert.deepEqual(network.complaints(), [])
  for (const { node } of network.living()) node.assertInvariants()
}
