import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { bitsOf } from '../src/index.ts'
import type { CanNode } from '../src/index.ts'
import type { RealitiesMessage } from '../src/realities-messages.ts'
import { TestNetwork } from './network.ts'
import { RealitiesNetwork } from './realities-network.ts'

/** All is in order: each reality is tiled, and whoever asks finds the one root of every key. */
function assertSound(network: RealitiesNetwork): void {
  assert.deepEqual(network.complaints(), [])
  for (const { node } of network.members()) node.assertInvariants()
  for (let i = 0; i < 20; i++) {
    const key = randomGuid(network.prng, 64)
    const [root, ...others] = network.answering(key)
    assert.ok(root !== undefined && others.length === 0, `${1 + others.length} nodes answer for ${key}`)
    for (const from of network.members()) assert.equal(network.rootFor(key, from), root.ref.id)
    assert.equal(root.node.replicaSet(key, 1)[0]?.id, root.ref.id)
  }
}

describe('a CAN of several realities', () => {
  it('tiles each of them after every join, with other zones for a node in each', () => {
    const network = new RealitiesNetwork('joins', { realities: 3, dimensions: 2 })
    for (let i = 0; i < 12; i++) {
      network.grow(1)
      network.run(20_000)
      assertSound(network)
    }
    const zonesOf = (reality: number): string[] => network.members().map(({ node }) => node.realities[reality]!.zones.join())
    assert.notDeepEqual(zonesOf(0), zonesOf(1))
    assert.notDeepEqual(zonesOf(1), zonesOf(2))
  })

  it('gives a newcomer the zone around its point in each, which is its id beginning with another quarter', () => {
    const network = new RealitiesNetwork('points', { realities: 4 })
    network.grow(6)
    const [host] = network.grow(1)
    network.run(20_000)
    const id = host!.ref.id
    for (const reality of [0, 1, 2, 3]) {
      const point = id.slice(4 * reality) + id.slice(0, 4 * reality)
      assert.ok(host!.node.realities[reality]!.zones.some((zone) => bitsOf(point as Guid).startsWith(zone)))
    }
  })

  it('is whole again after a third of twenty nodes have crashed at one moment', () => {
    const network = new RealitiesNetwork('crash', { realities: 2 })
    const hosts = network.grow(20)
    network.run(30_000)
    for (const host of hosts.slice(3, 10)) host.crash()
    network.run(400_000)
    assertSound(network)
  })

  it('and after nodes have left, in which all realities lose them', () => {
    const network = new RealitiesNetwork('leave', { realities: 2, dimensions: 2 })
    const hosts = network.grow(12)
    network.run(30_000)
    for (const host of hosts.slice(0, 4)) {
      host.leave()
      network.run(60_000)
      assertSound(network)
    }
  })

  it('and after the two halves of a network that was cut for minutes are together again', () => {
    const network = new RealitiesNetwork('cut', { realities: 2 })
    const one = new Set(
      network
        .grow(12)
        .slice(0, 5)
        .map(({ ref }) => ref.id),
    )
    network.run(30_000)
    network.passes = (from, to) => one.has(from.id) === one.has(to.id)
    network.run(300_000)
    network.passes = () => true
    network.run(900_000)
    assertSound(network)
  })

  it('and when a node starts again under its id before it has been missed', () => {
    const network = new RealitiesNetwork('again', { realities: 2 })
    const hosts = network.grow(12)
    network.run(30_000)
    const { ref } = hosts[4]!
    hosts[4]!.crash()
    network.add(ref.id, 2).join([hosts[0]!])
    network.run(300_000)
    assert.equal(network.members().length, 12)
    assertSound(network)
  })

  it('and after a tenth of all messages was lost while it grew', () => {
    const network = new RealitiesNetwork('loss', { realities: 2 })
    network.loss = 0.1
    network.grow(10)
    network.run(300_000)
    network.loss = 0
    network.run(300_000)
    assert.equal(network.members().length, 10)
    assertSound(network)
  })

  it('asks a silent peer three times whether it lives, and not three times for each reality', () => {
    const network = new RealitiesNetwork('once', { realities: 3 })
    const [victim, asker] = network.grow(8)
    network.run(60_000)
    victim!.crash()
    let pings = 0
    network.onSent = (from, to, message) => {
      const inner = (message as { message?: { type: string } }).message
      if (from.id === asker!.ref.id && to.id === victim!.ref.id && inner?.type === 'ping') pings++
    }
    const failures = (): number => asker!.events.filter(({ type }) => type === 'peer-failed').length
    asker!.node.suspect(victim!.ref, network.now, asker!)
    network.runUntil(() => failures() > 0, 30_000)
    assert.equal(pings, 3)
    assert.equal(failures(), 1)
    assert.ok(asker!.node.realities.every((node) => node.neighborSet(100).every(({ id }) => id !== victim!.ref.id)))
  })
})

describe('ways in several realities', () => {
  let network: RealitiesNetwork
  before(() => {
    network = new RealitiesNetwork('twins', { realities: 2, dimensions: 2 })
    network.grow(48)
    network.run(120_000)
  })

  it('are shorter with each, to the same roots', () => {
    const prng = Prng.fromSeed('keys')
    const keys = Array.from({ length: 20 }, () => randomGuid(prng, 64))
    const [one, two, three] = [plainHops(keys), hopsIn(2, keys), hopsIn(3, keys)]
    assert.ok(one > two && two > three, `${one}, ${two} and ${three}`)
  })

  it('end with at most one hop from the owner of the point in another reality to the root', () => {
    let through = 0
    for (let i = 0; i < 200; i++) {
      const key = randomGuid(network.prng, 64)
      const owner = network.members().find(({ node }) => node.realities[1]!.nextHop(key, 0, new Set()).action === 'deliver')!
      const { path, end } = network.way(key, owner)
      assert.equal(end, 'deliver')
      assert.ok(path.length <= 2, path.join(' '))
      if (path.length === 2) through++
    }
    assert.ok(through > 100)
  })

  it('go on when every nearer neighbour in reality 0 is ruled out', () => {
    let [stuck, arrived] = [0, 0]
    for (let i = 0; i < 500; i++) {
      const key = randomGuid(network.prng, 64)
      const from = network.prng.pick(network.members())!
      // All that reality 0 would try, one after the other.
      const avoid = new Set<Guid>()
      const [roots] = from.node.realities as [CanNode]
      for (let next = roots.nextHop(key, 0, avoid); next.action === 'forward'; next = roots.nextHop(key, 0, avoid)) avoid.add(next.to.id)
      if (avoid.size === 0 || avoid.has(network.answering(key)[0]!.ref.id)) continue
      stuck++
      const next = from.node.nextHop(key, 0, avoid)
      if (next.action === 'forward' && network.rootFor(key, network.hosts.get(next.to.id)!) === network.answering(key)[0]!.ref.id) arrived++
    }
    assert.ok(stuck > 100, `${stuck} keys`)
    assert.ok(arrived > 0.6 * stuck, `${arrived} of ${stuck}`)
  })

  it('come to an end, whoever is ruled out', () => {
    for (let i = 0; i < 500; i++) {
      const key = randomGuid(network.prng, 64)
      const avoid = new Set(
        network.prng
          .shuffle(network.members())
          .slice(0, network.prng.nextInt(20))
          .map(({ ref }) => ref.id),
      )
      const { path, end } = network.way(key, network.prng.pick(network.members())!, avoid)
      assert.notEqual(end, 'lost')
      assert.ok(path.length <= 40, path.join(' '))
    }
  })

  it('come to the root although twins are not what they say they are', () => {
    const everything = [{ zone: '' as CanNode['zones'][number], version: 99, caretaker: false }]
    let lies = 0
    for (const host of network.members()) {
      for (const other of network.members()) {
        if (host.node.twins.find(other.ref.id) === undefined) continue
        host.take(other.ref, { type: 'twin-tell', claims: everything, others: [], token: 0 } as RealitiesMessage)
        lies++
      }
    }
    assert.ok(lies > 30)
    for (let i = 0; i < 200; i++) {
      const key = randomGuid(network.prng, 64)
      const { path, end } = network.way(key, network.prng.pick(network.members())!)
      assert.equal(end, 'deliver', path.join(' '))
      assert.equal(path.at(-1), network.answering(key)[0]!.ref.id)
    }
  })
})

describe('a stranger among several realities', () => {
  it('becomes nobody’s twin unasked, and makes nobody keep more than is bounded', () => {
    const contactsMax = 16
    const network = new RealitiesNetwork('stranger', { realities: 2, dimensions: 2, contactsMax })
    const [host] = network.grow(6)
    network.run(60_000)
    for (let i = 0; i < 100; i++) {
      const liar = { id: randomGuid(network.prng, 64), address: 'test:liar', epoch: 1 }
      const claims = [{ zone: '' as CanNode['zones'][number], version: 99, caretaker: false }]
      for (const message of [
        { type: 'twin-tell', claims, others: [], token: i % 2 },
        { type: 'twin-ask', zones: [claims[0]!.zone], token: 1 },
      ] satisfies RealitiesMessage[])
        host!.take(liar, message)
      assert.equal(host!.node.twins.find(liar.id), undefined)
    }
    assert.ok(host!.node.twins.size.listeners <= contactsMax)
    network.run(60_000)
    assertSound(network)
  })

  it('is not heard when it speaks of a reality that there is not', () => {
    const network = new RealitiesNetwork('no such reality', { realities: 2 })
    const [host, other] = network.grow(2)
    host!.take(other!.ref, { type: 'within', reality: 2, message: { type: 'ping', seq: 1 } } as RealitiesMessage)
    assert.ok(host!.events.some((event) => event.type === 'dropped' && event.reason === 'a reality that there is not'))
  })
})

/** The mean of the ways from everybody to these keys among 32 nodes. */
function hopsIn(realities: number, keys: readonly Guid[]): number {
  const network = new RealitiesNetwork('ways', { realities, dimensions: 2 })
  network.grow(32)
  network.run(60_000)
  const ways = keys.flatMap((key) => network.members().map((from) => network.way(key, from)))
  assert.ok(ways.every(({ end }) => end === 'deliver'))
  return ways.reduce((sum, { path }) => sum + path.length - 1, 0) / ways.length
}

/** The same among as many nodes of one reality, with the same ids. */
function plainHops(keys: readonly Guid[]): number {
  const network = new TestNetwork('ways', { dimensions: 2 })
  network.grow(32)
  network.run(60_000)
  let hops = 0
  for (const key of keys) {
    for (const from of network.members()) {
      let next = from.node.nextHop(key, 0, nobody)
      for (; next.action === 'forward'; hops++) next = network.hosts.get(next.to.id)!.node.nextHop(key, next.cursor, nobody)
      assert.equal(next.action, 'deliver')
    }
  }
  return hops / keys.length / network.members().length
}

const nobody: ReadonlySet<Guid> = new Set()
