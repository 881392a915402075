import { defaultNetwork } from '../daemon/config.ts'
import { defaultOverlay } from '../overlays.ts'
import type { PlaxtonNode } from '../daemon/plaxton-node.ts'

/** What to type for another node in the network of this one. */
export function joinCommand({ overlay, multiaddrs }: PlaxtonNode): string {
  return [
    'plaxton node --data DIR',
    ...(overlay.network === defaultNetwork ? [] : [`--network ${overlay.network}`]),
    ...(overlay.name === defaultOverlay ? [] : [`--overlay ${overlay.name}`]),
    `--bootstrap ${multiaddrs[0] ?? ''}`,
  ].join(' ')
}
