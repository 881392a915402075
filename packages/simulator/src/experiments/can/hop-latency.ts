import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'

/** Milliseconds of a hop by dimensions (SIGCOMM 2001, table 1), without and with RTT weighting, averaged over 2^8 to 2^18 nodes. */
const published: ReadonlyArray<{ readonly dimensions: number; readonly plain: number; readonly weighted: number }> = [
  { dimensions: 2, plain: 116.8, weighted: 88.3 },
  { dimensions: 3, plain: 116.7, weighted: 76.1 },
  { dimensions: 4, plain: 115.8, weighted: 71.2 },
  { dimensions: 5, plain: 115.4, weighted: 70.9 },
]

/** RTT weighting (§3.3): of the neighbours that bring a message closer, the one with the most progress by round trip. */
export function hopLatency({ seed, nodes = 2 ** 14, lookups = 2_000, onProgress }: ExperimentOptions): Report {
  const rows = published.map(({ dimensions, ...paper }) => {
    const network = new StaticCan({ seed, nodes, dimensions })
    onProgress?.(`${dimensions} dimensions`)
    return { dimensions, paper, plain: network.route(lookups), weighted: network.route(lookups, { rttWeighted: true }) }
  })
  const saved = rows.map(({ plain, weighted }) => 1 - weighted.hopMs / plain.hopMs)
  return {
    title: `${lookups} random keys among ${nodes} nodes on the transit-stub network, 100/10/1 ms`,
    columns: [
      '',
      'published ms a hop (T)',
      'measured',
      'published, weighted (T)',
      'measured',
      'published saving',
      'measured',
      'hops',
      'weighted',
    ],
    rows: rows.map(({ dimensions, paper, plain, weighted }, i) => [
      `d ${dimensions}`,
      paper.plain,
      plain.hopMs,
      paper.weighted,
      weighted.hopMs,
      1 - paper.weighted / paper.plain,
      saved[i],
      plain.hops,
      weighted.hops,
    ]),
    remarks: ['The absolute figures depend on the drawn internet; what compares is the saving.'],
    claims: [
      {
        says: 'weighting saves 20 to 60 % of a hop (published: 24 to 40 %)',
        holds: saved.every((share) => share >= 0.2 && share <= 0.6),
        measured: saved.map((share) => share.toFixed(2)).join(' '),
      },
      {
        says: 'whole ways become shorter too',
        holds: rows.every(({ plain, weighted }) => weighted.pathMs < plain.pathMs),
        measured: rows.map(({ plain, weighted }) => (weighted.pathMs / plain.pathMs).toFixed(2)).join(' '),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}
