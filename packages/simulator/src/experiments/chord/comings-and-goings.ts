import { figure } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { lookUpUnderChurn } from './churned-ring.ts'

/**
 * Lookups while nodes come and go (ToN 2003, §VI-E, table III): 1,000 nodes, r = 20, each stabilises every 15 to 45 s, one lookup a second; nodes join and nodes die at
 * the same rate, which is less in a smaller ring in the same measure. Messages take 25 to 75 ms; in the paper, exponential times of 50 ms on average.
 */
export function comingsAndGoings(options: ExperimentOptions): Report {
  const { minutes = 60 } = options
  const measured = published.map((row) => {
    options.onProgress?.(`${row.rate} a second`)
    return { ...row, ...measure(options, row.rate, minutes) }
  })
  return {
    title: `${options.nodes ?? publishedNodes} nodes, r = 20, one lookup a second for ${minutes} minutes at each rate; joins and crashes a second in 1,000 nodes`,
    columns: [
      'rate',
      'path, ours',
      'published (T)',
      'timeouts, ours',
      'published (T)',
      'failed of 10,000',
      'published (T)',
      'elsewhere',
      'at once',
    ],
    rows: measured.map((row) => [
      String(row.rate),
      row.hops,
      row.path,
      row.late,
      row.timeouts,
      row.failed,
      String(row.failures),
      String(row.elsewhere),
      row.inTime,
    ]),
    remarks: [
      'failed: not delivered within 30 s, or at a node that was not the owner; elsewhere: the latter alone; at once: share delivered within 3 s',
    ],
    claims: [
      {
        says: 'paths are at most .3 longer than published',
        holds: measured.every((row) => row.hops <= row.path + 0.3),
        measured: measured.map((row) => figure(row.hops)).join(' '),
      },
      {
        says: 'failures are at most those published and two in a thousand',
        holds: measured.every((row) => row.failed <= row.failures + 20),
        measured: measured.map((row) => figure(row.failed)).join(' '),
      },
    ],
    traceHash: measured.at(-1)!.traceHash,
  }
}

function measure(options: ExperimentOptions, perSecond: number, minutes: number) {
  const { nodes = publishedNodes } = options
  const { simulation, probes, reroutes } = lookUpUnderChurn(options, {
    nodes,
    config: { successors: 20, fingerSuccessors: 0 },
    perSecond: (perSecond * nodes) / publishedNodes,
    minutes,
  })
  const arrived = probes.filter((probe) => probe.deliveredAt !== undefined)
  const right = arrived.filter((probe) => probe.deliveredAt === probe.rootThen)
  const total = (of: (probe: (typeof probes)[number]) => number) => probes.reduce((sum, probe) => sum + of(probe), 0)
  return {
    hops: arrived.reduce((sum, probe) => sum + probe.hops, 0) / arrived.length,
    late: total(({ key }) => reroutes.get(key) ?? 0) / probes.length,
    failed: (10_000 * (probes.length - right.length)) / probes.length,
    elsewhere: arrived.length - right.length,
    inTime: right.filter(({ elapsedMs }) => elapsedMs <= 3_000).length / probes.length,
    traceHash: simulation.traceHash,
  }
}

const publishedNodes = 1000

const published = [
  { rate: 0.05, path: 3.9, timeouts: 0.05, failures: 0 },
  { rate: 0.1, path: 3.83, timeouts: 0.11, failures: 0 },
  { rate: 0.15, path: 3.84, timeouts: 0.16, failures: 2 },
  { rate: 0.2, path: 3.81, timeouts: 0.23, failures: 5 },
  { rate: 0.25, path: 3.83, timeouts: 0.3, failures: 6 },
  { rate: 0.3, path: 3.91, timeouts: 0.34, failures: 8 },
  { rate: 0.35, path: 3.94, timeouts: 0.42, failures: 16 },
  { rate: 0.4, path: 4.06, timeouts: 0.46, failures: 15 },
] as const
