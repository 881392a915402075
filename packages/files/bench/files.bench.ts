import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { MemoryNetwork, NodeHost, PastClient, memoryStore, randomKey } from '@plaxton/runtime'
import { Files } from '../src/index.ts'

/** Adding, reading and removing one file of 64 MiB on 16 nodes in one process, k = 5, memory stores: every byte is stored five times. */

const size = 64 * 1024 * 1024
const hosts: NodeHost[] = []
const clients: PastClient[] = []
const network = new MemoryNetwork()
for (let i = 0; i < 16; i++) {
  const id = guidOf(new TextEncoder().encode(`node ${i}`))
  const host = new NodeHost({ overlay: pastry(), link: network.link({ id, address: `memory:${i}`, epoch: 1 }), seed: i })
  const past = new PastNode({}, Prng.fromSeed(`past ${i}`))
  host.use(past, { store: memoryStore(), key: await randomKey() })
  await host.start()
  await host.join(hosts.slice(0, 1).map(({ self }) => self))
  hosts.push(host)
  clients.push(new PastClient(host, past))
}

const prng = Prng.fromSeed('content')
const words = new Uint32Array(size / 4)
for (let i = 0; i < words.length; i++) words[i] = prng.nextUint32()
const data = new Uint8Array(words.buffer)

const { cid } = await timed('add', () => new Files(clients[0]!).addFile(data))
await timed('read', async () => {
  let length = 0
  for await (const chunk of new Files(clients[9]!).readFile(cid)) length += chunk.length
  if (length !== size) throw new Error(`read ${length} of ${size} bytes`)
})
await timed('remove', () => new Files(clients[0]!).removeTree(cid))
await Promise.all(hosts.map((host) => host.stop()))

async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await run()
  const seconds = (performance.now() - started) / 1000
  console.log(`${what.padEnd(8)}${seconds.toFixed(2)} s  ${(size / 1e6 / seconds).toFixed(0)} MB/s`)
  return result
}
