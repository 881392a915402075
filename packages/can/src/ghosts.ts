import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { Mark } from './atlas.ts'
import type { Claim, Entry } from './claim.ts'
import type { Zone } from './zone.ts'

/** A zone whose owner is gone, as it was last known. */
export interface Ghost {
  readonly node: NodeRef
  readonly claim: Claim
  /** Who the owner's contacts were: they may take the zone over, and must hear of it when this node does. */
  readonly others: readonly Entry[]
  /** It said itself that it goes; its heir was told. */
  readonly left: boolean
  readonly at: Millis
}

/** What gone nodes owned, until somebody is known to own it again. */
export class Ghosts {
  /** By node and zone, in the order of going. Bound: `max`. Full: the first goes; its zone is then a gap of which nothing is known. */
  private readonly all = new Map<string, Ghost>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return this.all.size
  }

  add(ghost: Ghost): void {
    const name = `${ghost.node.id}/${ghost.claim.zone}`
    this.all.delete(name)
    this.all.set(name, ghost)
    if (this.all.size <= this.max) return
    for (const first of this.all.keys()) {
      this.all.delete(first)
      break
    }
  }

  of(node: Guid, zone: Zone): Ghost | undefined {
    return this.all.get(`${node}/${zone}`)
  }

  /** Those that are gone without having said so, each once. */
  nodes(): Set<NodeRef> {
    return new Set([...this.all.values()].filter(({ left }) => !left).map(({ node }) => node))
  }

  /** What gone nodes said that this one owns. */
  hearsayOf(id: Guid): readonly Claim[] {
    for (const { others } of this.all.values()) for (const { node, claims } of others) if (node.id === id) return claims
    return []
  }

  /** The node is there after all, in the same incarnation: what it owns it says itself. True when it had left something. */
  forget({ id, epoch }: NodeRef): boolean {
    const before = this.all.size
    for (const [name, { node }] of this.all) if (node.id === id && node.epoch >= epoch) this.all.delete(name)
    return this.all.size < before
  }

  /** Forgets those that nobody needs any more. */
  retain(isNeeded: (ghost: Ghost) => boolean): void {
    for (const [name, ghost] of this.all) if (!isNeeded(ghost)) this.all.delete(name)
  }

  clear(): void {
    this.all.clear()
  }

  marks(): Mark[] {
    return [...this.all.values()].map(({ node, claim }) => ({ node, claim, source: 'ghost' as const }))
  }
}
