import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { growTo, paperWorld } from './paper-pastry.ts'
import { tableQuality } from './table-quality.ts'
import type { RowQuality } from './table-quality.ts'

/** Figure 7: entries that are the best there could be, by row, after 5,000 joins, of 15 (F). SL: only the state of the last node on the way is used; WT: of all on the way; WTF: then of those found as well. */
const published = [
  { sl: 4.6, wt: 5.5, wtf: 14.4 },
  { sl: 4.8, wt: 6.8, wtf: 14.3 },
  { sl: 9.2, wt: 9.2, wtf: 10.4 },
  { sl: 1, wt: 1, wtf: 1.1 },
]

/**
 * Figure 7 (Middleware 2001, §3.3), and how large a table is (§3.1): after joins alone, how many entries of the routing table are the nearest node that qualifies. Ours joins by what the paper
 * calls WTF, with questions and measurements of its own in a second stage.
 */
export function tablesAfterJoins(options: ExperimentOptions): Report {
  const { nodes = 2000, minutes = 15 } = options
  const world = paperWorld(options, nodes)
  growTo(world.simulation, nodes, options.onProgress)
  const rows = tableQuality(world, sampleSize)
  world.simulation.run(minutes * 60_000)
  const later = tableQuality(world, sampleSize)
  const filled = rows.reduce((sum, { possible, missing }) => sum + possible - missing, 0)
  const suboptimal = (table: readonly RowQuality[]): number[] =>
    table.filter(({ possible }) => possible >= 1).map(({ possible, optimal }) => possible - optimal)
  return {
    title: `${nodes} nodes that joined by the protocol on the plane; entries of a routing table, mean of ${Math.min(sampleSize, nodes)} nodes`,
    columns: ['row', 'possible', 'nearest, ours', `${minutes} minutes later`, 'WTF, published (F)', 'WT', 'SL', 'missing, ours'],
    rows: rows.map(({ possible, optimal, missing }, row) => {
      const paper = published[row]!
      return [String(row), possible, optimal, later[row]!.optimal, paper.wtf, paper.wt, paper.sl, missing.toFixed(3)]
    }),
    remarks: [
      `${filled.toFixed(1)} entries in a table; published are about 75 in a network of 100,000 nodes (T).`,
      'Published for 5,000 nodes: how full rows 2 and 3 can be depends on the number of nodes.',
    ],
    claims: [
      {
        says: 'less than one entry a row is not the nearest (the paper’s text, of WTF)',
        holds: suboptimal(rows).every((count) => count < 1),
        measured: inWords(suboptimal(rows)),
      },
      {
        says: `nor is it ${minutes} minutes later, and there are no more such entries than before`,
        holds: suboptimal(later).every((count, row) => count < 1 && count <= suboptimal(rows)[row]! + 0.05),
        measured: inWords(suboptimal(later)),
      },
      {
        says: 'at most one entry in a hundred is missing',
        holds: rows.every(({ possible, missing }) => missing <= 0.01 * Math.max(1, possible)),
        measured: rows.map(({ missing }) => missing.toFixed(3)).join(' '),
      },
    ],
    traceHash: world.simulation.traceHash,
  }
}

/** Enough for means that are certain to a few hundredths. */
const sampleSize = 500

function inWords(counts: readonly number[]): string {
  return counts.map((count) => count.toFixed(2)).join(' ')
}
