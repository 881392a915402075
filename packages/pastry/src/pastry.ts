import type { OverlayFactory } from '@plaxton/kbr'
import { pastryConfig } from './config.ts'
import type { PastryConfig } from './config.ts'
import { PastryNode } from './pastry-node.ts'

/** Makes Pastry nodes with the defaults and these changes. Throws `InvalidValueError` naming the field that is wrong. */
export function pastry(changes: Partial<PastryConfig> = {}): OverlayFactory {
  const config = pastryConfig(changes)
  return { name: 'pastry', create: (self, prng) => new PastryNode(self, config, prng) }
}
