import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import { maxEntries } from './messages.ts'
import type { Entry } from './messages.ts'

/** A node that said it has records this node lacks, or has in another version. */
export interface Source {
  node: NodeRef
  /** The versions it has, of what is to be copied from it; at most {@link maxEntries}. */
  readonly wanted: Map<Guid, number>
  /** Copies from it under way. */
  copying: number
  /** It has handed something over, and answered ever since. */
  proven: boolean
  /** Answers in a row that brought nothing. */
  useless: number
  /** Times it did not answer, less the records it has handed over since. */
  misses: number
  /** Nothing is wanted from it until then. */
  restsUntil: Millis
}

/** How much a {@link Sources} lets be under way, and how long it lets a silent source rest. */
export interface SourceLimits {
  /** `PastConfig.transfersInFlight`. */
  readonly transfers: number
  /** A source that was silent once rests for so long, … */
  readonly shortestRestMs: Millis
  /** … twice as long each further time, and never longer than this. */
  readonly longestRestMs: Millis
}

/**
 * What is wanted from whom. Anybody can claim to have records, so each source has a queue of its own, and all are served in turn:
 * a source that never hands anything over delays itself. One record may be wanted from several.
 */
export class Sources {
  /** Next in turn first. At most {@link maxSources}. */
  private readonly sources = new Map<Guid, Source>()
  private readonly limits: SourceLimits
  private readonly isHeld: (guid: Guid, version: number) => boolean

  constructor(limits: SourceLimits, isHeld: (guid: Guid, version: number) => boolean) {
    this.limits = limits
    this.isHeld = isHeld
  }

  /** Records wanted; one that is wanted from two sources counts twice. */
  get waiting(): number {
    let sum = 0
    for (const { wanted } of this.sources.values()) sum += wanted.size
    return sum
  }

  /** `isNear` says who is a neighbour: a neighbour finds a place even among many strangers. What finds none comes up in a later comparison. */
  want({ guid, version }: Entry, from: NodeRef, isNear: (id: Guid) => boolean, now: Millis): void {
    const source = this.sources.get(from.id) ?? this.admit(from, isNear)
    if (source === undefined || now < source.restsUntil) return
    source.node = from
    if (source.wanted.size < maxEntries || source.wanted.has(guid)) source.wanted.set(guid, version)
  }

  /**
   * The next record to copy, and from whom, among those not in `busy`; undefined when nothing may be copied now. A source that has not
   * proven itself gets one copy at a time, and all of these together half of the transfers; no source gets more than half.
   */
  next(busy: ReadonlySet<Guid>): { readonly guid: Guid; readonly source: Source } | undefined {
    const half = Math.max(1, Math.floor(this.limits.transfers / 2))
    let unproven = 0
    for (const { proven, copying } of this.sources.values()) if (!proven) unproven += copying
    for (const source of this.sources.values()) {
      if (source.proven ? source.copying >= half : source.copying > 0 || unproven >= half) continue
      const guid = this.takeFrom(source, busy)
      if (guid === undefined) continue
      source.copying++
      this.sources.delete(source.node.id)
      this.sources.set(source.node.id, source)
      return { guid, source }
    }
    return undefined
  }

  /** A copy has ended. `useless`: an answer came, and nothing of use in it. */
  ended(source: Source, outcome: 'copied' | 'useless' | 'silent', now: Millis): void {
    source.copying--
    if (outcome === 'copied') {
      source.useless = 0
      source.misses = Math.max(0, source.misses - 1)
      source.proven ||= now >= source.restsUntil
    } else if (outcome === 'silent' || ++source.useless === patience) this.rest(source, now)
  }

  /** Lets go of what is wanted from this source alone. Copies that were under way together fail together, and count once. */
  private rest(source: Source, now: Millis): void {
    source.wanted.clear()
    source.useless = 0
    source.proven = false
    if (now < source.restsUntil) return
    const { shortestRestMs, longestRestMs } = this.limits
    source.restsUntil = now + Math.min(longestRestMs, shortestRestMs * 2 ** Math.min(source.misses, 30))
    source.misses++
  }

  private takeFrom({ wanted }: Source, busy: ReadonlySet<Guid>): Guid | undefined {
    for (const [guid, version] of wanted) {
      if (busy.has(guid)) continue
      wanted.delete(guid)
      if (!this.isHeld(guid, version)) return guid
    }
    return undefined
  }

  /** A place for a source: a free one, else that of one nothing is wanted from, else for a neighbour that of a stranger. */
  private admit(node: NodeRef, isNear: (id: Guid) => boolean): Source | undefined {
    if (this.sources.size >= maxSources) {
      const all = [...this.sources.values()].filter(({ copying }) => copying === 0)
      const spare =
        all.find(({ wanted }) => wanted.size === 0) ?? (isNear(node.id) ? all.find((other) => !isNear(other.node.id)) : undefined)
      if (spare === undefined) return undefined
      this.sources.delete(spare.node.id)
    }
    const source = { node, wanted: new Map(), copying: 0, proven: false, useless: 0, misses: 0, restsUntil: 0 }
    this.sources.set(node.id, source)
    return source
  }
}

/** Neighbours compared with, 18 by default, and some strangers. With {@link maxEntries} each, 32,768 guids: 6 MiB at most. */
const maxSources = 32
/** A record that its source cannot hand over, because it was removed a moment ago, is nobody's fault; so many in a row are. Our guess. */
const patience = 16
