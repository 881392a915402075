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

  const took: Record<'put' | 'get' | 'publish' | 'send', number[]> = { put: [], get: [], publish: [], send: [] }
  const timed = async <T>(what: keyof typeof took, call: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    const value = await call()
    took[what].push(performance.now() - startedAt)
    return value
  }
  const hops: number[] = []
  for (let i = 0; i < objectCount; i++) {
    const [writer, reader] = [nodes[i % nodeCount]!.services, nodes[(7 * i + 3) % nodeCount]!.services]
    const data = new TextEncoder().encode(`object ${i} `.repeat(100))
    const guid = guidOf(data)
    await timed('put', () => writer.past.put(guid, data))
    const read = await timed('get', () => reader.past.get(guid))
    await timed('publish', () => writer.dolr.host(guid, (message) => message))
    const echo = await timed('send', async () => reader.dolr.sendToObj(data, guid))
    if (Buffer.compare(read, data) !== 0 || Buffer.compare(echo, data) !== 0) throw new Error(`object ${i} came back as other bytes`)
    hops.push((await reader.overlay.lookup(guid)).hops)
  }
  const connections = nodes.map((node) => node.getConnections().length)
  await Promise.all(nodes.map(async (node) => node.stop()))

  const times = Object.entries(took).map(([what, ms]) => [`${what}, ms`, median(ms).toFixed(2)] as const)
  return { overlay: factory.name, ...Object.fromEntries(times), hops: mean(hops).toFixed(2), connections: mean(connections).toFixed(1) }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

const rows: Record<string, string>[] = []
for (const factory of [pastry(), tapestry(), chord(), kademlia(), can()]) rows.push(await program(factory))

console.log(`${nodeCount} nodes on loopback TCP, ${objectCount} objects of 1 KiB: medians, mean hops to a root, connections of a node`)
for (const cells of [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))]) {
  console.log(cells.map((cell, column) => (column === 0 ? cell.padEnd(10) : cell.padStart(13))).join(''))
}
