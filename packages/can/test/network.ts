import { VirtualNetwork } from '@plaxton/testbed'
import { can } from '../src/index.ts'
import type { Claim } from '../src/claim.ts'
import type { CanConfig, CanNode } from '../src/index.ts'
import type { Report } from '../src/messages.ts'
import { everything, overlap, volumeOf } from '../src/zone.ts'

export class TestNetwork extends VirtualNetwork<CanNode> {
  constructor(seed: number | string, config: Partial<CanConfig> = {}, idBits = 64) {
    const factory = can(config)
    super(seed, (self, prng) => factory.create(self, prng) as CanNode, idBits)
    this.latencyMs = () => 10
  }

  /** What the members' zones add up to; 1 when they tile the space, or overlap as much as they leave out. */
  volume(): number {
    return this.members().reduce((sum, { node }) => sum + node.zones.reduce((own, zone) => own + volumeOf(zone), 0), 0)
  }

  /** Complaints about zones that overlap, and about what is nobody's. */
  complaints(): string[] {
    const zones = this.members().flatMap(({ node }) => node.zones)
    const overlaps = zones.flatMap((a, i) => zones.slice(i + 1).flatMap((b) => (overlap(a, b) ? [`'${a}' overlaps '${b}'`] : [])))
    return this.volume() === 1 ? overlaps : [...overlaps, `the zones add up to ${this.volume()}`]
  }
}

/** What a member says that claims these zones and knows nobody. */
export function reportOf(claims: readonly Claim[]): Report {
  return {
    type: 'report',
    claims,
    groups: [everything],
    shared: [],
    others: [],
    digest: 1,
    member: true,
    token: 0,
    echo: 0,
    base: 0,
    gone: [],
  }
}
