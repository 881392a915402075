import assert from 'node:assert/strict'
import { compareByXor, randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Metric, NodeRef } from '@plaxton/kbr'
import type { LookedUpEvent, LookupOptions } from '@plaxton/routing'
import { Simulation, uniform } from '../src/index.ts'
import type { SimNode } from '../src/index.ts'
import { kademliaUnderTest } from '../src/overlays.ts'

// Iterative lookups of whole Kademlia nodes, whose tables joining has filled; `kademlia paths` has the figures for large networks with ideal tables.
describe('iterative lookups of Kademlia nodes that know few others', function () {
  this.timeout(60_000)

  it('end at the root of the key, with one path and with disjoint ones', () => {
    const simulation = grown(1)
    const prng = simulation.simulator.stream('keys')
    for (const paths of [1, 4, 8]) {
      for (let i = 0; i < 40; i++) {
        const key = randomGuid(prng)
        const found = lookUp(simulation, prng.pick(simulation.nodes)!, key, { alpha: 3, paths })
        assert.equal(found, simulation.nodes.map(({ id }) => id).sort((a, b) => compareByXor(a, b, key))[0])
      }
    }
  })

  it('find honest nodes among colluders who name each other, the more often the more paths they take', () => {
    const simulation = grown(2)
    const prng = simulation.simulator.stream('colluders')
    const nodes = prng.shuffle([...simulation.nodes])
    const [colluders, honest] = [nodes.slice(0, 40), nodes.slice(40)]
    for (const node of colluders) collude(node, colluders)
    const successes = [1, 8].map((paths) => {
      let succeeded = 0
      for (let i = 0; i < 150; i++) {
        const [source, target] = [prng.pick(honest)!, prng.pick(honest)!]
        if (lookUp(simulation, source, target.id, { alpha: 1, paths }) === target.id) succeeded++
      }
      return succeeded / 150
    })
    const [one, eight] = successes as [number, number]
    assert.ok(eight > one && eight >= 0.98, `${one} with one path, ${eight} with eight`)
  })
})

/** 120 nodes with buckets of 4, which joined by the protocol. */
function grown(seed: number): Simulation {
  const { overlay, ownership } = kademliaUnderTest({ bucketSize: 4, siblingsSure: 3, siblings: 6 })
  const simulation = new Simulation({ seed, nodes: 120, topology: uniform(30), overlay, ownership, applications: () => [] })
  simulation.joinAll({ gapMs: 100 })
  simulation.run(60_000)
  return simulation
}

/** From now on it names to everybody the colluders closest to the key. */
function collude(node: SimNode, colluders: readonly SimNode[]): void {
  const refs: readonly NodeRef[] = colluders.map(({ kbr }) => kbr.self)
  const metric = node.kbr.overlay.metric as { -readonly [Field in keyof Metric]: Metric[Field] }
  metric.closest = (key, count) => [...refs].sort((a, b) => compareByXor(a.id, b.id, key)).slice(0, count)
}

/** The root that the lookup ends at; undefined when it fails. */
function lookUp(simulation: Simulation, node: SimNode, key: Guid, options: LookupOptions): Guid | undefined {
  const ended: LookedUpEvent[] = []
  simulation.onEvent((at, event) => {
    if (at === node && event.type === 'routing:looked-up') ended.push(event as LookedUpEvent)
  })
  const lookup = simulation.simulator.step(node.process!, (now, fx) => node.kbr.lookup(key, options, now, fx))
  const outcome = (): LookedUpEvent | undefined => ended.find((event) => event.lookup === lookup)
  simulation.runUntil(() => outcome() !== undefined, 60_000)
  const found = outcome()?.outcome
  return found?.ok === true ? found.root.id : undefined
}
