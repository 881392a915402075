import type { TapestryNode } from '@plaxton/tapestry'
import { checkRoots } from '../../overlay-checks.ts'
import { countSlots } from '../../prefix-checks.ts'
import type { SimNode } from '../../simulation.ts'
import { summarize } from '../../summary.ts'
import { plane } from '../../topology.ts'
import { Violations } from '../../violations.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'
import { leastTogether } from './least.ts'

/**
 * Figure 18 (JSAC 2004): how long many nodes take that insert themselves at one moment, by their share of the 200 there are. Published: PlanetLab. Here: the plane,
 * a new network each time; and the check the paper does not print: that no holes are left. Ideal is the longest round trip that one of them needs when everything is known beforehand, and
 * the number of slots that hold somebody in perfect maps.
 */
export function parallelInsertion(options: ExperimentOptions): Report {
  const { nodes = 200, repeats = 5 } = options
  const results = ratios.map((ratio) =>
    Array.from({ length: repeats }, (_, i) => {
      options.onProgress?.(`ratio ${ratio}, repeat ${i + 1} of ${repeats}`)
      return insertTogether({ ...options, seed: `${options.seed}/${ratio}/${i}` }, nodes, Math.round(ratio * nodes))
    }),
  )
  const flat = results.flat()
  const total = (count: (result: Insertion) => number) => flat.reduce((sum, result) => sum + count(result), 0)
  const medians = results.map((group) => summarize(group.map((result) => result.seconds)).p50)
  const growth = medians.at(-1)! / medians[0]!
  const late = total((result) => result.outside)
  const wrong = total((result) => result.later)
  const details = [...new Set(flat.flatMap((result) => result.details))].slice(0, 3)
  return {
    title: `${nodes} nodes on the plane, joined at one moment by a share of that number, ${repeats} times each: seconds until all are members`,
    columns: [
      'ratio',
      'joining',
      'median',
      'longest',
      'ideal median: longest needed round trip',
      'published median',
      'faults when done',
      'a minute later',
      'slots filled in ideal maps',
      'in ours',
    ],
    rows: results.map((group, i) => [
      String(ratios[i]),
      String(Math.round(ratios[i]! * nodes)),
      medians[i],
      Math.max(...group.map((result) => result.seconds)),
      summarize(group.map((result) => result.leastSeconds)).p50,
      published[i],
      String(group.reduce((sum, result) => sum + result.atOnce, 0)),
      String(group.reduce((sum, result) => sum + result.later, 0)),
      slotsIn(group, ({ ideal }) => ideal),
      slotsIn(group, ({ filled }) => filled),
    ]),
    remarks: [`faults when done: ${[...new Set(flat.flatMap((result) => result.kinds))].join(', ') || 'none'}`],
    claims: [
      { says: 'everybody gets in', holds: late === 0, measured: `${late} still outside after 10 minutes` },
      {
        says: 'no holes afterwards: one root per key, tables without a false hole',
        holds: wrong === 0,
        measured: [`${wrong} faults`, ...details].join('; '),
      },
      {
        says: 'the time grows no faster than the share',
        holds: growth <= ratios.at(-1)! / ratios[0]!,
        measured: `${growth.toFixed(1)}-fold from ${ratios[0]} to ${ratios.at(-1)}`,
      },
    ],
    traceHash: flat[0]!.traceHash,
  }
}

const ratios = [0.025, 0.05, 0.1, 0.2, 0.3]
const published = ['1.2 (F)', '1.35 (F)', '3.1 (F)', '3.5 (F)', '5.1 (F)']

interface Slots {
  readonly ideal: number
  readonly filled: number
}

/** Of all networks of a group together; undefined where nodes have no neighbour maps. */
function slotsIn(group: readonly Insertion[], which: (slots: Slots) => number): string | undefined {
  if (group.some(({ slots }) => slots === undefined)) return undefined
  return String(group.reduce((sum, { slots }) => sum + which(slots!), 0))
}

interface Insertion {
  readonly seconds: number
  readonly leastSeconds: number
  /** A minute later; undefined on another overlay than Tapestry. */
  readonly slots: Slots | undefined
  /** Nodes that are no members in the end. */
  readonly outside: number
  /** What the checks find when the last has become a member, and a minute later. */
  readonly atOnce: number
  readonly later: number
  /** The checks that found something at once. */
  readonly kinds: readonly string[]
  readonly details: readonly string[]
  readonly traceHash: string
}

function insertTogether(options: ExperimentOptions, nodes: number, joining: number): Insertion {
  const world = new World(options, { nodes, topology: plane() })
  world.grow(nodes)
  const { simulation } = world
  const start = simulation.now
  let last = start
  simulation.onEvent((_node, event, now) => {
    if (event.type === 'ready') last = now
  })
  for (let i = 0; i < joining; i++) simulation.addNode()
  simulation.runUntil(() => simulation.members.size === nodes + joining, limitMs)
  const outside = nodes + joining - simulation.members.size
  const atOnce = faults(world)
  simulation.run(60_000)
  const later = faults(world)
  return {
    seconds: (last - start) / 1000,
    leastSeconds: leastTogether(simulation, joining, digitBits) / 1000,
    slots: (options.overlay ?? 'tapestry') === 'tapestry' ? countSlots(simulation, { digitBits, mapOf }) : undefined,
    outside,
    atOnce: atOnce.total,
    later: later.total,
    kinds: [...atOnce.byCheck().keys()],
    details: later.kept.map(({ check, detail }) => `${check}: ${detail}`),
    traceHash: simulation.traceHash,
  }
}

const limitMs = 600_000
/** The overlays' default. */
const digitBits = 4

function mapOf(node: SimNode): TapestryNode {
  return node.kbr.overlay as TapestryNode
}

function faults({ simulation, subject }: World): Violations {
  const violations = new Violations()
  checkRoots(simulation, violations, { prng: simulation.simulator.stream('checks'), replicas: subject.ranksKnown })
  subject.checkTables(simulation, violations)
  return violations
}
