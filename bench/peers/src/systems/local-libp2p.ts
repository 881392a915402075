import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { ServiceMap } from '@libp2p/interface'
import type { Libp2p, Libp2pOptions } from 'libp2p'

/**
 * A libp2p node on loopback, the same for every system that runs on libp2p: TCP, noise, yamux, identify.
 *
 * Three settings are not libp2p's own: it cuts more than 5 inbound connections per second from one address and refuses more than 10 at a time, but here
 * all nodes share an address; and its connection monitor would ping every connection, which costs all of them the same.
 */
export async function localLibp2p<Services extends ServiceMap>(services: object): Promise<Libp2p<Services>> {
  const options = {
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 10_000, maxIncomingPendingConnections: 1_000 },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ...services },
  }
  return await createLibp2p(options as unknown as Libp2pOptions<Services>)
}

/** Connections between these nodes, each of which both ends hold. */
export function connectionsAmong(nodes: readonly (Libp2p | undefined)[]): number {
  return nodes.reduce((sum, node) => sum + (node?.getConnections().length ?? 0), 0) / 2
}
