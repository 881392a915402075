import type { OverlayFactory } from '@plaxton/kbr'
import { kademliaConfig } from './config.ts'
import type { KademliaConfig } from './config.ts'
import { KademliaNode } from './kademlia-node.ts'

/** Makes Kademlia nodes with the defaults and these changes. Throws `InvalidValueError` naming the field that is wrong. */
export function kademlia(changes: Partial<KademliaConfig> = {}): OverlayFactory {
  const config = kademliaConfig(changes)
  return { name: 'kademlia', create: (self, prng) => new KademliaNode(self, config, prng) }
}
