import { guidOfPeer } from '@plaxton/guid'
import { hostAddress, indexOfAddress, peerIdOfAddress } from './node-address.ts'
import type { PeerId } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { PeerLink } from './peer-link.ts'

/** Where a node is: node `index` of a peer. */
export interface Way {
  readonly peer: PeerLink
  readonly index: number
}

/** The peers with any state here, and how to get to the nodes they have. */
export class PeerTable {
  private readonly max: number
  private readonly make: (peerId: PeerId) => PeerLink
  /** By the id of its first node. */
  private readonly peers = new Map<Guid, Way>()
  /** By the id of each further node that was sent to. Bound: `virtualNodesLimit` for each peer. */
  private readonly virtual = new Map<Guid, Way>()

  /** `max` peers at most; then idle ones are forgotten, and when there are none, further ones refused. */
  constructor(max: number, make: (peerId: PeerId) => PeerLink) {
    this.max = max
    this.make = make
  }

  [Symbol.iterator](): Iterator<PeerLink> {
    return Array.from(this.peers.values(), ({ peer }) => peer)[Symbol.iterator]()
  }

  find(peerId: PeerId): PeerLink | undefined {
    return this.peers.get(guidOfPeer(peerId))?.peer
  }

  /** Undefined when there is no room for one more. */
  findOrAdd(peerId: PeerId): PeerLink | undefined {
    const id = guidOfPeer(peerId)
    const known = this.peers.get(id)
    if (known !== undefined) return known.peer
    if (this.peers.size >= this.max) this.forgetIdle()
    if (this.peers.size >= this.max) return undefined
    const peer = this.make(peerId)
    this.peers.set(id, { peer, index: 0 })
    return peer
  }

  /** To a node that was sent to before; undefined also when this is a later incarnation of it. */
  wayTo(to: NodeRef): Way | undefined {
    const way = this.peers.get(to.id) ?? this.virtual.get(to.id)
    return way === undefined || way.peer.wouldLearn(to) ? undefined : way
  }

  /** To a node of which somebody spoke. `to` has been judged. Undefined when there is no room for one more peer. */
  learnWayTo(to: NodeRef): Way | undefined {
    const peerId = peerIdOfAddress(to.address)
    const peer = this.findOrAdd(peerId)
    if (peer === undefined) return undefined
    const way = { peer, index: indexOfAddress(to.address) }
    if (way.index > 0) this.virtual.set(to.id, way)
    peer.learn(way.index === 0 ? to : { id: guidOfPeer(peerId), address: hostAddress(to.address), epoch: to.epoch })
    return way
  }

  forgetIdle(): void {
    const gone = new Set<PeerLink>()
    for (const [id, { peer }] of this.peers) {
      if (!peer.idle) continue
      this.peers.delete(id)
      gone.add(peer)
    }
    if (gone.size > 0) for (const [id, { peer }] of this.virtual) if (gone.has(peer)) this.virtual.delete(id)
  }

  clear(): void {
    this.peers.clear()
    this.virtual.clear()
  }
}
