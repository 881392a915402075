import { randomGuid } from '@plaxton/guid'
import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import { drainMs } from '../world.ts'
import type { ExperimentOptions, World } from '../world.ts'
import { growTo, paperWorld } from './paper-pastry.ts'
import { tableQuality } from './table-quality.ts'
import type { RowQuality } from './table-quality.ts'

/** Figures 10 (T) and 9 (F). The hops are of lookups that end at the first of the five closest nodes. */
const published = [
  { when: 'before', hops: 2.73, nearest: [14.2, 14.2] },
  { when: 'a tenth dead, nothing repaired', hops: 2.96, nearest: [13, 12.9] },
  { when: 'repaired', hops: 2.74, nearest: [13.3, 14] },
] as const

/**
 * Figures 9 and 10, and what the repair costs (Middleware 2001, §3.4): 5,000 nodes of which a tenth die at one moment; hops of lookups and the quality of tables before, at once and after the
 * repair. Ours repairs what it finds broken; the paper has all tables looked through. The first seconds, before anybody has been found dead for certain, stand for *nothing repaired*.
 */
export function massFailure(options: ExperimentOptions): Report {
  const { nodes = 2000, lookups = 20_000, minutes = 10, onProgress } = options
  const world = paperWorld(options, nodes)
  const { simulation } = world
  growTo(simulation, nodes, onProgress)
  const before = measure(world, lookups)
  const quietMs = minutes * 60_000
  const inQuiet = questionsWhile(world, () => simulation.run(quietMs))

  const dead = simulation.simulator
    .stream('faults')
    .shuffle(simulation.running())
    .slice(0, Math.round(nodes / 10))
  for (const node of dead) simulation.crash(node)
  onProgress?.('a tenth has died')
  const diedAt = simulation.now
  const stages = [before]
  const asked = questionsWhile(world, () => {
    stages.push(measure(world, Math.min(lookups, atOnceMost)))
    // Lookups find what is broken, as in the paper, where 100,000 keys were looked up from two sources each.
    measure(world, lookups)
    simulation.run(quietMs)
  })
  const quietTimes = (simulation.now - diedAt) / quietMs
  const [aboutLeafSets, aboutTables] = asked.map((count, kind) => (count - inQuiet[kind]! * quietTimes) / dead.length) as [number, number]
  stages.push(measure(world, lookups))

  const [, broken, repaired] = stages as [Stage, Stage, Stage]
  const nearest = ({ rows }: Stage, row: number): number => rows[row]!.optimal
  return {
    title: `${nodes} nodes on the plane, ${dead.length} of them die at one moment; ${lookups} random keys before, and again ${minutes} minutes after`,
    columns: [
      '',
      'hops, ours',
      'ideal tables of who lives',
      'published (T)',
      'nearest in row 0, ours',
      'published (F)',
      'nearest in row 1, ours',
      'published (F)',
      'missing in rows 0 to 2',
      'at the root',
    ],
    rows: stages.map((stage, i) => [
      published[i]!.when,
      stage.hops.toFixed(3),
      stage.ideal.toFixed(3),
      published[i]!.hops.toFixed(2),
      nearest(stage, 0),
      published[i]!.nearest[0],
      nearest(stage, 1),
      published[i]!.nearest[1],
      stage.rows
        .slice(0, 3)
        .reduce((sum, { missing }) => sum + missing, 0)
        .toFixed(2),
      percent(stage.arrived),
    ]),
    remarks: [
      'Ours may take fewer hops than ideal tables, which know no neighbourhood set: somebody near who shares more digits with the key.',
      'The published hops end at the first of the five closest nodes, ours at the root, for which figure 4 has 2.96 with 5,000 nodes: what compares are the differences.',
      `Repair: for each node that died ${aboutTables.toFixed(0)} questions about rows and slots of the routing table and ${aboutLeafSets.toFixed(0)} about leaf sets, upkeep taken off; published are 57 remote procedure calls to repair all tables (T).`,
    ],
    claims: [
      {
        says: 'before and after the repair every lookup arrives at its root',
        holds: before.arrived === 1 && repaired.arrived === 1,
        measured: [before, repaired].map(({ arrived }) => percent(arrived)).join(' '),
      },
      {
        says: 'with a tenth dead and nothing repaired a lookup takes at most the published .23 hops more',
        holds: broken.hops - before.hops <= 0.23,
        measured: (broken.hops - before.hops).toFixed(3),
      },
      {
        says: 'after the repair a lookup takes at most .03 hops more than before (published: .01), and than with ideal tables',
        holds: repaired.hops - before.hops <= 0.03 && repaired.hops - repaired.ideal <= 0.03,
        measured: `${(repaired.hops - before.hops).toFixed(3)} to before, ${(repaired.hops - repaired.ideal).toFixed(3)} to ideal tables`,
      },
      {
        says: 'after the repair more entries of rows 0 and 1 are the nearest than at once after the failure',
        holds: [0, 1].every((row) => nearest(repaired, row) > nearest(broken, row)),
        measured: [broken, repaired].map((stage) => `${nearest(stage, 0).toFixed(1)} ${nearest(stage, 1).toFixed(1)}`).join(', '),
      },
    ],
    traceHash: simulation.traceHash,
  }
}

interface Stage {
  readonly hops: number
  /** Of the same lookups, with perfect tables of all who live. */
  readonly ideal: number
  /** Share of lookups that came to their root within {@link drainMs}. */
  readonly arrived: number
  /** The tables before the lookups. */
  readonly rows: readonly RowQuality[]
}

/** Lookups of random keys from random live nodes, one a millisecond. */
function measure(world: World, count: number): Stage {
  const { simulation, log } = world
  const rows = tableQuality(world, qualitySample)
  const prng = simulation.simulator.stream('keys')
  const living = simulation.running()
  log.clear()
  for (let i = 0; i < count; i++) {
    log.send(simulation, prng.pick(living)!, randomGuid(prng))
    simulation.run(1)
  }
  simulation.run(drainMs)
  const tables = world.ideal()
  const ideal = log.probes.reduce((sum, { source, key }) => sum + tables.route(simulation.nodes[source]!.id, key).hops, 0) / count
  const right = log.probes.filter((probe) => probe.deliveredAt !== undefined && probe.deliveredAt === probe.rootThen)
  return { hops: right.reduce((sum, probe) => sum + probe.hops, 0) / right.length, ideal, arrived: right.length / count, rows }
}

/** Questions that all nodes ask while `action` runs: about leaf sets, and about routing tables. Each has an answer, together what the paper counts as one call. */
function questionsWhile({ simulation }: World, action: () => void): number[] {
  const count = (): number[] =>
    questions.map((kinds) =>
      simulation.simulator.counts.byType().reduce((sum, { name, sent }) => (kinds.includes(name) ? sum + sent : sum), 0),
    )
  const before = count()
  action()
  return count().map((sent, kind) => sent - before[kind]!)
}

const questions: ReadonlyArray<readonly string[]> = [['leaf-probe'], ['state-request', 'slot-request']]

/** Within so many milliseconds nobody is found dead for certain: three probes take longer. */
const atOnceMost = 4000
/** Enough for means that are certain to a few hundredths. */
const qualitySample = 300
