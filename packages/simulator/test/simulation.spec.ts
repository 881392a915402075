import assert from 'node:assert/strict'
import { pastry } from '@plaxton/pastry'
import { ProbeLog } from '../src/probe.ts'
import { Simulation } from '../src/simulation.ts'
import type { SimulationOptions } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'

describe('a simulation', () => {
  it('joins its nodes by messages alone, one, two or twenty', () => {
    for (const nodes of [1, 2, 20]) {
      const { simulation } = network({ nodes })
      assert.equal(simulation.joinAll({ gapMs: 100 }), true)
      assert.equal(simulation.members.size, nodes)
      assert.deepEqual(simulation.members.sorted, simulation.nodes.map((node) => node.id).sort())
    }
  })

  it('joins everybody when all come at once', () => {
    const { simulation } = network({ nodes: 20 })
    assert.equal(simulation.joinAll({ gapMs: 0 }), true)
    assert.equal(simulation.members.size, 20)
  })

  it('takes a crashed node out of the members, and a restarted one in again under the next epoch', () => {
    const { simulation } = network({ nodes: 10 })
    simulation.joinAll({ gapMs: 100 })
    const node = simulation.nodes[3]!
    simulation.crash(node)
    assert.deepEqual([node.running, simulation.members.size], [false, 9])
    simulation.restart(node)
    assert.equal(
      simulation.runUntil(() => node.ready, 120_000),
      true,
    )
    assert.deepEqual([simulation.members.size, node.process!.self.epoch], [10, 2])
  })

  it('lets a node leave', () => {
    const { simulation } = network({ nodes: 10 })
    simulation.joinAll({ gapMs: 100 })
    simulation.leave(simulation.nodes[3]!)
    simulation.run(15_000)
    assert.deepEqual([simulation.nodes[3]!.running, simulation.members.size], [false, 9])
  })

  it('is quiet only once nothing has changed for so long', () => {
    const { simulation } = network({ nodes: 10 })
    simulation.joinAll({ gapMs: 100 })
    assert.equal(simulation.runUntilQuiet({ quietMs: 60_000, withinMs: 300_000 }), true)
    assert.ok(simulation.now - simulation.lastChangeAt >= 60_000)
    for (let i = 0; i < 10; i++) simulation.after(i * 20_000, () => void simulation.addNode())
    simulation.run(1000)
    assert.equal(simulation.runUntilQuiet({ quietMs: 60_000, withinMs: 150_000 }), false)
  })

  it('routes probes to their roots and measures them', () => {
    const { simulation, log } = network({ nodes: 30 })
    simulation.joinAll({ gapMs: 100 })
    for (const node of simulation.nodes) log.send(simulation, node, simulation.nodes[7]!.id)
    simulation.run(5000)
    for (const probe of log.probes) {
      assert.deepEqual([probe.deliveredAt, probe.rootThen, probe.deliveries], [7, 7, 1])
      assert.equal(probe.elapsedMs, 20 * probe.hops)
      assert.equal(probe.distance, 20 * probe.hops)
      assert.equal(probe.hops === 0, probe.source === 7)
    }
  })

  it('says the same through the codec as in memory', () => {
    const outcomes = [false, true].map((encode) => {
      const { simulation, log } = network({ nodes: 30, encode })
      simulation.joinAll({ gapMs: 100 })
      for (const node of simulation.nodes) log.send(simulation, node, simulation.nodes[7]!.id)
      simulation.run(5000)
      const types = simulation.simulator.counts.byType()
      assert.equal(
        types.every((type) => type.bytes > 0),
        encode,
      )
      return { probes: log.probes, sent: types.map((type) => [type.name, type.sent]) }
    })
    assert.deepEqual(outcomes[1], outcomes[0])
  })
})

function network(options: Partial<SimulationOptions>): { simulation: Simulation; log: ProbeLog } {
  const log = new ProbeLog()
  const simulation = new Simulation({
    seed: 1,
    nodes: 10,
    topology: uniform(20),
    overlay: pastry(),
    applications: () => [log.application()],
    assertEvery: 1,
    ...options,
  })
  return { simulation, log }
}
