import { multiaddrsOfAddress, peerIdOfAddress } from './node-address.ts'
import type { PeerInfo, RoutingOptions } from '@libp2p/interface'
import type { NodeRef } from '@plaxton/kbr'

/** A node as libp2p speaks of peers; without addresses when nobody can dial it. */
export function peerInfo({ address }: NodeRef): PeerInfo {
  return { id: peerIdOfAddress(address), multiaddrs: multiaddrsOfAddress(address) }
}

/** Of what libp2p's callers ask for, what Plaxton's calls take. */
export function callOptions({ signal }: RoutingOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
