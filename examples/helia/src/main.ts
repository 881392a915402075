// Helia nodes that exchange a file. Each is told the address of one overlay peer and nothing else: no bootstrap servers, no kad-dht, no gateway.
// Who has the file, and where he is to be dialled, Helia asks of libp2p, and libp2p of Plaxton.

import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { dolr, overlay } from '@plaxton/libp2p'
import { pastry } from '@plaxton/pastry'
import { createHeliaLight } from 'helia'
import { createLibp2p } from 'libp2p'
import type { Provider } from '@libp2p/interface'

/** Small tables, so that even in a network of this size there are nodes without a connection to each other. */
const tables = { leafSetSize: 2, digitBits: 1 }
const heliaNodes = 15

/** What makes a libp2p node a peer of the overlay, and the overlay its router. */
const options = (bootstrap: string[]) => ({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  // All nodes share one address here; libp2p cuts more than 5 connections a second from one.
  connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 100 },
  services: { identify: identify(), overlay: overlay(pastry(tables), { bootstrap }), dolr: dolr() },
})

const peer = await createLibp2p(options([]))
const known = peer.getMultiaddrs().map(String)

type HeliaNode = Awaited<ReturnType<typeof startHelia>>
const network: HeliaNode[] = []
while (network.length < heliaNodes) network.push(await startHelia())
await Promise.all(network.map(({ libp2p }) => libp2p.services.overlay.whenReady()))
console.log(`${heliaNodes} Helia nodes, each told one address: ${known[0]}`)

const pairs = network.flatMap((one, i) => network.slice(0, i).map((other) => [one, other] as const))
const [alice, bob] = pairs.find(([one, other]) => !areConnected(one, other)) ?? pairs[0]!

const file = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 251)
const cid = await unixfs(alice).addBytes(file)
await alice.routing.provide(cid)
console.log(`alice, ${nameOf(alice)}, provides ${cid.toString()}`)
console.log(`bob, ${nameOf(bob)}, ${areConnected(bob, alice) ? 'happens to be connected' : 'has no connection'} to alice`)

let start = performance.now()
const [provider, ...others] = await providersFor(bob)
assert.deepEqual([provider?.id.toString(), others.length], [nameOf(alice), 0])
console.log(`bob asks who provides it: ${provider?.multiaddrs.join(', ')} (found by ${provider?.routing}, ${elapsed()} ms)`)

start = performance.now()
const parts = await Array.fromAsync(unixfs(bob).cat(cid, { signal: AbortSignal.timeout(20_000) }))
assert.deepEqual(Buffer.concat(parts), Buffer.from(file))
assert(areConnected(bob, alice))
console.log(`bob has the file: ${file.length} bytes, the same as alice's (${elapsed()} ms)`)

await alice.routing.cancelReprovide(cid)
assert.deepEqual(await providersFor(bob), [])
console.log('alice no longer provides it, and nobody is sent to her for it')

await Promise.all(network.map((helia) => helia.stop()))
await peer.stop()

async function startHelia() {
  const helia = withLibp2pLight(createHeliaLight(), options(known))
  withBitswap(helia)
  await helia.start()
  return helia
}

function nameOf({ libp2p }: HeliaNode): string {
  return libp2p.peerId.toString()
}

function areConnected(one: HeliaNode, other: HeliaNode): boolean {
  return one.libp2p.getConnections(other.libp2p.peerId).length > 0
}

function providersFor({ libp2p }: HeliaNode): Promise<Provider[]> {
  return Array.fromAsync(libp2p.contentRouting.findProviders(cid))
}

function elapsed(): string {
  return (performance.now() - start).toFixed(0)
}
