import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { guidOf } from '@plaxton/guid'
import { overlay, past } from '@plaxton/libp2p'
import { pastry } from '@plaxton/pastry'
import { createLibp2p } from 'libp2p'

const start = (bootstrap: string[]) =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), overlay: overlay(pastry(), { bootstrap }), past: past() },
  })

const alice = await start([])
const bob = await start(alice.getMultiaddrs().map(String))
// A node joins in the background. Until bob is a member, alice is the whole network, and what she stores has one copy.
await bob.services.overlay.whenReady()

const data = new TextEncoder().encode('Objects are where their name says.')
const receipt = await alice.services.past.put(guidOf(data), data)
console.log(`stored ${receipt.guid} on ${receipt.holders.length} nodes`)

await alice.stop()
console.log(`alice is gone; bob reads: ${new TextDecoder().decode(await bob.services.past.get(receipt.guid))}`)
await bob.stop()
