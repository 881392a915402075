import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { IdealPastry } from '../src/ideal-pastry.ts'
import { plane } from '../src/topology.ts'

describe('ideal Pastry', () => {
  // published-results.md §1: 1,000 nodes 2.48 hops and ratio 1.32 (recomputed with perfect tables); 2.49 and 1.33 in the paper's figures 4 and 6.
  it('1,000 nodes: has the hops and the distance ratio of the paper', () => {
    const prng = Prng.fromSeed(1)
    const topology = plane()(prng.fork())
    const places = Array.from({ length: 1000 }, (_, host) => {
      topology.place()
      return { id: randomGuid(prng), host }
    })
    const ideal = new IdealPastry(topology, places, { digitBits: 4, leafSetSize: 16 })
    let [hops, distance, direct] = [0, 0, 0]
    const pairs = 20_000
    for (let i = 0; i < pairs; i++) {
      const from = prng.pick(places)!
      const to = prng.pick(places)!
      const route = ideal.route(from.id, to.id)
      hops += route.hops
      distance += route.distance
      direct += topology.distance(from.host, to.host)
    }
    assert.ok(Math.abs(hops / pairs - 2.48) < 0.03, `${hops / pairs} hops`)
    assert.ok(Math.abs(distance / direct - 1.32) < 0.04, `ratio ${distance / direct}`)
  })
})
