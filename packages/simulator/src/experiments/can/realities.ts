import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'

const counts = [1, 2, 3, 4] as const
const dimensions = 2

/**
 * Realities (SIGCOMM 2001, §3.2): several coordinate spaces, in each of which a node has another zone. In the paper a way ends at the owner of the point in any of them; here a key has one root, the owner in
 * the first, and from an owner in another it is one hop more.
 */
export function realities({ seed, nodes = 2 ** 14, lookups = 1_000, onProgress }: ExperimentOptions): Report {
  const rows = [nodes >> 4, nodes >> 2, nodes].map((size) => {
    onProgress?.(`${size} nodes`)
    const networks = counts.map((count) => new StaticCan({ seed, nodes: size, dimensions, realities: count }))
    const routes = networks.map((network) => network.route(lookups))
    return {
      size,
      neighbors: networks.map((network) => network.state().neighbors),
      toAny: routes.map(({ hops }) => hops),
      toRoot: routes.map(({ rootHops }) => rootHops),
    }
  })
  const largest = rows.at(-1)!
  const moreDimensions = new StaticCan({ seed, nodes, dimensions: 2 * dimensions })
  const theirHops = moreDimensions.route(lookups).hops
  return {
    title: `${lookups} random keys for each figure, ${dimensions} dimensions, greedy without weights, zones as joins at random points leave them`,
    columns: ['', ...counts.flatMap((count) => [`r ${count}: neighbours`, 'hops to an owner', 'to the root'])],
    rows: rows.map(({ size, neighbors, toAny, toRoot }) => [
      `${size} nodes`,
      ...counts.flatMap((_, i) => [neighbors[i], toAny[i], toRoot[i]]),
    ]),
    remarks: [
      `With ${2 * dimensions} dimensions instead: ${moreDimensions.state().neighbors.toFixed(2)} neighbours and ${theirHops.toFixed(2)} hops at ${nodes} nodes.`,
    ],
    claims: [
      {
        says: 'each further reality shortens the way to an owner',
        holds: rows.every(({ toAny }) => toAny.every((hops, i) => i === 0 || hops < toAny[i - 1]!)),
        measured: rows.map(({ toAny }) => toAny.map((hops) => hops.toFixed(2)).join(' ')).join('; '),
      },
      {
        says: 'and the way to the root',
        holds: rows.every(({ toRoot }) => toRoot.every((hops, i) => i === 0 || hops < toRoot[i - 1]!)),
        measured: rows.map(({ toRoot }) => toRoot.map((hops) => hops.toFixed(2)).join(' ')).join('; '),
      },
      {
        says: 'one root costs less than one hop',
        holds: rows.every(({ toAny, toRoot }) => toRoot.every((hops, i) => hops - toAny[i]! < 1)),
        measured: largest.toRoot.map((hops, i) => (hops - largest.toAny[i]!).toFixed(2)).join(' '),
      },
      {
        says: 'as many neighbours by twice the dimensions shorten the way more than a second reality does',
        holds: theirHops < largest.toAny[1]!,
        measured: `${theirHops.toFixed(2)} to ${largest.toAny[1]!.toFixed(2)}`,
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}
