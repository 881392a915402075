import { runChurn } from '../../churn-run.ts'
import { figure } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'

/** Mean sessions in minutes (DSN 2004); the published range ends at 600, where little happens within half an hour. */
const sessions = [5, 15, 30, 60, 120]

/**
 * MSPastry's sweep over the length of sessions (DSN 2004): lookups while nodes come and go without a word, on a transit-stub network, |L| = 32. Published for 10,000 nodes and hours of each;
 * `npm run simulate -- churn` runs a single line with surroundings of one's choice.
 */
export function churnSweep(options: ExperimentOptions): Report {
  const { nodes = 300, minutes = 20, overlay = 'pastry', seed } = options
  const rows = sessions.map((sessionMinutes) => {
    options.onProgress?.(`sessions of ${sessionMinutes} min`)
    return { sessionMinutes, ...runChurn({ seed, nodes, overlay, sessionMinutes, minutes, loss: 0 }) }
  })
  const long = rows.filter(({ sessionMinutes }) => sessionMinutes >= 60)
  return {
    title: `${nodes} nodes on a transit-stub network, |L| = 32, .01 lookups/s/node for ${minutes} minutes at each length of sessions, no message lost`,
    columns: [
      'session, min',
      'lookups',
      'lost',
      'published',
      'at a wrong node',
      'published',
      'delay by direct delay, ours',
      'published (N)',
      'control messages/s/node, ours',
      'published (N)',
    ],
    rows: rows.map((row) => [
      String(row.sessionMinutes),
      String(row.lookups),
      share(row.lossRate),
      '1.5e-5 (unconfirmed)',
      share(row.wrongRate),
      '0 (unconfirmed)',
      row.delayPenalty,
      'below 2',
      row.controlPerSecondAndNode,
      row.sessionMinutes >= 60 ? 'below .5' : undefined,
    ]),
    remarks: ['Published are means over sessions as users of Gnutella had them, 2.3 hours, but for the range of lengths.'],
    claims: [
      {
        says: 'nothing is delivered at a wrong node',
        holds: rows.every(({ wrongRate }) => wrongRate === 0),
        measured: rows.map(({ wrongRate }) => share(wrongRate)).join(' '),
      },
      {
        says: 'less than one lookup in 10,000 is lost, or one in all',
        holds: rows.every(({ lossRate, lookups }) => Math.round(lossRate * lookups) <= Math.max(1, lookups / 10_000)),
        measured: rows.map(({ lossRate }) => share(lossRate)).join(' '),
      },
      {
        says: 'with sessions of an hour or more, less than .5 control messages a second and node',
        holds: long.every(({ controlPerSecondAndNode }) => controlPerSecondAndNode < 0.5),
        measured: long.map(({ controlPerSecondAndNode }) => figure(controlPerSecondAndNode)).join(' '),
      },
      {
        says: 'with sessions of an hour or more, ways take less than twice the direct delay',
        holds: long.every(({ delayPenalty }) => delayPenalty < 2),
        measured: long.map(({ delayPenalty }) => figure(delayPenalty)).join(' '),
      },
    ],
    traceHash: rows.at(-1)!.traceHash,
  }
}

function share(value: number): string {
  return value === 0 ? '0' : value.toExponential(1)
}
