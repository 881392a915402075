import { compareGuids } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { VirtualNetwork } from '@plaxton/testbed'
import type { VirtualHost } from '@plaxton/testbed'
import type { PastryConfig } from '../src/index.ts'
import { pastry, pastryDefaults } from '../src/index.ts'
import type { PastryNode } from '../src/index.ts'

export type TestHost = VirtualHost<PastryNode>

export class TestNetwork extends VirtualNetwork<PastryNode> {
  private readonly leafSetSize: number

  constructor(seed: number | string, config: Partial<PastryConfig> = {}) {
    const factory = pastry(config)
    super(seed, (self, prng) => factory.create(self, prng) as PastryNode, 128)
    this.leafSetSize = config.leafSetSize ?? pastryDefaults.leafSetSize
  }

  /** Complaints about leaf sets that are not what the members' ids make them. */
  complaints(): string[] {
    const size = this.leafSetSize
    const ring = this.members().toSorted((a, b) => compareGuids(a.ref.id, b.ref.id))
    return ring.flatMap(({ node, ref }, at) => {
      const expected = new Set<Guid>()
      for (let i = 1; i <= Math.min(size / 2, ring.length - 1); i++) {
        expected.add(ring[(at + i) % ring.length]!.ref.id)
        expected.add(ring[(at - i + ring.length) % ring.length]!.ref.id)
      }
      const actual = new Set(node.neighborSet(size).map((other) => other.id))
      const missing = [...expected].filter((id) => !actual.has(id))
      const surplus = [...actual].filter((id) => !expected.has(id))
      return missing.length + surplus.length === 0 ? [] : [`${ref.id.slice(0, 4)} misses ${missing.length}, has ${surplus.length} too many`]
    })
  }
}
