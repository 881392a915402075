import type { Prng } from '@plaxton/kbr'
import type { Topology } from '../../topology.ts'

/** Bits of a coordinate of a drawn point: deeper than zones are halved in networks of millions. */
const coordinateBits = 24

/**
 * Landmark ordering (SIGCOMM 2001, §3.6): who measures the same order of distances to a few well-known hosts gets a point in the same portion of the space, one of m! equal ones, so that neighbours in
 * the space are near each other on the network.
 */
export class Landmarks {
  private readonly topology: Topology
  private readonly dimensions: number
  private readonly hosts: readonly number[]

  /** `hosts`: their numbers in the topology. */
  constructor(topology: Topology, dimensions: number, hosts: readonly number[]) {
    this.topology = topology
    this.dimensions = dimensions
    this.hosts = hosts
  }

  /** The bits of a random point in the portion of this node: the first dimension is cut into m parts, the next one into m - 1, and so on in cyclic order. */
  draw(node: number, prng: Prng): string {
    const low = new Array<number>(this.dimensions).fill(0)
    const width = new Array<number>(this.dimensions).fill(1)
    for (const [i, place] of this.places(node).entries()) {
      const dimension = i % this.dimensions
      width[dimension]! /= this.hosts.length - i
      low[dimension]! += place * width[dimension]!
    }
    return interleave(low.map((from, dimension) => from + prng.nextInt(2 ** coordinateBits) * 2 ** -coordinateBits * width[dimension]!))
  }

  /** The order of the landmarks by distance as numbers: the first among all, the second among those left, and so on. */
  private places(node: number): number[] {
    const order = this.hosts.map((host) => ({ host, distance: this.topology.distance(node, host) }))
    order.sort((a, b) => a.distance - b.distance || a.host - b.host)
    const left = [...this.hosts]
    return order.map(({ host }) => {
      const place = left.indexOf(host)
      left.splice(place, 1)
      return place
    })
  }
}

/** Coordinates from 0 to 1 as the bits of a key: bit i belongs to dimension i mod d. */
function interleave(point: readonly number[]): string {
  const cells = point.map((coordinate) =>
    Math.floor(coordinate * 2 ** coordinateBits)
      .toString(2)
      .padStart(coordinateBits, '0'),
  )
  let bits = ''
  for (let depth = 0; depth < coordinateBits; depth++) for (const cell of cells) bits += cell[depth]
  return bits
}
