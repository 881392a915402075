import { parseArgs } from 'node:util'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { tapestry } from '@plaxton/tapestry'
import { dolr, overlay } from '../src/index.ts'
import { localNode } from '../test/support/swarm.ts'
import { Timings, printTable } from './timings.ts'
import type { Stream } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { Libp2p } from 'libp2p'
import type { DolrService, OverlayService } from '../src/index.ts'

/**
 * Messages of 100 bytes to objects, each answered with 100 bytes, in a network of 50 nodes in one process, on loopback TCP with noise and
 * yamux; and as many bytes back and forth on one held stream between two of the nodes, which is the least that libp2p takes.
 *
 *     npm run bench -- send-to-obj        options: --overlay pastry|tapestry --nodes 50 --objects 100 --hosts 1 --sends 2000 --seed 1
 */

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    overlay: { type: 'string', default: 'pastry' },
    nodes: { type: 'string', default: '50' },
    objects: { type: 'string', default: '100' },
    hosts: { type: 'string', default: '1' },
    sends: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
})
const nodeCount = Number(values.nodes)
const sendCount = Number(values.sends)
const prng = Prng.fromSeed(values.seed)

const echoProtocol = '/bench/echo/1.0.0'

/** The whole bench ends after this, whatever hangs. */
const limitMs = 5 * 60_000
setTimeout(() => {
  console.error(`not done after ${limitMs / 60_000} minutes`)
  process.exit(1)
}, limitMs).unref()

type Node = Libp2p<{ overlay: OverlayService; dolr: DolrService }>

interface HostedObject {
  readonly guid: Guid
  /** The nodes that do not host it. */
  readonly others: readonly Node[]
}

const overlays = { pastry, tapestry }
const factory = overlays[values.overlay as keyof typeof overlays]
if (factory === undefined) throw new Error(`--overlay must be one of ${Object.keys(overlays).join(', ')}`)

const message = randomBytes(100)
const answer = randomBytes(100)
const nodes = await network()
const objects = await hostObjects()

const pingPong = await measurePingPong(nodes[0] as Node, nodes[1] as Node)
const first = new Timings('sendToObj, first round')
await send(first, sendCount)
const steady = new Timings('sendToObj')
const before = sent()
await send(steady, sendCount)
const after = sent()
const frames = (after.frames - before.frames) / sendCount
const writes = (after.writes - before.writes) / sendCount

console.log('\nmilliseconds, 100 bytes there and 100 back, one after the other')
printTable([pingPong, first, steady])
console.log(
  `\nto the root: ${await hopsToRoot()} hops; of all nodes per message, upkeep included: ${frames.toFixed(1)} frames in ${writes.toFixed(1)} writes`,
)
console.log(`sendToObj / ping-pong, medians: ${(steady.quantile(0.5) / pingPong.quantile(0.5)).toFixed(1)} x`)
console.log(`goal, median sendToObj <= 1 ms: ${steady.quantile(0.5) <= 1 ? 'met' : 'missed'}`)
process.exit(0)

async function network(): Promise<Node[]> {
  const start = performance.now()
  const started: Node[] = []
  for (let i = 0; i < nodeCount; i++) {
    const bootstrap = started.length === 0 ? [] : (prng.pick(started) as Node).getMultiaddrs()
    const services = { overlay: overlay(factory(), { network: 'bench', bootstrap }), dolr: dolr() }
    const node = (await localNode({ services: services as never })) as unknown as Node
    await node.services.overlay.whenReady()
    await node.handle(echoProtocol, echo, { maxInboundStreams: 1 })
    started.push(node)
  }
  const connections = started.reduce((sum, node) => sum + node.getConnections().length, 0) / 2
  console.log(`${values.overlay}: ${nodeCount} nodes in ${Math.round(performance.now() - start)} ms, ${connections} connections`)
  return started
}

/** Objects, each on so many random nodes. */
async function hostObjects(): Promise<HostedObject[]> {
  const hosted: HostedObject[] = []
  const publishing = new Timings('publish')
  for (let i = 0; i < Number(values.objects); i++) {
    const guid = guidOf(new TextEncoder().encode(`object ${i}`))
    const shuffled = prng.shuffle(nodes)
    const others = shuffled.splice(Number(values.hosts))
    for (const host of shuffled) await publishing.measure(() => host.services.dolr.host(guid, () => answer))
    hosted.push({ guid, others })
  }
  printTable([publishing])
  return hosted
}

async function send(timings: Timings, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { guid, others } = prng.pick(objects) as HostedObject
    const sender = prng.pick(others) as Node
    const reply = await timings.measure(async () => {
      for await (const each of sender.services.dolr.sendToObj(message, guid)) return each
      return undefined
    })
    if (reply?.length !== answer.length) throw new Error('no answer, or another one than was given')
  }
}

/** On one stream, opened before. */
async function measurePingPong(a: Node, b: Node): Promise<Timings> {
  const timings = new Timings('ping-pong on a held stream')
  await a.dial(b.getMultiaddrs())
  const stream = await a.dialProtocol(b.peerId, echoProtocol)
  let wake = (): void => {}
  let received = 0
  stream.addEventListener('message', ({ data }) => {
    received += data.byteLength
    if (received >= answer.length) wake()
  })
  for (let i = 0; i < sendCount; i++) {
    await timings.measure(async () => {
      const answered = new Promise<void>((resolve) => {
        wake = resolve
      })
      received = 0
      stream.send(message)
      await answered
    })
  }
  await stream.close()
  return timings
}

function echo(stream: Stream): void {
  let received = 0
  stream.addEventListener('message', ({ data }) => {
    received += data.byteLength
    for (; received >= message.length; received -= message.length) stream.send(answer)
  })
  stream.addEventListener('remoteCloseWrite', () => void stream.close().catch((error: Error) => stream.abort(error)))
}

/** Mean of one lookup per object. Messages to objects end where a pointer is, which may be before. */
async function hopsToRoot(): Promise<string> {
  let hops = 0
  for (const { guid } of objects) hops += (await (prng.pick(nodes) as Node).services.overlay.lookup(guid)).hops
  return (hops / objects.length).toFixed(2)
}

function sent(): { readonly frames: number; readonly writes: number } {
  const links = nodes.map(({ services }) => services.overlay.stats().link)
  const sum = (of: (link: (typeof links)[number]) => number): number => links.reduce((total, link) => total + of(link), 0)
  return { frames: sum(({ framesSent }) => framesSent), writes: sum((link) => link.writes) }
}

function randomBytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => prng.nextInt(256))
}
