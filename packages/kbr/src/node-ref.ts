import type { Guid } from '@plaxton/guid'

/**
 * One node as others speak of it: who it is and how the driver reaches it.
 *
 * Values are immutable and may be shared between nodes of one process.
 */
export interface NodeRef {
  /** The node's place in the name space. On libp2p: SHA-256 of its PeerId. */
  readonly id: Guid
  /**
   * Opaque to every core; only the driver reads it. On libp2p: comma-separated multiaddrs that all end
   * in the node's own `/p2p/<PeerId>`. At most {@link maxAddressLength} characters, ASCII.
   */
  readonly address: string
  /**
   * Incarnation: grows each time a node starts anew under the same id (milliseconds since 1970 on a real network),
   * so that a restarted node is not mistaken for the one that crashed (protocols.md §1, "Rejoin under the same id").
   */
  readonly epoch: number
}

/** Longest address a codec accepts, in characters. Six multiaddrs with a PeerId each fit. */
export const maxAddressLength = 1024

/** True when both name the same node, whatever the incarnation. */
export function sameNode(a: NodeRef, b: NodeRef): boolean {
  return a.id === b.id
}

/**
 * The driver's judgement on a node reference that came from a stranger: the reference to use (shared where possible), or
 * undefined when id and address do not belong together.
 */
export type RefReader = (id: Guid, address: string, epoch: number) => NodeRef | undefined

/** Whole milliseconds since an origin the driver chooses; durations are whole milliseconds too. */
export type Millis = number
