import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { Report } from './messages.ts'
import type { NeighborLists } from './neighbor-lists.ts'

/**
 * What need not be said again. The lists of a node have a number, which changes whenever they do; it comes with them. A neighbour that has looked into them, and found
 * nobody whom it lacks, says the number back and is sent the lists no more, until they change or its own do.
 */
export class Agreements {
  private readonly lists: NeighborLists
  private readonly first: number
  /** The version for which the rest holds. */
  private at = 0
  /** By neighbour, the version of this node's lists that it needs no more. Bound: the lists. */
  private readonly mine = new Map<Guid, number>()
  /** By neighbour, the version of its lists that this node needs no more. Bound: the lists. */
  private readonly theirs = new Map<Guid, number>()

  /** `first`: another for each life of a node, so that nobody takes the lists of one for those of another. */
  constructor(lists: NeighborLists, first: number) {
    this.lists = lists
    this.first = first
  }

  /** The number of this node's lists as they are. */
  get version(): number {
    return this.first + this.lists.changes
  }

  /** Whether `id` needs this node's lists no more. */
  isKnownTo(id: Guid): boolean {
    this.forgetIfChanged()
    return this.mine.get(id) === this.version
  }

  /** The version of `id`'s lists that this node needs no more. 0: none. */
  knownOf(id: Guid): number {
    this.forgetIfChanged()
    return this.theirs.get(id) ?? 0
  }

  /** `from` has sent a report, and whatever followed from it has been done. */
  note(from: NodeRef, { known, version, unchanged, predecessors, successors }: Report): void {
    const { lists } = this
    this.forgetIfChanged()
    if (!lists.has(from.id)) return
    this.mine.set(from.id, known)
    if (unchanged) return
    const lacksNobody = ![...predecessors, ...successors].some(({ id }) => lists.admits(id))
    if (lacksNobody && lists.missingFrom(from.id, predecessors, successors).length === 0) this.theirs.set(from.id, version)
  }

  private forgetIfChanged(): void {
    if (this.at === this.lists.changes) return
    this.at = this.lists.changes
    this.mine.clear()
    this.theirs.clear()
  }
}
