import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { IdealChord } from '../../ideal-chord.ts'
import { percentile } from '../../summary.ts'
import { cube } from '../../topology.ts'
import type { TopologyFactory } from '../../topology.ts'
import { chordTransitStub, transitStub } from '../../transit-stub.ts'
import { figure } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Stretch of lookups (ToN 2003, §VI-F, table III): 2^16 nodes, each message goes to the nearest of the first s nodes of the furthest finger before its key. A lookup ends at the key's predecessor,
 * which names the owner to the asker; stretch is the time of that by the round trip to the owner. Perfect tables, since such a ring is too large to grow.
 */
export function stretch(options: ExperimentOptions): Report {
  const { nodes = 2 ** 16, lookups = 10_000 } = options
  const results = spaces.map(({ name, topology, published }) => {
    const rows = published.map((row) => {
      const measured = measure(`${options.seed}/${name}`, topology, nodes, row.s, lookups)
      options.onProgress?.(`${name}, s = ${row.s}`)
      return { ...row, ...measured }
    })
    return { name, rows }
  })
  const all = results.flatMap(({ name, rows }) => rows.map((row) => ({ name, ...row })))
  return {
    title: `stretch of lookups, ${nodes} nodes, ${lookups} lookups each: median (p10, p90)`,
    columns: ['space, s', 'iterative, ours', 'published (T)', 'recursive, ours', 'published (T)'],
    rows: all.map((row) => [
      `${row.name}, ${row.s}`,
      inWords(row.iterative),
      row.saidIterative,
      inWords(row.recursive),
      String(row.saidRecursive),
    ]),
    remarks: ['s counts the finger itself: with s = 1 there is no choice. `fingerSuccessors` is s - 1.'],
    claims: [
      {
        says: 'with s = 16 ways are less than half as long as with s = 1',
        holds: results.every(({ rows }) => rows.at(-1)!.recursive.median < rows[0]!.recursive.median / 2),
        measured: results.map(({ rows }) => rows.map(({ recursive }) => figure(recursive.median)).join(' ')).join('; '),
      },
      {
        says: 'recursive medians are at most 15 % above the published ones',
        holds: all.every((row) => row.recursive.median <= 1.15 * row.saidRecursive),
        measured: all.map((row) => figure(row.recursive.median)).join(' '),
      },
      {
        says: 'recursive lookups take about half as long as iterative ones without a choice',
        holds: results.every(({ rows }) => Math.abs(rows[0]!.recursive.median / rows[0]!.iterative.median - 0.55) < 0.1),
        measured: results.map(({ rows }) => figure(rows[0]!.recursive.median / rows[0]!.iterative.median)).join(' '),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

interface Quantiles {
  readonly p10: number
  readonly median: number
  readonly p90: number
}

function measure(
  seed: string,
  make: TopologyFactory,
  nodes: number,
  s: number,
  lookups: number,
): { iterative: Quantiles; recursive: Quantiles } {
  const prng = Prng.fromSeed(seed)
  const topology = make(prng.fork())
  const places = Array.from({ length: nodes }, (_, host) => ({ id: randomGuid(prng), host }))
  for (const _ of places) topology.place()
  const ring = new IdealChord(topology, places, { successors: s, predecessors: 0, fingerSuccessors: s - 1 })
  const iterative: number[] = []
  const recursive: number[] = []
  while (recursive.length < lookups) {
    const way = ring.path(prng.nextInt(nodes), randomGuid(prng)).map((at) => ring.hostAt(at))
    const [source, owner] = [way[0]!, way.at(-1)!]
    if (source === owner) continue
    const asked = way.slice(1, -1)
    const legs = [source, ...asked, source].reduce((sum, host, i, all) => (i === 0 ? 0 : sum + topology.distance(all[i - 1]!, host)), 0)
    const direct = 2 * topology.distance(source, owner)
    recursive.push(legs / direct)
    iterative.push(asked.reduce((sum, host) => sum + 2 * topology.distance(source, host), 0) / direct)
  }
  return { iterative: quantiles(iterative), recursive: quantiles(recursive) }
}

function quantiles(sample: number[]): Quantiles {
  sample.sort((a, b) => a - b)
  return { p10: percentile(sample, 10), median: percentile(sample, 50), p90: percentile(sample, 90) }
}

function inWords({ p10, median, p90 }: Quantiles): string {
  return `${figure(median)} (${figure(p10)}, ${figure(p90)})`
}

const spaces = [
  {
    name: '3-d space',
    topology: cube(),
    published: [
      { s: 1, saidIterative: '7.8', saidRecursive: 4.5 },
      { s: 2, saidIterative: undefined, saidRecursive: 3.5 },
      { s: 4, saidIterative: undefined, saidRecursive: 2.7 },
      { s: 8, saidIterative: undefined, saidRecursive: 2.1 },
      { s: 16, saidIterative: '3.4', saidRecursive: 1.7 },
    ],
  },
  {
    name: 'transit-stub',
    topology: transitStub(chordTransitStub),
    published: [
      { s: 1, saidIterative: '7.2', saidRecursive: 4.1 },
      { s: 2, saidIterative: undefined, saidRecursive: 3.6 },
      { s: 4, saidIterative: undefined, saidRecursive: 2.8 },
      { s: 8, saidIterative: undefined, saidRecursive: 2 },
      { s: 16, saidIterative: '2.2', saidRecursive: 1.5 },
    ],
  },
] as const
