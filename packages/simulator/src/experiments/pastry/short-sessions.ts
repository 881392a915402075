import { runChurn } from '../../churn-run.ts'
import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'

/** Median sessions in minutes: the published axis, from those seen in Kazaa to those seen in Gnutella. What FreePastry gave at 23 is in the paper's abstract. */
const medians = [
  { median: 1.4, published: 'Bamboo works' },
  { median: 6, published: undefined },
  { median: 23, published: 'FreePastry: most fail' },
  { median: 60, published: undefined },
]

/**
 * Bamboo's churn axis (USENIX 2004): lookups while nodes with very short sessions come and go, |L| = 32, and what upkeep costs in bytes. Bamboo is Pastry with periodic repair; published for 1,000
 * nodes in an emulated network.
 */
export function shortSessions(options: ExperimentOptions): Report {
  const { nodes = 200, minutes = 8, overlay = 'pastry', seed } = options
  const rows = medians.map(({ median, published }) => {
    options.onProgress?.(`medians of ${median} min`)
    return { median, published, ...runChurn({ seed, nodes, overlay, sessionMinutes: median / Math.LN2, minutes, loss: 0, encode: true }) }
  })
  const completed = rows.map(({ lossRate }) => 1 - lossRate)
  const shortest = rows[0]!
  const bytes = shortest.controlBytesPerSecondAndNode!
  return {
    title: `${nodes} nodes on a transit-stub network, |L| = 32, exponential sessions, .01 lookups/s/node for ${minutes} minutes at each length`,
    columns: [
      'median session, min',
      'lookups',
      'completed, ours',
      'published (N)',
      'at a wrong node',
      'control bytes/s/node',
      'messages/s/node',
      'delay by direct delay',
    ],
    rows: rows.map((row, i) => [
      String(row.median),
      String(row.lookups),
      percent(completed[i]!),
      row.published,
      percent(row.wrongRate),
      row.controlBytesPerSecondAndNode,
      row.controlPerSecondAndNode,
      row.delayPenalty,
    ]),
    remarks: ['A lookup is tried once by its source; each hop is acknowledged, and goes another way when it is not.'],
    claims: [
      {
        says: 'with median sessions of 1.4 minutes more than 95 % complete',
        holds: completed[0]! > 0.95,
        measured: percent(completed[0]!),
      },
      {
        says: 'from 23 minutes on more than 99.9 % complete',
        holds: rows.every(({ median }, i) => median < 23 || completed[i]! > 0.999),
        measured: completed.slice(-2).map(percent).join(' '),
      },
      {
        says: 'upkeep takes less than 900 B/s/node at 1.4 minutes, as published for 1,000 nodes (N)',
        holds: bytes < 900,
        measured: `${bytes.toFixed(0)} B`,
      },
    ],
    traceHash: shortest.traceHash,
  }
}
