import { parseArgs } from 'node:util'
import { kadDHT } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { overlay, past } from '../src/index.ts'
import { localNode } from '../test/support/swarm.ts'
import { Timings, printTable } from './timings.ts'
import type { Libp2p } from 'libp2p'
import type { OverlayService, PastService } from '../src/index.ts'

/**
 * Storing and reading 1 KiB in a network of 50 nodes in one process, on loopback TCP with noise and yamux: Plaxton's Pastry and PAST, and
 * `@libp2p/kad-dht` on the same work in the same run.
 *
 *     npm run bench -- put-get        options: --nodes 50 --objects 200 --kad-objects 20 --seed 1
 */

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '50' },
    objects: { type: 'string', default: '200' },
    'kad-objects': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})
const nodeCount = Number(values.nodes)
const prng = Prng.fromSeed(values.seed)

/** The whole bench ends after this, whatever hangs. */
const limitMs = 10 * 60_000
setTimeout(() => {
  console.error(`not done after ${limitMs / 60_000} minutes`)
  process.exit(1)
}, limitMs).unref()

/** What both contestants can do. */
interface Contestant {
  readonly name: string
  put(at: number, bytes: Uint8Array): Promise<void>
  get(at: number, bytes: Uint8Array): Promise<Uint8Array>
}

type PlaxtonNode = Libp2p<{ overlay: OverlayService; past: PastService }>

const plaxton = await plaxtonNetwork()
const plaxtonObjects = makeObjects(Number(values.objects))
const plaxtonWork = await putAndGet(plaxton.contestant, plaxtonObjects)
await throughput(plaxton.contestant, plaxtonObjects)
printTable([plaxtonWork.puts, plaxtonWork.gets])
await Promise.all(plaxton.nodes.map(async (node) => node.stop()))

const kad = await kadNetwork()
const kadWork = await putAndGet(kad.contestant, makeObjects(Number(values['kad-objects'])))

console.log('\nmilliseconds, 1 KiB, one operation at a time')
printTable([plaxtonWork.puts, plaxtonWork.gets, kadWork.puts, kadWork.gets])
console.log(`\nkad-dht / plaxton, medians: put ${ratio(kadWork.puts, plaxtonWork.puts)}, get ${ratio(kadWork.gets, plaxtonWork.gets)}`)
const met = plaxtonWork.gets.quantile(0.5) <= 2 && plaxtonWork.puts.quantile(0.5) <= 5
console.log(`goal, median get <= 2 ms and put <= 5 ms: ${met ? 'met' : 'missed'}`)
process.exit(0)

async function plaxtonNetwork(): Promise<{ nodes: PlaxtonNode[]; contestant: Contestant }> {
  const start = performance.now()
  const nodes: PlaxtonNode[] = []
  for (let i = 0; i < nodeCount; i++) {
    const bootstrap = nodes.length === 0 ? [] : (prng.pick(nodes) as PlaxtonNode).getMultiaddrs()
    const services = { overlay: overlay(pastry(), { network: 'bench', bootstrap }), past: past() }
    const node = (await localNode({ services: services as never })) as unknown as PlaxtonNode
    await node.services.overlay.whenReady()
    nodes.push(node)
  }
  report('plaxton', nodes, start)
  const pastOf = (at: number): PastService => (nodes[at] as PlaxtonNode).services.past
  return {
    nodes,
    contestant: {
      name: 'plaxton',
      put: async (at, bytes) => void (await pastOf(at).put(guidOf(bytes), bytes)),
      get: (at, bytes) => pastOf(at).get(guidOf(bytes)),
    },
  }
}

async function kadNetwork(): Promise<{ contestant: Contestant }> {
  const start = performance.now()
  const nodes: Libp2p[] = []
  for (let i = 0; i < nodeCount; i++) {
    const dht = kadDHT({
      protocol: '/bench/kad/1.0.0',
      clientMode: false,
      peerInfoMapper: (peer) => peer,
      allowQueryWithZeroPeers: true,
      validators: { x: async () => {} },
      selectors: { x: () => 0 },
    })
    const node = (await localNode({ services: { ping: ping(), dht } as never })) as unknown as Libp2p
    const [first] = nodes
    if (first !== undefined) await node.dial(first.getMultiaddrs())
    nodes.push(node)
  }
  // What kad-dht calls joined is a self-query in the background; peers.md gives it as much time before it measures.
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  report('kad-dht', nodes, start)
  const keyOf = (bytes: Uint8Array): Uint8Array => new TextEncoder().encode(`/x/${guidOf(bytes)}`)
  const routing = (at: number): Libp2p['contentRouting'] => (nodes[at] as Libp2p).contentRouting
  return {
    contestant: {
      name: 'kad-dht',
      put: (at, bytes) => routing(at).put(keyOf(bytes), bytes, { signal: AbortSignal.timeout(20_000) }),
      get: (at, bytes) => routing(at).get(keyOf(bytes), { signal: AbortSignal.timeout(20_000) }),
    },
  }
}

/** Every object is put at a random node and then got at another. */
async function putAndGet(contestant: Contestant, objects: readonly Uint8Array[]): Promise<{ puts: Timings; gets: Timings }> {
  const puts = new Timings(`${contestant.name} put`)
  const gets = new Timings(`${contestant.name} get`)
  const places = objects.map((bytes) => ({ bytes, at: prng.nextInt(nodeCount) }))
  for (const { bytes, at } of places) await puts.measure(() => contestant.put(at, bytes))
  for (const { bytes, at } of places) {
    const elsewhere = (at + 1 + prng.nextInt(nodeCount - 1)) % nodeCount
    const got = await gets.measure(() => contestant.get(elsewhere, bytes))
    if (guidOf(got) !== guidOf(bytes)) throw new Error('read something else than was stored')
  }
  return { puts, gets }
}

async function throughput(contestant: Contestant, objects: readonly Uint8Array[]): Promise<void> {
  const total = 20 * objects.length
  let next = 0
  const start = performance.now()
  const worker = async (): Promise<void> => {
    while (next < total) await contestant.get(prng.nextInt(nodeCount), objects[next++ % objects.length] as Uint8Array)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  console.log(`${contestant.name}: ${Math.round((1000 * total) / (performance.now() - start))} gets/s, 16 in flight`)
}

function makeObjects(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => Uint8Array.from({ length: 1024 }, () => prng.nextInt(256)))
}

function report(name: string, nodes: readonly Libp2p[], start: number): void {
  const connections = nodes.reduce((sum, node) => sum + node.getConnections().length, 0) / 2
  const rss = Math.round(process.memoryUsage().rss / 2 ** 20)
  console.log(`${name}: ${nodes.length} nodes in ${Math.round(performance.now() - start)} ms, ${connections} connections, ${rss} MiB`)
}

function ratio(slower: Timings, faster: Timings): string {
  return `${(slower.quantile(0.5) / faster.quantile(0.5)).toFixed(0)} x`
}
