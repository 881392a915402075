import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Overlay } from '@plaxton/kbr'
import { overlays } from '../src/overlays.ts'
import { Simulation } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'
import { zoneOrder } from '../src/zone-ownership.ts'

/** Members, each with the zones it says it answers for. */
const members = (zones: Readonly<Record<string, readonly string[]>>): Overlay[] =>
  Object.entries(zones).map(([id, own]) => ({ self: { id, address: '', epoch: 1 }, zones: own, claims: [] }) as unknown as Overlay)

describe('ownership by zones', () => {
  const order = zoneOrder()
  const ids = ['01', '02', '03', '04'] as Guid[]

  it('begins with whose zone has the key, and goes on with who shares most halvings with it', () => {
    order.look!(members({ '01': ['0'], '02': ['10'], '03': ['110'], '04': ['111'] }))
    // 1101 0000
    assert.deepEqual(order.ranks('d0' as Guid, ids, 4), ['03', '04', '02', '01'])
    assert.deepEqual(order.ranks('20' as Guid, ids, 4), ['01', '02', '04', '03'])
  })

  it('counts the best of several zones', () => {
    order.look!(members({ '01': ['0', '111'], '02': ['10'], '03': ['110'], '04': [] }))
    assert.deepEqual(order.ranks('d0' as Guid, ids, 3), ['03', '01', '02'])
  })

  it('puts those without a zone last, and in order of id', () => {
    order.look!(members({ '03': [''] }))
    assert.deepEqual(order.ranks('d0' as Guid, ids, 4), ['03', '01', '02', '04'])
  })

  it('narrows a search down without leaving out any of the first', () => {
    const prng = Prng.fromSeed('zones')
    const many = Array.from({ length: 24 }, (_, i) => (i + 16).toString(16) as Guid)
    // Zones of every kind: of one node and of several, overlapping and none at all.
    const zone = (): string => Array.from({ length: prng.nextInt(6) }, () => prng.nextInt(2)).join('')
    for (let round = 0; round < 50; round++) {
      order.look!(members(Object.fromEntries(many.map((id) => [id, Array.from({ length: prng.nextInt(3) }, zone)]))))
      const key = randomGuid(prng, 8)
      for (const count of [1, 2, 8, 24]) {
        const near = order.near!(key, many, count)
        assert.deepEqual(order.ranks(key, near, count), order.ranks(key, many, count))
      }
    }
  })

  it('has its boundaries at the ends of zones', () => {
    order.look!(members({ '01': ['0'], '02': ['1'] }))
    assert.deepEqual(order.boundaries(['01', '02'] as Guid[]), ['01', '00', '7f', 'ff', '80', '02', '80', 'ff', '7f', '00'])
  })
})

describe('what changes late in a CAN', () => {
  it('is who has which zones: a dead node’s is given away more than two minutes after everybody has noticed', () => {
    const { overlay, ownership, late } = overlays.can()
    const simulation = new Simulation({ seed: 1, nodes: 6, topology: uniform(10), network: { noticeMs: 20 }, overlay, ownership })
    simulation.joinAll({ gapMs: 500 })
    simulation.run(10_000)
    const before = late!.look(simulation)
    simulation.run(60_000)
    assert.equal(late!.look(simulation), before)
    simulation.crash(simulation.nodes[2]!)
    simulation.run(20_000)
    const caredFor = late!.look(simulation)
    simulation.run(100_000)
    assert.equal(late!.look(simulation), caredFor)
    simulation.run(60_000)
    assert.notEqual(late!.look(simulation), caredFor)
  })
})
