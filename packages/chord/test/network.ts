import { compareGuids } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { VirtualNetwork } from '@plaxton/testbed'
import type { VirtualHost } from '@plaxton/testbed'
import { chord, chordDefaults } from '../src/index.ts'
import type { ChordConfig, ChordNode } from '../src/index.ts'

export type TestHost = VirtualHost<ChordNode>

export class TestNetwork extends VirtualNetwork<ChordNode> {
  private readonly config: ChordConfig

  constructor(seed: number | string, config: Partial<ChordConfig> = {}) {
    const factory = chord(config)
    super(seed, (self, prng) => factory.create(self, prng) as ChordNode, 128)
    this.config = { ...chordDefaults, ...config }
  }

  /** Complaints about lists that are not what the members' ids make them; none when there is one ring and all are exact. */
  complaints(): string[] {
    const { successors, predecessors } = this.config
    const ring = this.members().toSorted((a, b) => compareGuids(a.ref.id, b.ref.id))
    const beside = (at: number, step: number, most: number): Guid[] =>
      Array.from({ length: Math.min(most, ring.length - 1) }, (_, i) => ring.at((at + step * (i + 1)) % ring.length)!.ref.id)
    return ring.flatMap(({ node, ref }, at) => {
      const wrong = [
        ...(beside(at, 1, successors).join() === node.successors.map(({ id }) => id).join() ? [] : ['successors']),
        ...(beside(at, -1, predecessors).join() === node.predecessors.map(({ id }) => id).join() ? [] : ['predecessors']),
      ]
      return wrong.map((list) => `${ref.id.slice(0, 4)} has wrong ${list}`)
    })
  }
}
