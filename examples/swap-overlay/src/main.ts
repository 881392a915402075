import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { can } from '@plaxton/can'
import { chord } from '@plaxton/chord'
import { guidOf } from '@plaxton/guid'
import { kademlia } from '@plaxton/kademlia'
import { dolr, overlay, past } from '@plaxton/libp2p'
import { pastry } from '@plaxton/pastry'
import { tapestry } from '@plaxton/tapestry'
import { createLibp2p } from 'libp2p'
import type { OverlayFactory } from '@plaxton/kbr'

const nodeCount = 12
const objectCount = 100

const start = (factory: OverlayFactory, bootstrap: string[]) =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // All nodes share one address here; libp2p takes five new connections a second from an address by default.
    connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
    services: { identify: identify(), overlay: overlay(factory, { bootstrap }), past: past(), dolr: dolr() },
  })

/** The program: it stores, reads, publishes and sends, and never asks which overlay it is on. */
async function program(factory: OverlayFactory) {
  const nodes = [await start(factory, [])]
  while (nodes.length < nodeCount) nodes.push(await start(factory, nodes[0]!.getMultiaddrs().map(String)))
  await Promise.all(nodes.map((node) => node.services.overlay.whenReady()))

  const objects = Array.from({ length: objectCount }, (_, i) => {
    const data = new TextEncoder().encode(`object ${i} `.repeat(100))
    const [writer, reader] = [nodes[i % nodeCount]!.services, nodes[(7 * i + 3) % nodeCount]!.services]
    return { data, guid: guidOf(data), writer, reader }
  })
  const expect = (found: Uint8Array, data: Uint8Array) => {
    if (Buffer.compare(found, data) !== 0) throw new Error('an object came back as other bytes')
  }
  let hops = 0
  const calls = {
    put: ({ guid, data, writer }) => writer.past.put(guid, data),
    get: async ({ guid, data, reader }) => expect(await reader.past.get(guid), data),
    publish: ({ guid, writer }) => writer.dolr.host(guid, (message) => message),
    send: async ({ guid, data, reader }) => expect(await reader.dolr.sendToObj(data, guid), data),
    lookup: async ({ guid, reader }) => void (hops += (await reader.overlay.lookup(guid)).hops),
  } satisfies Record<string, (object: (typeof objects)[number]) => Promise<unknown>>

  // Messages between nodes, of all nodes and whatever for: what the overlay does meanwhile to keep its tables is among them.
  const sent = () => nodes.reduce((sum, { services }) => sum + services.overlay.stats().link.framesSent, 0)
  const messages: [string, string][] = []
  for (const [name, call] of Object.entries(calls)) {
    const before = sent()
    for (const object of objects) await call(object)
    messages.push([name, ((sent() - before) / objectCount).toFixed(1)])
  }
  await Promise.all(nodes.map(async (node) => node.stop()))
  return { overlay: factory.name, ...Object.fromEntries(messages), hops: (hops / objectCount).toFixed(2) }
}

const rows: Record<string, string>[] = []
for (const factory of [pastry(), tapestry(), chord(), kademlia(), can()]) rows.push(await program(factory))

console.log(
  `${nodeCount} nodes on loopback TCP, ${objectCount} objects of 1 KiB: messages of all nodes for one call, mean hops of a lookup`,
)
for (const cells of [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))]) {
  console.log(cells.map((cell, column) => (column === 0 ? cell.padEnd(10) : cell.padStart(9))).join(''))
}
