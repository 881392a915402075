import { plane } from '../../topology.ts'
import { binName, binned, decreases, fewest, nineties } from '../bins.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Figure 13 (JSAC 2004): how much longer the way to a node is than the direct one (RDP), by their distance. Published: PlanetLab, 400 nodes on 62
 * hosts. Here: one node a host on the plane, whose round trips are PlanetLab's in size (0 to 283 ms, 104 ms on average).
 */
export function nodeStretch(options: ExperimentOptions): Report {
  const { nodes = 400, lookups = 40_000 } = options
  const world = new World(options, { nodes, topology: plane() })
  world.grow(nodes, options)
  const ideal = world.ideal()
  const probes = world.probePairs(lookups)
  const arrived = probes.filter((probe) => probe.deliveredAt !== undefined)
  const measure = (distanceOf: (probe: (typeof arrived)[number]) => number) =>
    arrived.map((probe) => {
      const to = world.simulation.nodes[probe.deliveredAt!]!.host.index
      return { roundTripMs: world.roundTripMs(probe.source, to), value: distanceOf(probe) / world.distance(probe.source, to) }
    })
  const ours = binned(
    measure((probe) => probe.distance),
    edges,
  )
  const best = binned(
    measure((probe) => ideal.route(world.simulation.nodes[probe.source]!.id, probe.key).distance),
    edges,
  )
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const hops = mean(arrived.map((probe) => probe.hops))
  const idealHops = mean(arrived.map((probe) => ideal.route(world.simulation.nodes[probe.source]!.id, probe.key).hops))
  const far = ours.findLast((bin) => bin.count >= fewest)
  return {
    title: `route to node, ${nodes} nodes on the plane, ${arrived.length} of ${probes.length} probes arrived: RDP by round trip`,
    columns: ['round trip', 'probes', 'median', 'p90', 'ideal median', 'ideal p90', 'published median'],
    rows: ours.map((bin, i) => [binName(bin), String(bin.count), bin.median, bin.p90, best[i]!.median, best[i]!.p90, published[i]]),
    remarks: [`${hops.toFixed(2)} hops on average, ideal tables ${idealHops.toFixed(2)}`],
    claims: [
      { says: 'every probe arrives', holds: arrived.length === probes.length, measured: `${probes.length - arrived.length} lost` },
      {
        says: 'from 25 ms on, the 90th percentile falls with distance',
        holds: decreases(ours.slice(nearBins), 0.05),
        measured: nineties(ours),
      },
      {
        says: 'towards 1: the median at most 1.4 in the farthest bin',
        holds: (far?.median ?? Infinity) <= 1.4,
        measured: (far?.median ?? NaN).toFixed(2),
      },
    ],
    traceHash: world.simulation.traceHash,
  }
}

/** Nodes nearer than this know each other directly, with perfect tables as well: those ways are the direct ones. */
const nearBins = 3

/** Round trips in milliseconds; where the figure has readings. */
const edges = [0, 5, 12, 25, 60, 100, 150, 200, Infinity]
const published = ['25.6 (F, several nodes a host)', '3.3 (F)', '2.1 (F)', '1.8 (F)', undefined, '1.4 (F)', undefined, '1.1 to 1.3 (F)']
