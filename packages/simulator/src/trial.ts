import type { Millis } from '@plaxton/kbr'
import { DolrLedger } from './dolr-ledger.ts'
import { DolrService } from './dolr-service.ts'
import type { DolrSettings } from './dolr-service.ts'
import { DeliveryWatch, checkRoots } from './overlay-checks.ts'
import type { OverlayUnderTest } from './overlays.ts'
import { PastLedger } from './past-ledger.ts'
import { PastService } from './past-service.ts'
import { checkRanges } from './range-checks.ts'
import type { ServiceUnderTest } from './service.ts'
import type { SimNode, SimulationOptions } from './simulation.ts'
import { Simulation } from './simulation.ts'
import { Violations } from './violations.ts'

export type ServiceName = 'past' | 'dolr'

export interface TrialOptions extends Pick<
  SimulationOptions,
  'seed' | 'nodes' | 'virtualNodes' | 'topology' | 'network' | 'encode' | 'separateDraws' | 'keepMet'
> {
  readonly subject: OverlayUnderTest
  /** What runs on top. */
  readonly services: readonly ServiceName[]
  /** Copies of each object in PAST. */
  readonly replicas: number
  readonly dolr: DolrSettings
}

/**
 * A network that is going to be disturbed, with its services, the ledgers of the truth and all checks. Who disturbs it comes from outside: at random (the mix) or
 * from a list (a scenario). Afterwards all is repaired, the network settles, and the checks hold everything against the truth.
 */
export class Trial {
  readonly simulation: Simulation
  readonly violations = new Violations()
  readonly past: PastLedger
  readonly dolr: DolrLedger
  readonly pastService: PastService
  readonly dolrService: DolrService
  readonly services: readonly ServiceUnderTest[]
  readonly watch: DeliveryWatch
  /** Set when messages are lost, late or cut off at some time. */
  disturbed = false
  private readonly subject: OverlayUnderTest

  constructor({ subject, services, replicas, dolr, ...options }: TrialOptions) {
    this.subject = subject
    const simulation = () => this.simulation
    this.past = new PastLedger(simulation, this.violations, subject.ranksKnown)
    this.pastService = new PastService(replicas, this.past)
    this.dolr = new DolrLedger(simulation, this.violations)
    this.dolrService = new DolrService(dolr, this.dolr, simulation)
    this.services = [...(services.includes('past') ? [this.pastService] : []), ...(services.includes('dolr') ? [this.dolrService] : [])]
    this.simulation = new Simulation({
      ...options,
      overlay: subject.overlay,
      ownership: subject.ownership,
      applications: (_host, prng) => this.services.map((service) => service.application(prng)),
      pendingMax: pendingPerNode * options.nodes + pendingAtLeast,
      assertEvery: options.nodes <= smallNetwork ? 1 : assertEverySteps,
      onDisk: this.past.onDisk,
    })
    for (const service of this.services) service.watch(this.simulation)
    this.watch = new DeliveryWatch(this.simulation)
  }

  /** Runs the phases; what a core throws meanwhile is a violation. */
  attempt(phases: () => void): void {
    try {
      phases()
    } catch (error) {
      this.violations.add('no core throws', this.simulation.now, error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }

  /** Says that messages are being lost or cut off, or no longer. */
  setImpaired(impaired: boolean): void {
    for (const service of this.services) service.setImpaired(impaired)
  }

  /** Ends all disturbance, starts these nodes again where they are down, and waits until nothing changes any more. */
  settle(restarts: Iterable<SimNode>): void {
    const { simulation } = this
    const repairedAt = simulation.now
    simulation.network.repair()
    this.setImpaired(false)
    for (const node of restarts) if (!node.running) simulation.restart(node)
    this.expectMembers(simulation.runUntil(() => simulation.running().every((node) => node.ready), settleLimitMs))
    simulation.run(detectMs)
    // Quiet that was kept by a broken link is none.
    if (!simulation.runUntilQuiet({ quietMs, since: repairedAt, withinMs: settleLimitMs })) {
      this.violations.add('the network settles', simulation.now, `membership still changed at ${simulation.lastChangeAt} ms`)
    }
    this.settleLate()
    simulation.run(Math.max(0, ...this.services.map((service) => service.healMs)))
  }

  private settleLate(): void {
    const { simulation, subject } = this
    if (subject.late === undefined) return
    const { look, forMs } = subject.late
    let seen = look(simulation)
    let since = simulation.now
    simulation.runUntil(() => {
      const now = look(simulation)
      if (now !== seen) [seen, since] = [now, simulation.now]
      return simulation.now - since >= forMs
    }, settleLimitMs)
  }

  /** A violation unless everybody has become a member in time. */
  expectMembers(inTime: boolean): void {
    if (inTime) return
    const hosts = this.simulation.running().filter((node) => !node.ready)
    const outsiders = hosts.map((node) => node.host.index).join(', ')
    this.violations.add('everybody joins', this.simulation.now, `hosts ${outsiders} are still no members`)
  }

  /** Every check, after quiet. */
  checkEverything(): void {
    const { simulation, violations, subject } = this
    const prng = simulation.simulator.stream('checks')
    simulation.assertInvariants()
    checkRoots(simulation, violations, { prng, replicas: subject.ranksKnown, held: subject.ranksHeld })
    checkRanges(simulation, violations, { prng: simulation.simulator.stream('range checks'), ranks: rangesChecked })
    subject.checkTables(simulation, violations)
    for (const service of this.services) service.check(prng)
    if (!this.suspicious) for (const wrong of this.watch.wrong) violations.add('deliveries at the root only', simulation.now, wrong)
  }

  /** With messages lost or late, a live node may be taken for dead, and its keys delivered elsewhere: then wrong deliveries are counted only. */
  private get suspicious(): boolean {
    return this.disturbed || this.simulation.falseSuspicions > 0
  }
}

/** Up to this size, every step is looked at. */
const smallNetwork = 20
/** Otherwise: often enough to find the step that broke something within a second or so; each look at a node costs about as much as ten steps. */
const assertEverySteps = 50
/** A node at rest has some twenty timers and messages under way, one that repairs much some hundred: a storm has passed this within seconds. Our guess. */
const pendingPerNode = 2000
const pendingAtLeast = 100_000
/** All failures have been found by then: a heartbeat period with its probes. */
const detectMs = 60_000
/** Two periods of the slowest exchange that changes leaf sets or replicas. */
const quietMs = 130_000
/** Settling may take this long and no longer. */
const settleLimitMs: Millis = 1_800_000
/** Ranks whose ranges are checked: the root and the first replicas. */
const rangesChecked = 3
