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
import { growTo, pastryOf } from './paper-pastry.ts'

/** Shares of messages that reach the nearest first, and one of the two nearest: figure 8 (F), the text (T), and worked out for perfect tables (R). The first two do not agree. */
interface Published {
  readonly chart: readonly [number, number]
  readonly text: readonly [number, number]
  readonly perfect: readonly [number, number]
}

const published: Readonly<Record<'plain' | 'heuristic', Published>> = {
  plain: { chart: [0.59, 0.79], text: [0.68, 0.87], perfect: [0.51, 0.71] },
  heuristic: { chart: [0.75, 0.92], text: [0.76, 0.92], perfect: [0.7, 0.89] },
}

/**
 * Figure 8 (Middleware 2001, §3.4): of the k = 5 nodes closest to a key, on which replicas would be, which one does a message come to first? b = 3, |L| = 8, |M| = 16. Routing as it is, and with
 * the paper's heuristic (`RouteOptions.nearestOf`). No message is sent: nodes that joined by the protocol are asked for their next hops.
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
  const plain = new Ranks()
  const heuristic = new Ranks()
  for (let i = 0; i < lookups; i++) {
    const key = randomGuid(prng)
    const source = prng.pick(simulation.nodes)!
    const distance = (id: Guid): number => world.distance(source.host.index, simulation.members.of(id)!.host.index)
    const holders = simulation.members.ranks(key, replicas).sort((a, b) => distance(a) - distance(b))
    plain.add(wayTo(simulation, source, key, holders, 0), holders)
    heuristic.add(wayTo(simulation, source, key, holders, pastryOf(source).nearestOf(replicas)), holders)
  }
  const line = (name: string, shareOf: (ranks: Ranks) => number, at?: 0 | 1): Report['rows'][number] => [
    name,
    percent(shareOf(plain)),
    ...publishedCells(published.plain, at),
    percent(shareOf(heuristic)),
    ...publishedCells(published.heuristic, at),
  ]
  return {
    title: `${nodes} nodes that joined by the protocol on the plane, b = 3, |L| = 8, |M| = 16; ${lookups} random keys from random nodes: which of the ${replicas} closest is reached first`,
    columns: ['', 'as ever', ...sources, 'with the heuristic', ...sources],
    rows: [
      line('nearest', ({ nearest }) => nearest, 0),
      line('nearest or second', ({ nearestTwo }) => nearestTwo, 1),
      ...['third', 'fourth', 'farthest'].map((name, i) => line(name, ({ shares }) => shares[i + 2]!)),
      ['mean hops', plain.meanHops.toFixed(2), ...blank, heuristic.meanHops.toFixed(2), ...blank],
    ],
    remarks: ['The paper’s text and its chart differ where it routes as ever, and perfect tables give less than either.'],
    claims: [
      atLeastAsPerfect('as ever', plain, published.plain),
      atLeastAsPerfect('with the heuristic', heuristic, published.heuristic),
      {
        says: 'a nearer one is reached before a farther one',
        holds: [plain, heuristic].every(({ shares }) => shares.every((share, i) => i === 0 || share <= shares[i - 1]!)),
        measured: [plain, heuristic].map(({ shares }) => shares.map(percent).join(' ')).join('; '),
      },
    ],
    traceHash: simulation.traceHash,
  }
}

const replicas = 5

/** How often the nearest of the nodes was reached first, the second nearest and so on. */
class Ranks {
  private readonly counts = new Array<number>(replicas).fill(0)
  private messages = 0
  private hops = 0

  add({ end, hops }: Way, holders: readonly Guid[]): void {
    this.counts[holders.indexOf(end)]!++
    this.messages++
    this.hops += hops
  }

  get shares(): number[] {
    return this.counts.map((count) => count / this.messages)
  }

  get nearest(): number {
    return this.shares[0]!
  }

  get nearestTwo(): number {
    return this.shares[0]! + this.shares[1]!
  }

  get meanHops(): number {
    return this.hops / this.messages
  }
}

const sources = ['published (F)', 'published (T)', 'perfect tables (R)']
const blank = sources.map(() => undefined)

function publishedCells({ chart, text, perfect }: Published, at: 0 | 1 | undefined): readonly (string | undefined)[] {
  return at === undefined ? blank : [chart, text, perfect].map((shares) => percent(shares[at]))
}

function atLeastAsPerfect(name: string, { nearest, nearestTwo }: Ranks, { perfect }: Published): Report['claims'][number] {
  return {
    says: `${name}: at least as many as with perfect tables reach the nearest, and one of the two nearest, less .03`,
    holds: nearest >= perfect[0] - 0.03 && nearestTwo >= perfect[1] - 0.03,
    measured: `${percent(nearest)}, ${percent(nearestTwo)}`,
  }
}

interface Way {
  readonly end: Guid
  readonly hops: number
}

/** To the first of these nodes that a message for the key comes to, the source not excepted. */
function wayTo(simulation: Simulation, source: SimNode, key: Guid, wanted: readonly Guid[], firstCursor: number): Way {
  let at = source
  let cursor = firstCursor
  let hops = 0
  while (!wanted.includes(at.id)) {
    const next = at.kbr.overlay.nextHop(key, cursor, nobody)
    assert(next.action === 'forward', 'a message for a key comes to its root, which is one of those closest')
    at = simulation.nodes[simulation.hostOf(next.to)]!
    cursor = next.cursor
    hops++
  }
  return { end: at.id, hops }
}

const nobody: ReadonlySet<Guid> = new Set()
