import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { idealLookupsMost, lookUp, lookUpIdeally } from './lookups.ts'
import { growTo, paperWorld } from './paper-pastry.ts'

/** Figure 5: the share of lookups with one to five hops, none having more (T). */
const published = [0, 0.0006, 0.0156, 0.1643, 0.6449, 0.1745]
const publishedNodes = 100_000

/**
 * Figure 5 (Middleware 2001, §3.1): how many hops lookups take. Published for 100,000 nodes; so many are simulated with `--nodes 100000`. In a smaller network ours is held against ideal
 * tables of that size, and ideal tables of 100,000 nodes against the paper.
 */
export function hopDistribution(options: ExperimentOptions): Report {
  const { nodes = 2000, lookups = 10_000 } = options
  const world = paperWorld(options, nodes)
  growTo(world.simulation, nodes, options.onProgress)
  const ours = lookUp(world, lookups)
  const large = lookUpIdeally(options.seed, publishedNodes, Math.min(lookups, idealLookupsMost))
  const atPublished = nodes === publishedNodes ? ours.distribution : large.distribution
  const length = Math.max(published.length, ours.distribution.length, large.distribution.length)
  const differences = (a: readonly number[], b: readonly number[]): number[] =>
    Array.from({ length }, (_, hops) => Math.abs((a[hops] ?? 0) - (b[hops] ?? 0)))
  const share = (of: readonly number[], hops: number): string | undefined => of[hops]?.toFixed(4)
  const [fromIdeal, fromPublished] = [differences(ours.distribution, ours.ideal.distribution), differences(atPublished, published)]
  return {
    title: `share of ${lookups} lookups by hops, ${nodes} nodes that joined by the protocol on the plane`,
    columns: ['hops', `${nodes} nodes, ours`, 'ideal tables', '100,000 nodes, ideal tables', 'published (T)'],
    rows: Array.from({ length }, (_, hops) => [
      String(hops),
      share(ours.distribution, hops),
      share(ours.ideal.distribution, hops),
      share(large.distribution, hops),
      share(published, hops),
    ]).slice(1),
    claims: [
      { says: 'every lookup arrives at its root', holds: ours.failed === 0, measured: `${ours.failed} did not` },
      {
        says: 'none takes more hops than the longest way with ideal tables',
        holds: ours.distribution.length <= ours.ideal.distribution.length,
        measured: `${ours.distribution.length - 1} at most, ideal tables ${ours.ideal.distribution.length - 1}`,
      },
      {
        says: 'each share is that of ideal tables within .02',
        holds: fromIdeal.every((difference) => difference <= 0.02),
        measured: Math.max(...fromIdeal).toFixed(4),
      },
      {
        says: `for 100,000 nodes (${nodes === publishedNodes ? 'ours' : 'ideal tables'}), each share is the published one within .02`,
        holds: fromPublished.every((difference) => difference <= 0.02),
        measured: Math.max(...fromPublished).toFixed(4),
      },
    ],
    traceHash: world.simulation.traceHash,
  }
}
