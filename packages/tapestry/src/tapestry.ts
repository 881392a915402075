import type { OverlayFactory } from '@plaxton/kbr'
import { tapestryConfig } from './config.ts'
import type { TapestryConfig } from './config.ts'
import { TapestryNode } from './tapestry-node.ts'

/** Makes Tapestry nodes with the defaults and these changes. Throws `InvalidValueError` naming the field that is wrong. */
export function tapestry(changes: Partial<TapestryConfig> = {}): OverlayFactory {
  const config = tapestryConfig(changes)
  return { name: 'tapestry', create: (self, prng) => new TapestryNode(self, config, prng) }
}
