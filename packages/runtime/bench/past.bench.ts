import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { MemoryNetwork, NodeHost, PastClient, memoryStore, randomKey } from '../src/index.ts'

/**
 * PAST over Pastry on 50 nodes in one process and thread, memory stores, no latency: the cost of the code itself. Calls come from random nodes;
 * first one at a time, for the latency, then 16 at a time, for the rate.
 */

const nodeCount = 50
const calls = 2000
const warmUp = 300
const atOnce = 16

const prng = Prng.fromSeed('bench')
const network = new MemoryNetwork()
const hosts: NodeHost[] = []
const clients: PastClient[] = []

const joinStarted = performance.now()
for (let i = 0; i < nodeCount; i++) {
  const id = guidOf(new TextEncoder().encode(`node ${i}`))
  const host = new NodeHost({ overlay: pastry(), link: network.link({ id, address: `memory:${i}`, epoch: 1 }), seed: i })
  const past = new PastNode({}, Prng.fromSeed(`past ${i}`))
  host.use(past, { store: memoryStore(), key: await randomKey() })
  host.events.addEventListener('host:fault', ({ detail }) => {
    throw detail.error
  })
  await host.start()
  await host.join(hosts.slice(0, 1).map(({ self }) => self))
  hosts.push(host)
  clients.push(new PastClient(host, past))
}
console.log(`${nodeCount} nodes joined in ${Math.round(performance.now() - joinStarted)} ms, one after the other`)
console.log('                 p50 ms   p99 ms   calls/s, 16 at once')

await measure('1 KiB', 1024)
await measure('64 KiB', 64 * 1024)
await measure('1 MiB', 1024 * 1024, 60, 10)
await Promise.all(hosts.map((host) => host.stop()))

/** Puts `count` objects of `size` bytes, then gets each from another node; twice, for latency and for rate. */
async function measure(label: string, size: number, count = calls, warm = warmUp): Promise<void> {
  const put = async (): Promise<Guid> => {
    const data = new Uint8Array(size)
    for (let i = 0; i < 16; i++) data[i] = prng.nextInt(256)
    const { guid } = await anyClient().put(guidOf(data), data, { timeoutMs: 60_000 })
    return guid
  }
  const get = async (guid: Guid): Promise<unknown> => anyClient().get(guid)

  for (let i = 0; i < warm; i++) await get(await put())
  const guids: Guid[] = []
  const putTimes = await oneByOne(count, async () => void guids.push(await put()))
  const getTimes = await oneByOne(count, (i) => get(guids[i]!))
  const putRate = await manyAtOnce(count, () => put())
  const getRate = await manyAtOnce(count, (i) => get(guids[i]!))
  print(`put ${label}`, putTimes, putRate)
  print(`get ${label}`, getTimes, getRate)
}

function anyClient(): PastClient {
  return prng.pick(clients)!
}

async function oneByOne(count: number, call: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    await call(i)
    times.push(performance.now() - started)
  }
  return times.toSorted((a, b) => a - b)
}

async function manyAtOnce(count: number, call: (i: number) => Promise<unknown>): Promise<number> {
  const started = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return count / ((performance.now() - started) / 1000)
}

function print(label: string, sorted: number[], rate: number): void {
  const quantile = (share: number): string => sorted[Math.floor(share * sorted.length)]!.toFixed(2).padStart(8)
  console.log(`${label.padEnd(15)}${quantile(0.5)} ${quantile(0.99)} ${Math.round(rate).toString().padStart(10)}`)
}
