import type { Message, Millis, Overlay } from '@plaxton/kbr'
import type { VirtualHost } from './virtual-host.ts'
import type { VirtualNetwork } from './virtual-network.ts'

export type Network = VirtualNetwork<Overlay>
export type Host = VirtualHost<Overlay>

/** An overlay whose tables are the next nodes on a ring, and what may be demanded of it. */
export interface Ring {
  network(seed: string, config?: { readonly joinMs: Millis }): Network
  /** The same with tables of three nodes on either side. */
  few(seed: string): Network
  /** What its tables are called. */
  readonly tables: string
  /** Nodes in all of them. */
  readonly neighbors: number
  /** More than a node knows on either side, or as many. */
  readonly side: number
  /** Sizes of networks: around what the tables hold, and beyond. */
  readonly sizes: readonly number[]
  /** From crashes to exact tables: three periods of maintenance. */
  readonly repairMs: Millis
  /** Within which a node has noticed that all others are gone. */
  readonly lossMs: Millis
  /** Fewer messages than these for each node, when 40 join at once. */
  readonly joinMessages: number
  /** Fewer messages than these for each node, while two parts of a network become one. */
  readonly mergeMessages: number
  /** A message that says no more than that its sender is there. */
  readonly late: Message
  /** A message that whoever is there answers. */
  readonly question: Message
  /** The timer of maintenance. */
  readonly timer: string
}
