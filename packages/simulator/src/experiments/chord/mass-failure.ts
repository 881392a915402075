import { chordDefaults } from '@plaxton/chord'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { IdealChord } from '../../ideal-chord.ts'
import { uniform } from '../../topology.ts'
import { figure, percent } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Lookups after a mass failure, before anything has been repaired (ToN 2003, §VI-D, table II): 1,000 nodes, r = 20, a share of them dead, and nobody stabilises. A dead
 * node that is tried is a timeout. The tables are perfect and worked out, since none is mended meanwhile.
 */
export function massFailure(options: ExperimentOptions): Report {
  const { nodes = 1000, lookups = 10_000, repeats = 5 } = options
  const rings = Array.from({ length: repeats }, (_, ring) => lookUpAmongDead(`${options.seed}/mass failure ${ring}`, nodes, lookups))
  const rows = published.map((row, at) => {
    const mean = (of: (found: Found) => number) => rings.reduce((sum, ring) => sum + of(ring[at]!), 0) / (repeats * lookups)
    return { ...row, hops: mean(({ hops }) => hops), late: mean(({ timeouts }) => timeouts), arrived: mean(({ arrived }) => arrived) }
  })
  return {
    title: `${nodes} nodes, r = 20, a share dead and nobody stabilises; ${lookups} lookups in each of ${repeats} rings`,
    columns: ['dead', 'path, ours', 'published (T)', 'timeouts, ours', 'published (T)', 'succeed', 'published (T)'],
    rows: rows.map((row) => [percent(row.share), row.hops, row.path, row.late, row.timeouts, percent(row.arrived), '100 %']),
    remarks: [`r is the paper's here; ours is ${chordDefaults.successors} by default.`],
    claims: [
      {
        says: 'all lookups succeed',
        holds: rows.every((row) => row.arrived === 1),
        measured: rows.map((row) => percent(row.arrived)).join(' '),
      },
      {
        says: 'paths are as long as published, within 5 %',
        holds: rows.every((row) => Math.abs(row.hops / row.path - 1) <= 0.05),
        measured: rows.map((row) => figure(row.hops)).join(' '),
      },
      {
        says: 'timeouts are at most as many as published and a tenth',
        holds: rows.every((row) => row.late <= 1.1 * row.timeouts + 0.05),
        measured: rows.map((row) => figure(row.late)).join(' '),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}

/** Sums over the lookups in one ring with one share dead. */
interface Found {
  hops: number
  timeouts: number
  arrived: number
}

/** One ring, for each of the published shares. */
function lookUpAmongDead(seed: string, nodes: number, lookups: number): readonly Found[] {
  const prng = Prng.fromSeed(seed)
  const places = Array.from({ length: nodes }, (_, host) => ({ id: randomGuid(prng), host }))
  const ring = new IdealChord(uniform(50)(prng), places, { successors: 20, predecessors: 0, fingerSuccessors: 0 })
  return published.map(({ share }) => {
    const isDead = places.map(() => false)
    for (const at of prng.shuffle(places.map((_, i) => i)).slice(0, Math.round(share * nodes))) isDead[at] = true
    const living = isDead.flatMap((dead, at) => (dead ? [] : [at]))
    const found = { hops: 0, timeouts: 0, arrived: 0 }
    for (let i = 0; i < lookups; i++) {
      const way = ring.pathAmongDead(prng.pick(living)!, randomGuid(prng), (at) => isDead[at]!)
      found.hops += way.path.length - 1
      found.timeouts += way.timeouts
      if (way.arrived) found.arrived++
    }
    return found
  })
}

const published = [
  { share: 0, path: 3.84, timeouts: 0 },
  { share: 0.1, path: 4.03, timeouts: 0.6 },
  { share: 0.2, path: 4.22, timeouts: 1.17 },
  { share: 0.3, path: 4.44, timeouts: 2.02 },
  { share: 0.4, path: 4.69, timeouts: 3.23 },
  { share: 0.5, path: 5.09, timeouts: 5.1 },
] as const
