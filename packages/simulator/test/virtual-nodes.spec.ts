import assert from 'node:assert/strict'
import { pastry } from '@plaxton/pastry'
import { runMix } from '../src/mix.ts'
import { Simulation } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'

describe('virtual nodes', () => {
  it('share machines by the order of their hosts', () => {
    const simulation = new Simulation({ seed: 1, nodes: 6, virtualNodes: 3, topology: uniform(10), overlay: pastry() })
    assert(simulation.joinAll({ gapMs: 100 }))
    assert.deepEqual(
      [0, 2, 3, 5].map((host) => simulation.machineOf(host)),
      [0, 0, 1, 1],
    )
    assert.deepEqual(
      simulation.onMachineOf(simulation.nodes[4]!).map(({ host }) => host.index),
      [3, 4, 5],
    )
  })

  it('come in whole machines', () => {
    const options = { seed: 1, nodes: 7, virtualNodes: 3, topology: uniform(10), overlay: pastry() }
    assert.throws(() => new Simulation(options), { name: 'InvalidValueError' })
  })

  // Whole machines crash, leave and are cut off. `npm run simulate -- mix --virtual-nodes 3 --nodes 30 --seeds 1..200` is the whole.
  for (const seed of [1, 3]) {
    it(`keep the copies of an object on different machines, through the mix of seed ${seed}`, function () {
      this.timeout(120_000)
      const { violations, plan } = runMix({ seed, nodes: 30, virtualNodes: 3 })
      assert.deepEqual(violations.kept, [], `npm run simulate -- mix --seed ${seed} --nodes 30 --virtual-nodes 3\n${plan}`)
    })
  }
})
