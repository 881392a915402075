import { virtualNodesLimit } from '@plaxton/guid'
import { nextTurn } from './writable.ts'
import type { Logger } from '@libp2p/interface'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'
import type { LinkReceiver } from '@plaxton/runtime'
import type { LinkCounters } from './counters.ts'
import type { ByteBudget } from './limits.ts'

export interface LocalNodesInit {
  readonly counters: LinkCounters
  /** Pays for frames under way between two nodes of this host. */
  readonly budget: ByteBudget
  readonly log: Logger
  /** Longest frame, in bytes: as between hosts, so that two nodes get on no better for being on one. */
  readonly maxFrameBytes: number
  /** Node `index` of this host as others reach it. */
  refOf(index: number): NodeRef
}

/** The nodes that run on this host, by number, and the frames between two of them, which never leave the process. */
export class LocalNodes {
  private readonly init: LocalNodesInit
  private readonly receivers = new Map<number, LinkReceiver>()
  /** Pairs of nodes of this host that exchanged frames, so that the one hears when the other ends. Bound: the square of {@link virtualNodesLimit}. */
  private readonly acquainted = new Set<number>()
  /** What happens in the next turn, in order. Bound: the budget. */
  private arrivals: Array<() => void> = []

  constructor(init: LocalNodesInit) {
    this.init = init
  }

  get size(): number {
    return this.receivers.size
  }

  has(index: number): boolean {
    return this.receivers.has(index)
  }

  open(index: number, receiver: LinkReceiver): void {
    this.receivers.set(index, receiver)
  }

  /** Those of this host that exchanged frames with this node are told. */
  close(index: number): void {
    this.receivers.delete(index)
    const ref = this.init.refOf(index)
    for (const pair of [...this.acquainted]) {
      const { here, there } = nodesOf(pair)
      if (here !== index && there !== index) continue
      this.acquainted.delete(pair)
      this.later(() => this.onPeerDown(here === index ? there : here, ref, 'disconnected'))
    }
  }

  /** Hands a frame to a node of this host, of which there is one of that number. */
  onFrame(index: number, from: NodeRef, frame: Uint8Array): false | void {
    return this.calling(() => this.receivers.get(index)?.onFrame(from, frame))
  }

  onPeerDown(index: number, peer: NodeRef, cause: PeerDownCause): void {
    this.calling(() => this.receivers.get(index)?.onPeerDown(peer, cause))
  }

  /** A frame from one node of this host to another. */
  exchange(from: number, to: number, frame: Uint8Array): void {
    const { counters, budget } = this.init
    if (frame.length > this.init.maxFrameBytes) return counters.drop('too long')
    if (!budget.take(frame.length)) return counters.drop('queue full')
    counters.framesLocal++
    if (this.receivers.has(to)) this.acquainted.add(pairOf(Math.min(from, to), Math.max(from, to)))
    this.later(() => {
      budget.give(frame.length)
      if (this.receivers.has(to)) void this.onFrame(to, this.init.refOf(from), frame)
      else this.onPeerDown(from, this.init.refOf(to), 'unreachable')
    })
  }

  /** Runs in the next turn, never inside a call of `send`. */
  later(task: () => void): void {
    if (this.arrivals.push(task) > 1) return
    nextTurn(() => {
      const { arrivals } = this
      this.arrivals = []
      for (const arrive of arrivals) arrive()
    })
  }

  /** A receiver that throws is a bug of ours in a core or a host. The process must not end because of what a stranger sent, so it is logged and counted. */
  private calling<T>(call: () => T): T | undefined {
    try {
      return call()
    } catch (error) {
      this.init.counters.drop('receiver failed')
      this.init.log.error('the receiver of frames failed - %e', error as Error)
      return undefined
    }
  }
}

/** A node here and one elsewhere, or two here, as one number. */
export function pairOf(here: number, there: number): number {
  return here * virtualNodesLimit + there
}

export function nodesOf(pair: number): { readonly here: number; readonly there: number } {
  return { here: Math.floor(pair / virtualNodesLimit), there: pair % virtualNodesLimit }
}
