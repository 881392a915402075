import type { OverlayEffects } from '@plaxton/kbr'

/**
 * What is known without a new neighbour reaches further, or has become certain: this node may see more of a replica set than before, and be responsible for more keys. Services
 * would otherwise go by what they saw when the last neighbour came or went.
 */
export function tellRanks(fx: OverlayEffects): void {
  fx.routesChanged()
  fx.ranksChanged?.()
}
