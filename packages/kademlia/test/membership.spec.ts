import assert from 'node:assert/strict'
import { compareByXor, randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { byte, itSurvivesCrashes, itTellsOfReplicaSets } from '@plaxton/testbed'
import { kademliaDefaults } from '../src/index.ts'
import type { FindNode } from '../src/messages.ts'
import { TestNetwork } from './network.ts'

const { heartbeatMs, probeTimeoutMs, failedMs } = kademliaDefaults
/** Lists that reach a part of the network only. */
const small = { siblingsSure: 4, siblings: 12, bucketSize: 8 }

describe('nodes that join', function () {
  this.timeout(120_000)

  it('alone: a member at once, root of everything', () => {
    const network = new TestNetwork('alone')
    const [host] = network.grow(1)
    assert.ok(host!.node.ready)
    assert.deepEqual(host!.node.nextHop(byte(0).repeat(8) as Guid, 0, new Set()), { action: 'deliver' })
  })

  for (const [count, config] of [
    [2, {}],
    [40, {}],
    [64, {}],
    [60, small],
  ] as const) {
    it(`${count} one after the other, lists of ${{ ...kademliaDefaults, ...config }.siblings}: siblings exact, no empty bucket, one root`, () => {
      const network = new TestNetwork(`grow ${count}`, config)
      assert.ok(network.grow(count).every((host) => host.node.ready))
      soundWithin(network, 60_000)
      oneRoot(network)
    })
  }

  it('at the same moment: all become members, and no key has two roots at any time', () => {
    for (let seed = 0; seed < 5; seed++) {
      const network = new TestNetwork(`together ${seed}`, small)
      const [first] = network.grow(3)
      const joiners = Array.from({ length: 20 }, () => network.add())
      for (const joiner of joiners) network.at(network.prng.nextInt(100), () => joiner.join([first!]))
      const keys = Array.from({ length: 30 }, () => randomGuid(network.prng, 64))
      const end = network.now + 60_000
      while (network.now < end && !joiners.every(({ node }) => node.ready)) {
        network.run(20)
        for (const key of keys) assertOneRoot(network, key)
      }
      assert.ok(joiners.every(({ node }) => node.ready))
      soundWithin(network, 120_000)
      oneRoot(network)
    }
  })

  it('through nodes that are none: the next bootstrap node is tried, in the end it is told', () => {
    const network = new TestNetwork('bootstraps', { joinMs: 20_000 })
    const [member] = network.grow(1)
    const dead = network.add()
    dead.crash()
    const joiner = network.add()
    joiner.join([dead, member!])
    assert.ok(network.runUntil(() => joiner.node.ready, 10_000))
    const lost = network.add()
    lost.join([dead])
    network.run(60_000)
    assert.ok(!lost.node.ready && lost.events.some(({ type }) => type === 'join-failed'))
  })

  it('through one that is joining itself: it names the members it has heard, and nobody begins a second network', () => {
    const network = new TestNetwork('fellow')
    const [member] = network.grow([byte(0x80), byte(0x90), byte(0xa0)])
    const [joiner, fellow] = [network.add(byte(0x01)), network.add(byte(0xf0))]
    // The fellow hears the members and comes no further.
    network.passes = (from, _to, message) =>
      from.id !== fellow.ref.id || message.type !== 'find-node' || (message as FindNode).known.length === 0
    fellow.join([member!])
    network.run(1_000)
    joiner.join([fellow])
    assert.ok(network.runUntil(() => joiner.node.ready, 8_000))
    assert.deepEqual(
      joiner.node
        .neighborSet(9)
        .map(({ id }) => id)
        .sort(),
      ['80', '90', 'a0'],
    )
  })

  it('when all are joining: one begins', () => {
    const network = new TestNetwork('everybody')
    const hosts = Array.from({ length: 6 }, () => network.add())
    for (const host of hosts) host.join(hosts.filter((other) => other !== host))
    assert.ok(network.runUntil(() => hosts.every(({ node }) => node.ready), 120_000))
    soundWithin(network, 180_000)
  })
})

describe('when nodes crash', function () {
  this.timeout(120_000)

  const inSmallGroups = (seed: string): TestNetwork => new TestNetwork(seed, small)
  itSurvivesCrashes({
    network: (seed) => new TestNetwork(seed),
    masses: [
      [3, 0.67],
      [12, 0.5],
      [60, 0.5, inSmallGroups],
      [80, 0.1, inSmallGroups],
    ],
    seeds: 2,
    oneMs: 1.3 * heartbeatMs + 4 * probeTimeoutMs + 10_000,
    sound: soundWithin,
    sane: oneRoot,
  })
  itTellsOfReplicaSets((seed) => new TestNetwork(seed, { siblingsSure: 4, siblings: 6, bucketSize: 4 }))

  it('a message waits while the only closer node is suspected, and is delivered once it is dead', () => {
    const network = new TestNetwork('suspect')
    const [first, second] = network.grow([byte(0x11), byte(0x91)])
    second!.crash()
    first!.node.suspect(second!.ref, network.now, first!)
    assert.deepEqual(first!.node.nextHop(byte(0x90), 0, new Set()), { action: 'hold' })
    network.run(20_000)
    assert.deepEqual(first!.node.nextHop(byte(0x90), 0, new Set()), { action: 'deliver' })
  })

  it('and start again under their id, they are known by their new incarnation', () => {
    const network = new TestNetwork('again')
    network.grow(20)
    const old = network.members()[4]!
    old.crash()
    const again = network.add(old.ref.id, 2)
    again.join([network.members()[0]!])
    assert.ok(network.runUntil(() => again.node.ready, 60_000))
    soundWithin(network, 60_000)
    for (const { node, ref } of network.members()) {
      if (ref.id !== again.ref.id) assert.equal(node.neighborSet(100).find(({ id }) => id === again.ref.id)?.epoch, 2)
    }
  })
})

describe('when nodes leave', function () {
  this.timeout(120_000)

  it('the others close the gaps at once', () => {
    const network = new TestNetwork('leave', small)
    network.grow(50)
    network.run(10_000)
    for (const host of network.prng.shuffle(network.members()).slice(0, 5)) host.leave()
    soundWithin(network, 60_000)
    oneRoot(network)
  })
})

describe('a network', function () {
  this.timeout(120_000)

  it('that was cut in two becomes one again', () => {
    const network = new TestNetwork('cut', small)
    network.grow(30)
    network.run(10_000)
    const half = new Set(
      network
        .members()
        .slice(0, 15)
        .map(({ ref }) => ref.id),
    )
    network.passes = (from, to) => half.has(from.id) === half.has(to.id)
    network.run(failedMs / 3)
    network.passes = () => true
    soundWithin(network, 300_000)
    oneRoot(network)
  })

  it('is exact again after messages were lost', () => {
    const network = new TestNetwork('loss', small)
    network.loss = 0.1
    network.grow(40)
    network.run(60_000)
    network.loss = 0
    soundWithin(network, 180_000)
    oneRoot(network)
  })

  it('in which nodes join, leave, crash and start again for two minutes is exact after three more', () => {
    for (let seed = 0; seed < 3; seed++) {
      const network = new TestNetwork(`churn ${seed}`, { siblingsSure: 4, siblings: 14, bucketSize: 6 })
      network.tellsUnreachable = seed % 2 === 0
      network.loss = seed === 2 ? 0.05 : 0
      network.grow(24)
      churn(network, 120_000)
      network.loss = 0
      network.run(150_000)
      soundWithin(network, 30_000)
      oneRoot(network)
    }
  })

  it('at rest sends little: less than one message a second and node', () => {
    const network = new TestNetwork('rest')
    network.grow(60)
    network.run(60_000)
    const before = network.sent
    network.run(120_000)
    assert.ok((network.sent - before) / 120 / 60 < 1, `${(network.sent - before) / 120 / 60}`)
  })
})

/** Every three seconds on average something happens to somebody. */
function churn(network: TestNetwork, ms: number): void {
  const { prng } = network
  const end = network.now + ms
  for (let epoch = 2; network.now < end; network.run(prng.nextInt(6_000)), epoch++) {
    const members = network.members()
    const gone = prng.pick([...network.hosts.values()].filter(({ alive }) => !alive))
    const what = prng.nextInt(5)
    if (what < 2 && members.length > 15) prng.pick(members)!.crash()
    else if (what === 2 && members.length > 15) prng.pick(members)!.leave()
    else network.add(what === 3 ? undefined : gone?.ref.id, epoch).join([prng.pick(members)!])
  }
}

/** Every minute or sooner everything may be right; within this time it must be. */
function soundWithin(network: TestNetwork, ms: number): void {
  network.runUntil(() => network.now % 500 === 0 && network.complaints().length === 0, ms)
  assert.deepEqual(network.complaints(), [])
}

/** The closest member, from wherever a message starts. */
function oneRoot(network: TestNetwork): void {
  const members = network.members()
  for (let i = 0; i < 40; i++) {
    const key = randomGuid(network.prng, 4 * members[0]!.ref.id.length)
    const ids = members.map(({ ref }) => ref.id).sort((a, b) => compareByXor(a, b, key))
    for (const from of network.prng.shuffle(members).slice(0, 5)) assert.equal(network.rootFor(key, from), ids[0])
    const root = members.find(({ ref }) => ref.id === ids[0])!
    assert.deepEqual(
      root.node.replicaSet(key, 4).map(({ id }) => id),
      ids.slice(0, 4),
    )
  }
}

function assertOneRoot(network: TestNetwork, key: Guid): void {
  const roots = network.members().filter(({ node }) => node.nextHop(key, 0, new Set()).action === 'deliver')
  assert.ok(roots.length <= 1, `${roots.length} nodes deliver ${key}`)
}
