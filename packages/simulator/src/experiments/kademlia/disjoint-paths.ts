import { compareByXor } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticNetwork, hashOf, mean } from './static-network.ts'

const shares = [0.2, 0.3, 0.4]
const pathCounts = [1, 2, 4, 8]

/** The published model for paths of three hops (published-results.md §8, R). */
const modelOfThree = (m: number, d: number): number => 1 - (1 - (1 - m) ** 3) ** d

/** How far measured and modelled success may be apart. Our guess: two standard errors of a thousand lookups, and what paths have in common. */
const tolerance = 0.06

/**
 * S/Kademlia's success model (ICPADS 2007): when a share m of all nodes collude and name only each other, a path of h nodes succeeds with probability (1 - m)^h, and d
 * disjoint paths with 1 - (1 - (1 - m)^h)^d, averaged over the hops. Looked for are nodes that do not collude; a search succeeds when an honest node that it asks names the node.
 *
 * The model is of paths that follow one node after the other (*chains*: k = 1 a path). Kademlia's own search (k = 2d a path, alpha 3) keeps the names it had
 * from others, and so survives a liar on its path.
 */
export function disjointPaths({ seed, nodes = 10_000, lookups = 1_000 }: ExperimentOptions): Report {
  const network = new StaticNetwork(seed, nodes, 16)
  const hops = hopDistribution(network, lookups)
  const results = shares.flatMap((m) =>
    pathCounts.map((d) => ({
      m,
      d,
      model: mean(hops.map((h) => 1 - (1 - (1 - m) ** h) ** d)),
      chains: successOf(network, { m, lookups, paths: d, width: 1, alpha: 1 }),
      searches: successOf(network, { m, lookups, paths: d, width: Math.max(8, 2 * d), alpha: 3 }),
    })),
  )
  const rows = results.map(({ m, d, model, chains, searches }) => [`m ${m}, d ${d}`, modelOfThree(m, d), model, chains, searches])
  const off = results.filter(({ model, chains }) => Math.abs(model - chains) > tolerance)
  const published = results.find(({ m, d }) => m === 0.2 && d === 8)!
  return {
    title: `${nodes} nodes, a share m of them in collusion, ${lookups} lookups of honest nodes over d disjoint paths: share that succeeds`,
    columns: ['', 'model, 3 hops (R)', `model, measured hops (${mean(hops).toFixed(2)})`, 'chains, measured', 'searches, measured'],
    rows,
    claims: [
      {
        says: `chains succeed as the model says, within ${tolerance}`,
        holds: off.length === 0,
        measured:
          off.length === 0 ? 'all' : off.map(({ m, d, model, chains }) => `m ${m} d ${d}: ${(chains - model).toFixed(3)}`).join(', '),
      },
      {
        says: 'of 20 % colluders and d = 8, about 99 % succeed (published for 10,000 nodes)',
        holds: published.searches >= 0.98,
        measured: published.searches.toFixed(3),
      },
    ],
    traceHash: hashOf(rows),
  }
}

/** Nodes a chain asks, when nobody lies, until the one it looks for is named; 0 when its source knows it. */
function hopDistribution(network: StaticNetwork, lookups: number): number[] {
  return Array.from({ length: lookups }, () => {
    const [source, target] = [network.randomNode(), network.randomNode()]
    if (source === target || network.closestKnown(source, target.id, seeds).includes(target)) return 0
    let hops = Infinity
    const search = network.search(source, target.id, { width: 1, alpha: 1, paths: 1 }, (node, round) => {
      const named = network.closestKnown(node, target.id, answered)
      if (named.includes(target)) hops = Math.min(hops, round)
      return named
    })
    return Math.min(hops, search.askedCount)
  })
}

interface Attack {
  readonly m: number
  readonly lookups: number
  readonly paths: number
  readonly width: number
  readonly alpha: number
}

function successOf(network: StaticNetwork, { m, lookups, ...config }: Attack): number {
  const colluders = network.prng.shuffle(network.refs).slice(0, Math.round(m * network.refs.length))
  const bad = new Set<Guid>(colluders.map(({ id }) => id))
  const honest = network.refs.filter(({ id }) => !bad.has(id))
  let succeeded = 0
  for (let i = 0; i < lookups; i++) {
    const [source, target] = [network.prng.pick(honest)!, network.prng.pick(honest)!]
    if (source === target || network.closestKnown(source, target.id, seeds).includes(target)) {
      succeeded++
      continue
    }
    const lie = closestOf(colluders, target.id)
    let found = false
    network.search(source, target.id, config, (node): readonly NodeRef[] => {
      if (bad.has(node.id)) return lie
      const named = network.closestKnown(node, target.id, answered)
      found ||= named.includes(target)
      return named
    })
    if (found) succeeded++
  }
  return succeeded / lookups
}

/** As many of them as an answer names, the closest first. */
function closestOf(refs: readonly NodeRef[], key: Guid): NodeRef[] {
  const closest: NodeRef[] = []
  for (const ref of refs) {
    if (closest.length === answered && compareByXor(ref.id, closest.at(-1)!.id, key) > 0) continue
    const place = closest.findIndex((other) => compareByXor(ref.id, other.id, key) < 0)
    closest.splice(place < 0 ? closest.length : place, 0, ref)
    if (closest.length > answered) closest.pop()
  }
  return closest
}

/** Names in an answer, and those a search begins with: k. */
const answered = 16
const seeds = 16
