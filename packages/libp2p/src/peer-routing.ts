import { NotFoundError } from '@libp2p/interface'
import { guidOf, guidOfPeer } from '@plaxton/guid'
import { hostNameOfAddress } from './node-address.ts'
import { callOptions, peerInfo } from './routing-results.ts'
import type { PeerId, PeerInfo, PeerRouting, RoutingOptions } from '@libp2p/interface'
import type { NodeRef } from '@plaxton/kbr'
import type { OverlayService } from './overlay-service.ts'

/** libp2p's peer routing on an overlay: where nodes stand follows from their PeerIds, so finding one is a walk to its id. */
export function overlayPeerRouting(overlay: OverlayService): Partial<PeerRouting> {
  return {
    async findPeer(peerId: PeerId, options: RoutingOptions = {}): Promise<PeerInfo> {
      const id = guidOfPeer(peerId)
      const { self, closest } = await overlay.lookup(id, callOptions(options))
      const found = [self, ...closest].find((ref) => ref.id === id)
      if (found === undefined) throw new NotFoundError(`no member of the overlay has the PeerId ${peerId.toString()}`)
      return peerInfo(found)
    },

    /** The nodes that the overlay counts as closest to SHA-256 of `key`, the closest last. */
    async *getClosestPeers(key: Uint8Array, options: RoutingOptions = {}): AsyncGenerator<PeerInfo> {
      const { closest } = await overlay.lookup(guidOf(key), callOptions(options))
      // Of several nodes of one peer, the closest counts.
      const nearest = new Map<string, NodeRef>()
      for (const ref of closest) {
        const peer = hostNameOfAddress(ref.address)
        if (!nearest.has(peer)) nearest.set(peer, ref)
      }
      for (const ref of [...nearest.values()].toReversed()) yield peerInfo(ref)
    },
  }
}
