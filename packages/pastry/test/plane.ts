import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { PastryConfig } from '../src/index.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

/** Nodes at random points of a square; the latency between two is their distance. */
export class Plane {
  readonly network: TestNetwork
  readonly places = new Map<Guid, readonly [number, number]>()
  members: TestHost[] = []

  constructor(seed: string, config: Partial<PastryConfig> = {}) {
    this.network = new TestNetwork(seed, config)
    this.network.latencyMs = (a, b) => Math.round(this.distance(a, b))
  }

  distance(a: NodeRef, b: NodeRef): number {
    const [one, other] = [this.places.get(a.id)!, this.places.get(b.id)!]
    return Math.hypot(one[0] - other[0], one[1] - other[1])
  }

  grow(count: number): this {
    const { network, places } = this
    while (this.members.length < count) {
      const batch = Array.from({ length: Math.min(Math.max(1, this.members.length >> 1), 20) }, () => network.add())
      for (const host of batch) {
        places.set(host.ref.id, [200 * network.prng.nextFloat(), 200 * network.prng.nextFloat()])
        host.join(this.members.length === 0 ? [] : [network.prng.pick(this.members)!])
      }
      network.runUntil(() => batch.every(({ node }) => node.ready), 60_000)
      this.members = network.members()
    }
    network.run(30_000)
    return this
  }

  /** Length of the ways to random nodes, over the length of the direct ways; mean hops; the share of hops to dead nodes. */
  walk(lookups: number): { ratio: number; hops: number; stale: number } {
    const { prng, hosts } = this.network
    let [travelled, direct, hops, stale] = [0, 0, 0, 0]
    for (let i = 0; i < lookups; i++) {
      const [source, root] = [prng.pick(this.members)!, prng.pick(this.members)!]
      let [at, cursor] = [source, 0]
      for (;;) {
        const next = at.node.nextHop(root.ref.id, cursor, new Set())
        if (next.action !== 'forward') break
        if (!hosts.get(next.to.id)!.alive) stale++
        travelled += this.distance(at.ref, next.to)
        ;[at, cursor] = [hosts.get(next.to.id)!, next.cursor]
        hops++
      }
      if (at !== root) throw new Error(`a message for ${root.ref.id} ended at ${at.ref.id}`)
      direct += this.distance(source.ref, root.ref)
    }
    return { ratio: travelled / direct, hops: hops / lookups, stale: stale / hops }
  }
}
