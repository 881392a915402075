import { compareByXor, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { VirtualNetwork } from '@plaxton/testbed'
import type { VirtualHost } from '@plaxton/testbed'
import { kademlia, kademliaDefaults } from '../src/index.ts'
import type { KademliaConfig, KademliaNode } from '../src/index.ts'

export type TestHost = VirtualHost<KademliaNode>

export class TestNetwork extends VirtualNetwork<KademliaNode> {
  private readonly config: KademliaConfig

  constructor(seed: number | string, config: Partial<KademliaConfig> = {}) {
    const factory = kademlia(config)
    super(seed, (self, prng) => factory.create(self, prng) as KademliaNode, 64)
    this.config = { ...kademliaDefaults, ...config }
  }

  /** Round dead contacts, as the routing finds its way after a timeout. */
  override rootFor(key: Guid, from: TestHost): Guid | undefined {
    const dead = [...this.hosts.values()].filter(({ alive }) => !alive)
    return super.rootFor(key, from, new Set(dead.map(({ ref }) => ref.id)))
  }

  /** Complaints about sibling lists and buckets. */
  complaints(): string[] {
    const { siblingsSure, siblings } = this.config
    const ids = this.members().map(({ ref }) => ref.id)
    return this.members().flatMap(({ node, ref }) => {
      const order = ids.filter((id) => id !== ref.id).sort((a, b) => compareByXor(a, b, ref.id))
      const last = order[siblingsSure - 2]
      const level = last === undefined ? 0 : sharedPrefixBits(last, ref.id)
      const group = order.filter((id) => sharedPrefixBits(id, ref.id) >= level).length
      const wanted = order.slice(0, Math.min(2 * siblings, Math.max(siblings, group)))
      const found = node.neighborSet(1_000).map(({ id }) => id)
      const ranges = new Set(order.map((id) => sharedPrefixBits(id, ref.id)))
      const empty = [...ranges].filter((range) => !node.bucket(range)?.contacts.some((contact) => ids.includes(contact.ref.id)))
      return [
        ...(wanted.join() === found.join() ? [] : [`${ref.id} has ${found.length} siblings, not the right ${wanted.length}`]),
        ...empty.map((range) => `${ref.id} has nobody in bucket ${range}`),
      ]
    })
  }
}
