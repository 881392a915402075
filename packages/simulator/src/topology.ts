import { InvalidValueError } from '@plaxton/kbr'
import type { Millis, Prng } from '@plaxton/kbr'

/** Where hosts are and how far apart. Hosts are numbered from 0 in the order they were placed. */
export interface Topology {
  readonly name: string
  /** Finds a place for one more host. */
  place(): void
  /** One-way latency between two different hosts: whole milliseconds >= 1, the same both ways and every time. */
  latencyMs(a: number, b: number): Millis
  /** How far apart two hosts are, in the topology's own unit; 0 from a host to itself. Distance ratios and stretch are made of it. */
  distance(a: number, b: number): number
  /** The part of the network that a host is in, which may fail as a whole; for topologies that have parts. */
  domainOf?(host: number): number
}

/** Makes a topology from a generator of its own. */
export type TopologyFactory = (prng: Prng) => Topology

/** Every pair equally far apart. */
export function uniform(ms: Millis): TopologyFactory {
  if (!Number.isInteger(ms) || ms < 1) throw new InvalidValueError('ms', ms, 'a whole number >= 1')
  return () => ({ name: `uniform ${ms} ms`, place: () => {}, latencyMs: () => ms, distance: (a, b) => (a === b ? 0 : ms) })
}

/**
 * Points uniform in a square of 1000 by 1000 units, Euclidean distance: the topology of the Pastry paper (Middleware 2001, §3).
 * `msPerUnit` turns units into milliseconds; 0.1 makes the mean one-way latency 52 ms.
 */
export function plane(msPerUnit = 0.1): TopologyFactory {
  if (!(msPerUnit > 0)) throw new InvalidValueError('msPerUnit', msPerUnit, 'more than 0')
  return (prng) => new Plane(prng, msPerUnit)
}

/** Points uniform in a cube of 1000 units a side, Euclidean distance: the 3-d space of the Chord paper (ToN 2003, §VI-F). */
export function cube(msPerUnit = 0.1): TopologyFactory {
  if (!(msPerUnit > 0)) throw new InvalidValueError('msPerUnit', msPerUnit, 'more than 0')
  return (prng) => new Cube(prng, msPerUnit)
}

/** Length of the plane's and the cube's sides. */
const side = 1000

class Plane implements Topology {
  readonly name = 'plane'
  private readonly prng: Prng
  private readonly msPerUnit: number
  private readonly xs: number[] = []
  private readonly ys: number[] = []

  constructor(prng: Prng, msPerUnit: number) {
    this.prng = prng
    this.msPerUnit = msPerUnit
  }

  place(): void {
    this.xs.push(side * this.prng.nextFloat())
    this.ys.push(side * this.prng.nextFloat())
  }

  latencyMs(a: number, b: number): Millis {
    return Math.max(1, Math.round(this.distance(a, b) * this.msPerUnit))
  }

  distance(a: number, b: number): number {
    const dx = this.xs[a]! - this.xs[b]!
    const dy = this.ys[a]! - this.ys[b]!
    return Math.sqrt(dx * dx + dy * dy)
  }
}

class Cube implements Topology {
  readonly name = 'cube'
  private readonly prng: Prng
  private readonly msPerUnit: number
  /** Three numbers a host. */
  private readonly points: number[] = []

  constructor(prng: Prng, msPerUnit: number) {
    this.prng = prng
    this.msPerUnit = msPerUnit
  }

  place(): void {
    for (let axis = 0; axis < 3; axis++) this.points.push(side * this.prng.nextFloat())
  }

  latencyMs(a: number, b: number): Millis {
    return Math.max(1, Math.round(this.distance(a, b) * this.msPerUnit))
  }

  distance(a: number, b: number): number {
    let squares = 0
    for (let axis = 0; axis < 3; axis++) squares += (this.points[3 * a + axis]! - this.points[3 * b + axis]!) ** 2
    return Math.sqrt(squares)
  }
}
