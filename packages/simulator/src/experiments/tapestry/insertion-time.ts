import type { KbrEvent } from '@plaxton/kbr'
import { joinOneByOne } from '../../growing.ts'
import { summarize } from '../../summary.ts'
import { plane } from '../../topology.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import { leastOfLast } from './least.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Figure 16 (JSAC 2004): how long one node takes to insert itself, by the size of the network. Published: PlanetLab, 20 repeats. Here: the plane; the
 * `repeats` nodes that bring the network to a size are measured, from the command to join until they are members. An ideal insertion, of which everything is known beforehand, takes the
 * longest of the round trips to those nodes in whose maps the newcomer fills a hole.
 */
export function insertionTime(options: ExperimentOptions): Report {
  const { nodes = 450, repeats = 20 } = options
  const world = new World(options, { nodes, topology: plane() })
  const { simulation } = world
  const elapsed: number[] = []
  simulation.onEvent((_node, event) => {
    if (event.type === 'ready') elapsed.push((event as Extract<KbrEvent, { type: 'ready' }>).elapsedMs)
  })
  const sizes = sizesUpTo(nodes, repeats)
  const times = sizes.map((size) => {
    joinOneByOne(simulation, size, (joined) => options.onProgress?.(`${joined} of ${nodes} joined`))
    return {
      ours: summarize(elapsed.slice(-repeats).map((ms) => ms / 1000)),
      least: summarize(leastOfLast(simulation, repeats, 4).map(({ longestMs }) => longestMs / 1000)),
    }
  })
  const [first, last] = [times[0]!.ours, times.at(-1)!.ours]
  const exponent = Math.log(last.p50 / first.p50) / Math.log(sizes.at(-1)! / sizes[0]!)
  return {
    title: `insertion of single nodes on the plane, ${repeats} at each size: seconds until member`,
    columns: ['nodes', 'median', 'mean', 'longest', 'ideal median: longest needed round trip', 'published median'],
    rows: sizes.map((size, i) => {
      const { ours, least } = times[i]!
      return [String(size), ours.p50, ours.mean, ours.max, least.p50, published[size]]
    }),
    claims: [
      {
        says: 'the time grows more slowly than the network, at most with its square root',
        holds: exponent <= 0.5,
        measured: `${first.p50.toFixed(2)} s at ${sizes[0]} to ${last.p50.toFixed(2)} s at ${sizes.at(-1)}, exponent ${exponent.toFixed(2)}`,
      },
    ],
    traceHash: simulation.traceHash,
  }
}

const published: Readonly<Record<number, string>> = { 100: '.38 (F)', 200: '.39 (F)', 300: '.73 (F)', 400: '.73 (F)', 450: '.79 (F)' }

function sizesUpTo(nodes: number, repeats: number): number[] {
  return [...new Set([50, 100, 200, 300, 400, 450, nodes])].filter((size) => size <= nodes && size > repeats).sort((a, b) => a - b)
}
