// npm run load [-- --over central,… --peers 16,64 --seconds 60]: what the busiest node has to do, for the same workload, in virtual time.

import { parseArgs } from 'node:util'
import { IndexClient, IndexServer, star } from '@plaxton/central-index'
import { onSimulator } from '@plaxton/conformance'
import { DolrNode } from '@plaxton/dolr'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { CentralIndexClient, DolrClient } from '@plaxton/runtime'
import { overlayNamed, overlays } from './over.ts'
import { SharingOverDolr } from './over-dolr.ts'
import type { ServiceNetwork } from '@plaxton/conformance'
import type { Guid } from '@plaxton/guid'
import type { OverlayFactory } from '@plaxton/kbr'
import type { SharedFile } from '@plaxton/runtime'
import type { Sharing } from './sharing.ts'

const { values: args } = parseArgs({
  options: {
    over: { type: 'string', default: ['central', ...Object.keys(overlays)].join() },
    peers: { type: 'string', default: '16,64' },
    seconds: { type: 'string', default: '60' },
  },
})
/** Of one peer: it searches for a random file and fetches it. */
const roundEveryMs = 2_000
const filesPerPeer = 4
const fileBytes = 2_000
/** Of files that have an artist in common, so that some words have more hosts than others. */
const artists = 10

/** Messages that each node has been handed since the start. */
type Handled = Map<Guid, number>

/** The same overlay, which counts the messages that reach each node: an overlay hears of every one. */
function counting(overlay: OverlayFactory, handled: Handled): OverlayFactory {
  const create: OverlayFactory['create'] = (self, prng) => {
    const node = overlay.create(self, prng)
    const onContact = node.onContact.bind(node)
    node.onContact = (from, now, fx) => {
      handled.set(self.id, (handled.get(self.id) ?? 0) + 1)
      onContact(from, now, fx)
    }
    return node
  }
  return { name: overlay.name, create }
}

async function open(over: string, count: number, handled: Handled): Promise<ServiceNetwork<Sharing>> {
  const factory = await overlayNamed(over)
  if (factory !== undefined) {
    return onSimulator<Sharing>({
      seed: count,
      overlay: () => counting(factory, handled),
      service: (prng) => {
        const application = new DolrNode({}, prng)
        return { application, client: (host) => new SharingOverDolr(new DolrClient(host, application)) }
      },
    })(count)
  }
  return onSimulator<Sharing>({
    seed: count,
    overlay: () => counting(star({ hub: false }), handled),
    servers: { count: 1, overlay: () => counting(star({ hub: true }), handled), application: () => new IndexServer() },
    service: (prng) => {
      const application = new IndexClient({}, prng)
      return { application, client: (host) => new CentralIndexClient(host, application) }
    },
  })(count)
}

function fileOf(peer: number, i: number): SharedFile {
  const number = peer * filesPerPeer + i
  const bytes = new TextEncoder().encode(`file ${number} `.repeat(300)).slice(0, fileBytes)
  const name = `song${number} artist${number % artists}.flac`
  return { guid: guidOf(bytes), name, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

/** One peer looks for a file of somebody's, and gets it. */
async function round(sharing: Sharing, wanted: SharedFile): Promise<boolean> {
  try {
    const found = await sharing.search(wanted.name)
    const file = await sharing.fetch(found[0]!.guid, { offer: false })
    return guidOf(file.bytes) === wanted.guid
  } catch {
    return false
  }
}

/** Each peer starts a round every `roundEveryMs`, evenly spread, for so many seconds. Resolves with whether each was a success. */
async function work({ nodes, clock }: ServiceNetwork<Sharing>, seconds: number): Promise<boolean[]> {
  const prng = Prng.fromSeed('load')
  const gapMs = roundEveryMs / nodes.length
  const rounds = Array.from({ length: Math.floor((seconds * 1000) / gapMs) }, async (_, i) => {
    await new Promise<void>((resolve) => void clock!.after(Math.floor(i * gapMs), resolve))
    return round(nodes[i % nodes.length]!.service, fileOf(prng.nextInt(nodes.length), prng.nextInt(filesPerPeer)))
  })
  return Promise.all(rounds)
}

async function measure(over: string, count: number, seconds: number): Promise<string[]> {
  const handled: Handled = new Map()
  const network = await open(over, count, handled)
  /** What each node has handled so far, at some moment. */
  const look = (): Look => ({ at: network.clock!.now(), handled: new Map(handled) })
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void network.clock!.after(ms, resolve))
  const { looks, outcomes } = await network.drive!(async () => {
    await Promise.all(network.nodes.map(({ service }, i) => service.share(Array.from({ length: filesPerPeer }, (_, j) => fileOf(i, j)))))
    await pause(settleMs)
    const idle = look()
    await pause(idleMs)
    const busy = look()
    return { outcomes: await work(network, seconds), looks: [idle, busy, look()] as const }
  })
  const ids = network.nodes.map(({ id }) => id)
  const [idle, busy] = [ratesBetween(looks[0], looks[1]), ratesBetween(looks[1], looks[2])]
  const servers = [...handled.keys()].filter((id) => !ids.includes(id))
  const failed = outcomes.filter((ok) => !ok).length
  await network.close()
  return [
    over,
    String(count),
    servers.length === 0 ? '-' : busy(servers[0]!).toFixed(1),
    mean(ids.map(busy)).toFixed(1),
    Math.max(...ids.map(busy)).toFixed(1),
    mean(ids.map(idle)).toFixed(1),
    String(outcomes.length - failed),
    String(failed),
  ]
}

interface Look {
  readonly at: number
  readonly handled: Handled
}

/** Messages a second that a node handled between two looks. */
function ratesBetween(from: Look, to: Look): (id: Guid) => number {
  return (id) => ((to.handled.get(id) ?? 0) - (from.handled.get(id) ?? 0)) / ((to.at - from.at) / 1000)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length
}

/** After everything is shared, until it is quiet; then nobody wants anything for as long as DOLR takes to repeat each publication once. */
const settleMs = 30_000
const idleMs = 60_000

const widths = [10, 7, 14, 11, 14, 11, 9, 9]

function line(cells: readonly string[]): void {
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join(''))
}

console.log(
  `each peer searches for a file and fetches it every ${roundEveryMs / 1000} s, for ${args.seconds} s; messages that a node handles in a second`,
)
line(['over', 'peers', 'index server', 'mean peer', 'busiest peer', 'idle peer', 'rounds', 'failed'])
for (const over of args.over.split(','))
  for (const count of args.peers.split(',').map(Number)) line(await measure(over, count, Number(args.seconds)))
