import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'

/** Milliseconds of a hop by the most nodes a zone may have (SIGCOMM 2001, table 2). */
const published = [116.4, 92.8, 72.9, 64.4] as const

/** Zone overloading (§3.4): several nodes own one zone, and each knows the nearest owner of every neighbouring zone. */
export function zoneOverloading({ seed, nodes = 2 ** 14, lookups = 2_000, onProgress }: ExperimentOptions): Report {
  const rows = published.map((paper, i) => {
    const network = new StaticCan({ seed, nodes, dimensions: 2, peersPerZone: i + 1 })
    onProgress?.(`${i + 1} nodes a zone`)
    return { paper, routes: network.route(lookups), peers: network.state().peers }
  })
  const relative = rows.map(({ routes }) => routes.hopMs / rows[0]!.routes.hopMs)
  return {
    title: `${lookups} random keys among ${nodes} nodes in 2 dimensions, transit-stub 100/10/1 ms`,
    columns: [
      'most nodes a zone',
      'published ms a hop (T)',
      'measured',
      'published, relative',
      'measured',
      'hops',
      'nodes in a node’s zone',
    ],
    rows: rows.map(({ paper, routes, peers }, i) => [
      String(i + 1),
      paper,
      routes.hopMs,
      paper / published[0],
      relative[i],
      routes.hops,
      peers,
    ]),
    claims: [
      {
        says: 'each further node a zone shortens the hops, and the paths',
        holds: rows.every(
          ({ routes }, i) => i === 0 || (routes.hopMs < rows[i - 1]!.routes.hopMs && routes.hops < rows[i - 1]!.routes.hops),
        ),
        measured: rows.map(({ routes }) => routes.hopMs.toFixed(1)).join(' '),
      },
      { says: 'four save at least 30 % of a hop (published: 45 %)', holds: relative[3]! <= 0.7, measured: (1 - relative[3]!).toFixed(2) },
    ],
    traceHash: 'none: nothing was sent',
  }
}
