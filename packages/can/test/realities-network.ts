import type { Guid } from '@plaxton/guid'
import { VirtualNetwork } from '@plaxton/testbed'
import type { VirtualHost } from '@plaxton/testbed'
import { can } from '../src/index.ts'
import type { CanConfig, CanNode, RealitiesNode } from '../src/index.ts'
import { overlap, volumeOf } from '../src/zone.ts'

/** Nodes of a CAN with several realities. */
export class RealitiesNetwork extends VirtualNetwork<RealitiesNode> {
  readonly realities: number

  constructor(seed: number | string, config: Partial<CanConfig> & { readonly realities: number }, idBits = 64) {
    const factory = can(config)
    super(seed, (self, prng) => factory.create(self, prng) as RealitiesNode, idBits)
    this.realities = config.realities
    this.latencyMs = () => 10
  }

  /** What is wrong: members that are not yet in every reality; in each reality zones that overlap, and what is nobody's. */
  complaints(): string[] {
    return Array.from({ length: this.realities }, (_, reality) => this.complaintsIn(reality)).flat()
  }

  /** The way of a message from a node until it is delivered or held: the ids of all it passes. */
  way(key: Guid, from: VirtualHost<RealitiesNode>, avoid: ReadonlySet<Guid> = new Set()): { readonly path: Guid[]; readonly end: string } {
    const path = [from.ref.id]
    let at = from
    let cursor = 0
    for (;;) {
      const next = at.node.nextHop(key, cursor, avoid)
      if (next.action !== 'forward') return { path, end: next.action }
      if (path.length > 200) return { path, end: 'lost' }
      at = this.hosts.get(next.to.id)!
      cursor = next.cursor
      path.push(at.ref.id)
    }
  }

  /** What a member is in one reality. */
  private complaintsIn(reality: number): string[] {
    const nodes = this.members().map(({ node }): CanNode => node.realities[reality]!)
    const outside = nodes.filter(({ ready }) => !ready).map(({ self }) => `${self.id} is no member of reality ${reality}`)
    const zones = nodes.flatMap((node) => node.zones)
    const overlaps = zones.flatMap((a, i) =>
      zones.slice(i + 1).flatMap((b) => (overlap(a, b) ? [`'${a}' overlaps '${b}' in reality ${reality}`] : [])),
    )
    const volume = zones.reduce((sum, zone) => sum + volumeOf(zone), 0)
    return [...outside, ...overlaps, ...(volume === 1 ? [] : [`the zones of reality ${reality} add up to ${volume}`])]
  }
}
