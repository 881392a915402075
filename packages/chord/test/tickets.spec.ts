import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { ref } from '@plaxton/testbed'
import { chordConfig } from '../src/config.ts'
import { ChordState } from '../src/state.ts'
import { Tickets } from '../src/tickets.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

describe('tickets', () => {
  const of = (id: string) => new Tickets(new ChordState(ref(id), chordConfig(), Prng.fromSeed(`tickets of ${id}`)))
  const minuteMs = 60_000

  it('are the same for a while, so that an answer may be late', () => {
    const tickets = of('40')
    const number = tickets.giveTo(ref('50'), 0)
    assert.equal(tickets.giveTo(ref('50'), minuteMs - 1), number)
    assert.equal(tickets.accepts(ref('50'), number, minuteMs + 10_000), true)
  })

  it('do not last', () => {
    const tickets = of('40')
    const number = tickets.giveTo(ref('50'), 0)
    assert.equal(tickets.accepts(ref('50'), number, 2 * minuteMs), false)
  })

  it('count for nobody else, nor for another life of the same node, nor with another node', () => {
    const tickets = of('40')
    const number = tickets.giveTo(ref('50'), 0)
    for (const other of [ref('60'), ref('50', 2)]) assert.equal(tickets.accepts(other, number, 0), false)
    assert.equal(tickets.accepts(ref('50'), 0, 0), false)
    assert.equal(of('41').accepts(ref('50'), number, 0), false)
  })

  it('hold whatever the number of those that ask: a crowd of joiners does not wait', () => {
    const network = new TestNetwork('crowd', { probesMax: 32, successors: 3, predecessors: 3 })
    const [first] = network.grow(1) as [TestHost]
    const joiners = Array.from({ length: 60 }, () => network.add())
    for (const joiner of joiners) joiner.join([first])
    // A joiner that nobody counts asks again after five seconds.
    assert.ok(network.runUntil(() => joiners.every(({ node }) => node.ready), 3_000))
  })
})
