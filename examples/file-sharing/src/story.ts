// npm start [-- --over central,pastry,… --tries 30]: the same program over a central index and over overlays, and what happens to each when servers, or as many peers, die.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { guidOf } from '@plaxton/guid'
import { serverAddress, startPeer, startServer } from './node.ts'
import { overlays } from './over.ts'
import type { AddressInfo } from 'node:net'
import type { SharedFile } from '@plaxton/runtime'
import type { Peer, Running } from './node.ts'

const { values: args } = parseArgs({
  options: { over: { type: 'string', default: ['central', ...Object.keys(overlays)].join() }, tries: { type: 'string', default: '30' } },
})
const peerCount = 12
const serverCount = 2
const fileCount = 24
/** Peers that offer each file. */
const hostsOfFile = 3
const fileBytes = 300_000
/** Searches and fetches in each state of the network. */
const tries = Number(args.tries)
/** Longest wait for a search, and for a fetch. */
const patienceMs = 5_000

interface Song extends SharedFile {
  readonly hosts: readonly Peer[]
}

/** A network that runs the program. */
interface World {
  readonly over: string
  /** Those that are left. */
  readonly peers: Peer[]
  readonly songs: readonly Song[]
  readonly servers: Array<{ readonly port: number; running: Running | undefined }>
}

async function open(over: string): Promise<World> {
  const ports = over === 'central' ? await freePorts(serverCount) : []
  const servers = await Promise.all(ports.map(async (port) => ({ port, running: await startServer(port, ports) })))
  const serverAddresses = await Promise.all(ports.map(serverAddress))
  const peers: Peer[] = []
  while (peers.length < peerCount) peers.push(await startPeer(over, over === 'central' ? serverAddresses : (peers[0]?.addresses ?? [])))
  const songs = Array.from({ length: fileCount }, (_, i) => song(i, peers))
  await Promise.all(
    peers.map((peer) =>
      peer.sharing.share(
        songs.filter(({ hosts }) => hosts.includes(peer)),
        { timeoutMs: 60_000 },
      ),
    ),
  )
  return { over, peers, songs, servers }
}

const colours = ['blue', 'red', 'green', 'white', 'black', 'grey', 'brown', 'pink']
const things = ['train', 'moon', 'river']

/** No two have the same colour and thing. */
function song(i: number, peers: readonly Peer[]): Song {
  const bytes = new Uint8Array(randomBytes(fileBytes))
  const name = `${colours[i % colours.length]} ${things[Math.floor(i / colours.length)]}.flac`
  const hosts = Array.from({ length: hostsOfFile }, (_, j) => peers[(i + 5 * j) % peers.length]!)
  return { guid: guidOf(bytes), name, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length), hosts }
}

/** How the program fares: random peers search for songs of others by two words, and fetch what they find. */
async function fare({ over, peers, songs }: World, died: string): Promise<Record<string, string>> {
  let [found, fetched] = [0, 0]
  const took: number[] = []
  // Songs of which somebody is left who has them; what has gone with its last host nobody could find.
  const left = songs.filter(({ hosts }) => hosts.some((host) => peers.includes(host)))
  for (let i = 0; i < tries; i++) {
    const wanted = left[(i * 7) % left.length]!
    const asker = peers.filter((peer) => !wanted.hosts.includes(peer))[i % Math.max(1, peers.length - hostsOfFile)] ?? peers[0]!
    const startedAt = performance.now()
    const list = await within(asker.sharing.search(wanted.name))
    if (!list?.some(({ guid }) => guid === wanted.guid)) continue
    found++
    const file = await within(asker.sharing.fetch(wanted.guid, { offer: false, timeoutMs: patienceMs }))
    if (file === undefined || guidOf(file.bytes) !== wanted.guid) continue
    fetched++
    took.push(performance.now() - startedAt)
  }
  const median = took.toSorted((a, b) => a - b)[took.length >> 1]
  return { over, died, found: `${found} of ${tries}`, fetched: `${fetched} of ${tries}`, 'ms, median': median?.toFixed(0) ?? '-' }
}

/** What comes of the call; undefined when it fails or takes too long. */
async function within<T>(call: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs)
  })
  try {
    return await Promise.race([call.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

async function killPeers(world: World, count: number): Promise<void> {
  // The first one is as good as any: the others only joined through it.
  const victims = Array.from({ length: count }, (_, i) => world.peers[(i * 5) % world.peers.length]!)
  for (const victim of victims) world.peers.splice(world.peers.indexOf(victim), 1)
  await Promise.all(victims.map((victim) => victim.kill()))
}

async function killServer(world: World): Promise<void> {
  const server = world.servers.find((each) => each.running !== undefined)!
  await server.running!.kill()
  server.running = undefined
}

async function centralStory(world: World): Promise<void> {
  report(await fare(world, 'nobody'))
  await killServer(world)
  report(await fare(world, `1 of ${serverCount} servers`))
  await killServer(world)
  report(await fare(world, `${serverCount} of ${serverCount} servers`))
  const [server] = world.servers
  server!.running = await startServer(
    server!.port,
    world.servers.map(({ port }) => port),
  )
  await new Promise((resolve) => setTimeout(resolve, backMs))
  report(await fare(world, `1 server is back since ${backMs / 1000} s`))
  await peersStory(world, '')
}

async function peersStory(world: World, before: string): Promise<void> {
  if (before !== '') report(await fare(world, before))
  for (const more of [1, 1, 4]) {
    await killPeers(world, more)
    report(await fare(world, `${peerCount - world.peers.length} of ${peerCount} peers`))
  }
}

/** A client refreshes every 5 s here, and a link waits for at most 10 s before it dials a dead peer again. */
const backMs = 15_000

const columns = { over: 10, died: 28, found: 12, fetched: 12, 'ms, median': 12 }

function report(row: Record<string, string>): void {
  console.log(
    Object.entries(columns)
      .map(([name, width], i) => (i < 2 ? row[name]!.padEnd(width) : row[name]!.padStart(width)))
      .join(''),
  )
}

async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer().listen(0, '127.0.0.1')
      await once(probe, 'listening')
      return probe
    }),
  )
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port)
  for (const probe of probes) probe.close()
  return ports
}

console.log(
  `${peerCount} peers on loopback TCP, ${fileCount} files of ${fileBytes / 1000} kB, each offered by ${hostsOfFile} peers; ${tries} searches and fetches after each event`,
)
report(Object.fromEntries(Object.keys(columns).map((name) => [name, name])))
for (const over of args.over.split(',')) {
  const world = await open(over)
  if (over === 'central') await centralStory(world)
  else await peersStory(world, 'nobody')
  await Promise.all([...world.peers.map((peer) => peer.stop()), ...world.servers.map(({ running }) => running?.stop())])
}
process.exit(0)
