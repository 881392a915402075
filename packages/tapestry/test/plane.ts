import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { TapestryConfig } from '../src/index.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

/** Nodes at random points of a square; the latency between two is their distance. */
export class Plane {
  readonly network: TestNetwork
  readonly members: TestHost[] = []
  private readonly places = new Map<Guid, readonly [number, number]>()

  constructor(seed: string, config: Partial<TapestryConfig> = {}) {
    this.network = new TestNetwork(seed, config)
    this.network.latencyMs = (a, b) => Math.round(this.distance(a, b))
  }

  distance(a: NodeRef, b: NodeRef): number {
    const [one, other] = [this.places.get(a.id)!, this.places.get(b.id)!]
    return Math.hypot(one[0] - other[0], one[1] - other[1])
  }

  /** Members join one after the other until there are `count`. */
  grow(count: number): this {
    const { network } = this
    while (this.members.length < count) {
      const host = network.add()
      this.places.set(host.ref.id, [200 * network.prng.nextFloat(), 200 * network.prng.nextFloat()])
      host.join(this.members.length === 0 ? [] : [network.prng.pick(this.members)!])
      if (!network.runUntil(() => host.node.ready, 60_000)) throw new Error(`${host.ref.id} did not get in`)
      this.members.push(host)
    }
    return this
  }

  /** Mean hops to the root of random keys; the length of these ways over the length of the direct ways. */
  walk(lookups: number): { hops: number; ratio: number } {
    const { prng, hosts } = this.network
    let [travelled, direct, hops] = [0, 0, 0]
    for (let i = 0; i < lookups; i++) {
      const source = prng.pick(this.members)!
      const key = randomGuid(prng, 128)
      let [at, cursor] = [source, 0]
      for (;;) {
        const next = at.node.nextHop(key, cursor, new Set())
        if (next.action !== 'forward') break
        travelled += this.distance(at.ref, next.to)
        ;[at, cursor] = [hosts.get(next.to.id)!, next.cursor]
        hops++
      }
      direct += this.distance(source.ref, at.ref)
    }
    return { hops: hops / lookups, ratio: travelled / direct }
  }
}
