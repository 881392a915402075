import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'

/** A lookup as its owner drives it: {@link next} until it returns undefined, then a report for each that was asked. */
export interface IterativeSearch {
  /** Nodes asked so far, the source included. */
  readonly asked: number
  /** True when nothing is left to ask or to wait for. */
  readonly done: boolean
  /** The root and the live part of its replica set, best first; undefined when none was found. */
  readonly result: { readonly root: NodeRef; readonly nodes: readonly NodeRef[] } | undefined
  /** Whom to ask now; undefined when enough are being asked, or nobody is left. */
  next(): NodeRef | undefined
  /** `from`, which was asked, names `nodes`, best first; `root`: it takes itself for the root. */
  onFound(from: NodeRef, root: boolean, nodes: readonly NodeRef[]): void
  /** `peer`, which was asked, does not answer. */
  onFailure(peer: NodeRef): void
}

/**
 * Iterative walking: the source itself asks node after node *whom would you ask next?*, up to `alpha` at a time, until it has found
 * the root and the `width` nodes of its replica set have answered.
 *
 *     walking ── somebody says "I am the root" ──► confirming ── its replica set has answered ──► found
 *        └─────── nobody is left to ask ────────────────┴────────────────────────────────────────► failed
 *
 * Which node is closer is for the overlay to say, and overlays measure in different ways. So this machine compares no ids. It goes by
 * what it is told: a node named by another is one step further than that one, and the names come best first. Walking, it asks the
 * furthest first and turns back when they fail. Confirming, it asks the replica set that the root named; if one of these names another
 * node first, that one is asked too, and of several that claim to be root the one that most nodes name first is believed.
 *
 * The owner calls {@link next} until it returns undefined, sends each returned node a `find`, and reports {@link onFound} or
 * {@link onFailure} for each exactly once.
 */
export class IterativeLookup implements IterativeSearch {
  /** Bound: {@link candidatesMax}; full: further names are ignored. */
  private readonly candidates = new Map<Guid, Candidate>()
  private readonly alpha: number
  private readonly width: number
  private inFlight = 0
  /** Nodes asked so far. Bound: {@link askedMax}. */
  asked = 0

  /** Begins with what `self` itself knows: whether it takes itself for the root, and whom it would ask, best first. */
  constructor(self: NodeRef, root: boolean, nodes: readonly NodeRef[], alpha: number, width: number) {
    this.alpha = alpha
    this.width = width
    const own = this.candidate(self, 0, 0)!
    this.asked++
    this.inFlight++
    own.state = 'asked'
    this.onFound(self, root, nodes)
  }

  /** Whom to ask now; undefined when enough are being asked, or nobody is left, or the lookup is done. */
  next(): NodeRef | undefined {
    if (this.inFlight >= this.alpha || this.asked >= askedMax) return undefined
    const chosen = this.toAsk()
    if (chosen === undefined) return undefined
    chosen.state = 'asked'
    this.asked++
    this.inFlight++
    return chosen.node
  }

  /** `from`, which was asked, names `nodes`, best first; with `root` it takes itself for the root and they are the replica set. */
  onFound(from: NodeRef, root: boolean, nodes: readonly NodeRef[]): void {
    const answerer = this.candidates.get(from.id)
    if (answerer === undefined || answerer.state !== 'asked') return
    this.inFlight--
    answerer.state = 'answered'
    answerer.claims = root
    answerer.names = nodes.slice(0, this.width).map((node) => node.id)
    for (const [rank, node] of nodes.entries()) this.candidate(node, answerer.level + 1, rank)
    const first = root ? answerer : nodes[0] === undefined ? undefined : this.candidates.get(nodes[0].id)
    if (first !== undefined) first.votes++
  }

  /** `peer`, which was asked, does not answer. */
  onFailure(peer: NodeRef): void {
    const candidate = this.candidates.get(peer.id)
    if (candidate === undefined || candidate.state !== 'asked') return
    this.inFlight--
    candidate.state = 'failed'
  }

  /** True when nothing is left to ask or to wait for. */
  get done(): boolean {
    const root = this.leader()
    if (root !== undefined && this.confirmers(root).every(isSettled)) return true
    return this.inFlight === 0 && (this.asked >= askedMax || this.toAsk() === undefined)
  }

  /** The root and the live part of its replica set, best first; undefined when nobody takes itself for the root. */
  get result(): { readonly root: NodeRef; readonly nodes: readonly NodeRef[] } | undefined {
    const root = this.leader()
    if (root === undefined) return undefined
    const named = root.names.map((id) => this.candidates.get(id)).filter((candidate) => candidate?.state === 'answered')
    return { root: root.node, nodes: named.map((candidate) => candidate!.node) }
  }

  private toAsk(): Candidate | undefined {
    const root = this.leader()
    const among = root === undefined ? this.candidates.values() : this.confirmers(root)
    let best: Candidate | undefined
    for (const candidate of among) if (candidate.state === 'new' && (best === undefined || isFurther(candidate, best))) best = candidate
    return best
  }

  /** Of those that claim to be root, the one that most nodes name first; of equals, the one named earlier. */
  private leader(): Candidate | undefined {
    let leader: Candidate | undefined
    for (const candidate of this.candidates.values()) {
      if (candidate.claims && (leader === undefined || candidate.votes > leader.votes)) leader = candidate
    }
    return leader
  }

  /** Those whose answers can still change what is believed: the root's replica set, and whom its members name first. */
  private confirmers(root: Candidate): Candidate[] {
    const ids = new Set<Guid>(root.names)
    if (this.width > 1) {
      for (const id of root.names) {
        const first = this.candidates.get(id)?.names[0]
        if (first !== undefined) ids.add(first)
      }
    }
    return [...ids].flatMap((id) => this.candidates.get(id) ?? [])
  }

  private candidate(node: NodeRef, level: number, rank: number): Candidate | undefined {
    const known = this.candidates.get(node.id)
    if (known !== undefined) {
      if (known.state === 'new' && level > known.level) {
        known.level = level
        known.rank = rank
      }
      return known
    }
    if (this.candidates.size >= candidatesMax) return undefined
    const added: Candidate = { node, level, rank, state: 'new', claims: false, votes: 0, names: [] }
    this.candidates.set(node.id, added)
    return added
  }
}

interface Candidate {
  readonly node: NodeRef
  /** Steps from the source: one more than whoever named it. */
  level: number
  /** Its place among the names of that one. */
  rank: number
  state: 'new' | 'asked' | 'answered' | 'failed'
  /** Whether it takes itself for the root. */
  claims: boolean
  /** How many nodes name it first. */
  votes: number
  /** Whom it named, best first, at most `width`. */
  names: readonly Guid[]
}

function isFurther(a: Candidate, b: Candidate): boolean {
  return a.level > b.level || (a.level === b.level && a.rank < b.rank)
}

function isSettled(candidate: Candidate): boolean {
  return candidate.state === 'answered' || candidate.state === 'failed'
}

/** Nodes asked in one lookup, far more than any path and replica set: what a network of liars can cost. Our guess. */
const askedMax = 128
/** Names kept in one lookup: as many as that many answers of half the allowed length. Our guess. */
const candidatesMax = 2_048
