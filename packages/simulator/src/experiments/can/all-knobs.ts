import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'

/** SIGCOMM 2001, table 4, at 2^18 nodes; and figure 10, which begins at 2^14. */
const published = {
  bare: { hops: 198, neighbors: 4.57, peers: 0, directMs: 115.9, pathMs: 23_008 },
  knobs: { hops: 5, neighbors: 27.1, peers: 2.95, directMs: 82.4, pathMs: 135.29 },
  growth: { nodes: 2 ** 14, hops: 4.56 },
} as const

/** Bare bones and all knobs turned (§4): 2 dimensions, against 10 with RTT weighting, uniform partitioning and four nodes a zone. The paper's size is `--nodes 262144`. */
export function allKnobs({ seed, nodes = 2 ** 16, lookups = 1_000, onProgress }: ExperimentOptions): Report {
  const knobsOn = { dimensions: 10, uniform: true, peersPerZone: 4 }
  onProgress?.('bare bones')
  const bare = measure(new StaticCan({ seed, nodes, dimensions: 2 }), lookups, false)
  onProgress?.('knobs')
  const knobs = measure(new StaticCan({ seed, nodes, ...knobsOn }), lookups, true)
  const least = measure(new StaticCan({ seed, nodes: Math.min(nodes, published.growth.nodes), ...knobsOn }), lookups, true)
  const stretch = knobs.pathMs / knobs.directMs
  const line = (name: string, of: (figures: Omit<typeof bare, 'hopMs'>) => number): Array<string | number> => [
    name,
    of(published.bare),
    of(bare),
    of(published.knobs),
    of(knobs),
  ]
  return {
    title: `${lookups} random keys among ${nodes} nodes, transit-stub 100/10/1 ms; published at 2^18 nodes`,
    columns: ['', 'published, bare (T)', 'measured', 'published, knobs (T)', 'measured'],
    rows: [
      line('hops', ({ hops }) => hops),
      line('neighbouring zones', ({ neighbors }) => neighbors),
      line('other nodes in the zone', ({ peers }) => peers),
      line('IP ms', ({ directMs }) => directMs),
      line('CAN ms', ({ pathMs }) => pathMs),
      line('stretch', ({ pathMs, directMs }) => pathMs / directMs),
    ],
    remarks: [
      `Bare bones at this size by the formula: ${(0.5 * Math.sqrt(nodes)).toFixed(0)} hops.`,
      `With knobs at ${Math.min(nodes, published.growth.nodes)} nodes: ${least.hops.toFixed(2)} hops (published at 16,384: ${published.growth.hops}).`,
    ],
    claims: [
      {
        says: `with all knobs turned the stretch is below ${nodes >= 2 ** 16 ? 2 : '3 (2 from 2^16 nodes on)'}`,
        holds: stretch < (nodes >= 2 ** 16 ? 2 : 3),
        measured: stretch.toFixed(2),
      },
      {
        says: 'the paths hardly grow: less than one hop from 2^14 nodes on',
        holds: knobs.hops - least.hops < 1,
        measured: (knobs.hops - least.hops).toFixed(2),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

function measure(network: StaticCan, lookups: number, rttWeighted: boolean) {
  const { neighbors, peers } = network.state()
  return { ...network.route(lookups, rttWeighted), neighbors, peers: peers - 1 }
}
