import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { plane, uniform } from '../src/topology.ts'
import type { Topology } from '../src/topology.ts'
import { canTransitStub, chordTransitStub, shortTransitStub, shortestPaths, tapestryTransitStub, transitStub } from '../src/transit-stub.ts'
import type { Graph } from '../src/transit-stub.ts'

describe('topologies', () => {
  for (const [name, factory] of [
    ['uniform', uniform(20)],
    ['plane', plane()],
    ['transit-stub', transitStub()],
    ['transit-stub with a node on each router', transitStub(tapestryTransitStub)],
  ] as const) {
    it(`${name}: latencies are whole, at least 1 ms, the same both ways, and follow from the seed`, () => {
      const topology = placed(factory(Prng.fromSeed(1)), 60)
      const again = placed(factory(Prng.fromSeed(1)), 60)
      for (let a = 0; a < 60; a++) {
        for (let b = 0; b < 60; b++) {
          if (a === b) continue
          const latency = topology.latencyMs(a, b)
          assert.ok(Number.isInteger(latency) && latency >= 1, `${latency}`)
          assert.equal(topology.latencyMs(b, a), latency)
          assert.equal(again.latencyMs(a, b), latency)
        }
      }
    })
  }

  it('plane: the mean distance is that of two random points of a square, .5214 of its side', () => {
    const topology = placed(plane()(Prng.fromSeed(2)), 400)
    let sum = 0
    for (let a = 0; a < 400; a++) for (let b = 0; b < 400; b++) sum += topology.distance(a, b)
    const mean = sum / (400 * 399)
    assert.ok(Math.abs(mean - 521.4) < 20, `${mean}`)
  })

  it('transit-stub: a host meets its own stub domain within milliseconds, and another over two access links and the middle', () => {
    const topology = placed(transitStub(canTransitStub)(Prng.fromSeed(3)), 300)
    const latencies = []
    for (let a = 1; a < 300; a++) latencies.push(topology.latencyMs(0, a))
    assert.ok(Math.min(...latencies) <= 10)
    const far = latencies.filter((ms) => ms >= 20)
    assert.ok(far.length > 250, 'most hosts are in other stub domains')
    assert.ok(Math.max(...latencies) < 1000)
  })

  it('transit-stub: two hosts in neighbouring domains are as far apart as their links add up to', () => {
    // One router to a domain, and two of these on one transit router: host, access link, transit router, and back down again.
    const small = { transitDomains: 1, routersPerTransitDomain: 1, stubDomainsPerTransitRouter: 2, routersPerStubDomain: 1 }
    for (const [config, apart] of [
      [canTransitStub, 1 + 2 * 10],
      [shortTransitStub, 2 + 2 * 5],
      [chordTransitStub, 1 + 2 * 20],
    ] as const) {
      const topology = placed(transitStub({ ...config, ...small })(Prng.fromSeed(1)), 10)
      const other = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((host) => topology.domainOf!(host) !== topology.domainOf!(0))!
      assert.equal(topology.latencyMs(0, other), apart)
    }
  })

  it('transit-stub: has the routers the Chord paper says', () => {
    const { transitDomains, routersPerTransitDomain, stubDomainsPerTransitRouter, routersPerStubDomain } = chordTransitStub
    assert.equal(transitDomains * routersPerTransitDomain * stubDomainsPerTransitRouter * routersPerStubDomain, 5000)
  })

  it('transit-stub: where hosts are routers, each is another one, without an access link, until there are no more', () => {
    // A transit router with two stub domains of one router each: 10 ms from it to either, 20 ms between these.
    const small = {
      ...canTransitStub,
      transitDomains: 1,
      routersPerTransitDomain: 1,
      stubDomainsPerTransitRouter: 2,
      routersPerStubDomain: 1,
    }
    const topology = placed(transitStub({ ...small, hostsAreRouters: true })(Prng.fromSeed(1)), 3)
    const apart = [topology.latencyMs(0, 1), topology.latencyMs(1, 2), topology.latencyMs(0, 2)]
    assert.deepEqual(
      apart.sort((a, b) => a - b),
      [10, 10, 20],
    )
    assert.equal(new Set([0, 1, 2].map((host) => topology.domainOf!(host))).size, 3)
    assert.throws(() => topology.place(), /hosts.*4.*at most 3/)
  })

  it('transit-stub: unequal links are whole numbers around the given length', () => {
    // Two transit routers and nothing else: the tree's link and two more between them, and the shortest of these counts.
    const two = { ...canTransitStub, transitDomains: 1, routersPerTransitDomain: 2, stubDomainsPerTransitRouter: 0, transitMs: 3 }
    const lengths = new Set<number>()
    for (let seed = 0; seed < 200; seed++) {
      const topology = placed(transitStub({ ...two, hostsAreRouters: true, unequalLinks: true })(Prng.fromSeed(seed)), 2)
      lengths.add(topology.latencyMs(0, 1))
    }
    assert.deepEqual(lengths, new Set([1, 2, 3, 4, 5]))
  })

  it('transit-stub: has the routers the Tapestry paper says', () => {
    const topology = placed(transitStub(tapestryTransitStub)(Prng.fromSeed(1)), 1092)
    assert.throws(() => topology.place())
  })

  it('shortest paths agree with trying all paths', () => {
    const prng = Prng.fromSeed(4)
    for (let round = 0; round < 20; round++) {
      const graph = randomGraph(7, prng)
      const expected = floydWarshall(graph)
      assert.deepEqual(
        shortestPaths(graph).map((row) => [...row]),
        expected,
      )
    }
  })
})

function placed(topology: Topology, hosts: number): Topology {
  for (let i = 0; i < hosts; i++) topology.place()
  return topology
}

function randomGraph(size: number, prng: Prng): Graph {
  const links: Array<Array<[number, number]>> = Array.from({ length: size }, () => [])
  for (let i = 0; i < 9; i++) {
    const [a, b, length] = [prng.nextInt(size), prng.nextInt(size), 1 + prng.nextInt(9)]
    links[a]!.push([b, length])
    links[b]!.push([a, length])
  }
  return links
}

function floydWarshall(graph: Graph): number[][] {
  const d = graph.map((_, a) =>
    graph.map((__, b) => (a === b ? 0 : Math.min(Infinity, ...graph[a]!.filter(([to]) => to === b).map(([, length]) => length)))),
  )
  for (let k = 0; k < d.length; k++) {
    for (let i = 0; i < d.length; i++) for (let j = 0; j < d.length; j++) d[i]![j] = Math.min(d[i]![j]!, d[i]![k]! + d[k]![j]!)
  }
  return d
}
