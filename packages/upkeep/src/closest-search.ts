import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'

/** How a {@link ClosestSearch} goes about it. */
export interface ClosestSearchConfig {
  /** Nodes that are to be found, Kademlia's k: each path ends when the k closest it has seen have answered. */
  readonly width: number
  /** Questions of one path that may be under way, Kademlia's alpha. */
  readonly alpha: number
  /** Paths that have no node in common, S/Kademlia's d. */
  readonly paths: number
}

/**
 * Looks for the nodes closest to a key by asking ever closer ones whom they know (Kademlia, IPTPS 2002, §2.3): `alpha` at a time, until the `width` closest
 * seen have all answered. Nobody is asked twice; who does not answer is passed by.
 *
 * With several `paths`, those known at first are dealt out, and each path goes its own way through nodes that no other path uses (S/Kademlia, ICPADS 2007): a node that
 * lies leads one path astray. What all of them have found counts; the closest that answered are the result.
 *
 * The owner calls {@link next} until it returns undefined, asks each node, and reports {@link onAnswer} or {@link onFailure} for it once.
 */
export class ClosestSearch {
  private readonly compare: (a: Guid, b: Guid) => number
  private readonly config: ClosestSearchConfig
  private readonly paths: Path[]
  /** By whom a node is or was asked: the number of the path. Bound: {@link askedMax}. */
  private readonly asked = new Map<Guid, number>()
  private readonly answers: NodeRef[] = []

  /** `compare` orders ids by closeness to the key, the closest first. */
  constructor(seeds: readonly NodeRef[], compare: (a: Guid, b: Guid) => number, config: ClosestSearchConfig) {
    this.compare = compare
    this.config = config
    const sorted = [...seeds].sort((a, b) => compare(a.id, b.id)).slice(0, shortlistMax)
    this.paths = Array.from({ length: config.paths }, (_, path) => ({
      shortlist: sorted.filter((_seed, i) => i % config.paths === path).map((ref) => ({ ref, state: 'new' as const })),
      inFlight: 0,
    }))
  }

  /** How many have been asked. */
  get askedCount(): number {
    return this.asked.size
  }

  /** Whom to ask now; undefined when enough are being asked, or nobody is left. */
  next(): NodeRef | undefined {
    if (this.asked.size >= askedMax) return undefined
    for (const [number, path] of this.paths.entries()) {
      if (path.inFlight >= this.config.alpha) continue
      const candidate = this.toAsk(path, number)
      if (candidate === undefined) continue
      candidate.state = 'asked'
      path.inFlight++
      this.asked.set(candidate.ref.id, number)
      return candidate.ref
    }
    return undefined
  }

  /** `id`, which was asked, names these. */
  onAnswer(id: Guid, refs: readonly NodeRef[]): void {
    const path = this.end(id, 'answered')
    if (path === undefined) return
    for (const ref of refs) this.add(path, ref)
  }

  /** `id`, which was asked, does not answer, or not as it should. */
  onFailure(id: Guid): void {
    this.end(id, 'failed')
  }

  /** Nobody is left to ask or to wait for. */
  get done(): boolean {
    return this.paths.every(
      (path, number) => path.inFlight === 0 && (this.asked.size >= askedMax || this.toAsk(path, number) === undefined),
    )
  }

  /** Those that have answered, the closest first, at most `width`. */
  get closest(): NodeRef[] {
    return this.answers.sort((a, b) => this.compare(a.id, b.id)).slice(0, this.config.width)
  }

  /** The closest of a path's first `width` that are not asked yet, by it or by another. */
  private toAsk(path: Path, number: number): Candidate | undefined {
    let counted = 0
    for (const candidate of path.shortlist) {
      if (counted === this.config.width) return undefined
      if (candidate.state === 'failed' || (this.asked.get(candidate.ref.id) ?? number) !== number) continue
      if (candidate.state === 'new') return candidate
      counted++
    }
    return undefined
  }

  private end(id: Guid, state: 'answered' | 'failed'): Path | undefined {
    const path = this.paths[this.asked.get(id) ?? -1]
    const candidate = path?.shortlist.find(({ ref }) => ref.id === id)
    if (path === undefined || candidate?.state !== 'asked') return undefined
    path.inFlight--
    candidate.state = state
    if (state === 'answered') this.answers.push(candidate.ref)
    return path
  }

  /** In the order of closeness. Full: the furthest that has not been asked goes, or the new one does not come in. */
  private add(path: Path, ref: NodeRef): void {
    const { shortlist } = path
    let low = 0
    let high = shortlist.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.compare(shortlist[middle]!.ref.id, ref.id) < 0) low = middle + 1
      else high = middle
    }
    if (shortlist[low]?.ref.id === ref.id) return
    shortlist.splice(low, 0, { ref, state: 'new' })
    if (shortlist.length <= shortlistMax) return
    const furthest = shortlist.findLastIndex(({ state }) => state === 'new')
    shortlist.splice(furthest, 1)
  }
}

interface Path {
  /** The closest first. Bound: {@link shortlistMax}. */
  readonly shortlist: Candidate[]
  inFlight: number
}

interface Candidate {
  readonly ref: NodeRef
  state: 'new' | 'asked' | 'answered' | 'failed'
}

/** Far more than any search takes: what a network of liars can cost. Our guess. */
const askedMax = 512
/** Those a path has asked, and the answers of a round beside them. Our guess. */
const shortlistMax = 640
