import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { dolr, overlay } from '@plaxton/libp2p'
import { pastry } from '@plaxton/pastry'
import { createLibp2p } from 'libp2p'

/** A node that locates objects, a member of the network that has one of the `bootstrap` addresses; without any it is the first of a new one. */
export async function startNode(bootstrap: string[]) {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), overlay: overlay(pastry(), { network: 'object-chat', bootstrap }), dolr: dolr() },
  })
  await node.services.overlay.whenReady()
  return node
}

export type ChatNode = Awaited<ReturnType<typeof startNode>>
