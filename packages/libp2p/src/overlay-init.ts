import { virtualNodesLimit } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import { multiaddr } from '@multiformats/multiaddr'
import type { Metrics } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { RoutingConfig } from '@plaxton/routing'
import type { LinkComponents } from './link-init.ts'

/** What the overlay service uses of a libp2p node. */
export interface OverlayComponents extends LinkComponents {
  readonly metrics?: Metrics
}

export interface OverlayInit {
  /**
   * Nodes of different networks never link, whatever connections there are between them. 1 to 32 characters of a-z, 0-9, dot, dash and
   * underscore. Default `default`.
   */
  readonly network?: string
  /**
   * Multiaddrs of members to join through. The node also tries the neighbours of its last run, if its datastore remembers any, and any peer
   * that turns up; with nobody it is the first of a new network. A list that all nodes share may name this node too. Default none.
   */
  readonly bootstrap?: ReadonlyArray<string | Multiaddr>
  readonly routing?: Partial<RoutingConfig>
  /**
   * Nodes to run here, each with an id of its own that follows from the PeerId: with v of them the share of the keys that this host has comes closer to
   * the mean, for v times the state. 1 to {@link virtualNodesMax}. Default 1.
   */
  readonly virtualNodes?: number
  /**
   * Nodes that any one peer may run: references to others are refused, so all nodes of a network must agree on it. What it is worth: whoever wants more ids
   * needs more keys, which are cheap. 1 to 64. Default 64.
   */
  readonly virtualNodesMax?: number
  /**
   * S/Kademlia's static crypto puzzle: zero bits that the hash of a peer's id must start with; `generatePuzzleKey` makes such keys, with 2^puzzleBits tries on average. References to
   * peers that have not solved it are refused, so all nodes of a network must agree on it. 0 to 32. Default 0: none.
   */
  readonly puzzleBits?: number
}

/** How many nodes to run. Throws `InvalidValueError` when that is out of its range. */
export function checkedCount({ virtualNodes = 1, virtualNodesMax = virtualNodesLimit }: OverlayInit): number {
  const most = Math.min(virtualNodesMax, virtualNodesLimit)
  if (Number.isInteger(virtualNodes) && virtualNodes >= 1 && virtualNodes <= most) return virtualNodes
  throw new InvalidValueError('virtualNodes', virtualNodes, `a whole number from 1 to virtualNodesMax, ${most}`)
}

/** The addresses to join through. Throws `InvalidValueError` for what is none. */
export function parsedBootstrap({ bootstrap = [] }: OverlayInit): readonly Multiaddr[] {
  if (!Array.isArray(bootstrap)) throw new InvalidValueError('bootstrap', bootstrap, 'a list of multiaddrs')
  return bootstrap.map(parseMultiaddr)
}

function parseMultiaddr(address: string | Multiaddr): Multiaddr {
  if (typeof address !== 'string') return address
  try {
    return multiaddr(address)
  } catch {
    throw new InvalidValueError('bootstrap', address, 'a multiaddr such as /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…')
  }
}
