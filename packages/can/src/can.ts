import type { OverlayFactory } from '@plaxton/kbr'
import { CanNode } from './can-node.ts'
import { canConfig } from './config.ts'
import type { CanConfig } from './config.ts'

/** Makes CAN nodes with the defaults and these changes. Throws `InvalidValueError` naming the field that is wrong. */
export function can(changes: Partial<CanConfig> = {}): OverlayFactory {
  const config = canConfig(changes)
  return { name: 'can', create: (self, prng) => new CanNode(self, config, prng) }
}
