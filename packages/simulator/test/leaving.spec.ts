import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { ProbeLog, Simulation, overlays, uniform } from '../src/index.ts'
import type { SimNode } from '../src/index.ts'

describe('nodes that leave one after the other', () => {
  it('lose no message over Tapestry and send none to a dead end, because each stays until nobody counts on it', () => {
    const others = leaveOneByOne('tapestry')
    for (const { kbr } of others) assert.deepEqual([kbr.stats().rerouted, kbr.stats().timeouts], [0, 0])
  })

  it('lose no message over Kademlia: who still counts on one that has gone takes another way', () => {
    const others = leaveOneByOne('kademlia')
    assert.ok(others.some(({ kbr }) => kbr.stats().rerouted > 0))
  })
})

/** 12 of 40 nodes leave while the others send messages, of which none may get lost or be delivered elsewhere than at its root. */
function leaveOneByOne(name: 'tapestry' | 'kademlia'): SimNode[] {
  const log = new ProbeLog()
  const { overlay, ownership } = overlays[name]()
  const simulation = new Simulation({
    seed: 1,
    nodes: 40,
    topology: uniform(30),
    network: { jitterMs: 30 },
    overlay,
    ownership,
    applications: () => [log.application()],
  })
  simulation.joinAll({ gapMs: 100 })
  simulation.run(30_000)
  const prng = simulation.simulator.stream('leaving')
  const leavers = prng.shuffle([...simulation.nodes]).slice(0, 12)
  const others = simulation.nodes.filter((node) => !leavers.includes(node))
  for (const leaver of leavers) {
    simulation.leave(leaver)
    for (let i = 0; i < 60; i++) {
      log.send(simulation, prng.pick(others)!, randomGuid(prng))
      simulation.run(10)
    }
  }
  simulation.run(5_000)
  assert.ok(leavers.every(({ running }) => !running))
  for (const { deliveredAt, rootThen, deliveries } of log.probes) assert.deepEqual([deliveredAt, deliveries], [rootThen, 1])
  return others
}
