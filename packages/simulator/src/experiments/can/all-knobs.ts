import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'
import type { RouteOptions, StaticCanOptions } from './static-can.ts'

/** SIGCOMM 2001, table 4, at 2^18 nodes; and figure 10, which begins at 2^14. */
const published = {
  bare: { hops: 198, neighbors: 4.57, peers: undefined, directMs: 115.9, nearestMs: undefined, pathMs: 23_008 },
  knobs: { hops: 5, neighbors: 27.1, peers: 2.95, directMs: 82.4, nearestMs: undefined, pathMs: 135.29 },
  growth: { nodes: 2 ** 14, hops: 4.56 },
} as const

const dimensions = 10
const knobsOn = { dimensions, uniform: true, peersPerZone: 4 } as const

/** Knobs of the paper that table 4 leaves as they are. */
const further: ReadonlyArray<readonly [name: string, network: Partial<StaticCanOptions>, routes: RouteOptions]> = [
  ['+ 4 landmarks', { landmarks: 4 }, {}],
  ['+ 3 hash functions', {}, { hashFunctions: 3 }],
  ['+ 2nd reality', { realities: 2 }, {}],
]

/**
 * Bare bones and all knobs turned (§4): 2 dimensions, against 10 with RTT weighting, uniform partitioning and four nodes a zone; then with one more of the paper's knobs each. The paper's size is
 * `--nodes 262144`.
 */
export function allKnobs({ seed, nodes = 2 ** 16, lookups = 1_000, onProgress }: ExperimentOptions): Report {
  const measured = (name: string, options: Omit<StaticCanOptions, 'seed' | 'nodes'>, routes: RouteOptions, size = nodes): Measured => {
    onProgress?.(name)
    return measure(new StaticCan({ seed, nodes: size, ...options }), lookups, routes)
  }
  const bare = measured('bare bones', { dimensions: 2 }, {})
  const knobs = measured('knobs', knobsOn, { rttWeighted: true })
  const least = measured('knobs, fewer nodes', knobsOn, { rttWeighted: true }, Math.min(nodes, published.growth.nodes))
  const more = further.map(([name, network, routes]) => measured(name, { ...knobsOn, ...network }, { rttWeighted: true, ...routes }))
  const nearest = measured('nearest', knobsOn, { nearestFirst: true })
  const columns = [published.bare, bare, published.knobs, knobs, ...more, nearest]
  const line = (name: string, of: (figures: Figures) => number | undefined): Array<string | number | undefined> => [
    name,
    ...columns.map(of),
  ]
  const stretch = ({ pathMs, directMs }: Figures): number => pathMs / directMs
  const bound = hopsOfEqualZones(knobs.zones)
  const stretchMax = nodes >= 2 ** 16 ? 2 : 3
  return {
    title: `${lookups} random keys among ${nodes} nodes, transit-stub 100/10/1 ms; published at 2^18 nodes`,
    columns: [
      '',
      'published, bare (T)',
      'measured',
      'published, knobs (T)',
      'measured',
      ...further.map(([name]) => name),
      'nearest instead of RTT weighting',
    ],
    rows: [
      line('hops', ({ hops }) => hops),
      line('neighbouring zones', ({ neighbors }) => neighbors),
      line('nodes in the zone', ({ peers }) => peers),
      line('IP ms', ({ directMs }) => directMs),
      line('CAN ms', ({ pathMs }) => pathMs),
      line('stretch', stretch),
      line('IP ms to the nearest node of the zone', ({ nearestMs }) => nearestMs),
    ],
    remarks: [
      `Bare bones at this size by the formula: ${(0.5 * Math.sqrt(nodes)).toFixed(0)} hops.`,
      `${knobs.zones.toFixed(0)} equal zones in ${dimensions} dimensions, where each hop crosses one face, are ${bound.toFixed(2)} hops apart on average.`,
      `With knobs at ${Math.min(nodes, published.growth.nodes)} nodes: ${least.hops.toFixed(2)} hops (published at 16,384: ${published.growth.hops}).`,
    ],
    claims: [
      {
        says: `with all knobs turned the stretch is below ${nodes >= 2 ** 16 ? 2 : '3 (2 from 2^16 nodes on)'}`,
        holds: stretch(knobs) < stretchMax,
        measured: stretch(knobs).toFixed(2),
      },
      {
        says: 'with all knobs turned the hops are within 20 % of those between equal zones',
        holds: Math.abs(knobs.hops / bound - 1) <= 0.2,
        measured: (knobs.hops / bound).toFixed(2),
      },
      {
        says: 'the paths hardly grow: less than one hop from 2^14 nodes on',
        holds: knobs.hops - least.hops < 1,
        measured: (knobs.hops - least.hops).toFixed(2),
      },
      {
        says: 'each further knob shortens the way',
        holds: more.every((figures) => figures.pathMs < knobs.pathMs),
        measured: more.map(({ pathMs }) => pathMs.toFixed(0)).join(' '),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

interface Figures {
  readonly hops: number
  readonly neighbors: number
  readonly peers: number | undefined
  readonly directMs: number
  /** Straight to the nearest of those who share the zone. */
  readonly nearestMs: number | undefined
  readonly pathMs: number
}

interface Measured extends Figures {
  readonly zones: number
}

function measure(network: StaticCan, lookups: number, routes: RouteOptions): Measured {
  return { ...network.route(lookups, routes), ...network.state(), zones: network.realities[0]!.zones().length }
}

/** The mean distance on the torus, cell by cell along each dimension, when so many equal zones have been made by halving the dimensions in turn; between powers of two on a straight line. */
function hopsOfEqualZones(zones: number): number {
  const halvings = Math.log2(zones)
  const [whole, rest] = [Math.floor(halvings), halvings % 1]
  const hops = (count: number): number => {
    let sum = 0
    for (let i = 0; i < dimensions; i++) {
      const cells = 2 ** Math.floor((count + dimensions - 1 - i) / dimensions)
      sum += cells === 1 ? 0 : cells / 4
    }
    return sum
  }
  return hops(whole) + rest * (hops(whole + 1) - hops(whole))
}
