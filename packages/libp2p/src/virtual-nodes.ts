import { guidOfVirtualNode } from '@plaxton/guid'
import { nodesOf, pairOf } from './local-nodes.ts'
import { addressOfNode } from './node-address.ts'
import type { PeerId } from '@libp2p/interface'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'

/** The nodes of one peer, by number: how others name them, and who of this host has to do with which. Bound: `virtualNodesLimit`, and its square. */
export class VirtualNodes {
  private readonly peerId: PeerId
  /** The references last made, and that of the first node they were made from. */
  private host: NodeRef | undefined
  private readonly refs = new Map<number, NodeRef>()
  /**
   * Pairs of a node here and one there that exchanged frames, and the incarnation of the one there that was last sent to or heard from: that of a host which
   * comes back is known before its virtual nodes run again, and what is lost is the former one.
   */
  private readonly acquainted = new Map<number, NodeRef>()
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

  onSent(here: number, there: number, to: NodeRef): void {
    this.acquainted.set(pairOf(here, there), to)
  }

  onReceived(here: number, there: number, from: NodeRef): void {
    this.acquainted.set(pairOf(here, there), from)
    this.present.add(pairOf(here, there))
  }

  /** The peer says that there is no such node. What that means to the one here: one that has spoken has ended, another was never reached. */
  onAbsent(here: number, there: number): { readonly peer: NodeRef | undefined; readonly cause: PeerDownCause } {
    const cause = this.present.delete(pairOf(here, there)) ? 'disconnected' : 'unreachable'
    return { peer: this.acquainted.get(pairOf(here, there)), cause }
  }

  /** Who hears of whom when the host whose first node is `host` is lost. The first of the first when none have exchanged frames yet. */
  *lost(host: NodeRef): Iterable<{ readonly here: number; readonly peer: NodeRef }> {
    if (this.acquainted.size === 0) yield { here: 0, peer: host }
    for (const [pair, peer] of [...this.acquainted]) {
      const { here, there } = nodesOf(pair)
      yield { here, peer: there === 0 ? host : peer }
    }
  }

  /** The nodes there that exchanged frames with node `here`. */
  *acquaintancesOf(here: number): Iterable<number> {
    for (const pair of this.acquainted.keys()) if (nodesOf(pair).here === here) yield nodesOf(pair).there
  }
}
