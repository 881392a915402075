import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'
import type { RouteOptions, StaticCanOptions } from './static-can.ts'

/** SIGCOMM 2001, table 4, at 2^18 nodes; and figure 10, which begins at 2^14. */
const published = {
  bare: {
    name: 'published, bare (T)',
    hops: 198,
    fewestHops: undefined,
    neighbors: 4.57,
    peers: undefined,
    directMs: 115.9,
    pathMs: 23_008,
  },
  knobs: {
    name: 'published, knobs (T)',
    hops: 5,
    fewestHops: undefined,
    neighbors: 27.1,
    peers: 2.95,
    directMs: 82.4,
    pathMs: 135.29,
  },
  growth: { nodes: 2 ** 14, hops: 4.56 },
} as const

const dimensions = 10
const knobsOn = { dimensions, uniform: true, peersPerZone: 4 } as const

/**
 * Bare bones and all knobs turned (§4): 2 dimensions, against 10 with RTT weighting, uniform partitioning and four nodes a zone; then with one more of the paper's knobs each, which its table 4 leaves as they
 * are. The paper's size is `--nodes 262144`.
 */
export function allKnobs({ seed, nodes = 2 ** 16, lookups = 1_000, onProgress }: ExperimentOptions): Report {
  const measured = (name: string, options: Omit<StaticCanOptions, 'seed' | 'nodes'>, routes: RouteOptions, size = nodes): Measured => {
    onProgress?.(name)
    return { name, ...measure(new StaticCan({ seed, nodes: size, ...options }), lookups, routes) }
  }
  const bare = measured('measured', { dimensions: 2 }, {})
  const knobs = measured('measured', knobsOn, { rttWeighted: true })
  const fewer = measured('fewer nodes', knobsOn, { rttWeighted: true }, Math.min(nodes, published.growth.nodes))
  const landmarks = measured('+ 4 landmarks', { ...knobsOn, landmarks: 4 }, { rttWeighted: true })
  const hashes = measured('+ 3 hash functions', knobsOn, { rttWeighted: true, hashFunctions: 3 })
  const realities = measured('+ 2nd reality', { ...knobsOn, realities: 2 }, { rttWeighted: true })
  const plain = measured('progress as distance', knobsOn, { rttWeighted: true, plainProgress: true })
  const columns = [published.bare, bare, published.knobs, knobs, landmarks, hashes, realities, plain]
  const line = (name: string, of: (figures: Figures) => number | undefined): Array<string | number | undefined> => [
    name,
    ...columns.map(of),
  ]
  const stretch = ({ pathMs, directMs }: Figures): number => pathMs / directMs
  const stretchMax = nodes >= 2 ** 16 ? 2 : 3
  return {
    title: `${lookups} random keys among ${nodes} nodes, transit-stub 100/10/1 ms; published at 2^18 nodes`,
    columns: ['', ...columns.map(({ name }) => name)],
    rows: [
      line('hops', ({ hops }) => hops),
      line('fewest through neighbouring zones', ({ fewestHops }) => fewestHops),
      line('neighbouring zones', ({ neighbors }) => neighbors),
      line('nodes in the zone', ({ peers }) => peers),
      line('IP ms', ({ directMs }) => directMs),
      line('CAN ms', ({ pathMs }) => pathMs),
      line('stretch', stretch),
    ],
    remarks: [
      `Bare bones at this size by the formula: ${(0.5 * Math.sqrt(nodes)).toFixed(0)} hops.`,
      `With knobs at ${Math.min(nodes, published.growth.nodes)} nodes: ${fewer.hops.toFixed(2)} hops, ${fewer.fewestHops.toFixed(2)} at the fewest (published at 16,384: ${published.growth.hops}).`,
      'The hops published for all knobs are fewer than zones that are halved in turn leave to any routing from neighbour to neighbour; what else its nodes knew the paper does not say.',
    ],
    claims: [
      {
        says: `with all knobs turned the stretch is below ${nodes >= 2 ** 16 ? 2 : '3 (2 from 2^16 nodes on)'}`,
        holds: stretch(knobs) < stretchMax,
        measured: stretch(knobs).toFixed(2),
      },
      {
        says: 'no more than 10 % of the hops could be spared by any routing from neighbour to neighbour',
        holds: knobs.hops <= 1.1 * knobs.fewestHops,
        measured: (knobs.hops / knobs.fewestHops).toFixed(2),
      },
      {
        says: 'landmarks lower the stretch further (§3.6)',
        holds: stretch(landmarks) < stretch(knobs),
        measured: stretch(landmarks).toFixed(2),
      },
      {
        says: 'three hash functions or a second reality shorten the way further (§3.2, §3.5)',
        holds: hashes.pathMs < knobs.pathMs && realities.pathMs < knobs.pathMs,
        measured: `${hashes.pathMs.toFixed(0)} ${realities.pathMs.toFixed(0)}`,
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

interface Figures {
  readonly name: string
  readonly hops: number
  /** By the shortest ways from neighbour to neighbour. */
  readonly fewestHops: number | undefined
  readonly neighbors: number
  readonly peers: number | undefined
  readonly directMs: number
  readonly pathMs: number
}

type Measured = Figures & { readonly fewestHops: number }

function measure(network: StaticCan, lookups: number, routes: RouteOptions): Omit<Measured, 'name'> {
  return { ...network.route(lookups, routes), ...network.state(), fewestHops: network.fewestHops(fewestSources) }
}

/** Sources of shortest ways, each to all points: the mean hardly depends on them. */
const fewestSources = 20
