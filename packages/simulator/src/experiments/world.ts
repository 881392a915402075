import { assert } from '@plaxton/kbr'
import type { Application, Millis, Prng } from '@plaxton/kbr'
import { drawPairs, joinOneByOne, placesOf } from '../growing.ts'
import type { IdealTables } from '../ideal-tables.ts'
import { overlays } from '../overlays.ts'
import type { OverlayName, OverlayUnderTest } from '../overlays.ts'
import { ProbeLog } from '../probe.ts'
import type { Probe } from '../probe.ts'
import { Simulation } from '../simulation.ts'
import type { SimulationOptions } from '../simulation.ts'
import { percentile } from '../summary.ts'

/** The sizes an experiment can be told, by the names of their options on the command line. */
export const experimentSizes = ['nodes', 'lookups', 'repeats', 'objects', 'minutes'] as const

/** What every experiment can be told. Sizes left out are the paper's. */
export interface ExperimentOptions {
  readonly seed: number | string
  /** Default: the paper's, and `tapestry` where it does not say; with another, the same measurements of that. */
  readonly overlay?: OverlayName
  readonly nodes?: number
  readonly lookups?: number
  readonly repeats?: number
  /** Objects, in all or on each node, as the experiment says. */
  readonly objects?: number
  /** Length of each part of an experiment that lasts. */
  readonly minutes?: number
  /** Called now and then with a word on how far it is. */
  readonly onProgress?: (word: string) => void
}

/** A network to measure: nodes with a probe and perhaps more on them, and the overlay they run. */
export class World {
  readonly simulation: Simulation
  readonly subject: OverlayUnderTest
  readonly log = new ProbeLog()

  constructor(
    options: ExperimentOptions,
    { subject = overlays[options.overlay ?? 'tapestry'](), applications = () => [], ...rest }: WorldOptions,
  ) {
    this.subject = subject
    const { overlay, ownership } = this.subject
    this.simulation = new Simulation({
      ...rest,
      seed: options.seed,
      overlay,
      ownership,
      applications: (host, prng) => [this.log.application(), ...applications(host, prng)],
    })
  }

  /**
   * The nodes join, each when the one before is a member; with `gapMs` one every so often, which in large networks is many times faster because
   * the upkeep of those who are there already need not be simulated for so long. Then they have some time to improve their tables.
   */
  grow(nodes: number, { onProgress, gapMs }: { onProgress?: ((word: string) => void) | undefined; gapMs?: Millis } = {}): void {
    const { simulation } = this
    if (gapMs === undefined) joinOneByOne(simulation, nodes, (joined) => onProgress?.(`${joined} of ${nodes} joined`))
    else assert(simulation.joinAll({ gapMs }), 'everybody joins')
    simulation.run(settleMs)
  }

  /** The same nodes with perfect tables. */
  ideal(): IdealTables {
    return this.subject.ideal(this.simulation.simulator.topology, placesOf(this.simulation))
  }

  /** Routes probes between random pairs of nodes, one a millisecond, and waits until all have arrived. */
  probePairs(count: number): Probe[] {
    const { simulation, log } = this
    for (const [from, to] of drawPairs(simulation, count)) {
      log.send(simulation, simulation.nodes[from]!, simulation.nodes[to]!.id)
      simulation.run(1)
    }
    simulation.run(drainMs)
    return log.probes
  }

  /** What the median way between random nodes takes with perfect tables, in milliseconds where the topology measures in these. */
  idealMedian(): number {
    const { simulation } = this
    const ideal = this.ideal()
    const prng = simulation.simulator.stream('ideal')
    const { sorted } = simulation.members
    const ways = Array.from({ length: idealWays }, () => ideal.route(prng.pick(sorted)!, prng.pick(sorted)!).distance)
    return percentile(
      ways.sort((a, b) => a - b),
      50,
    )
  }

  distance(a: number, b: number): number {
    return this.simulation.simulator.topology.distance(a, b)
  }

  roundTripMs(a: number, b: number): number {
    return 2 * this.simulation.simulator.topology.latencyMs(a, b)
  }
}

export interface WorldOptions extends Omit<SimulationOptions, 'seed' | 'overlay' | 'ownership' | 'applications'> {
  readonly subject?: OverlayUnderTest
  readonly applications?: (host: number, prng: Prng) => Application[]
}

const settleMs = 60_000
const idealWays = 5000

/** Longer than any lookup takes. */
export const drainMs = 30_000
