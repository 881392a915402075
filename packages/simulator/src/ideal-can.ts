import { Space, bitsOf, greedyHop } from '@plaxton/can'
import type { HopCandidate, Zone } from '@plaxton/can'
import type { Guid } from '@plaxton/guid'
import { IdealTables } from './ideal-tables.ts'
import type { Place } from './ideal-tables.ts'
import type { Topology } from './topology.ts'
import { ZoneMap } from './zone-map.ts'

/**
 * CAN as it could at best be: hosts have joined one after the other, each by its id, every zone was split by the protocol's rule, and every node knows exactly those whose zones abut its own, and how far
 * they are. The next hop is chosen by the core's own decision.
 */
export class IdealCan extends IdealTables {
  private readonly zones: ZoneMap
  private readonly space: Space
  /** By position: whom it may send to. Worked out when first needed. */
  private readonly candidates = new Map<number, ReadonlyArray<HopCandidate & { readonly position: number }>>()

  constructor(topology: Topology, places: readonly Place[], options: { readonly dimensions: number }) {
    super(topology, places)
    this.space = new Space(options.dimensions, 256, places.length)
    this.zones = new ZoneMap({ dimensions: options.dimensions })
    const order = this.places.map((_, position) => position).sort((a, b) => this.places[a]!.host - this.places[b]!.host)
    for (const position of order) this.zones.join(position, bitsOf(this.places[position]!.id))
  }

  protected override path(from: number, key: Guid): number[] {
    const bits = bitsOf(key)
    const point = this.space.pointOf(bits)
    const owner = this.zones.ownerOf(bits)
    const path = [from]
    for (let at = from; at !== owner;) {
      const next =
        this.candidatesOf(at).find(({ position }) => position === owner) ??
        greedyHop(this.space, point, [this.zones.zoneOf(at)], this.candidatesOf(at), true)
      at = next!.position
      path.push(at)
    }
    return path
  }

  private candidatesOf(at: number): ReadonlyArray<HopCandidate & { readonly position: number }> {
    const known = this.candidates.get(at)
    if (known !== undefined) return known
    const found = this.zones.neighborsOf(at).map((position) => {
      const { id, host } = this.places[position]!
      const zones: Zone[] = [this.zones.zoneOf(position)]
      return { position, ref: { id, address: `sim:${host}`, epoch: 1 }, zones, rttMs: 2 * this.distance(at, position) }
    })
    this.candidates.set(at, found)
    return found
  }
}
