import type { Millis } from '@plaxton/kbr'
import { keepSessions } from './churn.ts'
import { lookUpAtRandom } from './lookups.ts'
import { overlays, pastryUnderTest } from './overlays.ts'
import type { OverlayName } from './overlays.ts'
import { ProbeLog } from './probe.ts'
import { Simulation } from './simulation.ts'
import { summarize } from './summary.ts'
import type { Summary } from './summary.ts'
import { countNodeSeconds, upkeepSoFar } from './traffic.ts'
import { transitStub } from './transit-stub.ts'

export interface ChurnOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Default `pastry`, with MSPastry's 32 leaves. */
  readonly overlay?: OverlayName
  /** Mean session in minutes. */
  readonly sessionMinutes: number
  /** Simulated minutes that are measured, after a warm-up of a quarter of that. */
  readonly minutes: number
  /** Probability that a message is lost. */
  readonly loss: number
  /** Called now and then with the simulated minutes so far. */
  readonly onProgress?: (minutes: number) => void
}

export interface ChurnResult {
  readonly seed: number | string
  readonly nodes: number
  readonly lookups: number
  /** Share of lookups never delivered, though their source lived on. */
  readonly lossRate: number
  /** Share delivered at a node that was not the root at that moment. */
  readonly wrongRate: number
  /** Delivered more than once. */
  readonly duplicates: number
  readonly hops: Summary
  /** Route delay by direct delay, mean over lookups that travelled (MSPastry's RDP). */
  readonly delayPenalty: number
  /** Messages a second and node besides the lookups themselves and their acknowledgements. */
  readonly controlPerSecondAndNode: number
  readonly falseSuspicions: number
  readonly traceHash: string
}

/** Lookups a second and node: MSPastry's base rate (DSN 2004). */
const lookupsPerSecondAndNode = 0.01

/** MSPastry's churn experiment: random lookups while nodes come and go with exponential sessions, on a transit-stub network. */
export function runChurn(options: ChurnOptions): ChurnResult {
  const log = new ProbeLog()
  const { overlay = 'pastry' } = options
  const subject = overlay === 'pastry' ? pastryUnderTest({ leafSetSize: 32 }) : overlays[overlay]()
  const simulation = new Simulation({
    seed: options.seed,
    nodes: options.nodes,
    topology: transitStub(),
    network: { loss: options.loss },
    overlay: subject.overlay,
    ownership: subject.ownership,
    applications: () => [log.application()],
  })
  simulation.joinAll({ gapMs: 50 })
  const measureMs = options.minutes * 60_000
  const warmUpMs = Math.round(measureMs / 4)
  const start = simulation.now + warmUpMs
  const untilMs = start + measureMs
  keepSessions(simulation, simulation.simulator.stream('sessions'), {
    meanSessionMs: options.sessionMinutes * 60_000,
    untilMs,
    graceful: 0,
  })
  runWithProgress(simulation, warmUpMs, options)
  const before = upkeepSoFar(simulation).messages
  const nodeSeconds = countNodeSeconds(simulation, untilMs)
  lookUpAtRandom(simulation, log, { perSecond: lookupsPerSecondAndNode * options.nodes, untilMs })
  runWithProgress(simulation, measureMs, options)
  const controlMessages = upkeepSoFar(simulation).messages - before
  simulation.run(drainMs)
  return result(options, simulation, log, controlMessages / nodeSeconds())
}

/** Longer than any lookup takes. */
const drainMs = 60_000

function result(options: ChurnOptions, simulation: Simulation, log: ProbeLog, controlPerSecondAndNode: number): ChurnResult {
  const arrived = log.probes.filter((probe) => probe.deliveredAt !== undefined)
  const sourceLives = log.probes.filter((probe) => probe.deliveredAt !== undefined || simulation.nodes[probe.source]!.running)
  const { topology } = simulation.simulator
  const travelled = arrived.filter((probe) => probe.deliveredAt !== probe.source)
  const penalties = travelled.map((probe) => probe.elapsedMs / topology.latencyMs(probe.source, probe.deliveredAt!))
  return {
    seed: options.seed,
    nodes: options.nodes,
    lookups: log.probes.length,
    lossRate: 1 - arrived.length / sourceLives.length,
    wrongRate: arrived.filter((probe) => probe.deliveredAt !== probe.rootThen).length / log.probes.length,
    duplicates: log.probes.filter((probe) => probe.deliveries > 1).length,
    hops: summarize(arrived.map((probe) => probe.hops)),
    delayPenalty: penalties.reduce((sum, x) => sum + x, 0) / penalties.length,
    controlPerSecondAndNode,
    falseSuspicions: simulation.falseSuspicions,
    traceHash: simulation.traceHash,
  }
}

function runWithProgress(simulation: Simulation, ms: Millis, options: ChurnOptions): void {
  const end = simulation.now + ms
  while (simulation.now < end) {
    simulation.run(Math.min(60_000, end - simulation.now))
    options.onProgress?.(Math.round(simulation.now / 60_000))
  }
}
