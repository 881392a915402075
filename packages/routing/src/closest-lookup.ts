import type { Guid } from '@plaxton/guid'
import type { Metric, NodeRef } from '@plaxton/kbr'
import { ClosestSearch } from '@plaxton/upkeep'
import type { IterativeSearch } from './iterative.ts'

/** What a search by closeness takes from its caller. */
interface ClosestLookupOptions {
  readonly alpha: number
  /** Nodes that are to be named in the end. */
  readonly width: number
  /** Paths without a node in common. */
  readonly paths: number
}

/**
 * Iterative walking where all nodes agree on what is close ({@link Metric}): the source asks ever closer nodes whom they know, over one or several disjoint paths, until
 * the closest have all answered. The closest that answered is the root: it need not say so, and nobody else can.
 */
export class ClosestLookup implements IterativeSearch {
  private readonly self: NodeRef
  private readonly search: ClosestSearch
  /** The source, if it may be the root itself. */
  private readonly own: readonly NodeRef[]
  private readonly compare: (a: NodeRef, b: NodeRef) => number
  private readonly width: number

  constructor(self: NodeRef, isMember: boolean, metric: Metric, key: Guid, { alpha, width, paths }: ClosestLookupOptions) {
    const compare = (a: Guid, b: Guid): number => metric.compare(a, b, key)
    const wide = Math.max(width, metric.width)
    this.self = self
    this.own = isMember ? [self] : []
    this.compare = (a, b) => compare(a.id, b.id)
    this.width = width
    this.search = new ClosestSearch(metric.closest(key, Math.max(wide, paths)), compare, { alpha, width: wide, paths })
  }

  get asked(): number {
    return 1 + this.search.askedCount
  }

  next(): NodeRef | undefined {
    return this.search.next()
  }

  onFound(from: NodeRef, _root: boolean, nodes: readonly NodeRef[]): void {
    // Others know the source too; it does not ask itself.
    const others = nodes.filter(({ id }) => id !== this.self.id)
    this.search.onAnswer(from.id, others)
  }

  onFailure(peer: NodeRef): void {
    this.search.onFailure(peer.id)
  }

  get done(): boolean {
    return this.search.done
  }

  get result(): { readonly root: NodeRef; readonly nodes: readonly NodeRef[] } | undefined {
    const nodes = [...this.own, ...this.search.closest].sort(this.compare).slice(0, this.width)
    const [root] = nodes
    return root === undefined ? undefined : { root, nodes }
  }
}
