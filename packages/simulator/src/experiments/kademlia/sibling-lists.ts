import { compareByXor, randomGuid, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { hashOf } from './static-network.ts'

/** S/Kademlia's c, and the s looked at: fewer than its 20, of which no simulation would see a failure. */
const factor = 2.5
const sizes = [2, 4, 8, 20]
const publishedFailure = 5e-7
const idBits = 64

/**
 * S/Kademlia's sibling list (ICPADS 2007): c·s places so that s siblings are known. Its failure, 5e-7 for s = 20 and c = 2.5, is that of a region in which c·s nodes are
 * expected and fewer than s are: a binomial. Beside it: how often the root of a key does not know the s nodes closest to it, if it keeps exactly the c·s closest to itself;
 * and if, as `@plaxton/kademlia` does, it also keeps all of the smallest subtree around it that has s members.
 */
export function siblingLists({ seed, nodes = 10_000, lookups = 20_000 }: ExperimentOptions): Report {
  const prng = Prng.fromSeed(`${seed}/sibling lists`)
  const ids = Array.from({ length: nodes }, () => randomGuid(prng, idBits)).sort()
  const results = sizes.map((s) => {
    const places = Math.round(factor * s)
    return {
      s,
      places,
      formula: tooFew(nodes, places / nodes, s),
      regions: emptyRegions(ids, prng, places, s, lookups),
      ...unknown(ids, prng, places, s, lookups),
    }
  })
  const rows = results.map(({ s, places, formula, regions, closest, withSubtree }) => [
    `s ${s}, ${places} places`,
    s === 20 ? `${publishedFailure} (N)` : undefined,
    formula.toExponential(1),
    regions.toExponential(1),
    closest.toExponential(1),
    withSubtree.toExponential(1),
  ])
  const last = results.at(-1)!
  // Regions that overlap are no new evidence.
  const separate = (places: number): number => Math.min(lookups, nodes / places)
  const seen = results.filter(({ formula, places }) => formula * separate(places) >= 10)
  const errors = ({ formula, regions, places }: (typeof results)[number]): number =>
    (regions - formula) / Math.sqrt((formula * (1 - formula)) / separate(places))
  return {
    title: `${nodes} nodes, ${lookups} random places and keys for each line: share of failures`,
    columns: ['', 'published', 'binomial', 'regions, measured', 'roots, c·s closest', 'roots, and subtree'],
    rows,
    claims: [
      {
        says: 'the binomial is the published 5e-7 for s = 20',
        holds: last.formula > publishedFailure / 1.5 && last.formula < publishedFailure * 1.5,
        measured: last.formula.toExponential(2),
      },
      {
        says: 'regions have too few nodes as often as the binomial says, within three standard errors',
        holds: seen.every((each) => Math.abs(errors(each)) <= 3),
        measured: seen.map((each) => `s ${each.s}: ${errors(each).toFixed(1)}`).join(', '),
      },
      {
        says: 'with the subtree, every root knows its s siblings',
        holds: results.every(({ withSubtree }) => withSubtree === 0),
        measured: results.map(({ withSubtree }) => String(withSubtree)).join(', '),
      },
    ],
    traceHash: hashOf(rows),
  }
}

/** That fewer than `s` of `n` fall into a region of this share: the sum of binomials, each from the one before. */
export function tooFew(n: number, share: number, s: number): number {
  let term = Math.exp(n * Math.log1p(-share))
  let sum = 0
  for (let i = 0; i < s; i++) {
    sum += term
    term *= ((n - i) / (i + 1)) * (share / (1 - share))
  }
  return sum
}

/** Regions of the name space, cyclic and at a random place, in which `places` nodes are expected. */
function emptyRegions(ids: readonly Guid[], prng: Prng, places: number, s: number, tries: number): number {
  const width = (places / ids.length) * 2 ** 52
  const at = ids.map((id) => parseInt(id.slice(0, 13), 16))
  let few = 0
  for (let i = 0; i < tries; i++) {
    const start = Math.floor(prng.nextFloat() * 2 ** 52)
    let count = 0
    for (let j = lowerBound(at, start), turns = 0; turns < s; j++, turns++) {
      const position = at[j % at.length]! + (j >= at.length ? 2 ** 52 : 0)
      if (position >= start + width) break
      count++
    }
    if (count < s) few++
  }
  return few / tries
}

/** Of random keys: how often the root does not know for certain the `s` closest to the key. */
function unknown(
  ids: readonly Guid[],
  prng: Prng,
  places: number,
  s: number,
  tries: number,
): { readonly closest: number; readonly withSubtree: number } {
  let [closest, withSubtree] = [0, 0]
  for (let i = 0; i < tries; i++) {
    const key = randomGuid(prng, idBits)
    const around = near(ids, key, s + places)
    const wanted = [...around].sort((a, b) => compareByXor(a, b, key)).slice(0, s)
    const root = wanted[0]!
    const others = near(ids, root, 4 * places)
      .filter((id) => id !== root)
      .sort((a, b) => compareByXor(a, b, root))
    const list = new Set([root, ...others.slice(0, places)])
    const group = sharedPrefixBits(root, others[s - 2]!)
    const wide = new Set([...list, ...others.filter((id) => sharedPrefixBits(root, id) >= group)])
    if (!wanted.every((id) => list.has(id))) closest++
    if (!wanted.every((id) => wide.has(id))) withSubtree++
  }
  return { closest: closest / tries, withSubtree: withSubtree / tries }
}

/** At least `count` ids, all of the smallest subtree around `key` that has so many. */
function near(ids: readonly Guid[], key: Guid, count: number): Guid[] {
  for (let bits = idBits; ; bits--) {
    const width = BigInt(idBits - bits)
    const first = (BigInt(`0x${key}`) >> width) << width
    const hex = (value: bigint): string => value.toString(16).padStart(idBits / 4, '0')
    const from = lowerBound(ids, hex(first) as Guid)
    const after = (first + (1n << width)) >> BigInt(idBits) > 0n ? ids.length : lowerBound(ids, hex(first + (1n << width)) as Guid)
    if (after - from >= count || bits === 0) return ids.slice(from, after)
  }
}

function lowerBound<T extends number | string>(sorted: readonly T[], bound: T): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
