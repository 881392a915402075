import { guidOfPeer, virtualNodesLimit } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import { checkPuzzleBits, solvesPuzzle } from './puzzle.ts'
import type { ComponentLogger, Libp2pEvents, PeerId, PeerStore, PrivateKey, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { LinkLimits } from './limits.ts'

/** The parts of a libp2p node a link uses, by libp2p's own names. */
export interface LinkComponents {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly peerStore: PeerStore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

export interface Libp2pLinkInit {
  /** Part of the protocol ids and of the hello, so that two networks never merge by accident. */
  readonly network: string
  /** The overlay's name, such as `pastry`. */
  readonly overlay: string
  /** This node's incarnation; see `NodeRef.epoch`. */
  readonly epoch: number
  readonly limits?: Partial<LinkLimits>
  /**
   * Nodes that one peer may have: references to others are refused. All nodes of a network must agree on it, or they see different rings. 1 to 64, which is
   * the default.
   */
  readonly virtualNodesMax?: number
  /** S/Kademlia's static crypto puzzle, its c1: zero bits that the hash of a peer's id must start with. All nodes of a network must agree on it. 0 to 32. Default 0: none. */
  readonly puzzleBits?: number
}

/** Throws `InvalidValueError` for what is out of its range, and for a key that does not solve the puzzle. */
export function checkLinkInit({ network, virtualNodesMax = virtualNodesLimit, puzzleBits = 0 }: Libp2pLinkInit, peerId: PeerId): void {
  // Names go into protocol ids: short, and without what a protocol id or a person could misread.
  if (!/^[a-z0-9][a-z0-9._-]{0,31}$/.test(network)) {
    throw new InvalidValueError('network', network, '1 to 32 characters of a-z, 0-9, dot, dash and underscore, the first a letter or digit')
  }
  if (!Number.isInteger(virtualNodesMax) || virtualNodesMax < 1 || virtualNodesMax > virtualNodesLimit) {
    throw new InvalidValueError('virtualNodesMax', virtualNodesMax, `a whole number from 1 to ${virtualNodesLimit}`)
  }
  checkPuzzleBits(puzzleBits)
  if (!solvesPuzzle(guidOfPeer(peerId), puzzleBits)) {
    throw new InvalidValueError(
      'privateKey',
      peerId.toString(),
      `a key made by generatePuzzleKey(${puzzleBits}): others would refuse this one's id`,
    )
  }
}
