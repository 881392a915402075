import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'

/** Path length and state (SIGCOMM 2001, §2.2): (d/4) n^(1/d) hops and 2d neighbours, worked out there for n equal zones. */
export function pathLength({ seed, nodes: largest = 2 ** 16, lookups = 2_000, onProgress }: ExperimentOptions): Report {
  const rows: Array<{ readonly nodes: number; readonly dimensions: number; readonly hops: number; readonly neighbors: number }> = []
  for (let nodes = 2 ** 12; nodes <= Math.max(largest, 2 ** 12); nodes *= 4) {
    const size = Math.min(nodes, largest)
    for (const dimensions of [2, 3, 4]) {
      const network = new StaticCan({ seed, nodes: size, dimensions })
      rows.push({ nodes: size, dimensions, hops: network.route(lookups).hops, neighbors: network.state().neighbors })
      onProgress?.(`${size} nodes, ${dimensions} dimensions`)
    }
  }
  const ratio = ({ nodes, dimensions, hops }: (typeof rows)[number]): number => hops / formula(nodes, dimensions)
  return {
    title: `${lookups} random keys for each line, greedy without weights, zones as joins at random points leave them`,
    columns: ['', 'published (d/4) n^(1/d) (T)', 'measured', 'ratio', 'published 2d (T)', 'measured'],
    rows: rows.map((row) => [
      `${row.nodes} nodes, d ${row.dimensions}`,
      formula(row.nodes, row.dimensions),
      row.hops,
      ratio(row),
      2 * row.dimensions,
      row.neighbors,
    ]),
    remarks: ['The formulas are for zones of one size; those of real joins differ by factors of two.'],
    claims: [
      {
        says: `hops within ${100 * tolerance} % of the formula`,
        holds: rows.every((row) => Math.abs(ratio(row) - 1) <= tolerance),
        measured: rows.map((row) => ratio(row).toFixed(2)).join(' '),
      },
      {
        says: 'neighbours do not grow with the network',
        holds: rows.every((row) => row.neighbors <= 3.5 * row.dimensions),
        measured: rows.map(({ neighbors }) => neighbors.toFixed(1)).join(' '),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

function formula(nodes: number, dimensions: number): number {
  return (dimensions / 4) * nodes ** (1 / dimensions)
}

/** Our guess of what unequal zones cost or save. */
const tolerance = 0.25
