import { Prng } from '@plaxton/kbr'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Overlay } from '@plaxton/kbr'
import { VirtualNetwork } from '@plaxton/testbed'
import { RealitiesNode, can } from '../src/index.ts'

/**
 * What realities bring and cost, with all messages: nodes join one after the other, a second apart, are left alone for three minutes, then watched for five. `bench/realities.bench.ts NODES DIMENSIONS
 * [REALITIES…]`, ids and keys the same for each line.
 */
const [nodes = 100, dimensions = 2, ...counts] = process.argv.slice(2).map(Number)
const restMs = 300_000
const lookups = 2_000
const nobody: ReadonlySet<Guid> = new Set()

class Network extends VirtualNetwork<Overlay> {
  constructor(realities: number) {
    const factory = can({ realities, dimensions })
    super('realities', (self, prng) => factory.create(self, prng), 64)
    this.latencyMs = () => 10
  }

  complaints(): string[] {
    return []
  }
}

for (const realities of counts.length === 0 ? [1, 2, 3] : counts) {
  const network = new Network(realities)
  const ids = Prng.fromSeed('ids')
  const first = network.add(randomGuid(ids, 64))
  first.join([])
  for (let i = 1; i < nodes; i++) {
    const bootstrap = network.prng.pick(network.members())!
    network.add(randomGuid(ids, 64)).join([bootstrap])
    network.run(1_000)
  }
  network.run(180_000)
  const joining = network.sent / nodes
  const before = network.sent
  network.run(restMs)
  const resting = (network.sent - before) / nodes / (restMs / 1_000)
  const members = network.members()
  const peers = members.map(({ node }) => (node instanceof RealitiesNode ? peersOf(node) : node.neighborSet(Infinity).length))
  console.log(
    `${nodes} nodes, ${dimensions} dimensions, ${realities} realities: ${meanHops(network).toFixed(2)} hops; ${joining.toFixed(0)} messages a node until all is at rest, ` +
      `then ${resting.toFixed(2)} a second; ${mean(peers).toFixed(1)} contacts; ${members.length} members`,
  )
}

/** Contacts in all realities, and twins. */
function peersOf(node: RealitiesNode): number {
  return node.twins.size.known + node.realities.reduce((sum, each) => sum + each.neighborSet(Infinity).length, 0)
}

function meanHops(network: Network): number {
  const keys = Prng.fromSeed('keys')
  const members = network.members()
  let hops = 0
  for (let i = 0; i < lookups; i++) {
    const key = randomGuid(keys, 64)
    let next = keys.pick(members)!.node.nextHop(key, 0, nobody)
    for (; next.action === 'forward'; hops++) next = network.hosts.get(next.to.id)!.node.nextHop(key, next.cursor, nobody)
    if (next.action !== 'deliver') throw new Error(`a message for ${key} is not delivered`)
  }
  return hops / lookups
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
