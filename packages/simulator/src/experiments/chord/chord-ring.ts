import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { ChordNode, chordConfig } from '@plaxton/chord'
import type { ChordConfig } from '@plaxton/chord'
import { assert } from '@plaxton/kbr'
import type { NodeRef, Prng } from '@plaxton/kbr'

/** A ring of Chord nodes, each in its place and with perfect tables. No message is sent; the cores are asked for their next hops. */
export class ChordRing {
  /** In ascending order of id. */
  readonly nodes: readonly ChordNode[]
  private readonly refs: readonly NodeRef[]
  private readonly positions: ReadonlyMap<Guid, number>

  constructor(prng: Prng, size: number, changes: Partial<ChordConfig>) {
    const config = chordConfig(changes)
    const ids = Array.from({ length: size }, () => randomGuid(prng)).sort()
    this.refs = ids.map((id) => ({ id, address: 'ring', epoch: 1 }))
    this.positions = new Map(ids.map((id, position) => [id, position]))
    this.nodes = this.refs.map((ref, at) => {
      const neighbors = [...this.around(at, 1, config.successors), ...this.around(at, -1, config.predecessors)]
      return ChordNode.placed(ref, config, neighbors, (start, count) => this.from(start, count))
    })
  }

  /** Overlay transmissions from the node at this position to the owner of `key`. */
  hops(from: number, key: Guid): number {
    let at = this.nodes[from]!
    let cursor = 0
    for (let hops = 0; ; hops++) {
      const next = at.nextHop(key, cursor, nobody)
      if (next.action === 'deliver') {
        assert(at.self.id === this.from(key, 1)[0]!.id, 'a message ends at the successor of its key')
        return hops
      }
      assert(next.action === 'forward' && hops < this.nodes.length, 'in a perfect ring a message goes on until it ends')
      at = this.nodes[this.positions.get(next.to.id)!]!
      cursor = next.cursor
    }
  }

  private around(at: number, step: number, most: number): NodeRef[] {
    const { length } = this.refs
    return Array.from({ length: Math.min(most, length - 1) }, (_, i) => this.refs.at((at + step * (i + 1)) % length)!)
  }

  /** The first nodes at or after a point. */
  private from(start: Guid, count: number): NodeRef[] {
    let low = 0
    let high = this.refs.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.refs[middle]!.id < start) low = middle + 1
      else high = middle
    }
    return Array.from({ length: Math.min(count, this.refs.length) }, (_, i) => this.refs[(low + i) % this.refs.length]!)
  }
}

const nobody: ReadonlySet<Guid> = new Set()
