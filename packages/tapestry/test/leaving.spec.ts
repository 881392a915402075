import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { byte } from '@plaxton/testbed'
import { tapestryDefaults } from '../src/index.ts'
import { inOrder } from './helpers.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

const { leaveMs } = tapestryDefaults

/** All 8-bit keys. */
const keys = Array.from({ length: 256 }, (_, value) => byte(value))

describe('a node that leaves', () => {
  it('names a member to a joiner that has nobody else to ask', () => {
    const network = new TestNetwork('names')
    const [leaver] = network.grow(8) as [TestHost]
    network.run(25_000)
    network.passes = (_from, _to, message) => message.type !== 'leave-ack'
    leaver.leave()
    const joiner = network.add()
    joiner.join([leaver])
    assert.ok(network.runUntil(() => joiner.node.ready, 2_000))
    assert.equal(leaver.alive, true)
    assert.equal(joiner.node.neighborSet(10).length, 7)
  })

  it('stays until all who had it in a table have confirmed that they no longer do', () => {
    const { network, hosts } = grown('confirm', 20)
    const [leaver] = hosts as [TestHost]
    const pointing = (): TestHost[] => network.living().filter(({ node }) => knows(node, leaver.ref.id))
    assert.ok(pointing().length > 0)
    leaver.leave()
    while (leaver.alive) network.run(1)
    assert.deepEqual(pointing(), [])
    assert.ok(network.now < 20_000 + leaveMs)
  })

  it('waits no longer than `leaveMs` for those that do not confirm', () => {
    const { network, hosts } = grown('silent', 12)
    const [leaver] = hosts as [TestHost]
    network.passes = (_from, _to, { type }) => type !== 'leave-ack'
    leaver.leave()
    network.run(leaveMs - 1)
    assert.ok(leaver.alive)
    network.run(1)
    assert.ok(!leaver.alive)
  })

  it('says it again to those that may not have heard it', () => {
    const { network, hosts } = grown('deaf', 12)
    const [leaver, other] = hosts as [TestHost, TestHost]
    let lost = 0
    network.passes = (_from, to, { type }) => type !== 'leave' || to.id !== other.ref.id || ++lost > 1
    leaver.leave()
    network.run(1_000)
    assert.ok(leaver.alive)
    network.run(1_000)
    assert.ok(!leaver.alive)
    assert.deepEqual(network.complaints(), [])
  })

  it('does not wait for those that have died', () => {
    const { network, hosts } = grown('dead', 12)
    const [leaver, other] = hosts as [TestHost, TestHost]
    other.crash()
    leaver.leave()
    network.run(200)
    assert.ok(leaver.alive)
    const told: string[] = []
    const send = leaver.send.bind(leaver)
    leaver.send = (to, message) => {
      if (message.type === 'leave') told.push(to.id)
      send(to, message)
    }
    leaver.peerDown(other.ref, 'disconnected')
    assert.deepEqual(told, [other.ref.id], 'so that it is seen whether it is there')
    leaver.peerDown(other.ref, 'unreachable')
    assert.ok(!leaver.alive)
  })

  it('is root of nothing from then on, and no key has two roots or goes round in circles meanwhile', () => {
    for (let seed = 0; seed < 2; seed++) {
      const { network, hosts } = grown(`root ${seed}`, 24)
      const leavers = hosts.slice(5, 8)
      const left = network.living().flatMap(({ ref }) => (leavers.some((leaver) => leaver.ref.id === ref.id) ? [] : [ref.id]))
      for (const leaver of leavers) leaver.leave()
      while (leavers.some(({ alive }) => alive)) {
        for (const key of keys.filter((_, i) => i % 16 === seed)) {
          const roots = [...network.hosts.values()].filter(({ alive, node }) => alive && decide(node, key) === 'deliver')
          assert.ok(roots.length <= 1, key)
          for (const leaver of leavers) assert.notEqual(decide(leaver.node, key), 'deliver')
          // To the right root, or nowhere yet.
          for (const host of network.living()) {
            const root = network.rootFor(key, host)
            assert.ok(root === undefined || root === inOrder(left, key, 4)[0])
          }
        }
        network.run(7)
      }
      for (const key of keys)
        for (const host of network.living().slice(0, 5)) assert.equal(network.rootFor(key, host), inOrder(left, key, 4)[0])
    }
  })

  it('passes on what comes to it, its own keys to the next in the order as soon as that has confirmed', () => {
    const network = new TestNetwork('heir')
    const [leaver, heir, third] = network.grow(['11', '13', '21'] as Guid[]) as [TestHost, TestHost, TestHost]
    network.run(10_000)
    leaver.leave()
    const key = '11' as Guid
    assert.equal(decide(leaver.node, key), 'hold')
    assert.equal(decide(leaver.node, third.ref.id), third.ref.id)
    network.runUntil(() => !knows(heir.node, leaver.ref.id), 1_000)
    assert.equal(decide(heir.node, key), 'deliver')
    network.runUntil(() => decide(leaver.node, key) !== 'hold', 1_000)
    assert.ok(leaver.alive)
    assert.equal(decide(leaver.node, key), heir.ref.id)
  })

  it('may be the last', () => {
    const network = new TestNetwork('last')
    const [one, other] = network.grow(2) as [TestHost, TestHost]
    one.leave()
    network.run(100)
    other.leave()
    assert.deepEqual([one.alive, other.alive], [false, false])
  })
})

describe('nodes that leave while others join', () => {
  it('ten and ten of the same parts of the network within 300 ms: no hole, and everybody knows its group', () => {
    for (let seed = 0; seed < 2; seed++) {
      const prng = Prng.fromSeed(`both ${seed}`)
      const ids = prng.shuffle([...keys])
      const network = new TestNetwork(`both ${seed}`)
      const hosts = network.grow(ids.slice(0, 50))
      network.run(20_000)
      const leavers = hosts.slice(10, 20)
      const joiners = ids.slice(50).filter((id) => leavers.some(({ ref }) => ref.id[0] === id[0]))
      for (let i = 0; i < 10; i++) {
        network.at(prng.nextInt(300), () => leavers[i]!.leave())
        network.at(prng.nextInt(300), () => network.add(joiners[i]!).join([hosts[0]!]))
      }
      network.run(40_000)
      assert.equal(network.members().length, 50)
      assert.deepEqual(network.complaints(), [])
      const left = network.members().map(({ ref }) => ref.id)
      for (const key of keys.filter((_, i) => i % 8 === seed)) {
        for (const host of network.members()) assert.equal(network.rootFor(key, host), inOrder(left, key, 4)[0])
      }
    }
  })

  // From asking for a surrogate until the insertion is over takes less than 600 ms here.
  for (let afterMs = 0; afterMs <= 600; afterMs += 60) {
    it(`the surrogate of a newcomer, ${afterMs} ms after this began: it is inserted all the same, without waiting`, () => {
      const network = new TestNetwork(`surrogate ${afterMs}`)
      const others = [0x11, 0x12, 0x21, 0x22, 0x31, 0x32, 0x41, 0x51, 0x61, 0x71, 0x81, 0x91].map(byte)
      // Alone with its first digit: nobody but the newcomer could stand in its place.
      const [surrogate, bootstrap] = network.grow([byte(0xa1), ...others]) as [TestHost, TestHost]
      network.run(20_000)
      const joiner = network.add(byte(0xa7))
      joiner.join([bootstrap])
      network.run(afterMs)
      surrogate.leave()
      assert.ok(network.runUntil(() => joiner.node.ready, 3_000))
      network.run(3_000)
      assert.ok(!surrogate.alive)
      assert.deepEqual(network.complaints(), [])
      const left = [byte(0xa7), ...others]
      for (const key of keys) assert.equal(network.rootFor(key, bootstrap), inOrder(left, key, 4)[0])
    })
  }

  for (let afterMs = 0; afterMs <= 600; afterMs += 60) {
    it(`a neighbour of a newcomer, ${afterMs} ms after this began: each does without the other`, () => {
      const network = new TestNetwork(`neighbour ${afterMs}`, { siblingsMin: 4 })
      const ids = [0xa1, 0xa2, 0xa4, 0xa8, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32, 0x41, 0x51].map(byte)
      const hosts = network.grow(ids)
      network.run(20_000)
      const joiner = network.add(byte(0xa9))
      joiner.join([hosts[4]!])
      network.run(afterMs)
      // The next after the newcomer, and the one before.
      for (const neighbor of [hosts[0]!, hosts[3]!]) neighbor.leave()
      assert.ok(network.runUntil(() => joiner.node.ready, 3_000))
      network.run(3_000)
      assert.deepEqual(network.complaints(), [])
      for (const host of network.members()) for (const gone of ['a1', 'a8']) assert.ok(!knows(host.node, gone as Guid))
    })
  }
})

function grown(seed: string, count: number): { network: TestNetwork; hosts: TestHost[] } {
  const network = new TestNetwork(seed)
  const hosts = network.grow(network.prng.shuffle([...keys]).slice(0, count))
  network.run(20_000 - (network.now % 20_000))
  return { network, hosts }
}

/** What a node does with a message: an id to send to, `deliver` or `hold`. */
function decide(node: TestHost['node'], key: Guid): string {
  const next = node.nextHop(key, 0, new Set())
  return next.action === 'forward' ? next.to.id : next.action
}

/** Whether a node has `id` in its map or among its neighbours. */
function knows(node: TestHost['node'], id: Guid): boolean {
  return (
    node.neighborSet(Infinity).some((ref) => ref.id === id) ||
    [0, 1].some((level) =>
      Array.from({ length: 16 }, (_, digit) => node.slot(level, digit))
        .flat()
        .some((ref) => ref.id === id),
    )
  )
}
