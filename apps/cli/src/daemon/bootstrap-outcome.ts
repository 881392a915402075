import type { PlaxtonNode } from './plaxton-node.ts'

/** What a node that has just become ready found at its bootstrap addresses. */
export interface BootstrapOutcome {
  /** It knows no other node of its network. It goes on trying the addresses. */
  readonly alone: boolean
  /** When it is alone: the addresses where nothing answers. */
  readonly silent: readonly string[]
  /** When it is alone: those where a libp2p node answers that is not in this node's network. */
  readonly elsewhere: readonly string[]
}

/** Looks at the node as it is now. A list of addresses that all nodes share may name this one too: that address is left out. */
export function bootstrapOutcome({ neighbors, libp2p }: PlaxtonNode, bootstrap: readonly string[]): BootstrapOutcome {
  if (neighbors.length > 0) return { alone: false, silent: [], elsewhere: [] }
  const others = bootstrap.filter((address) => peerIn(address) !== libp2p.peerId.toString())
  const connections = libp2p.getConnections()
  const answers = (address: string): boolean =>
    connections.some(({ remotePeer, remoteAddr }) => {
      const peer = peerIn(address)
      return peer === undefined ? withoutPeer(remoteAddr.toString()) === address : peer === remotePeer.toString()
    })
  return { alone: true, silent: others.filter((address) => !answers(address)), elsewhere: others.filter(answers) }
}

/** The PeerId an address ends in. */
function peerIn(address: string): string | undefined {
  return /\/p2p\/([^/]+)$/.exec(address)?.[1]
}

function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
