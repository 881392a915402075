import assert from 'node:assert/strict'
import { pastryDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

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

  it('tells whenever it makes another of a replica set', () => {
    for (let seed = 0; seed < 10; seed++) {
      const network = new TestNetwork(`told ${seed}`, { leafSetSize: 6 })
      network.tellsUnreachable = true
      const members = network.grow(8 + (seed % 5))
      network.run(20_000)
      const keys = members.map(({ ref }) => ref.id)
      const look = (host: TestHost): string => keys.map((key) => host.node.replicaSet(key, 4).map(({ id }) => id)).join()
      const told = (host: TestHost): number => host.neighbors.length + host.rankChanges
      for (const victim of network.prng.shuffle(members).slice(0, 3)) victim.crash()
      const left = network.members()
      let before = left.map((host) => [look(host), told(host)] as const)
      for (const host of left) for (const { ref } of members.filter(({ alive }) => !alive)) host.peerDown(ref, 'disconnected')
      for (let i = 0; i < 1_000; i++) {
        network.run(2)
        const now = left.map((host) => [look(host), told(host)] as const)
        now.forEach(([set, times], at) => assert.ok(set === before[at]![0] || times > before[at]![1], `seed ${seed}, ${left[at]!.ref.id}`))
        before = now
      }
    }
  })
})
