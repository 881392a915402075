import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddrsOfAddress, peerIdOfAddress } from './node-address.ts'
import type { Logger, PeerId, PeerStore } from '@libp2p/interface'
import type { NodeRef } from '@plaxton/kbr'

/** What the tag is worth when the connection manager has to choose whom to cut: as much as other protocols' neighbours. */
const tagValue = 50

/**
 * Tags the overlay's neighbours in the peer store, so that libp2p's connection manager does not prune them. Not by a tag that begins with
 * `keep-alive`: libp2p would dial every neighbour that is lost five times more within half a minute, besides the overlay, which probes it at
 * once and knows when it is dead; when many are lost at one time that is the larger part of all work.
 *
 * The tags outlive the node on purpose: on a persistent datastore {@link previous} tells the overlay whom it may join through.
 */
export class KeptPeers {
  private readonly peerStore: PeerStore
  private readonly tag: string
  private readonly log: Logger
  /** By PeerId, as the peer store has it. */
  private readonly tagged = new Set<string>()
  private wanted = new Map<string, NodeRef>()
  private working = false

  constructor(peerStore: PeerStore, tag: string, log: Logger) {
    this.peerStore = peerStore
    this.tag = tag
    this.log = log
  }

  /** The peers that were neighbours when this node last ran. */
  async previous(): Promise<PeerId[]> {
    const peers = await this.peerStore.all({ filters: [(peer) => peer.tags.has(this.tag)] })
    for (const peer of peers) this.tagged.add(peer.id.toString())
    return peers.map((peer) => peer.id)
  }

  /** Replaces the list. Lists that follow each other quickly are worked off as one. */
  set(peers: readonly NodeRef[]): void {
    this.wanted = new Map(peers.map((peer) => [peerIdOfAddress(peer.address).toString(), peer]))
    if (!this.working) void this.reconcile()
  }

  /** One change at a time, against the list as it is by then: never a storm of writes to the peer store. */
  private async reconcile(): Promise<void> {
    this.working = true
    for (let change = this.nextChange(); change !== undefined; change = this.nextChange()) {
      const { peer, ref } = change
      if (ref === undefined) this.tagged.delete(peer)
      else this.tagged.add(peer)
      try {
        const multiaddrs = ref === undefined ? [] : multiaddrsOfAddress(ref.address)
        const tags = { [this.tag]: ref === undefined ? undefined : { value: tagValue } }
        await this.peerStore.merge(peerIdFromString(peer), multiaddrs.length > 0 ? { multiaddrs, tags } : { tags })
      } catch (error) {
        // The peer store may be closed already; then nothing is kept anyway.
        this.log('could not tag %s - %e', peer, error)
      }
    }
    this.working = false
  }

  private nextChange(): { readonly peer: string; readonly ref: NodeRef | undefined } | undefined {
    for (const peer of this.tagged) if (!this.wanted.has(peer)) return { peer, ref: undefined }
    for (const [peer, ref] of this.wanted) if (!this.tagged.has(peer)) return { peer, ref }
    return undefined
  }
}
