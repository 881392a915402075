import type { NodeRef, Overlay, OverlayFactory, Prng } from '@plaxton/kbr'
import { CanNode } from './can-node.ts'
import { canConfig } from './config.ts'
import type { CanConfig } from './config.ts'
import { Common } from './realities-common.ts'
import { CanState } from './state.ts'

/** Makes CAN nodes with the defaults and these changes. Throws `InvalidValueError` naming the field that is wrong. */
export function can(changes: Partial<CanConfig> = {}): OverlayFactory {
  const config = canConfig(changes)
  return { name: 'can', create: (self, prng) => canNode(self, config, prng) }
}

function canNode(self: NodeRef, config: CanConfig, prng: Prng): Overlay {
  const common = new Common(config)
  return new CanNode(new CanState(self, config, prng, common), common)
}
