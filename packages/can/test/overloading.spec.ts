import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { CanNode } from '../src/index.ts'
import { bitsOf, overlap } from '../src/zone.ts'
import { TestNetwork } from './network.ts'

const settleMs = 10_000

function grown(seed: string, peersPerZone: number, nodes = 32): TestNetwork {
  const network = new TestNetwork(seed, { dimensions: 2, peersPerZone })
  network.grow(nodes)
  network.run(settleMs)
  return network
}

const nodesOf = (network: TestNetwork): CanNode[] => network.members().map(({ node }) => node)

/** The nodes that a message for the key passes, as next hops say. */
function wayTo(network: TestNetwork, from: CanNode, key: Guid): NodeRef[] {
  const way: NodeRef[] = [from.self]
  for (;;) {
    const next = network.hosts.get(way.at(-1)!.id)!.node.nextHop(key, 0, new Set())
    if (next.action === 'deliver') return way
    assert.equal(next.action, 'forward')
    if (next.action === 'forward') way.push(next.to)
    assert.ok(way.length < 40, 'no message goes in a circle')
  }
}

function meanHops(network: TestNetwork): number {
  let hops = 0
  let ways = 0
  for (let i = 0; i < 40; i++) {
    const key = randomGuid(network.prng, 64)
    for (const node of nodesOf(network)) {
      hops += wayTo(network, node, key).length - 1
      ways++
    }
  }
  return hops / ways
}

/** Each shared zone with the nodes that say they share it. */
function sharers(network: TestNetwork): Map<string, CanNode[]> {
  const found = new Map<string, CanNode[]>()
  for (const node of nodesOf(network)) for (const zone of node.sharedZones) found.set(zone, [...(found.get(zone) ?? []), node])
  return found
}

function assertShared(network: TestNetwork, peersPerZone: number): void {
  const zones = sharers(network)
  for (const [zone, peers] of zones) {
    assert.ok(peers.length <= peersPerZone, `'${zone}' has ${peers.length} peers`)
    for (const other of zones.keys()) assert.ok(other === zone || !overlap(other as never, zone as never), `'${zone}' overlaps '${other}'`)
    const owners = nodesOf(network).filter((node) => node.zones.some((own) => own.startsWith(zone)))
    assert.deepEqual(new Set(peers), new Set(owners), `who owns something in '${zone}' shares it`)
  }
  const volume = [...zones.keys()].reduce((sum, zone) => sum + 2 ** -zone.length, 0)
  assert.equal(volume, 1)
}

describe('overloaded zones', () => {
  it('have four peers at most, who all know it, and tile the space', () => {
    const network = grown('four', 4)
    assertShared(network, 4)
    assert.deepEqual(network.complaints(), [])
    const zones = [...sharers(network).values()]
    assert.ok(zones.length < nodesOf(network).length / 2)
  })

  it('are none by default', () => {
    const network = grown('one', 1, 8)
    for (const node of nodesOf(network)) assert.deepEqual(node.sharedZones, [])
  })

  it('shorten the paths, which all end at the owner', () => {
    const [plain, overloaded] = [1, 4].map((peersPerZone) => meanHops(grown('paths', peersPerZone, 48))) as [number, number]
    assert.ok(overloaded < plain, `${overloaded} hops with four peers a zone, ${plain} with one`)
  })

  it('are entered through the nearest of their peers', () => {
    const network = grown('near', 4)
    const nodes = nodesOf(network)
    const [from] = nodes as [CanNode]
    const host = network.hosts.get(from.self.id)!
    const rtt = (id: Guid): number => 10 + (Number.parseInt(id.slice(0, 4), 16) % 997)
    // So often that what was measured before counts for nothing.
    for (let i = 0; i < 100; i++)
      for (const { self } of nodes) if (self.id !== from.self.id) from.onRoundTrip(self, rtt(self.id), network.now, host)
    const known = new Set(from.neighborSet(64).map(({ id }) => id))
    let chosen = 0
    for (let i = 0; i < 200; i++) {
      const key = randomGuid(network.prng, 64)
      const next = from.nextHop(key, 0, new Set())
      if (next.action !== 'forward') continue
      const entered = network.hosts.get(next.to.id)!.node
      const [zone] = entered.sharedZones
      // The owner itself, when it is known, is worth the way.
      if (entered.zones.some((own) => bitsOf(key).startsWith(own)) || zone === from.sharedZones[0]) continue
      const peers = nodes.filter(({ self, sharedZones }) => known.has(self.id) && sharedZones[0] === zone)
      assert.equal(rtt(next.to.id), Math.min(...peers.map(({ self }) => rtt(self.id))))
      if (peers.length > 1) chosen++
    }
    assert.ok(chosen > 0)
  })

  it('leave no key to which a node knows no way, its peers’ own included', () => {
    const network = grown('ways', 4, 3)
    for (let i = 0; i < 40; i++) {
      const key = randomGuid(network.prng, 64)
      for (const node of nodesOf(network)) {
        const isOwner = node.nextHop(key, 0, new Set()).action === 'deliver'
        for (const safe of [true, false]) assert.ok(isOwner || node.localLookup(key, 1, safe).length === 1)
      }
    }
  })

  it('go on with the peers that are left when nodes crash and leave, and take in newcomers', () => {
    const network = grown('churn', 4, 24)
    const hosts = network.members()
    for (const host of hosts.slice(2, 6)) host.crash()
    hosts[7]!.leave()
    network.run(200_000)
    assertShared(network, 4)
    network.grow(6)
    network.run(200_000)
    assertShared(network, 4)
    assert.deepEqual(network.complaints(), [])
    meanHops(network)
  })
})
