import type { RoutingConfig } from '@plaxton/routing'
import { runChurn } from '../../churn-run.ts'
import { figure } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'

/** Median sessions in minutes, from the published axis. */
const medians = [6, 23, 60, 180]

/** A wait of 5 s for every acknowledgement, whatever is known of the way. */
const fixed: Partial<RoutingConfig> = { rtoInitialMs: 5_000, rtoMinMs: 5_000, rtoMaxMs: 5_000 }

/**
 * Bamboo's timeouts (USENIX 2004): how long a hop waits before it takes another way, by the round trips it has measured, as TCP does and this package by default, or always 5 s. Its third policy, virtual coordinates, is
 * not built.
 */
export function timeouts(options: ExperimentOptions): Report {
  const { nodes = 300, minutes = 20, seed } = options
  const rows = medians.map((median) => {
    options.onProgress?.(`medians of ${median} min`)
    const run = (routing: Partial<RoutingConfig>) => runChurn({ seed, nodes, sessionMinutes: median / Math.LN2, minutes, loss: 0, routing })
    return { median, measured: run({}), fixed: run(fixed) }
  })
  const ratios = rows.map((row) => row.fixed.meanMs / row.measured.meanMs)
  return {
    title: `${nodes} nodes on a transit-stub network, |L| = 32, exponential sessions, .01 lookups/s/node for ${minutes} minutes at each length, no message lost`,
    columns: ['median session, min', 'lookups', 'ms by round trips', 'ms by 5 s', 'ratio', 'published (N)'],
    rows: rows.map((row, i) => [
      String(row.median),
      String(row.measured.lookups),
      row.measured.meanMs,
      row.fixed.meanMs,
      ratios[i],
      'more than 2',
    ]),
    remarks: [
      'Means over all lookups that arrived, from sending to delivery. Probes take dead entries out of routing tables here, so that few hops have to wait where few nodes go.',
    ],
    claims: [
      {
        says: 'waiting by round trips is never slower',
        holds: ratios.every((ratio) => ratio >= 1),
        measured: ratios.map(figure).join(' '),
      },
      {
        says: 'the fixed wait more than doubles the mean at every length of sessions',
        holds: ratios.every((ratio) => ratio > 2),
        measured: ratios.map(figure).join(' '),
      },
    ],
    traceHash: rows[0]!.measured.traceHash,
  }
}
