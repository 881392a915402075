import { checkLeafSets } from '../../overlay-checks.ts'
import { Violations } from '../../violations.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { idealLookupsMost, lookUp, lookUpIdeally } from './lookups.ts'
import type { Lookups, MeasuredLookups } from './lookups.ts'
import { growTo, paperPastry, paperWorld, published } from './paper-pastry.ts'

/**
 * Figures 4 and 6 (Middleware 2001, §3.1, §3.2): hops of lookups and the length of their ways by the size of the network, b = 4, |L| = 16, |M| = 32, on the plane. One network
 * grows by messages alone and is measured at each size; beside it perfect tables, in larger networks these only.
 */
export function hops(options: ExperimentOptions): Report {
  const { nodes: largest = 5000, lookups = 10_000, onProgress } = options
  const world = paperWorld(options, largest)
  const { simulation } = world
  const violations = new Violations()
  const rows = sizesWith(largest).map((nodes): Row => {
    const paper = published.find((row) => row.nodes === nodes)
    if (nodes > largest) {
      onProgress?.(`ideal tables of ${nodes}`)
      return { nodes, paper, ours: undefined, ideal: lookUpIdeally(options.seed, nodes, Math.min(lookups, idealLookupsMost)) }
    }
    growTo(simulation, nodes, onProgress)
    checkLeafSets(simulation, violations, paperPastry.leafSetSize)
    const ours = lookUp(world, lookups)
    return { nodes, paper, ours, ideal: ours.ideal }
  })
  const grown = rows.flatMap((row) => (row.ours === undefined ? [] : [{ ...row, ours: row.ours }]))
  const failed = grown.reduce((sum, { ours }) => sum + ours.failed, 0)
  const off = (of: (lookups: Lookups) => number): number[] => grown.map(({ ours, ideal }) => of(ours) / of(ideal))
  const ofPublished = rows.flatMap(({ paper, ours, ideal }) => (paper === undefined ? [] : [(ours ?? ideal).hops - paper.hops]))
  return {
    title: `nodes that join by the protocol on the plane, one every quarter second, or faster in networks of more than 2,000; ${lookups} lookups of nodes at each size`,
    columns: ['nodes', 'hops, ours', 'published (F)', 'ideal tables', 'distance ratio, ours', 'published (F)', 'ideal tables'],
    rows: rows.map(({ nodes, paper, ours, ideal }) => [
      String(nodes),
      ours?.hops.toFixed(3),
      paper?.hops.toFixed(2),
      ideal.hops.toFixed(3),
      ours?.distanceRatio.toFixed(3),
      paper?.distanceRatio?.toFixed(2),
      ideal.distanceRatio.toFixed(3),
    ]),
    remarks: [`Networks of more than ${largest} nodes (--nodes) are worked out with ideal tables only.`],
    claims: [
      { says: 'every lookup arrives at its root', holds: failed === 0, measured: `${failed} did not` },
      {
        says: `hops, and those of ideal tables in larger networks, are the paper’s within ${tolerance}`,
        holds: ofPublished.every((difference) => Math.abs(difference) <= tolerance),
        measured: signed(ofPublished),
      },
      {
        says: 'hops are at most 1.02 times those of ideal tables',
        holds: off((of) => of.hops).every((ratio) => ratio <= 1.02),
        measured: inFull(off((of) => of.hops)),
      },
      {
        says: 'ways are at most 1.10 times as long as with ideal tables',
        holds: off((of) => of.distanceRatio).every((ratio) => ratio <= 1.1),
        measured: inFull(off((of) => of.distanceRatio)),
      },
      { says: 'every leaf set is exact', holds: violations.total === 0, measured: `${violations.total} are not` },
    ],
    traceHash: simulation.traceHash,
  }
}

interface Row {
  readonly nodes: number
  readonly paper: (typeof published)[number] | undefined
  readonly ours: MeasuredLookups | undefined
  readonly ideal: Lookups
}

/** published-results.md §1. */
const tolerance = 0.03

/** The published sizes and the one that was asked for. */
function sizesWith(largest: number): number[] {
  return [...new Set([...published.map(({ nodes }) => nodes), largest])].sort((a, b) => a - b)
}

function signed(values: readonly number[]): string {
  return values.map((value) => `${value < 0 ? '' : '+'}${value.toFixed(3)}`).join(' ')
}

function inFull(ratios: readonly number[]): string {
  return ratios.map((ratio) => ratio.toFixed(3)).join(' ')
}
