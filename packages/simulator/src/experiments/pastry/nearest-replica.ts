import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import { pastryUnderTest } from '../../overlays.ts'
import type { SimNode, Simulation } from '../../simulation.ts'
import { plane } from '../../topology.ts'
import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'
import { growTo } from './paper-pastry.ts'

/** Share of messages that reach the nearest first, and one of the two nearest: figure 8 (F), the text (T), and worked out for perfect tables (R). They do not agree. */
const published = { chart: [0.59, 0.79], text: [0.68, 0.87], perfect: [0.51, 0.71] } as const

/**
 * Figure 8 (Middleware 2001, §3.4): of the k = 5 nodes closest to a key, on which replicas would be, which one does a message come to first? b = 3, |L| = 8, |M| = 16. Routing as it is, without the
 * paper's heuristic, which guesses from the density of ids when the leaf set is near. No message is sent: nodes that joined by the protocol are asked for their next hops.
 */
export function nearestReplica(options: ExperimentOptions): Report {
  const { nodes = 2000, lookups = 20_000, onProgress } = options
  const world = new World(options, {
    nodes,
    topology: plane(),
    subject: pastryUnderTest({ digitBits: 3, leafSetSize: 8, neighborhoodSetSize: 16 }),
  })
  const { simulation } = world
  growTo(simulation, nodes, onProgress)
  const prng = simulation.simulator.stream('keys')
  const counts = new Array<number>(replicas).fill(0)
  for (let i = 0; i < lookups; i++) {
    const key = randomGuid(prng)
    const source = prng.pick(simulation.nodes)!
    const distance = (id: Guid): number => world.distance(source.host.index, simulation.members.of(id)!.host.index)
    const holders = simulation.members.ranks(key, replicas).sort((a, b) => distance(a) - distance(b))
    counts[holders.indexOf(firstOf(simulation, source, key, holders))]!++
  }
  const shares = counts.map((count) => count / lookups)
  const [first, firstTwo] = [shares[0]!, shares[0]! + shares[1]!]
  return {
    title: `${nodes} nodes that joined by the protocol on the plane, b = 3, |L| = 8, |M| = 16; ${lookups} random keys from random nodes: which of the ${replicas} closest is reached first`,
    columns: ['', 'ours', 'published (F)', 'published (T)', 'perfect tables (R)'],
    rows: [
      line('nearest', first, 0),
      line('nearest or second', firstTwo, 1),
      ...['third', 'fourth', 'farthest'].map((name, i) => [name, percent(shares[i + 2]!), undefined, undefined, undefined]),
    ],
    remarks: [
      'The paper’s text and its chart differ, and perfect tables give less than either. With its heuristic the paper has 76 % and 92 %, which is not built.',
    ],
    claims: [
      {
        says: 'at least as many as with perfect tables reach the nearest, and one of the two nearest, less .03',
        holds: first >= published.perfect[0] - 0.03 && firstTwo >= published.perfect[1] - 0.03,
        measured: `${percent(first)}, ${percent(firstTwo)}`,
      },
      {
        says: 'a nearer one is reached before a farther one',
        holds: shares.every((share, i) => i === 0 || share <= shares[i - 1]!),
        measured: shares.map(percent).join(' '),
      },
    ],
    traceHash: simulation.traceHash,
  }
}

const replicas = 5

function line(name: string, ours: number, at: 0 | 1): string[] {
  return [name, percent(ours), ...[published.chart, published.text, published.perfect].map((shares) => percent(shares[at]))]
}

/** The first of these nodes that a message for the key comes to, the source not excepted. */
function firstOf(simulation: Simulation, source: SimNode, key: Guid, wanted: readonly Guid[]): Guid {
  let at = source
  let cursor = 0
  while (!wanted.includes(at.id)) {
    const next = at.kbr.overlay.nextHop(key, cursor, nobody)
    assert(next.action === 'forward', 'a message for a key comes to its root, which is one of those closest')
    at = simulation.nodes[simulation.hostOf(next.to)]!
    cursor = next.cursor
  }
  return at.id
}

const nobody: ReadonlySet<Guid> = new Set()
