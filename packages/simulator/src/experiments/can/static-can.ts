import { Space, bitsOf, greedyHop } from '@plaxton/can'
import type { HopCandidate, Zone } from '@plaxton/can'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Topology } from '../../topology.ts'
import { canTransitStub, transitStub } from '../../transit-stub.ts'
import { ZoneMap } from '../../zone-map.ts'

export interface StaticCanOptions {
  readonly seed: number | string
  readonly nodes: number
  readonly dimensions: number
  readonly uniform?: boolean
  readonly peersPerZone?: number
}

/** What the routes of one network were like, on average. Times are one-way milliseconds. */
export interface StaticRoutes {
  readonly hops: number
  readonly hopMs: number
  readonly pathMs: number
  /** Straight from the source to the owner. */
  readonly directMs: number
}

interface Candidate extends HopCandidate {
  readonly node: number
}

/**
 * A CAN of so many nodes at rest, without messages: nodes join at random points one after the other, zones are split by the protocol's rule, everybody knows its neighbours, and the core's own
 * decision chooses each next hop. Hosts stand on the CAN paper's transit-stub network, 100/10/1 ms.
 */
export class StaticCan {
  readonly zones: ZoneMap
  private readonly space: Space
  private readonly topology: Topology
  private readonly nodes: number
  private readonly prng: Prng

  constructor({ seed, nodes, dimensions, uniform = false, peersPerZone = 1 }: StaticCanOptions) {
    const prng = Prng.fromSeed(`${seed}/can/${nodes}/${dimensions}`)
    this.nodes = nodes
    this.space = new Space(dimensions, 256, 2 * nodes)
    this.zones = new ZoneMap({ dimensions, uniform, peersPerZone })
    this.topology = transitStub(paperInternet)(prng.fork())
    this.prng = prng.fork()
    for (let node = 0; node < nodes; node++) {
      this.topology.place()
      this.zones.join(node, bitsOf(randomGuid(prng)))
    }
  }

  /** Routes of `lookups` random keys from random nodes; by progress over round trip, or to the nearest neighbour in the space. */
  route(lookups: number, rttWeighted: boolean): StaticRoutes {
    let [hops, pathMs, directMs] = [0, 0, 0]
    for (let i = 0; i < lookups; i++) {
      const from = this.prng.nextInt(this.nodes)
      const path = this.path(from, bitsOf(randomGuid(this.prng)), rttWeighted)
      hops += path.length - 1
      directMs += this.topology.distance(from, path.at(-1)!)
      for (let at = 1; at < path.length; at++) pathMs += this.topology.distance(path[at - 1]!, path[at]!)
    }
    return { hops: hops / lookups, hopMs: pathMs / hops, pathMs: pathMs / lookups, directMs: directMs / lookups }
  }

  /** Neighbouring zones of a zone, and owners of one, on average over nodes. */
  state(): { readonly neighbors: number; readonly peers: number } {
    let [neighbors, peers] = [0, 0]
    for (let node = 0; node < this.nodes; node++) {
      neighbors += this.zones.neighborZonesOf(node).length
      peers += this.zones.peersOf(node).length
    }
    return { neighbors: neighbors / this.nodes, peers: peers / this.nodes }
  }

  private path(from: number, bits: string, rttWeighted: boolean): number[] {
    const point = this.space.pointOf(bits)
    const path = [from]
    for (let at = from; !bits.startsWith(this.zones.zoneOf(at));) {
      const distance2 = this.space.distance2(point, this.zones.zoneOf(at))
      const next = greedyHop(this.space, point, distance2, this.candidates(at, rttWeighted), rttWeighted)
      at = next!.node
      path.push(at)
    }
    return path
  }

  /** Of each neighbouring zone the owner that is nearest by network distance (§3.5), with one owner a zone just that. */
  private candidates(at: number, measured: boolean): Candidate[] {
    return this.zones.neighborZonesOf(at).map(({ zone, owners }) => {
      let node = owners[0]!
      for (const owner of owners) if (this.topology.distance(at, owner) < this.topology.distance(at, node)) node = owner
      const rttMs = measured ? 2 * this.topology.distance(at, node) : undefined
      return { node, ref: nobody, zones: [zone] satisfies Zone[], rttMs }
    })
  }
}

/** Links as in the paper, 100/10/1 ms. It does not tell the number of routers; with these the mean way through the network is near the 115.9 ms it tells. */
const paperInternet = { ...canTransitStub, transitDomains: 1, routersPerTransitDomain: 4, stubDomainsPerTransitRouter: 25 }

/** Nodes are numbers here. */
const nobody = { id: '00' as HopCandidate['ref']['id'], address: '', epoch: 0 }
