import type { RoutingConfig } from '@plaxton/routing'
import { runChurn } from '../../churn-run.ts'
import { figure, percent } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'

/** Acknowledgements come, and nobody misses those that do not: a message to a node that is gone is lost, as without any. */
const noAcks: Partial<RoutingConfig> = { rtoInitialMs: 600_000, rtoMinMs: 600_000, rtoMaxMs: 600_000 }
/** Nobody looks whether entries of the routing table live; leaf sets are watched all the same. */
const noProbing = { tableProbeMs: 3_600_000 }

const variants = [
  { name: 'acks and probing', routing: {}, pastry: {}, published: '1.5e-5 (unconfirmed)' },
  { name: 'acks only', routing: {}, pastry: noProbing, published: undefined },
  { name: 'probing only', routing: noAcks, pastry: {}, published: undefined },
  { name: 'neither', routing: noAcks, pastry: noProbing, published: '.32 (unconfirmed)' },
] as const

/** A session as users of Gnutella had it takes 2.3 hours; shorter ones show more within minutes. */
const sessionMinutes = 30

/** MSPastry's ablation (DSN 2004): what acknowledgements of every hop, and probes of the routing table, do for lookups while nodes come and go without a word. */
export function ablation(options: ExperimentOptions): Report {
  const { nodes = 300, minutes = 30, seed } = options
  const rows = variants.map(({ name, published, ...without }) => {
    options.onProgress?.(name)
    return { name, published, ...runChurn({ seed, nodes, sessionMinutes, minutes, loss: 0, ...without }) }
  })
  const [both, acks, probing, neither] = rows.map(({ lossRate }) => lossRate) as [number, number, number, number]
  return {
    title: `${nodes} nodes on a transit-stub network, |L| = 32, sessions of ${sessionMinutes} minutes, .01 lookups/s/node for ${minutes} minutes, no message lost`,
    columns: ['', 'lookups', 'lost', 'published', 'delay by direct delay', 'control messages/s/node'],
    rows: rows.map(({ name, lookups, lossRate, published, delayPenalty, controlPerSecondAndNode }) => [
      name,
      String(lookups),
      percent(lossRate),
      published,
      delayPenalty,
      controlPerSecondAndNode,
    ]),
    remarks: ['Published for 10,000 nodes and sessions of 2.3 hours on average, all lines but these two in charts only.'],
    claims: [
      {
        says: 'the order is the published one: neither loses most, then probing alone, then acks alone, and both lose least',
        holds: neither > probing && probing > acks && acks >= both,
        measured: rows.map(({ lossRate }) => percent(lossRate)).join(' '),
      },
      {
        says: 'acknowledgements lose at most a hundredth of what is lost without them',
        holds: both <= probing / 100 && acks <= neither / 100,
        measured: `${figure(both / probing)} ${figure(acks / neither)}`,
      },
    ],
    traceHash: rows[0]!.traceHash,
  }
}
