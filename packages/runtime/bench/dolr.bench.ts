import { DolrNode } from '@plaxton/dolr'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { DolrClient, MemoryNetwork, NodeHost } from '../src/index.ts'

/**
 * DOLR over Pastry on 50 nodes in one process and thread, no latency: the cost of the code itself. 100 objects with 3 hosts each; calls come from random
 * nodes, first one at a time, for the latency, then 16 at a time, for the rate.
 */

const nodeCount = 50
const calls = 3000
const atOnce = 16
const message = new Uint8Array(100)

const prng = Prng.fromSeed('bench')
const network = new MemoryNetwork()
const hosts: NodeHost[] = []
const clients: DolrClient[] = []
for (let i = 0; i < nodeCount; i++) {
  const id = guidOf(new TextEncoder().encode(`node ${i}`))
  const host = new NodeHost({ overlay: pastry(), link: network.link({ id, address: `memory:${i}`, epoch: 1 }), seed: i })
  const dolr = new DolrNode({}, Prng.fromSeed(`dolr ${i}`))
  host.use(dolr)
  await host.start()
  await host.join(hosts.slice(0, 1).map(({ self }) => self))
  hosts.push(host)
  clients.push(new DolrClient(host, dolr))
}

const guids = Array.from({ length: 100 }, (_, i) => guidOf(new TextEncoder().encode(`object ${i}`)))
const publishing = await oneByOne(3 * guids.length, async (i) => void (await anyClient(i).host(guids[i % guids.length]!, (bytes) => bytes)))
await oneByOne(1000, send)
console.log('             p50 ms   p99 ms   calls/s, 16 at once')
report('host', publishing)
report('sendToObj', await oneByOne(calls, send), await manyAtOnce(calls, send))
report('locate', await oneByOne(calls, locate), await manyAtOnce(calls, locate))
await Promise.all(hosts.map((host) => host.stop()))

async function send(): Promise<void> {
  await prng.pick(clients)!.sendToObj(message, prng.pick(guids)!)
}

async function locate(): Promise<void> {
  await prng.pick(clients)!.locate(prng.pick(guids)!)
}

/** Three different nodes for the three rounds. */
function anyClient(i: number): DolrClient {
  return clients[(7 * i + 17 * Math.floor(i / guids.length)) % nodeCount]!
}

async function oneByOne(count: number, call: (i: number) => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await call(i)
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)
}

async function manyAtOnce(count: number, call: () => Promise<void>): Promise<number> {
  let left = count
  const start = performance.now()
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return (count * 1000) / (performance.now() - start)
}

function report(name: string, times: number[], rate?: number): void {
  const at = (share: number): string => times[Math.floor(share * times.length)]!.toFixed(3).padStart(8)
  console.log(`${name.padEnd(10)} ${at(0.5)} ${at(0.99)}   ${rate === undefined ? '' : Math.round(rate)}`)
}
