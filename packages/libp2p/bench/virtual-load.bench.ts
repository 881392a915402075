import { parseArgs } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { chord } from '@plaxton/chord'
import { guidOf, guidOfVirtualNode } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { HostGroup, MemoryNetwork, PastClient, memoryStore, randomKey } from '@plaxton/runtime'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, OverlayFactory } from '@plaxton/kbr'

/**
 * How evenly do v virtual nodes on each host share the keys?
 *
 * `ids`: hosts with real PeerIds, virtual nodes named as on libp2p, keys at random; who holds a key follows from the ids. `stored`: fewer hosts that run, in
 * one process, on the memory network; objects are put with PAST, one copy each, and counted in the stores. `model`: Gamma(v)/v on Chord's ring, where a
 * node's share is the gap before it; Gamma(2v)/2v on Pastry's, where it is half of the gaps on both sides.
 *
 *     npm run bench -- virtual-load       options: --overlay pastry --v 1,2,5 --hosts 1000 --keys 100000 --live 30 --objects 1500 --seed 1
 *
 * Keys per host, in multiples of the mean. Ends with status 1 unless every object stored is counted once.
 */

const { values } = parseArgs({
  options: {
    overlay: { type: 'string', default: 'pastry' },
    v: { type: 'string', default: '1,2,5' },
    hosts: { type: 'string', default: '1000' },
    keys: { type: 'string', default: '100000' },
    live: { type: 'string', default: '30' },
    objects: { type: 'string', default: '1500' },
    seed: { type: 'string', default: '1' },
  },
})

/** An overlay and who of two neighbours on the ring holds a key between them, all as fractions of the ring. */
interface Ring {
  readonly factory: () => OverlayFactory
  /** Shares of the gaps around it that a node gets, as the shape of the model for one node. */
  readonly shape: number
  readonly isAfter: (before: number, key: number, after: number) => boolean
}

const rings: Readonly<Record<string, Ring>> = {
  chord: { factory: chord, shape: 1, isAfter: () => true },
  pastry: { factory: pastry, shape: 2, isAfter: (before, key, after) => clockwise(key, after) < clockwise(before, key) },
}
const ring = rings[values.overlay]
if (ring === undefined) throw new Error(`there is no ring ${values.overlay}, only ${Object.keys(rings).join(' and ')}`)
const virtualNodes = values.v.split(',').map(Number)
const prng = Prng.fromSeed(values.seed)

console.log(`${'v'.padEnd(4)}${'p1'.padStart(22)}${'p50'.padStart(22)}${'p99'.padStart(22)}${'max'.padStart(14)}`)
console.log(`${''.padEnd(4)}${'ids stored model'.padStart(22).repeat(3)}${'ids stored'.padStart(14)}`)
let complete = true
for (const v of virtualNodes) {
  const ids = await sharesById(v, Number(values.hosts), Number(values.keys))
  const stored = await sharesStored(v, Number(values.live), Number(values.objects))
  const quantiles = [0.01, 0.5, 0.99].map((p) => [quantile(ids, p), quantile(stored, p), erlangQuantile(ring.shape * v, p)])
  const cells = quantiles.map((three) =>
    three
      .map((each) => each.toFixed(2))
      .join('   ')
      .padStart(22),
  )
  const max = [ids.at(-1)!, stored.at(-1)!].map((each) => each.toFixed(2)).join('   ')
  console.log(`${String(v).padEnd(4)}${cells.join('')}${max.padStart(14)}`)
}
process.exit(complete ? 0 : 1)

/** Keys of each host in multiples of the mean, ascending. */
async function sharesById(v: number, hosts: number, keys: number): Promise<number[]> {
  const places: Array<{ at: number; host: number }> = []
  for (let host = 0; host < hosts; host++) {
    const identity = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toMultihash().bytes
    for (let index = 0; index < v; index++) places.push({ at: fractionOf(guidOfVirtualNode(identity, index)), host })
  }
  places.sort((a, b) => a.at - b.at)
  const held = new Array<number>(hosts).fill(0)
  for (let i = 0; i < keys; i++) {
    const key = prng.nextFloat()
    const next = firstAfter(places, key)
    const before = places.at(next - 1)!
    const after = places[next % places.length]!
    held[ring!.isAfter(before.at, key, after.at) ? after.host : before.host]!++
  }
  return multiples(held)
}

/** The same of hosts that run, by what is in their stores. */
async function sharesStored(v: number, hosts: number, objects: number): Promise<number[]> {
  const network = new MemoryNetwork()
  const running: Array<{ group: HostGroup; past: PastNode[] }> = []
  const key = await randomKey()
  for (let i = 0; i < hosts; i++) {
    const self: NodeRef = { id: guidOf(new TextEncoder().encode(`${values.seed} host ${i}`)), address: `memory:${i}`, epoch: 1 }
    const group = new HostGroup({ overlay: ring!.factory(), links: network.virtualLinks(self, v), seed: `${values.seed} ${i}` })
    const past = group.nodes.map((node, index) => {
      const application = new PastNode({}, Prng.fromSeed(`${values.seed} ${i} ${index}`))
      node.use(application, { store: memoryStore(), key })
      return application
    })
    await group.start()
    await group.join(running.length === 0 ? [] : [running[prng.nextInt(running.length)]!.group.first.self])
    running.push({ group, past })
  }
  const { group, past } = running[0]!
  const client = new PastClient(group.first, past[0]!)
  const numbers = Array.from({ length: objects }, (_, i) => i)
  const putter = async (): Promise<void> => {
    for (let i = numbers.pop(); i !== undefined; i = numbers.pop()) {
      const data = new TextEncoder().encode(`${values.seed} object ${i}`)
      // A minute, however busy the machine is.
      await client.put(guidOf(data), data, { replicas: 1, timeoutMs: 60_000 })
    }
  }
  await Promise.all(Array.from({ length: 16 }, putter))
  const held = running.map((host) => host.past.reduce((sum, node) => sum + node.stats().objects, 0))
  const found = held.reduce((sum, count) => sum + count)
  if (found !== objects) {
    complete = false
    console.error(`v = ${v}: ${found} objects are in the stores, ${objects} were put`)
  }
  await Promise.all(running.map((host) => host.group.stop()))
  return multiples(held)
}

function multiples(held: readonly number[]): number[] {
  const mean = held.reduce((sum, count) => sum + count) / held.length
  return held.map((count) => count / mean).toSorted((a, b) => a - b)
}

function quantile(sorted: readonly number[], p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!
}

/** The value below which the share `p` of a Gamma distribution of mean 1 lies, whose shape is a whole number. By halving. */
function erlangQuantile(shape: number, p: number): number {
  let [low, high] = [0, 100]
  for (let i = 0; i < 60; i++) {
    const x = (low + high) / 2
    let term = Math.exp(-x * shape)
    let above = 0
    for (let k = 0; k < shape; k++) {
      above += term
      term *= (x * shape) / (k + 1)
    }
    if (1 - above < p) low = x
    else high = x
  }
  return low
}

/** Where on the ring an id is, from 0 to 1: its first 52 bits, which tell more nodes apart than there are. */
function fractionOf(guid: Guid): number {
  return Number.parseInt(guid.slice(0, 13), 16) / 2 ** 52
}

function clockwise(from: number, to: number): number {
  return (to - from + 1) % 1
}

function firstAfter(places: ReadonlyArray<{ at: number }>, key: number): number {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (places[middle]!.at < key) low = middle + 1
    else high = middle
  }
  return low
}
