import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { sha256 } from '@plaxton/guid'
import { centralIndex, dolr, indexServer, overlay } from '@plaxton/libp2p'
import { createLibp2p } from 'libp2p'
import { overlayNamed } from './over.ts'
import { SharingOverDolr } from './over-dolr.ts'
import type { Sharing } from './sharing.ts'
import type { Libp2p } from 'libp2p'

/** A running peer or server. */
export interface Running {
  readonly addresses: string[]
  /** Says good-bye. */
  readonly stop: () => Promise<void>
  /** As if its machine lost power. */
  readonly kill: () => Promise<void>
}

export interface Peer extends Running {
  readonly sharing: Sharing
  /** Whether it knows no other peer of the overlay yet. */
  readonly isAlone: boolean
}

/** What peers and servers have in common. */
const common = (port = 0) => ({
  addresses: { listen: [`/ip4/127.0.0.1/tcp/${port}`] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  // All nodes share one address here; libp2p takes five new connections a second from an address by default.
  connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
})

/** A peer: of the index servers at these addresses, or of the overlay that these are members of; the first of a new one without any. */
export async function startPeer(over: string, addresses: string[]): Promise<Peer> {
  const factory = await overlayNamed(over)
  if (factory === undefined) {
    const node = await createLibp2p({
      ...common(),
      services: { identify: identify(), index: centralIndex({ servers: addresses }, { refreshMs: 5_000 }) },
    })
    return { ...running(node, () => node.services.index.nodeHost.stop()), sharing: node.services.index, isAlone: false }
  }
  const services = { identify: identify(), overlay: overlay(factory, { bootstrap: addresses }), dolr: dolr() }
  const node = await createLibp2p({ ...common(), services })
  await node.services.overlay.whenReady()
  const isAlone = node.services.overlay.kbr.neighborSet(1).length === 0
  return { ...running(node, () => node.services.overlay.host.stop()), sharing: new SharingOverDolr(node.services.dolr), isAlone }
}

/** The index server on this port of this machine; `ports` are those of all servers, which tell each other of their clients. */
export async function startServer(port: number, ports: readonly number[]): Promise<Running> {
  const servers = await Promise.all(ports.map(serverAddress))
  const services = { identify: identify(), index: indexServer({ servers }) }
  const node = await createLibp2p({ ...common(port), privateKey: await serverKey(port), services })
  return running(node, () => node.services.index.nodeHost.stop())
}

export async function serverAddress(port: number): Promise<string> {
  return `/ip4/127.0.0.1/tcp/${port}/p2p/${peerIdFromPrivateKey(await serverKey(port)).toString()}`
}

/** So that servers know each other's address before they run. Anybody can work out these keys: for an example on one machine, and nothing else. */
function serverKey(port: number) {
  return generateKeyPairFromSeed('Ed25519', sha256(new TextEncoder().encode(`index server on port ${port}`)))
}

function running(node: Libp2p, silence: () => Promise<void>): Running {
  return {
    addresses: node.getMultiaddrs().map(String),
    stop: async () => node.stop(),
    kill: async () => {
      await silence()
      for (const connection of node.getConnections()) connection.abort(new Error('killed'))
      await node.stop()
    },
  }
}
