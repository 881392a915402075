import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { longestMs, lookUpUnderChurn } from './churned-ring.ts'

/**
 * Lookups while nodes come and go that fail at their first obstacle (SIGCOMM 2001, §6.5, figure 12): 500 nodes, each refreshes all its fingers every 30 s on average, one lookup a
 * second. The paper expects that a lookup fails when a node on its way has died since the last refresh, and measures slightly more.
 *
 * Ours try again, so none is lost; counted are those that met an obstacle: they came to the wrong node or not at all, went round a node that did not answer, or took longer than
 * their hops can, for they waited until somebody was found dead. A node refreshes one finger whenever it stabilises, so here it stabilises as often as it has fingers in 30 s.
 */
export function withoutRetries(options: ExperimentOptions): Report {
  const { nodes = publishedNodes, minutes = 60 } = options
  const fingers = Math.max(1, Math.round(Math.log2(nodes / successors)))
  const rows = rates.map((rate) => {
    options.onProgress?.(`${rate} a second`)
    const { simulation, probes, reroutes } = lookUpUnderChurn(options, {
      nodes,
      config: { successors, fingerSuccessors: 0, stabilizeMs: Math.round(refreshMs / fingers) },
      perSecond: (rate * nodes) / publishedNodes,
      minutes,
    })
    const right = probes.filter((probe) => probe.deliveredAt !== undefined && probe.deliveredAt === probe.rootThen)
    const smooth = right.filter((probe) => !reroutes.has(probe.key) && probe.elapsedMs <= longestMs * probe.hops)
    const hops = right.reduce((sum, probe) => sum + probe.hops, 0) / right.length
    return {
      rate,
      hops,
      expected: ((rate * refreshMs) / 1000) * (hops / publishedNodes),
      met: 1 - smooth.length / probes.length,
      lost: probes.length - right.length,
      traceHash: simulation.traceHash,
    }
  })
  const [least, most] = [rows[0]!, rows.at(-1)!]
  return {
    title: `${nodes} nodes, r = ${successors}, ${fingers} fingers refreshed every 30 s, one lookup a second for ${minutes} minutes at each rate; joins and crashes a second in ${publishedNodes} nodes`,
    columns: ['rate', 'path', 'met a failure', 'expected by the path', 'published (T)', 'lost for good'],
    rows: rows.map((row) => [
      String(row.rate),
      row.hops,
      percent(row.met),
      percent(row.expected),
      row === most ? 'about 3 %, measured slightly more' : 'in proportion',
      row.lost,
    ]),
    remarks: ['expected by the path: nodes on the way times the share of nodes that die in 30 s, the reasoning of the paper'],
    claims: [
      {
        says: 'at each rate at most so many meet a failure as the paper expects: 3 % at .1, and in proportion',
        holds: rows.every(({ met, rate }) => met <= 0.3 * rate),
        measured: rows.map(({ met }) => percent(met)).join(' '),
      },
      {
        says: 'there are more at the highest rate than at the lowest',
        holds: least.met < most.met,
        measured: `${percent(least.met)}, ${percent(most.met)}`,
      },
    ],
    traceHash: most.traceHash,
  }
}

const publishedNodes = 500
const refreshMs = 30_000
/** Not in the paper for this experiment; what it has in the one before. */
const successors = 20
/** The published ones reach from .01 to .1. */
const rates = [0.02, 0.06, 0.1]
