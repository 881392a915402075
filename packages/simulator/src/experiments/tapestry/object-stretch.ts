import { IdealTapestry } from '../../ideal-tapestry.ts'
import { placesOf } from '../../growing.ts'
import { plane } from '../../topology.ts'
import { binName, binned, decreases, nineties } from '../bins.ts'
import type { Bin, Sample } from '../bins.ts'
import { Objects, asInThePaper, idealKey, publishAll } from '../objects.ts'
import type { Report } from '../report.ts'
import { World, drainMs } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Figure 14 (JSAC 2004): how much longer a message takes to an object than directly to its host (RDP), by their distance. Published: PlanetLab, 10,000 objects on
 * one server, 399 clients. Here: the plane. Once as in the paper, where the first node with a pointer sends the message on; once as DOLR does by default:
 * that node names the host to the sender, who sends the message itself.
 */
export function objectStretch(options: ExperimentOptions): Report {
  const { nodes = 400, lookups = 20_000, objects = 10_000 } = options
  const paper = measure(options, { nodes, lookups, objects, choose: 'holder' })
  const own = measure(options, { nodes, lookups, objects, choose: 'sender' })
  const far = paper.bins.slice(-2).filter(({ count }) => count > 0)
  const lost = paper.lost + own.lost
  return {
    title: `${objects} objects on one of ${nodes} nodes on the plane, ${lookups} messages from the others: RDP by round trip`,
    columns: ['round trip', 'messages', 'median', 'p90', 'ideal median', 'ideal p90', 'published', 'median by sender', 'p90 by sender'],
    rows: paper.bins.map((bin, i) => [
      binName(bin),
      String(bin.count),
      bin.median,
      bin.p90,
      paper.ideal[i]!.median,
      paper.ideal[i]!.p90,
      published[i],
      own.bins[i]!.median,
      own.bins[i]!.p90,
    ]),
    claims: [
      { says: 'every message arrives', holds: lost === 0, measured: `${lost} lost` },
      { says: 'the 90th percentile falls with distance', holds: decreases(paper.bins, 0.05), measured: nineties(paper.bins) },
      {
        says: 'the median is at most 2 in the wide area, beyond 126 ms',
        holds: far.every(({ median }) => median <= 2),
        measured: far.map(({ median }) => median.toFixed(2)).join(', '),
      },
    ],
    traceHash: paper.traceHash,
  }
}

/** Round trips in milliseconds, with the figure's readings in between. */
const edges = [0, 25, 43, 58, 72, 89, 126, 170, Infinity]
const published = [
  undefined,
  '6.6, p90 11.5 (F)',
  '5.0, p90 7.9 (F)',
  '4.1, p90 6.5 (F)',
  '3.3, p90 5.2 (F)',
  '2.8, p90 4.4 (F)',
  '1.7, p90 2.7 (F)',
  '1.5, p90 2.7 (F)',
]

interface Measured {
  readonly bins: readonly Bin[]
  readonly ideal: readonly Bin[]
  readonly lost: number
  readonly traceHash: string
}

function measure(
  options: ExperimentOptions,
  { nodes, lookups, objects: count, choose }: { nodes: number; lookups: number; objects: number; choose: 'holder' | 'sender' },
): Measured {
  const objects = new Objects({ ...asInThePaper, choose })
  const world = new World(options, { nodes, topology: plane(), applications: (_host, prng) => [objects.application(prng)] })
  objects.watch(world.simulation)
  world.grow(nodes, options)
  const { simulation } = world
  const server = simulation.nodes[0]!
  const published = publishAll(simulation, objects, [server], count, 5)
  const ideal = new IdealTapestry(simulation.simulator.topology, placesOf(simulation))
  for (const [guid] of published) ideal.publish(server.id, idealKey(guid))

  const prng = simulation.simulator.stream('sends')
  for (let i = 0; i < lookups; i++) {
    objects.send(simulation.nodes[1 + prng.nextInt(nodes - 1)]!, prng.pick(published)![0])
    simulation.run(1)
  }
  simulation.run(drainMs)
  const arrived = objects.sent.filter(({ host }) => host !== undefined)
  const sample = (source: number, lengthOf: number): Sample => ({ roundTripMs: world.roundTripMs(source, 0), value: lengthOf })
  const latency = (source: number) => simulation.simulator.topology.latencyMs(source, 0)
  return {
    bins: binned(
      arrived.map(({ source, arrivedMs }) => sample(source, arrivedMs / latency(source))),
      edges,
    ),
    ideal: binned(
      arrived.map(({ source, guid }) => {
        const way = ideal.find(simulation.nodes[source]!.id, idealKey(guid))!
        return sample(source, way.distance / world.distance(source, 0))
      }),
      edges,
    ),
    lost: objects.sent.length - arrived.length,
    traceHash: simulation.traceHash,
  }
}
