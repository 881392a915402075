import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticNetwork, hashOf, mean } from './static-network.ts'

/** Lookups in a network at rest, as the idealised static model has them (published-results.md §8, R): all buckets as full as they can be, nobody fails. */
const published: ReadonlyArray<{
  readonly nodes: number
  readonly k: number
  readonly alpha: number
  readonly rpcs: number
  readonly rounds: number
}> = [
  { nodes: 1_000, k: 8, alpha: 3, rpcs: 10.9, rounds: 4.0 },
  { nodes: 1_000, k: 20, alpha: 3, rpcs: 21.6, rounds: 7.6 },
  { nodes: 1_000, k: 20, alpha: 10, rpcs: 27.8, rounds: 2.9 },
  { nodes: 10_000, k: 8, alpha: 3, rpcs: 12.9, rounds: 4.7 },
  { nodes: 10_000, k: 20, alpha: 3, rpcs: 22.9, rounds: 8.0 },
  { nodes: 10_000, k: 20, alpha: 10, rpcs: 31.1, rounds: 3.4 },
]

/** Of the published figure: how far the mean of a thousand lookups may be off. Our guess. */
const tolerance = 0.05

/** The table of static lookups: questions asked and rounds of alpha questions until the k closest have answered. `nodes`: the largest network measured. */
export function staticLookups({ seed, nodes = 10_000, lookups = 2_000 }: ExperimentOptions): Report {
  const cases = published.filter((each) => each.nodes <= nodes)
  const results = cases.map((each) => ({ ...each, ...measure(seed, each, lookups) }))
  const rows = results.map((each) => [
    `${each.nodes} nodes, k ${each.k}, alpha ${each.alpha}`,
    each.rpcs,
    each.measuredRpcs,
    each.rounds,
    each.measuredRounds,
    each.seenInRound,
  ])
  const within = (measured: number, wanted: number): boolean => Math.abs(measured - wanted) <= tolerance * wanted
  const off = results.filter((each) => !within(each.measuredRpcs, each.rpcs) || !within(each.measuredRounds, each.rounds))
  const wrong = results.reduce((sum, each) => sum + each.wrong, 0)
  return {
    title: `${lookups} lookups of random keys for each line, perfectly filled buckets`,
    columns: ['', 'published RPCs', 'measured', 'published rounds', 'measured', 'closest seen in round'],
    rows,
    claims: [
      { says: 'every lookup ends at the node closest of all', holds: wrong === 0, measured: `${wrong} did not` },
      {
        says: `RPCs and rounds within ${100 * tolerance} % of the published ones`,
        holds: off.length === 0,
        measured: `${off.length} of ${results.length} lines off`,
      },
      {
        says: 'the closest node is seen within two rounds on average',
        holds: results.every((each) => each.seenInRound <= 2),
        measured: results.map((each) => each.seenInRound.toFixed(2)).join(', '),
      },
    ],
    traceHash: hashOf(rows),
  }
}

function measure(seed: number | string, { nodes, k, alpha }: (typeof published)[number], lookups: number) {
  const network = new StaticNetwork(`${seed}/${k}`, nodes, k)
  const rpcs: number[] = []
  const rounds: number[] = []
  const seen: number[] = []
  let wrong = 0
  for (let i = 0; i < lookups; i++) {
    const key = network.randomKey()
    const source = network.randomNode()
    const truth = network.closest(key)
    let last = 0
    // The source's own table is round 0.
    let seenIn = source === truth || network.closestKnown(source, key, k).includes(truth) ? 0 : Infinity
    const search = network.search(source, key, { width: k, alpha, paths: 1 }, (node, round) => {
      const named = network.closestKnown(node, key, k)
      last = round
      if (named.includes(truth)) seenIn = Math.min(seenIn, round)
      // Nobody names the asker to itself.
      return named.filter((ref) => ref !== source)
    })
    rpcs.push(search.askedCount)
    rounds.push(last)
    seen.push(seenIn)
    if (source !== truth && search.closest[0] !== truth) wrong++
  }
  return { measuredRpcs: mean(rpcs), measuredRounds: mean(rounds), seenInRound: mean(seen), wrong }
}
