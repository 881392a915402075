import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { NodeRef, OverlayFactory } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import type { StorePort } from '../src/index.ts'
import { HostGroup, MemoryNetwork, PastClient, memoryStore, randomKey } from '../src/index.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A host with several nodes, each with PAST on it. */
interface TestHost {
  readonly name: string
  readonly group: HostGroup
  readonly past: readonly PastNode[]
  readonly client: PastClient
  readonly stores: readonly StorePort[]
}

/** Hosts with as many virtual nodes each. */
class VirtualNetwork {
  readonly hosts: TestHost[] = []
  readonly faults: Error[] = []
  private readonly network = new MemoryNetwork({ latencyMs: 1 })
  private readonly perHost: number

  private readonly overlay: OverlayFactory

  constructor(perHost: number, overlay: OverlayFactory = pastry()) {
    this.overlay = overlay
    this.perHost = perHost
  }

  async add(name: string, stores = Array.from({ length: this.perHost }, () => memoryStore()), epoch = 1): Promise<TestHost> {
    const self: NodeRef = { id: guidOf(bytesOf(name)), address: `memory:${name}`, epoch }
    const links = this.network.virtualLinks(self, this.perHost)
    const group = new HostGroup({ overlay: this.overlay, links, seed: `${name} ${epoch}` })
    const key = await randomKey()
    const past = group.nodes.map((node, index) => {
      const application = new PastNode({ settleMs: 20, quickSyncMs: 100 }, Prng.fromSeed(`past ${name} ${index} ${epoch}`))
      node.use(application, { store: stores[index]!, key })
      node.events.addEventListener('host:fault', ({ detail }) => void this.faults.push(detail.error))
      return application
    })
    const host = { name, group, past, client: new PastClient(group.first, past[0]!), stores }
    await group.start()
    await group.join(this.hosts.slice(0, 1).map((first) => first.group.first.self))
    this.hosts.push(host)
    return host
  }

  async crash(host: TestHost): Promise<void> {
    this.hosts.splice(this.hosts.indexOf(host), 1)
    await host.group.stop()
  }

  async leave(host: TestHost): Promise<void> {
    this.hosts.splice(this.hosts.indexOf(host), 1)
    await host.group.leave()
    await host.group.stop()
  }

  /** Copies on each host. */
  get copies(): number[] {
    return this.hosts.map(({ past }) => past.reduce((sum, node) => sum + node.stats().objects, 0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map(({ group }) => group.stop()))
    assert.deepEqual(this.faults, [])
  }
}

async function eventually(holds: () => boolean, what: () => string): Promise<void> {
  for (const end = performance.now() + 15_000; !holds();) {
    if (performance.now() > end) assert.fail(what())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a group of hosts, 3 hosts of 4 virtual nodes', function () {
  this.timeout(60_000)
  const objects = Array.from({ length: 40 }, (_, i) => bytesOf(`object ${i}`))

  async function grown(): Promise<VirtualNetwork> {
    const network = new VirtualNetwork(4)
    for (const name of ['a', 'b', 'c']) await network.add(name)
    return network
  }

  async function oneCopyOfEachOnEachHost(network: VirtualNetwork, count: number): Promise<void> {
    await eventually(
      () => network.copies.every((copies) => copies === count),
      () => `${count} objects, copies on hosts: ${network.copies.join()}`,
    )
  }

  it('has twelve ids in one ring, each of which every node finds', async () => {
    await using network = await grown()
    const nodes = network.hosts.flatMap(({ group }) => group.nodes)
    assert.equal(new Set(nodes.map(({ self }) => self.id)).size, 12)
    assert(network.hosts.every(({ group }) => group.ready))
    for (const { self } of nodes) for (const from of nodes) assert.equal((await from.lookup(self.id)).root.id, self.id)
  })

  it('stores one copy on each host, never two on one, and reads and removes them', async () => {
    await using network = await grown()
    for (const [i, data] of objects.entries()) {
      const { holders } = await network.hosts[i % 3]!.client.put(guidOf(data), data, { quorum: 'all' })
      assert.deepEqual(new Set(holders.map(({ address }) => address.split('#')[0])), new Set(['memory:a', 'memory:b', 'memory:c']))
      assert.equal(holders.length, 3)
    }
    assert.deepEqual(network.copies, [40, 40, 40])
    for (const [i, data] of objects.entries()) assert.deepEqual(await network.hosts[(i + 1) % 3]!.client.get(guidOf(data)), data)
    for (const [i, data] of objects.entries()) {
      await network.hosts[i % 3]!.client.remove(guidOf(data))
      for (const { client } of network.hosts) await assert.rejects(client.get(guidOf(data)), { name: 'NotFoundError' })
    }
    assert.deepEqual(network.copies, [0, 0, 0])
  })

  it('gives objects from the nodes that were there first to those that came, and keeps no second copy on a host', async () => {
    await using network = new VirtualNetwork(4)
    const first = await network.add('a')
    for (const data of objects) await first.client.put(guidOf(data), data)
    for (const name of ['b', 'c']) await network.add(name)
    await oneCopyOfEachOnEachHost(network, 40)
  })

  it('loses nothing when a host dies with all its nodes, and restores its copies when it comes back on its stores', async () => {
    await using network = await grown()
    for (const data of objects) await network.hosts[0]!.client.put(guidOf(data), data, { quorum: 'all' })
    const dead = network.hosts[1]!
    await network.crash(dead)
    for (const data of objects) for (const { client } of network.hosts) assert.deepEqual(await client.get(guidOf(data)), data)
    const more = bytesOf('while it was away')
    await network.hosts[0]!.client.put(guidOf(more), more)
    await network.add(dead.name, [...dead.stores], 2)
    await oneCopyOfEachOnEachHost(network, 41)
  })

  it('hands over to the other hosts when one leaves', async () => {
    await using network = await grown()
    for (const data of objects) await network.hosts[0]!.client.put(guidOf(data), data, { replicas: 1 })
    await network.leave(network.hosts[1]!)
    for (const data of objects) assert.deepEqual(await network.hosts[0]!.client.get(guidOf(data)), data)
  })
})

describe('a group of hosts, 5 hosts of 4 virtual nodes whose views hold few hosts', function () {
  this.timeout(60_000)

  it('stores as many copies as asked for, with hosts of the neighbours where the order that a root can be certain of names too few; never twice on one', async () => {
    await using network = new VirtualNetwork(4, pastry({ leafSetSize: 4 }))
    for (const name of ['a', 'b', 'c', 'd', 'e']) await network.add(name)
    for (let i = 0; i < 60; i++) {
      const data = bytesOf(`object ${i}`)
      const { holders, wanted } = await network.hosts[0]!.client.put(guidOf(data), data, { replicas: 3, quorum: 'all' })
      assert.equal(wanted, 3)
      assert.equal(new Set(holders.map(({ address }) => address.split('#')[0])).size, holders.length)
      assert.equal(holders.length, 3)
      const kept = await network.hosts[1]!.client.inspect(guidOf(data))
      assert.equal(kept.holders.length, 3)
    }
  })
})

describe('a group of hosts', () => {
  it('needs a link at least', () => {
    assert.throws(() => new HostGroup({ overlay: pastry(), links: [] }), { name: 'InvalidValueError' })
  })
})
