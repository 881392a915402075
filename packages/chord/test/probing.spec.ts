import assert from 'node:assert/strict'
import { TestNetwork } from './network.ts'

describe('a neighbour that has died', () => {
  it('is out of the lists of its successor and predecessor within two seconds of the first doubt, for they know how far it was', () => {
    const network = new TestNetwork('died')
    const hosts = network.grow(30)
    network.run(1_000)
    for (const victim of hosts.slice(0, 8)) {
      const beside = [victim.node.successors[0]!, victim.node.predecessors[0]!].map(({ id }) => network.hosts.get(id)!)
      victim.crash()
      for (const host of beside) host.node.suspect(victim.ref, network.now, host)
      // Three questions, each given four round trips of at most 100 ms and not less than 500 ms; without a known round trip 9 s.
      network.run(2_000)
      for (const { node } of beside) assert.ok(!node.neighborSet(24).some(({ id }) => id === victim.ref.id))
      network.run(60_000)
    }
  })
})
