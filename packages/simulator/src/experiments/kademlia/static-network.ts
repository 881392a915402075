import { compareByXor, guidOf, randomGuid, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { ClosestSearch } from '@plaxton/upkeep'
import type { ClosestSearchConfig } from '@plaxton/upkeep'

/** Enough that no two of a million nodes share an id. */
const idBits = 64

/**
 * Kademlia nodes that all live, with perfectly filled buckets: in each as many of the nodes in its range as it can hold, drawn at random. Nodes are known by
 * their position in the order of ids. Buckets are drawn when first asked for.
 */
export class StaticNetwork {
  readonly refs: readonly NodeRef[]
  readonly prng: Prng
  private readonly bucketSize: number
  private readonly positions: ReadonlyMap<Guid, number>
  /** By `<position>/<level>`. */
  private readonly buckets = new Map<string, readonly NodeRef[]>()

  constructor(seed: number | string, nodes: number, bucketSize: number) {
    this.prng = Prng.fromSeed(`${seed}/static kademlia`)
    this.bucketSize = bucketSize
    const ids = Array.from({ length: nodes }, () => randomGuid(this.prng, idBits)).sort()
    this.refs = ids.map((id) => ({ id, address: '', epoch: 1 }))
    this.positions = new Map(ids.map((id, position) => [id, position]))
  }

  randomKey(): Guid {
    return randomGuid(this.prng, idBits)
  }

  randomNode(): NodeRef {
    return this.prng.pick(this.refs)!
  }

  /** What a node answers to FIND_NODE: the `count` of its contacts that are closest to the key. */
  closestKnown(node: NodeRef, key: Guid, count: number): NodeRef[] {
    const order = (a: NodeRef, b: NodeRef): number => compareByXor(a.id, b.id, key)
    const at = this.positions.get(node.id)!
    const range = sharedPrefixBits(node.id, key)
    // All of the key's own range are closer than the nearer ranges, and these than the ranges further out.
    const found = range === idBits ? [] : [...this.bucket(at, range)].sort(order)
    if (found.length >= count) return found.slice(0, count)
    const nearer: NodeRef[] = []
    for (let level = range + 1; level < this.depth(at); level++) nearer.push(...this.bucket(at, level))
    found.push(...nearer.sort(order))
    for (let level = range - 1; level >= 0 && found.length < count; level--) found.push(...[...this.bucket(at, level)].sort(order))
    return found.slice(0, count)
  }

  /** The one closest of all. */
  closest(key: Guid): NodeRef {
    return this.refs.reduce((best, ref) => (compareByXor(ref.id, best.id, key) < 0 ? ref : best))
  }

  /** Looks for `key` from a node, round by round: all questions of a round are answered before the next. */
  search(
    source: NodeRef,
    key: Guid,
    config: ClosestSearchConfig,
    ask: (node: NodeRef, round: number) => readonly NodeRef[],
  ): ClosestSearch {
    const seeds = this.closestKnown(source, key, this.bucketSize)
    const search = new ClosestSearch(seeds, (a, b) => compareByXor(a, b, key), config)
    for (let round = 1; !search.done; round++) {
      const asked: NodeRef[] = []
      for (let node = search.next(); node !== undefined; node = search.next()) asked.push(node)
      for (const node of asked) search.onAnswer(node.id, ask(node, round))
    }
    return search
  }

  /** Beyond so many shared bits there is nobody: those that share most stand beside each other. */
  private depth(at: number): number {
    const own = this.refs[at]!.id
    const beside = [this.refs[at - 1], this.refs[at + 1]].map((ref) => (ref === undefined ? 0 : sharedPrefixBits(ref.id, own)))
    return Math.max(...beside) + 1
  }

  private bucket(at: number, level: number): readonly NodeRef[] {
    const name = `${at}/${level}`
    const known = this.buckets.get(name)
    if (known !== undefined) return known
    const [first, after] = this.rangeOf(this.refs[at]!.id, level)
    const size = after - first
    const drawn = new Set<number>()
    if (size <= this.bucketSize) for (let i = first; i < after; i++) drawn.add(i)
    else while (drawn.size < this.bucketSize) drawn.add(first + this.prng.nextInt(size))
    const bucket = [...drawn].map((position) => this.refs[position]!)
    this.buckets.set(name, bucket)
    return bucket
  }

  /** Positions of the nodes that share exactly `level` bits with `own`: from, and up to but not including. */
  private rangeOf(own: Guid, level: number): [number, number] {
    const width = BigInt(idBits - level - 1)
    const first = ((BigInt(`0x${own}`) >> width) ^ 1n) << width
    return [this.lowerBound(first), this.lowerBound(first + (1n << width))]
  }

  private lowerBound(bound: bigint): number {
    if (bound >> BigInt(idBits) > 0n) return this.refs.length
    const id = bound.toString(16).padStart(idBits / 4, '0')
    let low = 0
    let high = this.refs.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.refs[middle]!.id < id) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Stands for the history of an experiment in which no message is sent: the same figures, the same hash. */
export function hashOf(figures: unknown): string {
  return guidOf(new TextEncoder().encode(JSON.stringify(figures))).slice(0, 16)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
