import type { Millis } from '@plaxton/kbr'
import type { PastryConfig } from '@plaxton/pastry'
import type { RoutingConfig } from '@plaxton/routing'
import { keepSessions } from './churn.ts'
import { failDomain, flashCrowd } from './crowds.ts'
import type { Wave } from './crowds.ts'
import { diedMeanwhile } from './experiments/success.ts'
import { lookUpAtRandom } from './lookups.ts'
import { overlays, pastryUnderTest } from './overlays.ts'
import type { OverlayName } from './overlays.ts'
import { ProbeLog } from './probe.ts'
import { exponentialSessions } from './sessions.ts'
import type { SessionLengths } from './sessions.ts'
import { Simulation } from './simulation.ts'
import type { SimNode, SimulationOptions } from './simulation.ts'
import { summarize } from './summary.ts'
import type { Summary } from './summary.ts'
import { countNodeSeconds, trafficSince, upkeepSoFar } from './traffic.ts'
import { transitStub } from './transit-stub.ts'

export interface ChurnOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Default `pastry`, with MSPastry's 32 leaves. */
  readonly overlay?: OverlayName
  /** What is otherwise in Pastry. */
  readonly pastry?: Partial<PastryConfig>
  /** What is otherwise in how messages are passed on. */
  readonly routing?: Partial<RoutingConfig>
  /** Mean session in minutes. */
  readonly sessionMinutes: number
  /** Simulated minutes that are measured, after a warm-up of a quarter of that. */
  readonly minutes: number
  /** Probability that a message is lost. */
  readonly loss: number
  /** Every message as bytes, so that upkeep is known in bytes as well; takes longer. Default: only with access links. */
  readonly encode?: boolean
  /** What makes the network and its users more like those there are; default: nothing of it. */
  readonly realism?: Realism
  /** Called now and then with the simulated minutes so far. */
  readonly onProgress?: (minutes: number) => void
}

/** Surroundings of the churn experiment, beyond the paper's. */
export interface Realism extends Pick<SimulationOptions, 'topology' | 'accessLinks' | 'traits'> {
  readonly jitterMs?: Millis
  /** Instead of exponential sessions with the mean of {@link ChurnOptions.sessionMinutes}. */
  readonly sessions?: SessionLengths
  /** When more come and when fewer. */
  readonly wave?: Wave
  /** This share of the network comes in addition, within a minute, when half of the measured time is over. */
  readonly flashCrowd?: number
  /** So many parts of the network fail as a whole, at random times while it is measured. */
  readonly domainFailures?: number
}

export interface ChurnResult {
  readonly seed: number | string
  readonly nodes: number
  readonly lookups: number
  /** Share of lookups never delivered, of those whose source did not die within ten seconds. */
  readonly lossRate: number
  /** Share delivered at a node that was not the root at that moment. */
  readonly wrongRate: number
  /** Delivered more than once. */
  readonly duplicates: number
  readonly hops: Summary
  /** From sending to delivery, mean over lookups that were delivered, those at their source included. */
  readonly meanMs: Millis
  /** Route delay by direct delay, mean over lookups that travelled (MSPastry's RDP). */
  readonly delayPenalty: number
  /** Messages a second and node besides the lookups themselves and their acknowledgements. */
  readonly controlPerSecondAndNode: number
  /** The same in bytes; only when messages travelled as bytes. */
  readonly controlBytesPerSecondAndNode?: number
  readonly falseSuspicions: number
  readonly traceHash: string
}

/** Lookups a second and node: MSPastry's base rate (DSN 2004). */
const lookupsPerSecondAndNode = 0.01

/** MSPastry's churn experiment: random lookups while nodes come and go with exponential sessions, on a transit-stub network. */
export function runChurn(options: ChurnOptions): ChurnResult {
  const log = new ProbeLog()
  const { overlay = 'pastry', realism = {} } = options
  const encode = options.encode === true || realism.accessLinks !== undefined
  const subject = overlay === 'pastry' ? pastryUnderTest({ leafSetSize: 32, ...options.pastry }) : overlays[overlay]()
  const simulation = new Simulation({
    seed: options.seed,
    nodes: options.nodes,
    topology: realism.topology ?? transitStub(),
    network: { loss: options.loss, jitterMs: realism.jitterMs ?? 0 },
    ...(realism.traits === undefined ? {} : { traits: realism.traits }),
    ...(realism.accessLinks === undefined ? {} : { accessLinks: realism.accessLinks }),
    encode,
    overlay: subject.overlay,
    ownership: subject.ownership,
    ...(options.routing === undefined ? {} : { routing: options.routing }),
    applications: () => [log.application()],
  })
  simulation.joinAll({ gapMs: 50 })
  const measureMs = options.minutes * 60_000
  const warmUpMs = Math.round(measureMs / 4)
  const start = simulation.now + warmUpMs
  const untilMs = start + measureMs
  const begin = keepSessions(simulation, simulation.simulator.stream('sessions'), {
    sessions: realism.sessions ?? exponentialSessions(options.sessionMinutes * 60_000),
    untilMs,
    graceful: 0,
    ...(realism.wave === undefined ? {} : { wave: realism.wave }),
  })
  scheduleCrowds(simulation, realism, { start, measureMs, begin })
  runWithProgress(simulation, warmUpMs, options)
  const before = upkeepSoFar(simulation)
  const nodeSeconds = countNodeSeconds(simulation, untilMs)
  lookUpAtRandom(simulation, log, { perSecond: lookupsPerSecondAndNode * options.nodes, untilMs })
  runWithProgress(simulation, measureMs, options)
  const { messages, bytes } = trafficSince(before, upkeepSoFar(simulation))
  simulation.run(drainMs)
  const perNode = 1 / nodeSeconds()
  return {
    ...result(options, simulation, log),
    controlPerSecondAndNode: messages * perNode,
    ...(encode ? { controlBytesPerSecondAndNode: bytes * perNode } : {}),
    traceHash: simulation.traceHash,
  }
}

function scheduleCrowds(
  simulation: Simulation,
  { flashCrowd: share = 0, domainFailures = 0 }: Realism,
  { start, measureMs, begin }: { readonly start: Millis; readonly measureMs: Millis; readonly begin: (node: SimNode) => void },
): void {
  const prng = simulation.simulator.stream('crowds')
  const atTime = (time: Millis, action: () => void) => simulation.after(time - simulation.now, action)
  if (share > 0)
    atTime(start + Math.round(measureMs / 2), () =>
      flashCrowd(simulation, prng, { nodes: Math.round(share * simulation.running().length), withinMs: 60_000, onNode: begin }),
    )
  for (let i = 0; i < domainFailures; i++) atTime(start + prng.nextInt(measureMs), () => failDomain(simulation, prng))
}

/** Longer than any lookup takes. */
const drainMs = 60_000

function result(options: ChurnOptions, simulation: Simulation, log: ProbeLog): Omit<ChurnResult, 'controlPerSecondAndNode' | 'traceHash'> {
  const arrived = log.probes.filter((probe) => probe.deliveredAt !== undefined)
  const sourceLives = log.probes.filter(
    (probe) => probe.deliveredAt !== undefined || !diedMeanwhile(simulation, probe.source, probe.sentAt),
  )
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
    meanMs: arrived.reduce((sum, probe) => sum + probe.elapsedMs, 0) / arrived.length,
    delayPenalty: penalties.reduce((sum, x) => sum + x, 0) / penalties.length,
    falseSuspicions: simulation.falseSuspicions,
  }
}

function runWithProgress(simulation: Simulation, ms: Millis, options: ChurnOptions): void {
  const end = simulation.now + ms
  while (simulation.now < end) {
    simulation.run(Math.min(60_000, end - simulation.now))
    options.onProgress?.(Math.round(simulation.now / 60_000))
  }
}
