import assert from 'node:assert/strict'
import { pastryDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'

const { probeRetries, probeTimeoutMinMs } = pastryDefaults

describe('a neighbour that falls silent', () => {
  it('is found dead as soon after it has joined as later: who joins tells how far it is', () => {
    for (const afterMs of [100, 60_000]) {
      for (let seed = 0; seed < 10; seed++) {
        const network = new TestNetwork(`silent ${seed}`)
        const members = network.grow(9)
        network.run(afterMs)
        const victim = members.pop()!
        victim.crash()
        for (const host of members) host.node.suspect(victim.ref, network.now, host)
        network.run((1 + probeRetries) * probeTimeoutMinMs)
        for (const { events } of members) assert.ok(events.some((event) => event.type === 'peer-failed' && event.peer.id === victim.ref.id))
      }
    }
  })
})
