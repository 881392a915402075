import { InvalidValueError } from '@plaxton/kbr'
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
  /** Each host is a router, transit routers among them, and no two are the same: no access link, and no more hosts than routers. Default: hosts on random stub routers. */
  readonly hostsAreRouters?: boolean
  /** Links of each kind differ in length: whole milliseconds from 1 to twice the given less 1, as where routers lie in a plane. Default: all as given. */
  readonly unequalLinks?: boolean
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

/**
 * 1,092 routers, as many as the Tapestry paper has (JSAC 2004, fig. 15), each of which may be a node there: it has 1,090. How they are divided and how long links are it does not say. Ours
 * are chosen so that the figure's curve *without* extra pointers comes out near the published one with ideal tables.
 */
export const tapestryTransitStub: TransitStubConfig = {
  transitDomains: 3,
  routersPerTransitDomain: 4,
  stubDomainsPerTransitRouter: 3,
  routersPerStubDomain: 30,
  transitMs: 40,
  transitStubMs: 10,
  stubMs: 5,
  hostsAreRouters: true,
  unequalLinks: true,
}

/** Hosts as the configuration says; latency is the shortest path. */
export function transitStub(config: TransitStubConfig = canTransitStub): TopologyFactory {
  return (prng) => new TransitStub(config, prng)
}

/** Where a host is: on which router. */
interface Site {
  /** Its stub domain; a transit router is a domain of its own, numbered after those. */
  readonly domain: number
  /** In the stub domain. */
  readonly router: number
  /** The transit router it reaches the others by, and how far that is. */
  readonly transit: number
  readonly upMs: Millis
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
  /** From each stub domain's router 0 to its transit router, which is number ⌊domain / stubDomainsPerTransitRouter⌋. */
  private readonly upMs: readonly Millis[]
  private readonly accessMs: Millis
  /** By host. */
  private readonly sites: Site[] = []
  /** Routers that are no hosts yet, where hosts are routers. */
  private readonly free: Site[]

  constructor(config: TransitStubConfig, prng: Prng) {
    this.config = config
    this.prng = prng
    const { stubMs, transitStubMs, unequalLinks = false, hostsAreRouters = false } = config
    const lengths = (ms: Millis) => (unequalLinks ? () => 1 + prng.nextInt(2 * ms - 1) : () => ms)
    this.transit = shortestPaths(transitGraph(config, lengths(config.transitMs), prng))
    const stubDomains = this.transit.length * config.stubDomainsPerTransitRouter
    this.stubs = Array.from({ length: stubDomains }, () => shortestPaths(randomGraph(config.routersPerStubDomain, lengths(stubMs), prng)))
    this.upMs = Array.from({ length: stubDomains }, lengths(transitStubMs))
    this.accessMs = hostsAreRouters ? 0 : stubMs
    this.free = hostsAreRouters ? prng.shuffle(this.allRouters()) : []
  }

  place(): void {
    const { hostsAreRouters = false, routersPerStubDomain } = this.config
    if (hostsAreRouters && this.free.length === 0)
      throw new InvalidValueError('hosts', this.sites.length + 1, `at most ${this.sites.length}`)
    this.sites.push(this.free.pop() ?? this.site(this.prng.nextInt(this.stubs.length), this.prng.nextInt(routersPerStubDomain)))
  }

  latencyMs(a: number, b: number): Millis {
    return this.distance(a, b)
  }

  /** Its stub domain. */
  domainOf(host: number): number {
    return this.sites[host]!.domain
  }

  distance(a: number, b: number): number {
    if (a === b) return 0
    const from = this.sites[a]!
    const to = this.sites[b]!
    if (from.domain === to.domain) return this.accessMs + this.stubs[from.domain]![from.router]![to.router]!
    return this.accessMs + from.upMs + to.upMs + this.transit[from.transit]![to.transit]!
  }

  private site(domain: number, router: number): Site {
    const upMs = this.stubs[domain]![router]![0]! + this.upMs[domain]!
    return { domain, router, transit: Math.floor(domain / this.config.stubDomainsPerTransitRouter), upMs }
  }

  private allRouters(): Site[] {
    const inStubs = this.stubs.flatMap((routers, domain) => routers.map((_, router) => this.site(domain, router)))
    return [...inStubs, ...this.transit.map((_, i) => ({ domain: this.stubs.length + i, router: 0, transit: i, upMs: 0 }))]
  }
}

/** Undirected links with their lengths: [to, length] for each router. */
export type Graph = ReadonlyArray<ReadonlyArray<readonly [to: number, length: number]>>

/** A random tree plus as many extra links as routers: connected, with a mean degree near 4 as in GT-ITM's samples. */
function randomGraph(routers: number, length: () => Millis, prng: Prng): Graph {
  const links: Array<Array<[number, number]>> = Array.from({ length: routers }, () => [])
  for (let router = 1; router < routers; router++) link(links, router, prng.nextInt(router), length())
  for (let i = 0; i < routers && routers > 2; i++) {
    const from = prng.nextInt(routers)
    link(links, from, (from + 1 + prng.nextInt(routers - 1)) % routers, length())
  }
  return links
}

/** The transit domains, joined into a ring with one link between neighbouring domains. */
function transitGraph(config: TransitStubConfig, length: () => Millis, prng: Prng): Graph {
  const { transitDomains, routersPerTransitDomain: size } = config
  const links: Array<Array<[number, number]>> = []
  for (let domain = 0; domain < transitDomains; domain++) {
    for (const router of randomGraph(size, length, prng)) links.push(router.map(([to, length]) => [domain * size + to, length]))
  }
  for (let domain = 0; domain < transitDomains && transitDomains > 1; domain++) {
    const next = (domain + 1) % transitDomains
    link(links, domain * size + prng.nextInt(size), next * size + prng.nextInt(size), length())
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
