import { percentile } from '@plaxton/simulator'
import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { Probe, SimNode, World } from '@plaxton/simulator'
import { ascending } from '../compare/at-rest.ts'
import { networkOf } from './exhibit.ts'
import type { Exhibit, Finding, Ground } from './exhibit.ts'

/** How soon messages follow a node that comes or goes. */
export function networkDynamics(ground: Ground): Exhibit {
  const { samples } = ground
  const world = networkOf(ground, ground.nodes)
  return {
    row: 'network dynamics',
    claim:
      'Routing tables of IP are brought up to date as well as can be, and may take an hour. An overlay follows a node that comes or goes within seconds.',
    findings: [
      settled(
        'come',
        times(world, samples, () => world.simulation.addNode()),
      ),
      settled(
        'go, without a word',
        times(world, samples, () => crashAny(world)),
      ),
    ],
    notBuilt: [],
  }
}

/** A minute is a sixtieth of what the claim grants IP. */
const allowedMs = 60_000
const watchedMs = 120_000
const askedEveryMs = 500

/** Makes one change after the other, and measures for each how long it takes until messages for the node's own id go right, from wherever they start. */
function times(world: World, samples: number, change: () => SimNode): Millis[] {
  const { simulation, log } = world
  const prng = simulation.simulator.stream('askers')
  return Array.from({ length: samples }, () => {
    const start = simulation.now
    const first = log.probes.length
    const { id } = change()
    while (simulation.now < start + watchedMs) {
      const asker = simulation.members.of(prng.pick(simulation.members.sorted.filter((other) => other !== id))!)!
      log.send(simulation, simulation.nodes[asker.host.index]!, id)
      simulation.run(askedEveryMs)
    }
    return adapted(world, log.probes.slice(first), id) - start
  })
}

/** When the first message arrived at the node the id belongs to now, of those that all did; the ones of the last ten seconds are still on their way. */
function adapted({ simulation }: World, probes: readonly Probe[], id: Guid): Millis {
  const root = simulation.members.root(id)!.host.index
  const judged = probes.filter(({ sentAt }) => sentAt <= simulation.now - 10_000)
  const right = judged.slice(judged.findLastIndex(({ deliveredAt }) => deliveredAt !== root) + 1)
  return Math.min(...right.map(({ sentAt, elapsedMs }) => sentAt + elapsedMs))
}

function crashAny({ simulation }: World): SimNode {
  const node = simulation.simulator.stream(`crash ${simulation.now}`).pick(simulation.running())!
  simulation.crash(node)
  return node
}

function settled(what: string, measured: readonly Millis[]): Finding {
  const sorted = ascending(measured)
  const seconds = (ms: Millis) => (ms === Infinity ? 'never' : `${(ms / 1000).toFixed(1)} s`)
  return {
    experiment: `${measured.length} nodes ${what}, one every ${watchedMs / 1000} s; time until messages for its id arrive at the node it belongs to, and keep doing so`,
    figure: `median ${seconds(percentile(sorted, 50))}, longest ${seconds(sorted.at(-1)!)}`,
    bound: 'a minute for each',
    holds: sorted.at(-1)! <= allowedMs,
  }
}
