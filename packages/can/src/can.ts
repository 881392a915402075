import type { NodeRef, Overlay, OverlayFactory, Prng } from '@plaxton/kbr'
import { CanNode } from './can-node.ts'
import { canConfig } from './config.ts'
import type { CanConfig } from './config.ts'
import { Common } from './realities-common.ts'
import { RealitiesNode } from './realities.ts'
import { CanState } from './state.ts'

/**
 * Makes CAN nodes with the defaults and these changes: {@link CanNode}s, or {@link RealitiesNode}s where there are several realities. Throws `InvalidValueError` naming the field that is wrong.
 */
export function can(changes: Partial<CanConfig> = {}): OverlayFactory {
  const config = canConfig(changes)
  const create = config.realities === 1 ? plainNode : (self: NodeRef, prng: Prng): Overlay => new RealitiesNode(self, config, prng)
  return { name: 'can', create }

  function plainNode(self: NodeRef, prng: Prng): Overlay {
    const common = new Common(config)
    return new CanNode(new CanState(self, config, prng, common), common)
  }
}
