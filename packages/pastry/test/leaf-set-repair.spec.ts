import assert from 'node:assert/strict'
import { pastryDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'

describe('the repair of a leaf set, in a ring of a few nodes more than it holds', () => {
  for (const crashes of [1, 2, 3]) {
    it(`finds all there are after ${crashes === 1 ? 'one crash' : `${crashes} crashes`}, without waiting for an exchange`, () => {
      for (let seed = 0; seed < 60; seed++) {
        const network = new TestNetwork(`small ring ${crashes} ${seed}`, { leafSetSize: 6 })
        network.tellsUnreachable = true
        network.grow(8 + (seed % 5))
        network.run(20_000)
        const victims = network.prng.shuffle(network.members()).slice(0, crashes)
        for (const victim of victims) victim.crash()
        for (const host of network.members()) for (const { ref } of victims) host.peerDown(ref, 'disconnected')
        // Who hears of a crash from others alone may have to wait for one probe.
        network.run(pastryDefaults.probeTimeoutMs + 1_000)
        assert.deepEqual(network.complaints(), [], `seed ${seed}`)
      }
    })
  }
})
