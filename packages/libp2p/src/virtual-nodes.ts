import { guidOfVirtualNode } from '@plaxton/guid'
import { pairOf } from './local-nodes.ts'
import { addressOfNode } from './node-address.ts'
import type { PeerId } from '@libp2p/interface'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'

/** The nodes of one peer, by number: how others name them, and who of this host has to do with which. Bound: `virtualNodesLimit`, and its square. */
export class VirtualNodes {
  private readonly peerId: PeerId
  /** The references last made, and that of the first node they were made from. */
  private host: NodeRef | undefined
  private readonly refs = new Map<number, NodeRef>()
  /** Pairs of a node here and one there that exchanged frames. */
  private readonly acquainted = new Set<number>()
  /** Such pairs in which the one there has sent frames, and no word since that it ended. */
  private readonly present = new Set<number>()

  constructor(peerId: PeerId) {
    this.peerId = peerId
  }

  /** Node `index` of the host whose first node is `host`. */
  ref(host: NodeRef, index: number): NodeRef {
    if (index === 0) return host
    if (this.host !== host) {
      this.host = host
      this.refs.clear()
    }
    const known = this.refs.get(index)
    if (known !== undefined) return known
    const id = guidOfVirtualNode(this.peerId.toMultihash().bytes, index)
    const ref = { id, address: addressOfNode(host.address, index), epoch: host.epoch }
    this.refs.set(index, ref)
    return ref
  }

  onSent(here: number, there: number): void {
    this.acquainted.add(pairOf(here, there))
  }

  onReceived(here: number, there: number): void {
    this.acquainted.add(pairOf(here, there))
    this.present.add(pairOf(here, there))
  }

  /** The peer says that there is no such node: one that has spoken has ended. */
  onAbsent(here: number, there: number): PeerDownCause {
    return this.present.delete(pairOf(here, there)) ? 'disconnected' : 'unreachable'
  }

  /** Who hears, of which nodes, when the peer is lost. The first of the first when none have exchanged frames yet. */
  get pairs(): readonly number[] {
    return this.acquainted.size === 0 ? [0] : [...this.acquainted]
  }
}
