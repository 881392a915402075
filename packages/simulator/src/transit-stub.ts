import type { Millis, Prng } from '@plaxton/kbr'
import type { Topology, TopologyFactory } from './topology.ts'

/** A two-level internet: transit domains in the middle, stub domains with the hosts at the edge (Zegura et al., INFOCOM 1996). */
export interface TransitStubConfig {
  readonly transitDomains: number
  readonly routersPerTransitDomain: number
  readonly stubDomainsPerTransitRouter: number
  readonly routersPerStubDomain: number
  /** One-way milliseconds of a link between two transit routers, of one domain or of two. */
  readonly transitMs: Millis
  /** Of the link between a transit router and a stub domain. */
  readonly transitStubMs: Millis
  /** Of a link within a stub domain, and of a host's own access to its router's network. */
  readonly stubMs: Millis
}

/** Link latencies of the CAN paper (SIGCOMM 2001, §4): 100, 10 and 1 ms. The number of routers is ours: 1,010. */
export const canTransitStub: TransitStubConfig = {
  transitDomains: 2,
  routersPerTransitDomain: 5,
  stubDomainsPerTransitRouter: 10,
  routersPerStubDomain: 10,
  transitMs: 100,
  transitStubMs: 10,
  stubMs: 1,
}

/** The shorter links that the CAN paper tries beside those: 20, 5 and 2 ms. */
export const shortTransitStub: TransitStubConfig = { ...canTransitStub, transitMs: 20, transitStubMs: 5, stubMs: 2 }

/** Link latencies and the number of routers of the Chord paper (ToN 2003, §VI): 50, 20 and 1 ms, 5,050 routers of which 5,000 in stubs. */
export const chordTransitStub: TransitStubConfig = {
  transitDomains: 5,
  routersPerTransitDomain: 10,
  stubDomainsPerTransitRouter: 10,
  routersPerStubDomain: 10,
  transitMs: 50,
  transitStubMs: 20,
  stubMs: 1,
}

/** Hosts on random stub routers; latency is the shortest path. */
export function transitStub(config: TransitStubConfig = canTransitStub): TopologyFactory {
  return (prng) => new TransitStub(config, prng)
}

/**
 * A stub domain hangs on one transit router by its router 0, so every path between two domains passes both of those. It is therefore enough to
 * know the shortest paths among transit routers and within each stub domain; memory stays in proportion to the routers.
 */
class TransitStub implements Topology {
  readonly name = 'transit-stub'
  private readonly config: TransitStubConfig
  private readonly prng: Prng
  /** Shortest paths among transit routers, and among the routers of each stub domain; [from][to]. */
  private readonly transit: readonly Float64Array[]
  private readonly stubs: ReadonlyArray<readonly Float64Array[]>
  /** Per host: its stub domain and its router there. Domain s hangs on transit router ⌊s / stubDomainsPerTransitRouter⌋. */
  private readonly domains: number[] = []
  private readonly routers: number[] = []

  constructor(config: TransitStubConfig, prng: Prng) {
    this.config = config
    this.prng = prng
    this.transit = shortestPaths(transitGraph(config, prng))
    const stubDomains = config.transitDomains * config.routersPerTransitDomain * config.stubDomainsPerTransitRouter
    this.stubs = Array.from({ length: stubDomains }, () => shortestPaths(randomGraph(config.routersPerStubDomain, config.stubMs, prng)))
  }

  place(): void {
    this.domains.push(this.prng.nextInt(this.stubs.length))
    this.routers.push(this.prng.nextInt(this.config.routersPerStubDomain))
  }

  latencyMs(a: number, b: number): Millis {
    return this.distance(a, b)
  }

  /** Its stub domain. */
  domainOf(host: number): number {
    return this.domains[host]!
  }

  distance(a: number, b: number): number {
    if (a === b) return 0
    const { stubMs, transitStubMs, stubDomainsPerTransitRouter } = this.config
    const domainA = this.domains[a]!
    const domainB = this.domains[b]!
    const routerA = this.routers[a]!
    const routerB = this.routers[b]!
    if (domainA === domainB) return stubMs + this.stubs[domainA]![routerA]![routerB]!
    const transitA = Math.floor(domainA / stubDomainsPerTransitRouter)
    const transitB = Math.floor(domainB / stubDomainsPerTransitRouter)
    return (
      stubMs +
      this.stubs[domainA]![routerA]![0]! +
      this.stubs[domainB]![0]![routerB]! +
      2 * transitStubMs +
      this.transit[transitA]![transitB]!
    )
  }
}

/** Undirected links with their lengths: [to, length] for each router. */
export type Graph = ReadonlyArray<ReadonlyArray<readonly [to: number, length: number]>>

/** A random tree plus as many extra links as routers: connected, with a mean degree near 4 as in GT-ITM's samples. */
function randomGraph(routers: number, length: number, prng: Prng): Graph {
  const links: Array<Array<[number, number]>> = Array.from({ length: routers }, () => [])
  for (let router = 1; router < routers; router++) link(links, router, prng.nextInt(router), length)
  for (let i = 0; i < routers && routers > 2; i++) {
    const from = prng.nextInt(routers)
    link(links, from, (from + 1 + prng.nextInt(routers - 1)) % routers, length)
  }
  return links
}

/** The transit domains, joined into a ring with one link between neighbouring domains. */
function transitGraph(config: TransitStubConfig, prng: Prng): Graph {
  const { transitDomains, routersPerTransitDomain: size, transitMs } = config
  const links: Array<Array<[number, number]>> = []
  for (let domain = 0; domain < transitDomains; domain++) {
    for (const router of randomGraph(size, transitMs, prng)) links.push(router.map(([to, length]) => [domain * size + to, length]))
  }
  for (let domain = 0; domain < transitDomains && transitDomains > 1; domain++) {
    const next = (domain + 1) % transitDomains
    link(links, domain * size + prng.nextInt(size), next * size + prng.nextInt(size), transitMs)
  }
  return links
}

function link(links: Array<Array<[number, number]>>, a: number, b: number, length: number): void {
  links[a]!.push([b, length])
  links[b]!.push([a, length])
}

/** All-pairs shortest paths: Dijkstra from each router, with a linear scan for the next one, since the graphs have tens of routers. */
export function shortestPaths(graph: Graph): Float64Array[] {
  return graph.map((_, from) => {
    const distance = new Float64Array(graph.length).fill(Infinity)
    const settled = new Uint8Array(graph.length)
    distance[from] = 0
    for (;;) {
      let nearest = -1
      for (let i = 0; i < graph.length; i++) {
        if (settled[i] === 0 && distance[i]! < Infinity && (nearest < 0 || distance[i]! < distance[nearest]!)) nearest = i
      }
      if (nearest < 0) return distance
      settled[nearest] = 1
      for (const [to, length] of graph[nearest]!) distance[to] = Math.min(distance[to]!, distance[nearest]! + length)
    }
  })
}
