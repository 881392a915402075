import type { CounterGroup as Counter, Metrics } from '@libp2p/interface'
import type { DolrStats } from '@plaxton/dolr'
import type { PastStats } from '@plaxton/past'
import type { OverlayService, OverlayStats } from './overlay-service.ts'

/** How often totals are carried over into libp2p's counters. Scrapes are rarer than that. */
const carryMs = 1_000

/** One group of counters and where its totals stand. */
interface CounterGroup {
  readonly name: string
  readonly label: string
  readonly help: string
  readonly read: (stats: OverlayStats) => Readonly<Record<string, number>>
}

const counterGroups: readonly CounterGroup[] = [
  {
    name: 'plaxton_libp2p_frames_total',
    label: 'direction',
    help: 'Frames sent and received, blocks among them, and those between nodes of this host',
    read: ({ link }) => ({ sent: link.framesSent, received: link.framesReceived, local: link.framesLocal }),
  },
  {
    name: 'plaxton_libp2p_bytes_total',
    label: 'direction',
    help: 'Bytes of frames sent and received, before encryption',
    read: ({ link }) => ({ sent: link.bytesSent, received: link.bytesReceived }),
  },
  {
    name: 'plaxton_libp2p_blocks_total',
    label: 'direction',
    help: 'Frames above 64 KiB, which travel on streams of their own',
    read: ({ link }) => ({ sent: link.blocksSent, received: link.blocksReceived }),
  },
  {
    name: 'plaxton_libp2p_dropped_total',
    label: 'reason',
    help: 'Frames dropped and streams reset',
    read: ({ link }) => link.dropped,
  },
  {
    name: 'plaxton_libp2p_dials_total',
    label: 'outcome',
    help: 'Connections this node tried to open',
    read: ({ link }) => ({ opened: link.dials - link.dialsFailed, failed: link.dialsFailed }),
  },
]

/** A service on the overlay, as far as its gauges look at it. */
interface Measured<Stats> {
  readonly isRunning: boolean
  stats(): Stats
}

/** Gauges of the PAST service. */
export function registerPastMetrics(metrics: Metrics | undefined, past: Measured<PastStats>): void {
  registerGauges(metrics, past, {
    plaxton_past_objects: ['Objects this node holds', ({ objects }) => objects],
    plaxton_past_bytes: ['Bytes of the objects this node holds', ({ bytes }) => bytes],
    plaxton_past_tombstones: ['Removed objects this node remembers', ({ tombstones }) => tombstones],
    plaxton_past_commands: ['Calls of this node that have not ended', ({ commands }) => commands],
  })
}

/** Gauges of the DOLR service. */
export function registerDolrMetrics(metrics: Metrics | undefined, dolr: Measured<DolrStats>): void {
  registerGauges(metrics, dolr, {
    plaxton_dolr_publications: ['Objects this node hosts', ({ publications }) => publications],
    plaxton_dolr_pointers: ['Pointers to hosts that this node keeps for others', ({ pointers }) => pointers],
    plaxton_dolr_deliveries: ['Messages to objects here that have no answer yet', ({ deliveries }) => deliveries],
    plaxton_dolr_commands: ['Calls of this node that have not ended', ({ commands }) => commands],
  })
}

/** What a gauge says of itself, and where its value stands. 0 while the service does not run. */
type Gauge<Stats> = readonly [help: string, read: (stats: Stats) => number]

function registerGauges<Stats>(metrics: Metrics | undefined, of: Measured<Stats>, gauges: Readonly<Record<string, Gauge<Stats>>>): void {
  for (const [name, [help, read]] of Object.entries(gauges)) {
    metrics?.registerMetric(name, { help, calculate: () => (of.isRunning ? read(of.stats()) : 0) })
  }
}

function countReady({ nodes }: OverlayService): number {
  return nodes.filter(({ ready }) => ready).length
}

/** Feeds libp2p's metrics, if the node has any. The README lists the names. */
export class OverlayMetrics {
  private readonly overlay: OverlayService
  private readonly groups: ReadonlyArray<CounterGroup & { readonly counter: Counter; readonly carried: Record<string, number> }>
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(metrics: Metrics | undefined, overlay: OverlayService) {
    this.overlay = overlay
    const gauge = (name: string, help: string, value: () => number): void => {
      metrics?.registerMetric(name, { help, calculate: () => (overlay.isRunning ? value() : 0) })
    }
    gauge('plaxton_libp2p_linked_peers', 'Peers with an open stream from this node', () => overlay.stats().linkedPeers)
    gauge('plaxton_overlay_neighbors', 'Neighbours in the id space', () => overlay.kbr.neighborSet(64).length)
    gauge('plaxton_overlay_nodes', 'Nodes of this host that are members, virtual ones included', () => countReady(overlay))
    gauge('plaxton_overlay_ready', '1 when this node is a member of its overlay', () => Number(overlay.ready))
    this.groups =
      metrics === undefined
        ? []
        : counterGroups.map((group) => ({
            ...group,
            counter: metrics.registerCounterGroup(group.name, { label: group.label, help: group.help }),
            carried: {},
          }))
  }

  start(): void {
    if (this.groups.length === 0) return
    this.timer = setInterval(() => this.carry(), carryMs)
    ;(this.timer as { unref?: () => void }).unref?.()
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /** Adds what has grown since the last time. Some metrics services add what a `calculate` returns and others take it as it is; all add increments. */
  private carry(): void {
    const stats = this.overlay.stats()
    for (const { counter, carried, read } of this.groups) {
      for (const [label, total] of Object.entries(read(stats))) {
        const before = carried[label] ?? 0
        // A node that was started again counts from 0.
        const growth = total >= before ? total - before : total
        if (growth > 0) counter.increment({ [label]: growth })
        carried[label] = total
      }
    }
  }
}
