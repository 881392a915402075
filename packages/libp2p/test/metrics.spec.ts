import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import { pastry } from '@plaxton/pastry'
import { dolr, overlay, past } from '../src/index.ts'
import { Cleanup, localNode, until } from './support/swarm.ts'
import type { Libp2p } from 'libp2p'
import type { Metrics } from '@libp2p/interface'
import type { DolrService, OverlayService, PastService } from '../src/index.ts'

describe('metrics', () => {
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  it('reach libp2p under the names the README lists', async () => {
    const recorded = new RecordedMetrics()
    const services = { overlay: overlay(pastry()), past: past(), dolr: dolr() }
    const node = cleanup.add(
      (await localNode({ services: services as never, metrics: () => recorded.metrics })) as unknown as Libp2p<{
        overlay: OverlayService
        past: PastService
        dolr: DolrService
      }>,
    )
    const other = cleanup.add(
      (await localNode({
        services: { overlay: overlay(pastry(), { bootstrap: node.getMultiaddrs() }), past: past() } as never,
      })) as unknown as Libp2p<{ overlay: OverlayService; past: PastService }>,
    )
    await Promise.all([node, other].map((each) => each.services.overlay.whenReady()))
    await until(() => recorded.gauge('plaxton_overlay_neighbors') === 1, 'the two are one ring')
    const bytes = Uint8Array.of(1, 2, 3)
    await other.services.past.put(guidOf(bytes), bytes, { quorum: 'all' })

    assert.equal(recorded.gauge('plaxton_overlay_ready'), 1)
    assert.equal(recorded.gauge('plaxton_overlay_nodes'), 1)
    assert.equal(recorded.gauge('plaxton_overlay_neighbors'), 1)
    assert.equal(recorded.gauge('plaxton_libp2p_linked_peers'), 1)
    assert.equal(recorded.gauge('plaxton_past_objects'), 1)
    assert.equal(recorded.gauge('plaxton_past_bytes'), 3)
    await node.services.dolr.publish(guidOf(bytes))
    assert.equal(recorded.gauge('plaxton_dolr_publications'), 1)
    assert.notEqual(recorded.gauge('plaxton_dolr_pointers'), undefined)
    assert.equal(recorded.gauge('plaxton_dolr_deliveries'), 0)
    assert.equal(recorded.gauge('plaxton_dolr_commands'), 0)
    await until(() => recorded.counter('plaxton_libp2p_frames_total', 'received') > 0, 'totals are carried over')
    assert.ok(recorded.counter('plaxton_libp2p_frames_total', 'sent') > 0)
    assert.ok(recorded.counter('plaxton_libp2p_bytes_total', 'sent') > 0)
    assert.equal(recorded.counter('plaxton_libp2p_dropped_total', 'queue full'), 0)

    await node.stop()
    assert.equal(recorded.gauge('plaxton_overlay_ready'), 0)
    assert.equal(recorded.gauge('plaxton_past_objects'), 0)
    assert.equal(recorded.gauge('plaxton_dolr_publications'), 0)
  })
})

/** libp2p's metrics, as far as Plaxton uses them, and nothing for everybody else. */
class RecordedMetrics {
  private readonly gauges = new Map<string, () => number>()
  private readonly counters = new Map<string, Record<string, number>>()
  readonly metrics: Metrics

  constructor() {
    const own = {
      traceFunction: (_name: string, traced: unknown) => traced,
      registerMetric: (name: string, options?: { calculate?: () => number }) => {
        if (options?.calculate !== undefined) this.gauges.set(name, options.calculate)
        return nothing
      },
      registerCounterGroup: (name: string) => {
        const totals: Record<string, number> = {}
        this.counters.set(name, totals)
        return {
          increment: (growth: Record<string, number>) => {
            for (const [label, by] of Object.entries(growth)) totals[label] = (totals[label] ?? 0) + by
          },
        }
      },
    }
    this.metrics = new Proxy(own, { get: (target, name) => Reflect.get(target, name) ?? (() => nothing) }) as unknown as Metrics
  }

  gauge(name: string): number | undefined {
    return this.gauges.get(name)?.()
  }

  counter(name: string, label: string): number {
    const totals = this.counters.get(name)
    assert.ok(totals, `${name} is registered`)
    return totals[label] ?? 0
  }
}

/** Counts anything, times anything, and is no promise. */
const nothing: unknown = new Proxy(() => {}, {
  get: (_target, name) => (name === 'then' ? undefined : () => nothing),
  apply: () => nothing,
})
