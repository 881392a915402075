import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, ForwardDecision, Millis, NodeRef, Prng, RoutedMessage } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import type { PastConfig, PastEvent } from '@plaxton/past'
import { kademliaUnderTest } from '../../overlays.ts'
import { uniform } from '../../topology.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { World } from '../world.ts'
import { hashOf, mean } from './static-network.ts'

const cacheMs = 60_000
const gapMs = 20
const replicas = 3

/**
 * One object that everybody reads, in a network whose nodes know few others: who answers, with and without copies on the way (IPTPS 2002, §2.3, which gives no figures). Copies must take most of
 * the reads off the holders, shorten the ways, and be gone when their time is over.
 */
export function caching({ nodes = 300, lookups = 2_000, ...options }: ExperimentOptions): Report {
  const without = read({ ...options, nodes, lookups }, 0)
  const cached = read({ ...options, nodes, lookups }, cacheMs)
  const row = (name: string, { byHolders, busiest, hops }: Reads): Array<string | number> => [name, byHolders, busiest, hops]
  return {
    title: `${nodes} nodes with buckets of 4 that read one object ${lookups} times, one read every ${gapMs} ms`,
    columns: ['', 'answered by holders', 'by the busiest node', 'hops'],
    rows: [row('without copies', without), row(`copies for ${cacheMs / 2_000} s at most`, cached)],
    claims: [
      {
        says: 'every read gets the object',
        holds: without.failed + cached.failed === 0,
        measured: `${without.failed + cached.failed} did not`,
      },
      {
        says: 'copies take most of the reads off the holders',
        holds: cached.byHolders < without.byHolders / 2,
        measured: `${cached.byHolders.toFixed(3)} of all, ${without.byHolders.toFixed(3)} without`,
      },
      {
        says: 'ways are shorter',
        holds: cached.hops < without.hops,
        measured: `${cached.hops.toFixed(2)}, ${without.hops.toFixed(2)} without`,
      },
      { says: 'a minute later the first read ends at a holder', holds: cached.stale === 0, measured: `${cached.stale} reads` },
    ],
    traceHash: hashOf([[without.traceHash, cached.traceHash]]),
  }
}

/** Who answered, of the reads that readers did not answer themselves. */
interface Reads {
  /** Shares of all. */
  readonly byHolders: number
  readonly busiest: number
  readonly hops: number
  readonly failed: number
  /** Of the first read a minute after the last: 1 when a copy answered it. */
  readonly stale: number
  readonly traceHash: string
}

/** Where a read was answered. */
interface Answer {
  readonly by: Guid
  readonly hops: number
}

function read(
  { nodes, lookups, ...options }: ExperimentOptions & { readonly nodes: number; readonly lookups: number },
  copyMs: Millis,
): Reads {
  let answers: Answer[] = []
  const world = new World(options, {
    subject: kademliaUnderTest({ bucketSize: 4, siblingsSure: 6, siblings: 12 }),
    nodes,
    topology: uniform(30),
    applications: (_, prng) => [
      new Listening({ replicas, maxReplicas: replicas, cacheMs: copyMs }, prng, (answer) => answers.push(answer)),
    ],
  })
  world.grow(nodes, { onProgress: options.onProgress, gapMs: 100 })
  const { simulation } = world
  const prng = simulation.simulator.stream('reads')
  let failed = 0
  simulation.onEvent((_, event) => {
    const ended = event as PastEvent
    if (ended.type === 'past:done' && !ended.outcome.ok) failed++
  })
  const command = (run: (past: PastNode, now: Millis, fx: AppEffects) => number): void => {
    const node = prng.pick(simulation.nodes)!
    const past = node.application('past') as PastNode
    simulation.command(node, past, (fx, now) => run(past, now, fx))
  }
  const data = Uint8Array.from({ length: 1_000 }, (_, i) => i)
  const guid = guidOf(data)
  command((past, now, fx) => past.put({ guid, data, quorum: 'all' }, now, fx))
  simulation.run(10_000)
  const holders = new Set(simulation.nodes.filter((node) => (node.application('past') as PastNode).stats().objects > 0).map(({ id }) => id))
  const readOften = (count: number): Answer[] => {
    answers = []
    for (let i = 0; i < count; i++) {
      command((past, now, fx) => past.get({ guid }, now, fx))
      simulation.run(gapMs)
    }
    simulation.run(cacheMs)
    return answers
  }
  const reads = readOften(lookups)
  const late = readOften(5)
  const counts = new Map<Guid, number>()
  for (const { by } of reads) counts.set(by, (counts.get(by) ?? 0) + 1)
  return {
    byHolders: reads.filter(({ by }) => holders.has(by)).length / reads.length,
    busiest: Math.max(...counts.values()) / reads.length,
    hops: mean(reads.map(({ hops }) => hops)),
    failed,
    stale: late.slice(0, 1).filter(({ by }) => !holders.has(by)).length,
    traceHash: simulation.traceHash,
  }
}

/** A PAST node that says which reads end at it. */
class Listening extends PastNode {
  private readonly answered: (answer: Answer) => void

  constructor(config: Partial<PastConfig>, prng: Prng, onAnswered: (answer: Answer) => void) {
    super(config, prng)
    this.answered = onAnswered
  }

  override forward(message: RoutedMessage, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const decision = super.forward(message, nextHop, now, fx)
    if (decision.action === 'stop' && message.hops > 0) this.answered({ by: fx.self.id, hops: message.hops })
    return decision
  }
}
