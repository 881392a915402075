import { virtualNodesLimit } from '@plaxton/guid'
import { numbered, readNumbered } from './numbered-frame.ts'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'
import type { LinkCounters } from './counters.ts'
import type { LocalNodes } from './local-nodes.ts'
import type { PeerLink } from './peer-link.ts'
import type { Way } from './peer-table.ts'

/** Leads frames of many nodes here and many there through the one stream between two hosts, and word of lost peers to the nodes it concerns. */
export class FrameSwitch {
  private readonly local: LocalNodes
  private readonly counters: LinkCounters
  private readonly virtualNodesMax: number

  constructor(local: LocalNodes, counters: LinkCounters, virtualNodesMax: number) {
    this.local = local
    this.counters = counters
    this.virtualNodesMax = virtualNodesMax
  }

  send(from: number, to: NodeRef, { peer, index }: Way, frame: Uint8Array, patient: boolean): void {
    peer.nodes.onSent(from, index, to)
    peer.send(numbered(from, index, frame), patient)
  }

  /** A frame arrived on a stream of `peer`, whose first node said on it that it is `host`. */
  onFrame(peer: PeerLink, host: NodeRef, bytes: Uint8Array): false | void {
    const { from, to, frame } = readNumbered(bytes) ?? nobody
    if (from >= this.virtualNodesMax) {
      this.counters.drop('no such node')
      return false
    }
    if (frame.length === 0) {
      const { peer: lost, cause } = peer.nodes.onAbsent(to, from)
      if (lost !== undefined) this.local.onPeerDown(to, lost, cause)
      return
    }
    if (!this.local.has(to)) {
      this.counters.drop('no such node')
      if (to < virtualNodesLimit) this.sayAbsent(to, peer, from)
      return
    }
    const sender = peer.nodes.ref(host, from)
    peer.nodes.onReceived(to, from, sender)
    return this.local.onFrame(to, sender, frame)
  }

  /** The link to all nodes of a peer ended. */
  onPeerDown({ ref, nodes }: PeerLink, cause: PeerDownCause): void {
    if (ref === undefined) return
    for (const { here, peer } of nodes.lost(ref)) this.local.onPeerDown(here, peer, cause)
  }

  /** Node `index` of this host has ended while others go on: those it exchanged frames with are told, as the end of a connection would tell them. */
  tellOfEnd(index: number, peers: Iterable<PeerLink>): void {
    for (const peer of peers) {
      if (peer.linked) for (const there of peer.nodes.acquaintancesOf(index)) this.sayAbsent(index, peer, there)
    }
  }

  private sayAbsent(index: number, peer: PeerLink, there: number): void {
    peer.send(numbered(index, there, nothing))
  }
}

const nothing = new Uint8Array(0)

/** What is read of a frame that ends before its numbers do. */
const nobody = { from: virtualNodesLimit, to: virtualNodesLimit, frame: nothing }
